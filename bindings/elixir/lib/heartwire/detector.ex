defmodule Heartwire.Detector do
  @moduledoc """
  A detector finds heartbeats that rules cannot express, such as signed ones.

  It is a function, the option `:detector` of `Heartwire.start_link/1` and `Heartwire.listen/2`, that
  is called with each whole message, `{:text, binary}` or `{:binary, binary}`, and, if it takes two,
  with the deadline of the answer, to be compared with `System.monotonic_time(:millisecond)`:

      detector: fn
        {:binary, <<1, challenge::binary>>} -> {:binary, MyApp.sign(challenge)}
        _message -> nil
      end

  It returns the answer, `{:text, iodata}` or `{:binary, iodata}` of at most 64 KiB, `:seen` for a
  heartbeat of the server's that needs none, or `nil` (or `:none`) for what is none. It runs in a
  process of its own, so that neither a busy owner nor a full message queue delays it: up to 65,536
  messages or 16 MiB that it has seen are kept for the owner meanwhile. An answer goes ahead of
  queued messages. A detector that raises, or returns something else, is logged and counts as a
  failed heartbeat (`:heartbeat_failure_threshold`). The owner receives all messages as well.
  """

  # Whatever goes wrong in the detector's process is reported to the library, which counts it as a
  # failed heartbeat. The process holds up nothing but itself.

  require Logger

  alias Heartwire.{Error, NIF, Options}

  # Messages that may wait for the detector, whose mailbox has no limit of its own.
  @queue_max 1000

  @enforce_keys [:function, :timeout_ns]
  defstruct [:handle, :function, :timeout_ns]

  @typedoc false
  @type t :: %__MODULE__{
          handle: NIF.connection() | nil,
          function: Heartwire.detector(),
          timeout_ns: pos_integer
        }

  @doc false
  @spec check(term) :: :ok | {:error, Error.t()}
  def check(nil), do: :ok
  def check(function) when is_function(function, 1) or is_function(function, 2), do: :ok

  def check(other) do
    message =
      "A detector is a function of a message, or a message and a deadline: #{inspect(other)}."

    {:error, Error.new(status: :value, layer: :configuration, message: message)}
  end

  # What is known before there is a connection; nil without a function.
  @doc false
  @spec new(Heartwire.detector() | nil, Options.properties()) :: t | nil
  def new(nil, _properties), do: nil

  def new(function, properties) do
    timeout_ns = Options.number(properties, "response.timeout") * 1_000_000
    %__MODULE__{function: function, timeout_ns: timeout_ns}
  end

  # Starts the process. It ends with the caller and is monitored by it.
  @doc false
  @spec start(t, NIF.connection()) :: {pid, reference}
  def start(detector, handle) do
    {pid, monitor} = spawn_monitor(fn -> run(%{detector | handle: handle}) end)
    guard(self(), pid)
    {pid, monitor}
  end

  # A link would end the connection with the detector. A detector that never returns must end too.
  defp guard(connection, detector) do
    spawn(fn ->
      Process.monitor(connection)
      Process.monitor(detector)

      receive do
        {:DOWN, _monitor, :process, _pid, _reason} -> :ok
      end

      Process.exit(detector, :kill)
    end)
  end

  # Shows the detector what was taken from the inbox. It looks at whole messages only.
  @doc false
  @spec show(pid, [NIF.delivery()]) :: :ok
  def show(pid, deliveries) do
    for {{_kind, _data}, _received_ns, _epoch} = delivery <- deliveries, do: send(pid, delivery)
    :ok
  end

  # True if so much waits for the detector that it must not be shown more.
  @doc false
  @spec busy?(pid) :: boolean
  def busy?(pid) do
    case Process.info(pid, :message_queue_len) do
      {:message_queue_len, length} -> length >= @queue_max
      nil -> false
    end
  end

  # Reports a detector whose process was ended.
  @doc false
  @spec ended(NIF.connection(), term) :: :ok
  def ended(handle, reason) do
    Logger.error("The heartbeat detector's process was ended: #{inspect(reason)}")

    with {:ok, %{epoch: epoch}} <- NIF.metrics(handle),
         do: NIF.respond(handle, :failed, NIF.now_ns(), epoch)

    :ok
  end

  defp run(detector) do
    receive do
      {{_kind, _data} = message, received_ns, epoch} ->
        detector |> look(message, received_ns) |> report(detector, received_ns, epoch)

      _other ->
        :ok
    end

    run(detector)
  end

  defp look(detector, message, received_ns) do
    detector |> call(message, received_ns) |> found()
  catch
    kind, reason ->
      Logger.error(
        "A heartbeat detector failed: #{Exception.format(kind, reason, __STACKTRACE__)}"
      )

      :failed
  end

  defp call(%{function: function}, message, _received_ns) when is_function(function, 1),
    do: function.(message)

  defp call(%{function: function} = detector, message, received_ns) do
    left_ns = received_ns + detector.timeout_ns - NIF.now_ns()
    function.(message, System.monotonic_time(:millisecond) + div(left_ns, 1_000_000))
  end

  defp found(nothing) when nothing in [:none, nil], do: :none
  defp found(:seen), do: :seen
  defp found({kind, data}) when kind in [:text, :binary], do: {kind, IO.iodata_to_binary(data)}

  defp found(other) do
    expected = "nil, :none, :seen, {:text, iodata} or {:binary, iodata}"
    raise ArgumentError, "it must return #{expected}, not #{inspect(other)}"
  end

  defp report(:none, _detector, _received_ns, _epoch), do: :ok

  defp report(found, detector, received_ns, epoch) do
    case NIF.respond(detector.handle, found, received_ns, epoch) do
      :ok ->
        :ok

      # The connection is over, or the library has counted and reported that it cannot write.
      {:error, %{status: status}} when status in [:state, :handle] ->
        :ok

      {:error, %{status: status}} ->
        Logger.error("The library does not take a heartbeat detector's answer: #{status}")
        NIF.respond(detector.handle, :failed, received_ns, epoch)
    end
  end
end
