defmodule Heartwire.Connection do
  @moduledoc false
  # The process of one connection. It carries what the library has put into the inbox to the owner,
  # and ends with the connection or the owner. Its own end releases the native connection, whatever
  # the cause: the NIF monitors it.

  use GenServer

  alias Heartwire.{Backlog, BeforeConnect, Detector, Error, Event, NIF, Options}

  # The VM does not tell when a message queue has become short again, so a full one is looked at
  # again after this time. Heartbeats do not wait for it.
  @recheck_ms 10

  # With a detector: what runs it, its process and the monitor of that. With it or a function to ask
  # before each attempt: what these have seen before the owner had room for it.
  @enforce_keys [:handle, :owner, :monitor, :high_water]
  defstruct [
    :handle,
    :owner,
    :monitor,
    :high_water,
    :detector,
    :detector_pid,
    :detector_monitor,
    :before_connect,
    backlog: %Backlog{}
  ]

  @spec start_link(keyword, GenServer.options()) :: GenServer.on_start()
  def start_link(options, server_options) do
    # A connection that cannot be opened is an answer for the caller and must not end it.
    case GenServer.start_link(__MODULE__, {self(), options}, server_options) do
      {:error, {:shutdown, %Error{} = error}} -> {:error, error}
      other -> other
    end
  end

  @impl GenServer
  def init({parent, options}) do
    {url, options} = Keyword.pop!(options, :url)
    {owner, options} = Keyword.pop!(options, :owner)
    {high_water, options} = Keyword.pop!(options, :owner_queue_max)
    {detector, options} = Keyword.pop(options, :detector)
    {before_connect, options} = Keyword.pop(options, :before_connect)

    with {:ok, owner} <- find_owner(owner),
         :ok <- check_detector(detector),
         :ok <- check_before_connect(before_connect),
         {:ok, {properties, headers, rules, steps}} <- Options.to_native(options),
         asks = before_connect != nil,
         {:ok, handle} <- native(NIF.open(url, properties, headers, rules, steps, asks)),
         :ok <- native(NIF.watch(handle)) do
      {:ok, _registry} = Registry.register(Heartwire.Registry, self(), handle)
      monitor = Process.monitor(owner)
      state = %__MODULE__{handle: handle, owner: owner, monitor: monitor, high_water: high_water}
      state = %{state | before_connect: before_connect}
      {:ok, start_detector(state, detector, properties)}
    else
      {:error, %Error{} = error} ->
        Process.unlink(parent)
        {:stop, {:shutdown, error}}
    end
  end

  @impl GenServer
  def handle_info({:select, handle, _reference, :ready_input}, %{handle: handle} = state),
    do: take(state)

  def handle_info(:take, state), do: take(state)

  def handle_info({:DOWN, monitor, :process, _pid, _reason}, %{monitor: monitor} = state),
    do: {:stop, :normal, state}

  def handle_info({:DOWN, monitor, :process, _pid, reason}, %{detector_monitor: monitor} = state) do
    Detector.ended(state.handle, reason)
    {:noreply, run_detector(state)}
  end

  def handle_info(_other, state), do: {:noreply, state}

  # One batch for each message to this process, so that its other messages get their turn. Where
  # there is a function of the host's it goes on seeing what arrives while the owner has no room.
  defp take(%{detector: nil, before_connect: nil} = state) do
    if crowded?(state), do: recheck(state), else: take_for_owner(state)
  end

  defp take(state) do
    cond do
      state.detector != nil and Detector.busy?(state.detector_pid) -> recheck(state)
      crowded?(state) -> take_ahead(state)
      Backlog.empty?(state.backlog) -> take_for_owner(state)
      true -> deliver_backlog(state)
    end
  end

  defp recheck(state) do
    Process.send_after(self(), :take, @recheck_ms)
    {:noreply, state}
  end

  defp take_for_owner(state) do
    case NIF.take(state.handle) do
      [] ->
        watch(state)

      deliveries ->
        show(deliveries, state)
        deliver(deliveries, state)
    end
  end

  defp take_ahead(state) do
    case if(Backlog.full?(state.backlog), do: [], else: NIF.take(state.handle)) do
      [] ->
        recheck(state)

      deliveries ->
        show(deliveries, state)
        send(self(), :take)
        {:noreply, %{state | backlog: Backlog.add(state.backlog, deliveries)}}
    end
  end

  defp deliver_backlog(state) do
    {deliveries, backlog} = Backlog.take(state.backlog)
    deliver(deliveries, %{state | backlog: backlog})
  end

  defp show(deliveries, state) do
    if state.detector, do: Detector.show(state.detector_pid, deliveries)
    if state.before_connect, do: ask_before_connect(deliveries, state)
  end

  defp ask_before_connect(deliveries, state) do
    for {:event, %{kind: :connect_due} = fields} <- deliveries,
        do: BeforeConnect.ask(state.handle, state.before_connect, struct!(Event, fields))
  end

  defp watch(state) do
    case native(NIF.watch(state.handle)) do
      :ok -> {:noreply, state}
      {:error, error} -> {:stop, {:shutdown, error}, state}
    end
  end

  # What is not taken stays in the library's inbox, which is bounded and has a policy for overflow.
  defp crowded?(%{owner: owner, high_water: high_water}) when node(owner) == node() do
    case Process.info(owner, :message_queue_len) do
      {:message_queue_len, length} -> length >= high_water
      nil -> false
    end
  end

  defp crowded?(_state), do: false

  defp deliver([], state) do
    send(self(), :take)
    {:noreply, state}
  end

  defp deliver([{:event, fields} | rest], state) do
    event = struct!(Event, fields)
    send(state.owner, {:heartwire, self(), {:event, event}})

    case event do
      %{kind: :state, state: :disconnected} -> {:stop, :normal, state}
      %{kind: :state, state: :failed} -> {:stop, {:shutdown, Error.from_event(event)}, state}
      _ -> deliver(rest, state)
    end
  end

  defp deliver([{message, _received_ns, _epoch} | rest], state) do
    send(state.owner, {:heartwire, self(), message})
    deliver(rest, state)
  end

  defp find_owner(owner) do
    case GenServer.whereis(owner) do
      pid when is_pid(pid) ->
        {:ok, pid}

      _ ->
        message = "No process of this node is the owner #{inspect(owner)}."
        {:error, Error.new(status: :argument, layer: :delivery, message: message)}
    end
  end

  defp check_detector(nil), do: :ok
  defp check_detector(function) when is_function(function, 1) or is_function(function, 2), do: :ok

  defp check_detector(other) do
    message =
      "A detector is a function of a message, or a message and a deadline: #{inspect(other)}."

    {:error, Error.new(status: :value, layer: :configuration, message: message)}
  end

  defp check_before_connect(function) when is_nil(function) or is_function(function, 1), do: :ok

  defp check_before_connect(other) do
    message = "before_connect is a function of the event :connect_due, not #{inspect(other)}."
    {:error, Error.new(status: :value, layer: :configuration, message: message)}
  end

  defp start_detector(state, nil, _properties), do: state

  defp start_detector(state, function, properties) do
    timeout_ns = Options.duration_ms(properties, "response.timeout") * 1_000_000
    detector = %Detector{handle: state.handle, function: function, timeout_ns: timeout_ns}
    run_detector(%{state | detector: detector})
  end

  defp run_detector(state) do
    {pid, monitor} = Detector.start(state.detector)
    %{state | detector_pid: pid, detector_monitor: monitor}
  end

  defp native({:error, fields}), do: {:error, Error.new(fields)}
  defp native(result), do: result
end
