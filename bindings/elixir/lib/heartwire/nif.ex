defmodule Heartwire.NIF do
  @moduledoc false
  # The native functions. None of them blocks: `open`, and sending and taking what is large, run on
  # dirty schedulers. A connection belongs to the process that opened it and ends with it.

  @type connection :: reference
  @type setter :: :text | :bytes
  @type error :: {:error, map}
  @type kind :: :text | :binary
  @type position :: :first | :middle | :last
  @type message :: {kind, binary} | {:text_part | :binary_part, binary, position}
  @type delivery :: {message, received_ns, epoch} | {:event, map}
  @type received_ns :: non_neg_integer
  @type epoch :: non_neg_integer
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

  @doc "Describes the properties that `open/4` takes."
  @spec properties() :: [map]
  def properties, do: not_loaded()

  @spec presets() :: [map]
  def presets, do: not_loaded()

  @doc "Opens a connection that belongs to the caller."
  @spec open(binary, [{setter, binary, binary}], [{binary, binary}], [binary]) ::
          {:ok, connection} | error
  def open(_url, _properties, _headers, _rules), do: not_loaded()

  @doc "Sends the caller `{:select, connection, :undefined, :ready_input}` once something waits."
  @spec watch(connection) :: :ok | error
  def watch(_connection), do: not_loaded()

  @doc "Takes a bounded batch of what waits, oldest first; an empty list if nothing does."
  @spec take(connection) :: [delivery]
  def take(_connection), do: not_loaded()

  @spec send(connection, kind, binary) :: :ok | error
  def send(_connection, _kind, _data), do: not_loaded()

  @doc "Sends a part of the message `number`, or the first part of a new one with 0."
  @spec send_part(connection, kind, binary, non_neg_integer, boolean) ::
          {:ok, number :: pos_integer} | error
  def send_part(_connection, _kind, _data, _number, _is_last), do: not_loaded()

  @spec close(connection, integer, binary) :: :ok | error
  def close(_connection, _code, _reason), do: not_loaded()

  @spec state(connection) :: Heartwire.Event.state()
  def state(_connection), do: not_loaded()

  @spec metrics(connection) :: {:ok, map} | error
  def metrics(_connection), do: not_loaded()

  @spec health(connection) :: {:ok, map} | error
  def health(_connection), do: not_loaded()

  @doc "Hands over what a detector found in the message that arrived at `received_ns`."
  @spec respond(connection, {kind, binary} | :seen | :failed, received_ns, epoch) :: :ok | error
  def respond(_connection, _found, _received_ns, _epoch), do: not_loaded()

  @doc """
  Has the library's log lines sent to a process as `{:heartwire_log, level, line, dropped}`, each of
  which it must acknowledge with `log_taken/0`.
  """
  @spec log(log_level, pid) :: :ok | error
  def log(_level, _pid), do: not_loaded()

  @spec log_taken() :: :ok
  def log_taken, do: not_loaded()

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
