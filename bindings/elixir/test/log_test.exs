defmodule Heartwire.LogTest do
  use Heartwire.Case

  alias Heartwire.Log

  # A handler of the VM's logger that hands the library's lines to the test.
  def log(%{meta: %{domain: [:elixir, :heartwire]}, level: level, msg: {:string, line}}, handler),
    do: send(handler.config, {:logged, level, IO.chardata_to_string(line)})

  def log(_event, _handler), do: :ok

  setup do
    :ok = :logger.add_handler(__MODULE__, __MODULE__, %{config: self()})

    on_exit(fn ->
      :ok = :logger.remove_handler(__MODULE__)
      :ok = Log.detach()
    end)
  end

  defp await_line(level, part) do
    assert_receive {:logged, ^level, line}, 20_000
    if line =~ part, do: line, else: await_line(level, part)
  end

  defp connect_with_rule! do
    rule = ~S({"reply":[{"on":{"prefix":"ping"},"send":{"body":"pong"}}]})
    connect!(url(:ws, "/echo"), rules: [rule])
  end

  test "the level debug shows each heartbeat" do
    :ok = Log.attach(:debug)
    socket = connect_with_rule!()
    :ok = Heartwire.send(socket, {:text, "ping 1"})
    assert await_line(:debug, "heartbeat received") =~ "reply 0"
    await_line(:debug, "heartbeat responded")
    Heartwire.close(socket)
    await_line(:info, "disconnected")
  end

  test "levels below the one attached are left out, and nothing is logged after the end" do
    :ok = Log.attach(:info)
    socket = connect_with_rule!()
    :ok = Heartwire.send(socket, {:text, "ping 1"})
    await_event(socket, :heartbeat_responded)
    Heartwire.close(socket)
    await_line(:info, "disconnected")
    refute_received {:logged, :debug, _line}

    :ok = Log.detach()
    silent = connect_with_rule!()
    Heartwire.close(silent)
    assert await_exit(silent) == :normal
    :ok = Log.attach(:warning)
    _failing = open!(url(:refused, "/"))
    # Lines come in order, so there was none before.
    assert_receive {:logged, level, line}, 20_000
    assert {level, line =~ "attempt failed"} == {:warning, true}
  end

  test "of a flood the newest lines are left out, and a line says how many" do
    :ok = Log.attach(:debug)
    socket = connect_with_rule!()
    await_line(:info, "connected")
    :ok = :sys.suspend(Log)
    on_exit(fn -> :sys.resume(Log) end)
    {:ok, before} = Heartwire.health(socket)

    for n <- 1..1500, do: :ok = Heartwire.send(socket, {:text, "ping #{n}"})

    eventually(fn ->
      {:ok, health} = Heartwire.health(socket)
      health.heartbeats_answered >= before.heartbeats_answered + 1500
    end)

    # The queue of the suspended process has come to its limit.
    eventually(fn -> Log |> Process.whereis() |> queue_length() >= 1000 end)
    assert Log |> Process.whereis() |> queue_length() <= 1010
    :ok = :sys.resume(Log)
    eventually(fn -> Log |> Process.whereis() |> queue_length() == 0 end)
    :ok = Heartwire.send(socket, {:text, "ping again"})
    assert await_line(:warning, "were dropped") =~ ~r/^\d+ log lines/
    await_line(:debug, "ping again")
  end

  defp queue_length(pid), do: pid |> Process.info(:message_queue_len) |> elem(1)

  test "a receiver that was killed comes back without lines, and may be attached again" do
    :ok = Log.attach(:debug)
    first = Process.whereis(Log)
    Process.exit(first, :kill)
    eventually(fn -> Process.whereis(Log) not in [nil, first] end)
    socket = connect_with_rule!()
    refute_received {:logged, _level, _line}
    :ok = Log.attach(:debug)
    :ok = Heartwire.send(socket, {:text, "ping 1"})
    await_line(:debug, "heartbeat received")
  end

  test "there is no other level" do
    assert_raise FunctionClauseError, fn -> Log.attach(:loud) end
    assert_raise ArgumentError, fn -> Heartwire.NIF.log(:loud, self()) end
    assert_raise ArgumentError, fn -> Heartwire.NIF.log(:info, :nobody) end
  end
end
