defmodule Heartwire.Listener.Server do
  @moduledoc false
  # The process of one listener. It hands what the library has put into the inbox over to the processes
  # of the clients, which it starts, and ends with its owner, or once it was closed and all have gone.
  # Its own end closes the native listener, whatever the cause: the NIF monitors it.

  use GenServer

  alias Heartwire.{BeforeAccept, Connection, Detector, Error, Event}
  alias Heartwire.{Handle, Handover, NIF, Options, Owner}

  # The VM does not tell when the owners of the clients have caught up, so they are looked at again
  # after this time. Heartbeats do not wait for it.
  @recheck_ms 10

  # As the library closes a connection whose inbox is full.
  @policy_violation 1008

  # What a listener has no use for.
  @of_connections [:headers, :opening, :before_connect]

  # A client's process and what is on its way there. One that is cut short loses messages, which are
  # counted.
  defmodule Client do
    @moduledoc false
    @enforce_keys [:pid, :handover]
    defstruct [:pid, :handover, is_cut_short: false, dropped: 0]
  end

  @enforce_keys [
    :handle,
    :inbox,
    :owner,
    :monitor,
    :high_water,
    :before_accept,
    :detector,
    :overflow,
    :limits
  ]
  defstruct @enforce_keys ++ [clients: %{}, crowded: [], is_closing: false]

  @spec start_link(keyword, GenServer.options()) :: GenServer.on_start()
  def start_link(options, server_options) do
    # A listener that cannot be opened is an answer for the caller and must not end it.
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
    {before_accept, options} = Keyword.pop(options, :before_accept)
    {detector, options} = Keyword.pop(options, :detector)
    {overflow, options} = overflow(options)

    with {:ok, owner} <- Owner.find(owner),
         :ok <- BeforeAccept.check(before_accept),
         :ok <- Detector.check(detector),
         :ok <- check_use(options),
         {:ok, {properties, headers, rules, steps}} <- Options.to_native(options),
         asks = before_accept != nil,
         {:ok, handle, inbox} <- native(NIF.listen(url, properties, headers, rules, steps, asks)),
         :ok <- native(NIF.watch(inbox)) do
      {:ok, _registry} =
        Registry.register(Heartwire.Registry, Handle.listener_key(self()), handle)

      {:ok,
       %__MODULE__{
         handle: handle,
         inbox: inbox,
         owner: owner,
         monitor: Process.monitor(owner),
         high_water: high_water,
         before_accept: before_accept,
         detector: Detector.new(detector, properties),
         overflow: overflow,
         limits: {
           Options.number(properties, "inbox.messages_max"),
           Options.number(properties, "inbox.bytes_max")
         }
       }}
    else
      {:error, %Error{} = error} ->
        Process.unlink(parent)
        {:stop, {:shutdown, error}}
    end
  end

  # A client that is to be closed is so by this process, and the inbox of them all never.
  defp overflow(options) do
    case Keyword.get(options, :inbox_overflow, :close) do
      close when close in [:close, "close"] -> {:close, Keyword.delete(options, :inbox_overflow)}
      _other -> {:wait, options}
    end
  end

  defp check_use(options) do
    case Enum.find(@of_connections, &Keyword.has_key?(options, &1)) do
      nil ->
        :ok

      option ->
        message = "The option #{inspect(option)} is for connections that are opened here."
        {:error, Error.new(status: :property, layer: :configuration, message: message)}
    end
  end

  @impl GenServer
  def handle_cast(:close, state), do: take(%{state | is_closing: true})

  @impl GenServer
  def handle_info({:select, inbox, _reference, :ready_input}, %{inbox: inbox} = state),
    do: take(state)

  def handle_info(:take, state), do: take(state)

  def handle_info({:DOWN, monitor, :process, _pid, _reason}, %{monitor: monitor} = state),
    do: {:stop, :normal, state}

  def handle_info(_other, state), do: {:noreply, state}

  # One batch for each message to this process, so that its other messages get their turn.
  defp take(state) do
    case Enum.filter(state.crowded, &(Process.alive?(&1.pid) and Handover.full?(&1.handover))) do
      [] ->
        take_batch(%{state | crowded: []})

      crowded ->
        Process.send_after(self(), :take, @recheck_ms)
        {:noreply, %{state | crowded: crowded}}
    end
  end

  defp take_batch(state) do
    case NIF.take(state.inbox) do
      [] ->
        watch(state)

      deliveries ->
        send(self(), :take)
        lots = Enum.group_by(deliveries, &elem(&1, 0), &elem(&1, 1))

        {:noreply,
         Enum.reduce(lots, state, fn {key, lot}, state -> hand_over(lot, key, state) end)}
    end
  end

  defp watch(%{is_closing: true, clients: clients} = state) when clients == %{},
    do: {:stop, :normal, state}

  defp watch(state) do
    case native(NIF.watch(state.inbox)) do
      :ok -> {:noreply, state}
      {:error, error} -> {:stop, {:shutdown, error}, state}
    end
  end

  defp hand_over(lot, key, state) do
    client = Map.get_lazy(state.clients, key, fn -> start_client(key, lot, state) end)
    {lot, client} = if client.is_cut_short, do: cut_short(lot, client), else: {lot, client}
    if lot != [], do: Handover.give(client.handover, client.pid, lot)

    if match?({:event, %{kind: :released}}, List.last(lot)),
      do: %{state | clients: Map.delete(state.clients, key)},
      else: keep(client, key, state)
  end

  defp keep(client, key, state) do
    full? = not client.is_cut_short and Handover.full?(client.handover)

    case state.overflow do
      :close when full? ->
        Heartwire.close(client.pid, @policy_violation, "too slow")
        put_in(state.clients[key], %{client | is_cut_short: true})

      :wait when full? ->
        put_in(%{state | crowded: [client | state.crowded]}.clients[key], client)

      _room ->
        put_in(state.clients[key], client)
    end
  end

  # The owner has so much before it that it gets no more messages; in the end it is told how many.
  defp cut_short(lot, client) do
    {events, messages} = Enum.split_with(lot, &match?({:event, _fields}, &1))
    dropped = client.dropped + length(messages)

    case Enum.split_while(events, &(not tells_of_end?(&1))) do
      {before, [{:event, fields} | _rest] = ending} when dropped > 0 ->
        {before ++ [slow_consumer(fields, dropped) | ending], %{client | dropped: 0}}

      _not_yet ->
        {events, %{client | dropped: dropped}}
    end
  end

  defp tells_of_end?({:event, %{kind: :closed}}), do: true

  defp tells_of_end?({:event, %{kind: :state, state: state}}),
    do: state in [:disconnected, :failed]

  defp tells_of_end?(_other), do: false

  defp slow_consumer(%{time_ns: time_ns, epoch: epoch, state: state}, count) do
    {:event, %{kind: :slow_consumer, count: count, time_ns: time_ns, epoch: epoch, state: state}}
  end

  defp start_client(key, [first | _rest], state) do
    {deliveries_max, bytes_max} = state.limits
    handover = Handover.new(deliveries_max, bytes_max)
    asks = is_function(state.before_accept)

    client = %Connection.Client{
      key: key,
      listener: self(),
      owner: state.owner,
      handover: handover
    }

    owner = if asks, do: nil, else: state.owner
    {:ok, pid} = Connection.start_client(client, owner, state.high_water, state.detector)

    with true <- asks,
         {:event, %{kind: :accept_due} = fields} <- first,
         do: BeforeAccept.ask(pid, state.before_accept, struct!(Event, fields))

    %Client{pid: pid, handover: handover}
  end

  defp native({:error, fields}), do: {:error, Error.new(fields)}
  defp native(result), do: result
end
