defmodule Heartwire.Case do
  @moduledoc "What the tests of connections share: addresses, opening, and waiting for conditions."
  use ExUnit.CaseTemplate

  alias Heartwire.{Event, TestServer}

  # Far longer than anything here takes: running into it is a failure and no measurement.
  @timeout_ms 20_000

  using do
    quote do
      import Heartwire.Case
      alias Heartwire.{Error, Event, Listener, RawClient, RawServer}
    end
  end

  # A connection that fails ends with its error, which must reach the test as a message.
  setup do
    Process.flag(:trap_exit, true)
    :ok
  end

  @doc "The address of `path` on one of the servers that serve.py announces."
  def url(server, path) do
    scheme = if server |> Atom.to_string() |> String.starts_with?("wss"), do: "wss", else: "ws"
    "#{scheme}://localhost:#{TestServer.value(server)}#{path}"
  end

  @doc "Opens a connection that trusts the servers' CA and tries again soon."
  def open!(url, options \\ []) do
    defaults = [url: url, tls_ca_file: TestServer.value(:ca_file), reconnect_base: "20ms"]
    {:ok, pid} = Heartwire.start_link(Keyword.merge(defaults, options))
    pid
  end

  @doc "Opens a connection and waits until it is established."
  def connect!(url, options \\ []) do
    pid = open!(url, options)
    await_state(pid, :connected)
    pid
  end

  @doc "Listens at a free port; gives the listener, its port and the address of a path there."
  def listen!(options \\ []) do
    # The port would be its name in the metrics, and a process has a hundred names at most.
    options = Keyword.put_new(options, :metrics_name, "listener")
    {:ok, listener} = Heartwire.listen("ws://127.0.0.1:0", options)
    {:ok, port} = Heartwire.Listener.port(listener)
    {listener, port, "ws://127.0.0.1:#{port}/chat?room=1"}
  end

  @doc "The next client of a listener."
  def await_client(listener) do
    receive do
      {:heartwire, ^listener, {:client, client}} -> client
    after
      @timeout_ms -> flunk("no client came; the mailbox holds #{inspect(mailbox())}")
    end
  end

  @doc "A connection of ours to a listener, and the client that this is to it, open."
  def pair(listener, url, options \\ []) do
    ours = connect!(url, [reconnect_enabled: false] ++ options)
    client = await_client(listener)
    %Event{epoch: 1} = await_event(client, :opened)
    {ours, client}
  end

  @doc "The next message of the connection, whatever events come before it."
  def await_message(pid) do
    receive do
      {:heartwire, ^pid, {kind, data}} when kind in [:text, :binary] -> {kind, data}
    after
      @timeout_ms -> flunk("no message came; the mailbox holds #{inspect(mailbox())}")
    end
  end

  @doc "The next event of a kind."
  def await_event(pid, kind) do
    receive do
      {:heartwire, ^pid, {:event, %Event{kind: ^kind} = event}} -> event
    after
      @timeout_ms -> flunk("no event #{kind} came; the mailbox holds #{inspect(mailbox())}")
    end
  end

  @doc "The event by which the connection got into a state."
  def await_state(pid, state) do
    receive do
      {:heartwire, ^pid, {:event, %Event{kind: :state, state: ^state} = event}} -> event
    after
      @timeout_ms -> flunk("#{state} was not reached; the mailbox holds #{inspect(mailbox())}")
    end
  end

  @doc "The reason with which a linked process ended."
  def await_exit(pid) do
    receive do
      {:EXIT, ^pid, reason} -> reason
    after
      @timeout_ms -> flunk("the process did not end; the mailbox holds #{inspect(mailbox())}")
    end
  end

  @doc "Asks again until the condition holds."
  def eventually(condition, deadline \\ System.monotonic_time(:millisecond) + @timeout_ms) do
    cond do
      result = condition.() ->
        result

      System.monotonic_time(:millisecond) > deadline ->
        flunk("the condition did not come true")

      true ->
        receive do
        after
          5 -> eventually(condition, deadline)
        end
    end
  end

  defp mailbox, do: self() |> Process.info(:messages) |> elem(1) |> Enum.take(20)
end
