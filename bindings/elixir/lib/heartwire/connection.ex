defmodule Heartwire.Connection do
  @moduledoc false
  # The process of one connection. It carries what the library has put into the inbox to the owner,
  # and ends with the connection or the owner. Its own end releases the native connection, whatever
  # the cause: the NIF monitors it.
  #
  # Of a listener's client the inbox is the listener's, whose process hands over what comes.

  use GenServer

  alias Heartwire.{Backlog, BeforeConnect, Detector, Error, Event, Handover, NIF, Options, Owner}

  # The VM does not tell when a message queue has become short again, so a full one is looked at
  # again after this time. Heartbeats do not wait for it.
  @recheck_ms 10

  defmodule Client do
    @moduledoc false
    # What a listener's client has in the place of an inbox: what has arrived and was not taken yet,
    # and whether this process waits for more. `owner` is whom it is for unless another is named.
    @enforce_keys [:key, :listener, :owner, :handover]
    defstruct [
      :key,
      :listener,
      :owner,
      :handover,
      :monitor,
      arrived: %Backlog{},
      is_waiting: true
    ]
  end

  # The owner is nil until somebody has decided whose a listener's client is. With a detector: what
  # runs it, its process and the monitor of that. With it or a function to ask before each attempt:
  # what these have seen before the owner had room for it.
  @enforce_keys [:handle, :high_water]
  defstruct [
    :handle,
    :inbox,
    :client,
    :owner,
    :monitor,
    :high_water,
    :detector,
    :detector_pid,
    :detector_monitor,
    :before_connect,
    backlog: %Backlog{},
    senders: []
  ]

  @spec start_link(keyword, GenServer.options()) :: GenServer.on_start()
  def start_link(options, server_options) do
    # A connection that cannot be opened is an answer for the caller and must not end it.
    case GenServer.start_link(__MODULE__, {:open, self(), options}, server_options) do
      {:error, {:shutdown, %Error{} = error}} -> {:error, error}
      other -> other
    end
  end

  @doc """
  Starts the process of a listener's client, unlinked. Without an owner it holds what comes until
  somebody lets the client in.
  """
  @spec start_client(%Client{}, pid | nil, pos_integer, Detector.t() | nil) :: {:ok, pid}
  def start_client(client, owner, high_water, detector),
    do: GenServer.start(__MODULE__, {:adopt, client, owner, high_water, detector})

  @impl GenServer
  def init({:open, parent, options}) do
    {url, options} = Keyword.pop!(options, :url)
    {owner, options} = Keyword.pop!(options, :owner)
    {high_water, options} = Keyword.pop!(options, :owner_queue_max)
    {detector, options} = Keyword.pop(options, :detector)
    {before_connect, options} = Keyword.pop(options, :before_connect)

    with {:ok, owner} <- Owner.find(owner),
         :ok <- Detector.check(detector),
         :ok <- BeforeConnect.check(before_connect),
         {:ok, {properties, headers, rules, steps}} <- Options.to_native(options),
         asks = before_connect != nil,
         {:ok, handle, inbox} <- native(NIF.open(url, properties, headers, rules, steps, asks)),
         :ok <- native(NIF.watch(inbox)) do
      state = %__MODULE__{handle: handle, inbox: inbox, high_water: high_water}
      state = own(%{state | before_connect: before_connect}, owner)
      {:ok, start(state, Detector.new(detector, properties))}
    else
      {:error, %Error{} = error} ->
        Process.unlink(parent)
        {:stop, {:shutdown, error}}
    end
  end

  def init({:adopt, client, owner, high_water, detector}) do
    {:ok, handle} = NIF.adopt(client.key)
    client = %{client | monitor: Process.monitor(client.listener)}
    state = %__MODULE__{handle: handle, client: client, high_water: high_water}
    state = if owner, do: own(state, owner), else: state
    {:ok, start(state, detector)}
  end

  defp start(state, detector) do
    {:ok, _registry} = Registry.register(Heartwire.Registry, self(), state.handle)
    if detector, do: run_detector(%{state | detector: detector}), else: state
  end

  @impl GenServer
  def handle_call({:let_in, attempt_id, owner}, _from, state) do
    case NIF.accept(state.handle, attempt_id, 0, "") do
      :ok -> {:reply, :ok, own(state, owner || state.client.owner), {:continue, :take}}
      error -> {:reply, error, state}
    end
  end

  @impl GenServer
  def handle_continue(:take, state), do: take_if_waiting(state)

  @impl GenServer
  def handle_info({:select, inbox, _reference, :ready_input}, %{inbox: inbox} = state),
    do: take(state)

  def handle_info(:take, state), do: take(state)

  def handle_info({:arrived, lot}, %{client: %Client{} = client} = state) do
    is_last = match?({:event, %{kind: :released}}, List.last(lot))
    # What has arrived is delivered though the listener may end now.
    if is_last, do: Process.demonitor(client.monitor, [:flush])

    if is_last and state.owner == nil,
      do: {:stop, :normal, state},
      else: take_if_waiting(put_in(state.client.arrived, Backlog.add(client.arrived, lot)))
  end

  # A sender waits for room in the queue.
  def handle_info({:tell_room, sender, reference}, state) do
    send(sender, {reference, :noted})
    {:noreply, %{state | senders: [{sender, reference} | state.senders]}}
  end

  def handle_info({:DOWN, monitor, :process, _pid, _reason}, %{monitor: monitor} = state),
    do: {:stop, :normal, state}

  def handle_info(
        {:DOWN, monitor, :process, _pid, _reason},
        %{client: %{monitor: monitor}} = state
      ),
      do: {:stop, :normal, state}

  def handle_info({:DOWN, monitor, :process, _pid, reason}, %{detector_monitor: monitor} = state) do
    Detector.ended(state.handle, reason)
    {:noreply, run_detector(state)}
  end

  def handle_info(_other, state), do: {:noreply, state}

  # The owner of a listener's client is told of it before anything else.
  defp own(%{owner: owner} = state, owner), do: state

  defp own(state, owner) do
    if state.monitor, do: Process.demonitor(state.monitor, [:flush])
    if state.client, do: send(owner, {:heartwire, state.client.listener, {:client, self()}})
    %{state | owner: owner, monitor: Process.monitor(owner)}
  end

  defp take_if_waiting(%{client: %{is_waiting: true}, owner: owner} = state) when owner != nil,
    do: take(put_in(state.client.is_waiting, false))

  defp take_if_waiting(state), do: {:noreply, state}

  # One batch for each message to this process, so that its other messages get their turn. Where
  # there is a function of the host's it goes on seeing what arrives while the owner has no room.
  defp take(%{detector: nil, before_connect: nil} = state) do
    if Owner.crowded?(state.owner, state.high_water),
      do: recheck(state),
      else: take_for_owner(state)
  end

  defp take(state) do
    cond do
      state.detector != nil and Detector.busy?(state.detector_pid) -> recheck(state)
      Owner.crowded?(state.owner, state.high_water) -> take_ahead(state)
      Backlog.empty?(state.backlog) -> take_for_owner(state)
      true -> deliver_backlog(state)
    end
  end

  # The event that tells of room may be among what is not taken.
  defp recheck(state) do
    Process.send_after(self(), :take, @recheck_ms)
    {:noreply, tell_senders(state)}
  end

  defp take_for_owner(state) do
    case take_lot(state) do
      {[], state} -> watch(state)
      {deliveries, state} -> deliver(deliveries, show(deliveries, state))
    end
  end

  defp take_ahead(state) do
    case if(Backlog.full?(state.backlog), do: {[], state}, else: take_lot(state)) do
      {[], state} ->
        recheck(state)

      {deliveries, state} ->
        send(self(), :take)
        state = show(deliveries, state)
        {:noreply, %{state | backlog: Backlog.add(state.backlog, deliveries)}}
    end
  end

  defp take_lot(%{client: nil} = state), do: {NIF.take(state.inbox), state}

  defp take_lot(%{client: client} = state) do
    if Backlog.empty?(client.arrived) do
      {[], state}
    else
      {lot, arrived} = Backlog.take(client.arrived)
      Handover.taken(client.handover, lot)
      {lot, put_in(state.client.arrived, arrived)}
    end
  end

  defp deliver_backlog(state) do
    {deliveries, backlog} = Backlog.take(state.backlog)
    deliver(deliveries, %{state | backlog: backlog})
  end

  defp show(deliveries, state) do
    if state.detector, do: Detector.show(state.detector_pid, deliveries)
    if state.before_connect, do: ask_before_connect(deliveries, state)
    if Enum.any?(deliveries, &tells_of_room?/1), do: tell_senders(state), else: state
  end

  # There may be room, or never will be: the connection ends, or the message has its outcome.
  defp tells_of_room?({:event, %{kind: kind}}), do: kind in [:writable, :state, :outcome]
  defp tells_of_room?(_message), do: false

  defp tell_senders(state) do
    for {sender, reference} <- state.senders, do: send(sender, {reference, :room})
    %{state | senders: []}
  end

  defp ask_before_connect(deliveries, state) do
    for {:event, %{kind: :connect_due} = fields} <- deliveries,
        do: BeforeConnect.ask(state.handle, state.before_connect, struct!(Event, fields))
  end

  defp watch(%{client: nil} = state) do
    case native(NIF.watch(state.inbox)) do
      :ok -> {:noreply, state}
      {:error, error} -> {:stop, {:shutdown, error}, state}
    end
  end

  defp watch(state), do: {:noreply, put_in(state.client.is_waiting, true)}

  defp deliver([], state) do
    send(self(), :take)
    {:noreply, state}
  end

  # What ends without a state: a client whose handle was released.
  defp deliver([{:event, %{kind: :released}} | _rest], state), do: {:stop, :normal, state}

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

  defp run_detector(state) do
    {pid, monitor} = Detector.start(state.detector, state.handle)
    %{state | detector_pid: pid, detector_monitor: monitor}
  end

  defp native({:error, fields}), do: {:error, Error.new(fields)}
  defp native(result), do: result
end
