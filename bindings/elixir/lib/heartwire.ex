defmodule Heartwire do
  @moduledoc """
  A WebSocket connection that stays alive by itself.

      {:ok, socket} = Heartwire.start_link(url: "wss://localhost:8443/echo", ping_interval: "5s")
      :ok = Heartwire.send(socket, {:text, "hello"})

      receive do
        {:heartwire, ^socket, {:text, data}} -> data
      end

  Heartbeats, answers to the server's pings, reconnection and the queue of what is sent meanwhile
  run on native threads and never wait for a scheduler of the VM.

  ## What the owner receives

    * `{:heartwire, pid, {:text, binary}}` and `{:heartwire, pid, {:binary, binary}}`
    * `{:heartwire, pid, {:text_part, binary, position}}` and
      `{:heartwire, pid, {:binary_part, binary, position}}`, where `position` is `:first`,
      `:middle` or `:last`; see "Large messages"
    * `{:heartwire, pid, {:event, %Heartwire.Event{}}}`, in order with the messages

  The owner is the process that called `start_link/1`, or the option `:owner`. When it ends, the
  connection is closed. A supervised connection needs `:owner`, best a registered name:

      children = [
        MyApp.Feed,
        {Heartwire, url: "wss://example.com/feed", owner: MyApp.Feed, name: MyApp.Socket}
      ]

      Supervisor.start_link(children, strategy: :rest_for_one)

  ## How the process ends

    * `:normal` - the connection was closed, or its owner is gone
    * `{:shutdown, %Heartwire.Error{}}` - the connection failed for a reason that would not go
      away, or its attempts are used up; the event with the state `:failed` came before

  Its child specification has `restart: :transient`, so a supervisor starts a new connection only
  if the process was killed; with `restart: :permanent` in its place also after a failure. A
  supervisor that shuts the process down, or any other exit, ends the connection at once with a
  close frame (1001); call `close/3` first to end it gracefully.

  ## A slow owner

  Nothing more is taken from the library while the owner's message queue is as long as
  `:owner_queue_max`. The library's inbox then fills up to `:inbox_messages_max` or
  `:inbox_bytes_max`, and `:inbox_overflow` says what happens next. Heartbeats go on. The queue of
  an owner on another node cannot be seen and is not limited.

  ## Heartbeats

  `preset: "deribit"` keeps a connection to a known service alive, `presets/0` lists them. What a
  preset has to know is given with `:preset_parameters`, a keyword list or map:

      Heartwire.start_link(
        url: url,
        preset: :kucoin,
        preset_parameters: [ping_interval: 18_000, ping_timeout: 10_000]
      )

  Rules of one's own, as JSON text, come before those of the preset; the language is described in
  `Sources/Heartbeat/Rules/README.md`:

      rules: [~S({"reply":[{"on":{"eq":"PING"},"send":{"body":"PONG"}}]})]

  A detector finds heartbeats that rules cannot express. It is a function that is called with each
  whole message, `{:text, binary}` or `{:binary, binary}`, and, if it takes two, with the deadline of
  the answer, to be compared with `System.monotonic_time(:millisecond)`:

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

  What becomes of heartbeats is told by events, see `Heartwire.Event`, by `health/1` and by
  `Heartwire.Log`.

  ## Large messages

  With the option `:message_part_bytes` a message larger than that comes in parts, as it arrives and
  with no other message between; smaller ones still come whole. Text is cut between code points, and
  the last part may be empty. If the connection ends inside a message, no further part of it follows
  its event of kind `:closed`; what comes next is a whole message or the first part of another.

  `send_parts/2` sends a message in parts.

  ## Errors

  A function that fails answers `{:error, %Heartwire.Error{}}`.
  """

  import Kernel, except: [send: 2]

  alias Heartwire.{Connection, Error, Health, NIF, Parts}

  @owner_queue_max 10_000

  @type connection :: GenServer.server()
  @type message :: {:text, iodata} | {:binary, iodata}
  @type found :: message | :seen | :none | nil
  @type detector :: (received -> found) | (received, deadline_ms :: integer -> found)
  @type received :: {:text, binary} | {:binary, binary}
  @type option ::
          {:url, String.t()}
          | {:owner, GenServer.server()}
          | {:name, GenServer.name()}
          | {:owner_queue_max, pos_integer}
          | {:headers, [{String.t(), String.t()}]}
          | {:preset, String.t() | atom}
          | {:preset_parameters,
             keyword | %{(atom | String.t()) => String.t() | integer} | String.t()}
          | {:rules, [json :: iodata]}
          | {:detector, detector}
          | {atom, String.t() | integer | boolean | atom | [String.t()]}

  @doc """
  Starts a process with a connection to `:url` and returns at once; connecting goes on in the
  background and its outcome is an event.

  Options:

    * `:url` - `"ws://host:port/path"` or `"wss://..."`; required
    * `:owner` - who receives messages and events; the caller by default
    * `:name` - registers the process, as in `GenServer.start_link/3`
    * `:owner_queue_max` - see "A slow owner"; #{@owner_queue_max} by default
    * `:headers` - a list of `{name, value}` for the opening handshake
    * `:preset`, `:preset_parameters`, `:rules`, `:detector` - see "Heartbeats"
    * every property of the library, with `_` in the place of `.`: `:ping_interval`,
      `:reconnect_cap`, `:tls_ca_file` and so on, see `properties/0`. A duration is a string such
      as `"20s"` or an integer of milliseconds, a choice may be an atom, and `:subprotocols` a
      list of strings.

  Wrong options and URLs are answered with an error, without an exit signal to the caller.
  """
  @spec start_link([option]) :: {:ok, pid} | {:error, Error.t() | {:already_started, pid}}
  def start_link(options) do
    {server_options, options} = Keyword.split(options, [:name])
    _ = Keyword.fetch!(options, :url)
    defaults = [owner: self(), owner_queue_max: @owner_queue_max]
    Connection.start_link(Keyword.merge(defaults, options), server_options)
  end

  @doc "A child specification; `options` are those of `start_link/1` and must name the `:owner`."
  @spec child_spec([option]) :: Supervisor.child_spec()
  def child_spec(options) do
    unless Keyword.has_key?(options, :owner) do
      raise ArgumentError, "a supervised connection needs the option :owner"
    end

    %{
      id: Keyword.get(options, :name, __MODULE__),
      start: {__MODULE__, :start_link, [options]},
      restart: :transient
    }
  end

  @doc """
  Sends one message from the calling process; it does not wait for the connection's process.

  While the connection is not established the message waits in the library's bounded queue.
  `:full` says that the queue has no room, `:state` that the connection is closing or has ended,
  `:handle` that its process is gone, `:send_forbidden` that the rules of its preset forbid sending
  because the service closes on it.
  """
  @spec send(connection, message) :: :ok | {:error, Error.t()}
  def send(connection, {kind, data}) when kind in [:text, :binary] do
    data = IO.iodata_to_binary(data)
    with_handle(connection, &NIF.send(&1, kind, data))
  end

  @doc """
  Sends one message in parts, each as soon as the enumerable gives it:

      Heartwire.send_parts(socket, {:binary, File.stream!(path, [], 65_536)})

  The parts are iodata. The calling process waits while the queue is full, and what others send
  meanwhile follows the message. Without any part there is no message, and the answer is `:ok`. A
  message that is larger than `:queue_bytes_max` in all is answered with `:too_large`.

  A message that is not brought to its end would hold up all that follow. So if the enumerable
  raises, a part is refused or the calling process ends, and a part has been sent before, the
  connection is closed with code 1011.
  """
  @spec send_parts(connection, {:text | :binary, Enumerable.t()}) :: :ok | {:error, Error.t()}
  def send_parts(connection, {kind, parts}) when kind in [:text, :binary],
    do: with_handle(connection, &Parts.send(&1, kind, parts))

  @doc """
  Closes gracefully: what is queued is sent first, then a close frame with `code` and `reason`.

  Returns at once; the process ends when the server has answered or `:close_timeout` has run out.
  Closing again, or what is gone already, is `:ok`.
  """
  @spec close(connection, non_neg_integer, String.t()) :: :ok | {:error, Error.t()}
  def close(connection, code \\ 1000, reason \\ "") when is_integer(code) and is_binary(reason) do
    case with_handle(connection, &NIF.close(&1, code, reason)) do
      {:error, %Error{status: :handle}} -> :ok
      result -> result
    end
  end

  @doc "The present state; `:disconnected` if the process is gone."
  @spec state(connection) :: Heartwire.Event.state()
  def state(connection) do
    case with_handle(connection, &{:ok, NIF.state(&1)}) do
      {:ok, state} -> state
      {:error, %Error{status: :handle}} -> :disconnected
    end
  end

  @doc "Counters since the connection was opened, as a map with the names of `hw_metrics`."
  @spec metrics(connection) :: {:ok, map} | {:error, Error.t()}
  def metrics(connection), do: with_handle(connection, &NIF.metrics/1)

  @doc "How the heartbeats of a connection stand."
  @spec health(connection) :: {:ok, Health.t()} | {:error, Error.t()}
  def health(connection) do
    with {:ok, fields} <- with_handle(connection, &NIF.health/1),
         do: {:ok, struct!(Health, fields)}
  end

  @doc """
  The services whose heartbeats the library knows, each a map with `:name`, `:services` (what it is
  for), `:source` (where the behaviour was read), `:rule` (JSON text) and `:parameters` (a line for
  each).
  """
  @spec presets() :: [map]
  def presets, do: NIF.presets()

  @doc """
  The library's table of properties, each a map with `:name`, `:type`, `:default`, `:range`,
  `:unit`, `:since` and `:doc`.
  """
  @spec properties() :: [map]
  def properties, do: NIF.properties()

  defp with_handle(connection, function) do
    with {:ok, handle} <- find_handle(GenServer.whereis(connection)),
         {:error, fields} <- function.(handle) do
      {:error, Error.new(fields)}
    else
      :gone -> {:error, Error.new(status: :handle)}
      result -> result
    end
  end

  defp find_handle(pid) when is_pid(pid) do
    case Registry.lookup(Heartwire.Registry, pid) do
      [{^pid, handle}] -> {:ok, handle}
      [] -> :gone
    end
  end

  defp find_handle(_not_here), do: :gone
end
