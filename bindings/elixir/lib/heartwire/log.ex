defmodule Heartwire.Log do
  @moduledoc """
  The library's log as messages of Elixir's `Logger`.

      Heartwire.Log.attach(:debug)

  `:error` and `:warning` are about failures, `:info` adds connections opened and closed and their
  health, `:debug` each heartbeat. Lines never hold credentials, or more of a payload than a
  heartbeat's first bytes. They have the metadata `domain: [:heartwire]`, by which a handler can tell
  them apart. Nothing is logged before `attach/1` is called, and each call replaces the one before.

  A logger that is slow holds up no connection: of a flood the newest lines are left out, and a line
  says how many.
  """

  use GenServer

  require Logger

  alias Heartwire.{Error, NIF}

  @type level :: :error | :warning | :info | :debug

  @doc "Has lines of at most this level logged from now on, for the whole VM."
  @spec attach(level) :: :ok | {:error, Error.t()}
  def attach(level \\ :info) when level in [:error, :warning, :info, :debug],
    do: GenServer.call(__MODULE__, {:set, level})

  @doc "Has nothing logged any more."
  @spec detach() :: :ok | {:error, Error.t()}
  def detach, do: GenServer.call(__MODULE__, {:set, :off})

  @doc false
  @spec start_link([]) :: GenServer.on_start()
  def start_link([]), do: GenServer.start_link(__MODULE__, [], name: __MODULE__)

  @impl GenServer
  def init([]), do: {:ok, nil}

  @impl GenServer
  def handle_call({:set, level}, _from, state) do
    case NIF.log(level, self()) do
      :ok -> {:reply, :ok, state}
      {:error, fields} -> {:reply, {:error, Error.new(fields)}, state}
    end
  end

  @impl GenServer
  def handle_info({:heartwire_log, level, line, dropped}, state) do
    if dropped > 0, do: log(:warning, "#{dropped} log lines were dropped: the logger is too slow")
    log(level, line)
    NIF.log_taken()
    {:noreply, state}
  end

  def handle_info(_other, state), do: {:noreply, state}

  defp log(level, line), do: Logger.log(level, line, domain: [:heartwire])
end
