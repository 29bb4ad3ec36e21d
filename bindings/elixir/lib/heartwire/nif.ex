defmodule Heartwire.NIF do
  @moduledoc false
  # The native functions. None of them blocks a scheduler: `open`, `proceed`, `shutdown`, `metrics_text`, sending and
  # taking what is large, and what concerns many clients of a listener, run on dirty ones. A connection or a listener
  # belongs to the process that opened it, a listener's client to that which adopted it, and ends with it.

  @type connection :: reference
  @type inbox :: reference
  @type listener :: reference
  @type key :: non_neg_integer
  @type setter :: :text | :bytes
  @type error :: {:error, map}
  @type kind :: :text | :binary
  @type position :: :first | :middle | :last
  @type message :: {kind, binary} | {:text_part | :binary_part, binary, position}
  @type delivery :: {message, received_ns, epoch} | {:event, map}
  @type received_ns :: non_neg_integer
  @type epoch :: non_neg_integer
  @type flag :: :more | :now | :report
  @type log_level :: :off | :error | :warning | :info | :debug

  @on_load :load

  @doc false
  def load do
    case :erlang.load_nif(path(), 0) do
      :ok ->
        :ok

      # The running module keeps its connections: the new one is refused.
      {:error, {:upgrade, _text}} = error ->
        error

      # Failing here would leave callers with an undefined function and no reason.
      {:error, {_kind, text}} ->
        :persistent_term.put({__MODULE__, :load_error}, to_string(text))
    end
  end

  @doc "The version of the library: major, minor and patch in a byte each, then 0."
  @spec version() :: non_neg_integer
  def version, do: not_loaded()

  @doc "The clock of `received_ns`."
  @spec now_ns() :: non_neg_integer
  def now_ns, do: not_loaded()

  @doc "Describes the properties that `open/6` takes."
  @spec properties() :: [map]
  def properties, do: not_loaded()

  @spec presets() :: [map]
  def presets, do: not_loaded()

  @doc "Opens a connection that belongs to the caller, and the inbox that it delivers into."
  @spec open(
          binary,
          properties :: [{setter, binary, binary}],
          headers :: [{binary, binary}],
          rules :: [binary],
          steps :: [binary],
          asks_before_connect :: boolean
        ) :: {:ok, connection, inbox} | error
  def open(_url, _properties, _headers, _rules, _steps, _asks_before_connect), do: not_loaded()

  @doc "Sends the caller `{:select, inbox, :undefined, :ready_input}` once something waits."
  @spec watch(inbox) :: :ok | error
  def watch(_inbox), do: not_loaded()

  @doc """
  Takes a bounded batch of what waits, oldest first; an empty list if nothing does. A listener's inbox
  says with each delivery by which client it came.
  """
  @spec take(inbox) :: [delivery] | [{key, delivery}]
  def take(_inbox), do: not_loaded()

  @spec send(connection, kind, binary) :: :ok | error
  def send(_connection, _kind, _data), do: not_loaded()

  @doc """
  Sends a message, its first part if `:more` is among the flags, or with the `id` of an unfinished
  message a further part of it. A time to live of 0 leaves that to the property.
  """
  @spec send_with(
          connection,
          kind,
          binary,
          id :: non_neg_integer,
          [flag],
          ttl_ms :: non_neg_integer
        ) ::
          {:ok, id :: pos_integer} | error
  def send_with(_connection, _kind, _data, _id, _flags, _ttl_ms), do: not_loaded()

  @spec outcome(connection, id :: non_neg_integer) :: {:ok, Heartwire.Event.outcome()} | error
  def outcome(_connection, _id), do: not_loaded()

  @spec cancel(connection, id :: non_neg_integer) :: :ok | error
  def cancel(_connection, _id), do: not_loaded()

  @doc "Keeps a message under a key; `:none` with empty data removes it."
  @spec keep(connection, kind | :none, binary, key :: binary) :: :ok | error
  def keep(_connection, _kind, _data, _key), do: not_loaded()

  @spec rotate(connection) :: :ok | error
  def rotate(_connection), do: not_loaded()

  @doc "Lets an attempt go on, to the configured URL with `nil`, or fail with a text."
  @spec proceed(
          connection,
          attempt_id :: pos_integer,
          {url :: binary | nil, headers :: [{binary, binary}]} | (failure :: binary)
        ) :: :ok | error
  def proceed(_connection, _attempt_id, _answer), do: not_loaded()

  @spec close(connection, integer, binary) :: :ok | error
  def close(_connection, _code, _reason), do: not_loaded()

  @spec state(connection) :: Heartwire.Event.state()
  def state(_connection), do: not_loaded()

  @spec peer_address(connection) :: {:ok, String.t()} | error
  def peer_address(_connection), do: not_loaded()

  @spec metrics(connection) :: {:ok, map} | error
  def metrics(_connection), do: not_loaded()

  @spec health(connection) :: {:ok, map} | error
  def health(_connection), do: not_loaded()

  @doc "Hands over what a detector found in the message that arrived at `received_ns`."
  @spec respond(connection, {kind, binary} | :seen | :failed, received_ns, epoch) :: :ok | error
  def respond(_connection, _found, _received_ns, _epoch), do: not_loaded()

  @doc "Listens for clients, for the caller, who gets what they say from the inbox."
  @spec listen(
          binary,
          properties :: [{setter, binary, binary}],
          headers :: [{binary, binary}],
          rules :: [binary],
          steps :: [binary],
          asks_before_accept :: boolean
        ) :: {:ok, listener, inbox} | error
  def listen(_url, _properties, _headers, _rules, _steps, _asks_before_accept), do: not_loaded()

  @doc "Makes a listener's client the caller's."
  @spec adopt(key) :: {:ok, connection} | error
  def adopt(_key), do: not_loaded()

  @spec port(listener) :: {:ok, :inet.port_number()} | error
  def port(_listener), do: not_loaded()

  @doc "Lets a client in with the status 0, or turns it away with another."
  @spec accept(connection, attempt_id :: pos_integer, integer, reason :: binary) :: :ok | error
  def accept(_connection, _attempt_id, _http_status, _reason), do: not_loaded()

  @spec join(listener, connection, group :: binary) :: :ok | error
  def join(_listener, _connection, _group), do: not_loaded()

  @spec leave(listener, connection, group :: binary) :: :ok | error
  def leave(_listener, _connection, _group), do: not_loaded()

  @spec broadcast(listener, group :: binary | nil, kind, binary) ::
          {:ok, reached :: non_neg_integer} | error
  def broadcast(_listener, _group, _kind, _data), do: not_loaded()

  @doc "Lets nobody in any more and closes the clients, whose last words still come by the inbox."
  @spec close_listener(listener) :: :ok
  def close_listener(_listener), do: not_loaded()

  @doc """
  Has the library's log lines sent to a process as `{:heartwire_log, level, line, dropped}`, each of
  which it must acknowledge with `log_taken/0`.
  """
  @spec log(log_level, pid) :: :ok | error
  def log(_level, _pid), do: not_loaded()

  @spec log_taken() :: :ok
  def log_taken, do: not_loaded()

  @doc "The metrics of all connections of the VM as OpenMetrics text."
  @spec metrics_text() :: binary | error
  def metrics_text, do: not_loaded()

  @doc "Closes all connections of the VM, waits for their ends, and tells what was left undone."
  @spec shutdown(timeout_ms :: non_neg_integer) :: map | error
  def shutdown(_timeout_ms), do: not_loaded()

  defp path do
    case :code.priv_dir(:heartwire) do
      {:error, :bad_name} -> :filename.absname("priv/heartwire_nif")
      directory -> :filename.join(directory, 'heartwire_nif')
    end
  end

  @spec not_loaded() :: no_return
  defp not_loaded do
    reason =
      :persistent_term.get({__MODULE__, :load_error}, "the module was not loaded by the VM")

    :erlang.nif_error(RuntimeError.exception("heartwire_nif.so is not loaded: #{reason}"))
  end
end
