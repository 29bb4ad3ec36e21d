defmodule Heartwire.Connection do
  @moduledoc false
  # The process of one connection. It carries what the library has put into the inbox to the owner,
  # and ends with the connection or the owner. Its own end releases the native connection, whatever
  # the cause: the NIF monitors it.

  use GenServer

  alias Heartwire.{Error, Event, NIF, Options}

  # The VM does not tell when a message queue has become short again, so a full one is looked at
  # again after this time. Heartbeats do not wait for it.
  @recheck_ms 10

  @enforce_keys [:handle, :owner, :monitor, :high_water]
  defstruct [:handle, :owner, :monitor, :high_water]

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

    with {:ok, owner} <- find_owner(owner),
         {:ok, {properties, headers}} <- Options.to_native(options),
         {:ok, handle} <- open(url, properties, headers),
         :ok <- native(NIF.watch(handle)) do
      {:ok, _registry} = Registry.register(Heartwire.Registry, self(), handle)
      monitor = Process.monitor(owner)
      {:ok, %__MODULE__{handle: handle, owner: owner, monitor: monitor, high_water: high_water}}
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

  def handle_info(_other, state), do: {:noreply, state}

  # One batch for each message to this process, so that its other messages get their turn.
  defp take(state) do
    if crowded?(state) do
      Process.send_after(self(), :take, @recheck_ms)
      {:noreply, state}
    else
      case NIF.take(state.handle) do
        [] -> watch(state)
        deliveries -> deliver(deliveries, state)
      end
    end
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

  defp deliver([message | rest], state) do
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

  defp open(url, properties, headers), do: native(NIF.open(url, properties, headers))

  defp native({:error, fields}), do: {:error, Error.new(fields)}
  defp native(result), do: result
end
