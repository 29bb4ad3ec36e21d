defmodule Heartwire do
  @moduledoc """
  A WebSocket connection that stays alive by itself; `Heartwire.Listener` is the other end.

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

  Heartbeats that rules cannot express are found by a function, the option `:detector`: see
  `Heartwire.Detector`.

  What becomes of heartbeats is told by events, see `Heartwire.Event`, by `health/1` and by
  `Heartwire.Log`.

  ## The life of a connection

  A lost connection is tried again by itself; after it is back an event of kind `:gap` says what was
  missed. `:reconnect_base`, `:reconnect_jitter`, `:circuit_failures_max` and the like say how often.

  `send/3` sends with options and answers with the message's id, by which `outcome/2` and `cancel/2`
  find it:

      {:ok, id} = Heartwire.send(socket, {:text, order}, now: true, report: true)

      receive do
        {:heartwire, ^socket, {:event, %{kind: :outcome, message_id: ^id, level: outcome}}} -> outcome
      end

  An opening script says what has to be said on every new connection before anything else, as JSON
  text; the language is described in `Sources/Session/Opening/README.md`:

      opening: [
        ~S({"send":{"body":"{\"op\":\"login\",\"key\":\"k1\"}"}}),
        ~S({"expect":{"json":{"/event":"login"}},"timeout":"3s"})
      ]

  Then follow the messages that `keep/3` keeps, such as subscriptions, and then what is queued.

  A function, the option `:before_connect`, is asked for fresh credentials before each attempt: see
  `Heartwire.BeforeConnect`.

  `rotate/1`, or the option `:rotate_after`, replaces a connection without a gap.

  ## The end of the VM

  When the VM stops, or a script ends, the connections that are still open are closed with 1001. What
  is queued is sent first, within five seconds; `shutdown/1` does the same at any time. A connection
  whose owner or supervisor has ended before that is gone already, and `System.halt/1` waits for
  none.

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

  alias Heartwire.{Connection, Error, Event, Handle, Health, Listener, NIF, Options, Owner, Parts}

  @owner_queue_max Owner.queue_max()

  @type connection :: GenServer.server()
  @type message :: {:text, iodata} | {:binary, iodata}
  @type found :: message | :seen | :none | nil
  @type detector :: (received -> found) | (received, deadline_ms :: integer -> found)
  @type received :: {:text, binary} | {:binary, binary}
  @type before_connect :: (Event.t() -> :ok | {:ok, attempt} | {:error, String.t()})
  @type attempt :: [url: String.t(), headers: [{String.t(), String.t()}]]
  @type part_option :: {:report, boolean} | {:ttl, pos_integer}
  @type send_option :: part_option | {:now, boolean}
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
          | {:opening, [json :: iodata]}
          | {:before_connect, before_connect}
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
    * `:preset`, `:preset_parameters`, `:rules` - see "Heartbeats"
    * `:detector` - see `Heartwire.Detector`
    * `:opening` - see "The life of a connection"
    * `:before_connect` - see `Heartwire.BeforeConnect`
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

  @doc "Starts a listener for clients at a URL, see `Heartwire.Listener`."
  @spec listen(String.t(), [Listener.option()]) ::
          {:ok, pid} | {:error, Error.t() | {:already_started, pid}}
  def listen(url, options \\ []), do: Listener.start_link([{:url, url} | options])

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
    Handle.call(connection, &NIF.send(&1, kind, data))
  end

  @doc """
  Sends one message as `send/2` does, and answers with its id, counted from 1 in this connection.

    * `now: true` - sends it only if connected, and never again: `:not_connected` if there is no
      connection, and if it breaks before it has taken the whole message, that is dropped
    * `report: true` - an event of kind `:outcome` tells also when it has been sent
    * `ttl: milliseconds` - how long it may wait before its first byte is written; otherwise as long
      as the option `:queue_ttl` says
  """
  @spec send(connection, message, [send_option]) :: {:ok, id :: pos_integer} | {:error, Error.t()}
  def send(connection, {kind, data}, options) when kind in [:text, :binary] do
    with {:ok, {flags, ttl}} <- Options.of_message(options) do
      data = IO.iodata_to_binary(data)
      Handle.call(connection, &NIF.send_with(&1, kind, data, 0, flags, ttl))
    end
  end

  @doc """
  What became of the message with an id that `send/3` gave. `:range` says that there is none, or that
  it is too long ago.
  """
  @spec outcome(connection, id :: pos_integer) :: {:ok, Event.outcome()} | {:error, Error.t()}
  def outcome(connection, id) when is_integer(id) and id >= 0,
    do: Handle.call(connection, &NIF.outcome(&1, id))

  @doc """
  Takes back a message of which nothing has been written yet. `:state` says that it is too late,
  `:range` that there is no such message.
  """
  @spec cancel(connection, id :: pos_integer) :: :ok | {:error, Error.t()}
  def cancel(connection, id) when is_integer(id) and id >= 0 do
    too_late = "It is too late: the message has its outcome or is being written; see outcome/2."
    Handle.call(connection, &NIF.cancel(&1, id), state: too_late)
  end

  @doc """
  Keeps a message, such as a subscription, under a key of 1 to 255 bytes.

  It is sent at once if connected, and again on every new connection, after the opening script and
  before queued messages, in the order in which the keys were first given. The same key replaces the
  message and keeps its place; the new one is sent too. The kept messages have among themselves the
  limits of the queue: `:full`, `:too_large`.
  """
  @spec keep(connection, key :: String.t(), message) :: :ok | {:error, Error.t()}
  def keep(connection, key, {kind, data}) when is_binary(key) and kind in [:text, :binary] do
    data = IO.iodata_to_binary(data)
    full = "No more messages can be kept; remove some, or raise the limits of the queue."
    Handle.call(connection, &NIF.keep(&1, kind, data, key), full: full)
  end

  @doc "Removes the message kept under a key, if there is one. Nothing is sent."
  @spec remove_kept(connection, key :: String.t()) :: :ok | {:error, Error.t()}
  def remove_kept(connection, key) when is_binary(key),
    do: Handle.call(connection, &NIF.keep(&1, :none, "", key))

  @doc """
  Replaces the connection without a gap: opens a new one and runs its opening script while the old one
  still delivers, then sends by the new one and closes the old one.

  Returns at once; events of kind `:rotation` tell how far it is. During another rotation, or before
  the first connection, it does nothing.
  """
  @spec rotate(connection) :: :ok | {:error, Error.t()}
  def rotate(connection), do: Handle.call(connection, &NIF.rotate/1)

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
  def send_parts(connection, message) do
    with {:ok, _id} <- send_parts(connection, message, []), do: :ok
  end

  @doc """
  Sends one message in parts as `send_parts/2` does, with the options of `send/3` but for `:now`, and
  answers with its id, 0 if there was no part and so no message. Of a message that expires or is
  cancelled before its first byte is written, the parts that follow are not sent either.
  """
  @spec send_parts(connection, {:text | :binary, Enumerable.t()}, [part_option]) ::
          {:ok, id :: non_neg_integer} | {:error, Error.t()}
  def send_parts(connection, {kind, parts}, options) when kind in [:text, :binary] do
    connection = GenServer.whereis(connection)

    with {:ok, {flags, ttl}} <- Options.of_parts(options),
         do: Handle.call(connection, &Parts.send(connection, &1, kind, parts, flags, ttl))
  end

  @doc """
  Closes gracefully: what is queued is sent first, then a close frame with `code` and `reason`.

  Returns at once; the process ends when the server has answered or `:close_timeout` has run out.
  Closing again, or what is gone already, is `:ok`.
  """
  @spec close(connection, non_neg_integer, String.t()) :: :ok | {:error, Error.t()}
  def close(connection, code \\ 1000, reason \\ "") when is_integer(code) and is_binary(reason) do
    case Handle.call(connection, &NIF.close(&1, code, reason)) do
      {:error, %Error{status: :handle}} -> :ok
      result -> result
    end
  end

  @doc """
  Closes all connections of the VM gracefully with 1001, waits at most `timeout_ms` until they have
  ended, and cuts off those that have not.

  Answers how many `:connections` there were, how many of them were cut off because the server had
  not answered (`:connections_cut`) or ended with something unsent (`:connections_unsent`), and how
  many `:messages_unsent` and `:bytes_unsent` that was. Connections may be opened anew afterwards.
  """
  @spec shutdown(non_neg_integer) :: %{atom => non_neg_integer}
  def shutdown(timeout_ms) when is_integer(timeout_ms) and timeout_ms >= 0,
    do: NIF.shutdown(timeout_ms)

  @doc """
  Where the connection leads to, or a listener's client comes from: `"192.0.2.1:443"` or
  `"[2001:db8::1]:443"`. `:state` says that there is no transport now.
  """
  @spec peer_address(connection) :: {:ok, String.t()} | {:error, Error.t()}
  def peer_address(connection) do
    Handle.call(connection, &NIF.peer_address/1, state: "The connection has no transport now.")
  end

  @doc "The present state; `:disconnected` if the process is gone."
  @spec state(connection) :: Event.state()
  def state(connection) do
    case Handle.call(connection, &{:ok, NIF.state(&1)}) do
      {:ok, state} -> state
      {:error, %Error{status: :handle}} -> :disconnected
    end
  end

  @doc "Counters since the connection was opened, as a map with the names of `hw_metrics`."
  @spec metrics(connection) :: {:ok, map} | {:error, Error.t()}
  def metrics(connection), do: Handle.call(connection, &NIF.metrics/1)

  @doc """
  The metrics of all connections of the VM as OpenMetrics 1.0 text, for Prometheus and others. Serve
  it as `application/openmetrics-text; version=1.0.0; charset=utf-8`.

  Connections are told apart by `:metrics_name`, which is the host and port if it is not given.
  """
  @spec metrics() :: String.t()
  def metrics, do: NIF.metrics_text()

  @doc "How the heartbeats of a connection stand."
  @spec health(connection) :: {:ok, Health.t()} | {:error, Error.t()}
  def health(connection) do
    with {:ok, fields} <- Handle.call(connection, &NIF.health/1),
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
end
