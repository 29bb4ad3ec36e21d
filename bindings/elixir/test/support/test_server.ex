defmodule Heartwire.TestServer do
  @moduledoc "The repository's WebSocket servers, in one Python process that ends with this one."
  use GenServer

  @script Path.expand("../../../../Tests/Servers/serve.py", __DIR__)
  @ready_ms 30_000

  @doc "Starts the servers and waits until they listen."
  def start, do: GenServer.start(__MODULE__, [], name: __MODULE__)

  @doc "A value that the servers announced: a port, or the path of the CA's file."
  def value(key), do: GenServer.call(__MODULE__, {:value, key})

  @impl GenServer
  def init([]) do
    name = System.get_env("HEARTWIRE_TEST_PYTHON", "python3")
    python = System.find_executable(name) || raise "there is no Python at #{name}"

    options = [:binary, :exit_status, {:line, 65_536}, args: [@script]]
    port = Port.open({:spawn_executable, python}, options)

    receive do
      {^port, {:data, {:eol, line}}} -> {:ok, %{port: port, values: parse(line)}}
      {^port, {:exit_status, status}} -> {:stop, {:servers_ended, status}}
    after
      @ready_ms -> {:stop, :servers_not_ready}
    end
  end

  @impl GenServer
  def handle_call({:value, key}, _from, state),
    do: {:reply, Map.fetch!(state.values, Atom.to_string(key)), state}

  @impl GenServer
  def handle_info({port, {:exit_status, status}}, %{port: port} = state),
    do: {:stop, {:servers_ended, status}, state}

  # The line is a flat JSON object of numbers and plain strings; OTP 25 has no JSON parser.
  defp parse(line) do
    Regex.scan(~r/"(\w+)":\s*(?:(\d+)|"([^"]*)")/, line)
    |> Map.new(fn
      [_all, key, number] -> {key, String.to_integer(number)}
      [_all, key, "", text] -> {key, text}
    end)
  end
end
