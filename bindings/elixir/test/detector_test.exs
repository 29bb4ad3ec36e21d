defmodule Heartwire.DetectorTest do
  use Heartwire.Case

  import Heartwire.Asking

  # Something that no rule can compute.
  defp solve("solve " <> n), do: "solved " <> n <> " " <> String.reverse(n)
  defp solve(_other), do: nil

  defp answering({:text, text}), do: if(answer = solve(text), do: {:text, answer})

  test "a detector's answers keep a connection alive" do
    # Whatever the machine is busy with, answers are on target.
    limits = for limit <- ~w(target warning critical timeout)a, do: {:"response_#{limit}", "1h"}
    options = [detector: &answering/1] ++ limits
    socket = connect!(asking("solve {n}", "solved {n}"), options)
    await_answers(socket)
    assert %Event{text: "detector", rule: nil} = await_event(socket, :heartbeat_received)

    assert %Event{text: "detector", latency_ns: latency, level: :on_target} =
             await_event(socket, :heartbeat_responded)

    assert latency > 0
    assert {:ok, %{heartbeats_answered: answered}} = Heartwire.health(socket)
    assert answered >= 3
  end

  test "answers may be binary, and iodata" do
    detector = fn {:text, text} -> if answer = solve(text), do: {:binary, [answer]} end
    socket = connect!(asking("solve {n}", "solved {n}"), detector: detector)
    await_answers(socket)
  end

  test "a detector that takes it gets the deadline, on the VM's clock" do
    test = self()

    detector = fn message, deadline ->
      send(test, {:left_ms, deadline - System.monotonic_time(:millisecond)})
      answering(message)
    end

    options = [detector: detector, response_timeout: "60m"]
    socket = connect!(asking("solve {n}", "solved {n}"), options)
    await_answers(socket)
    assert_received {:left_ms, left}
    assert left in 3_500_000..3_600_000
  end

  test "an owner that does not read delays no answer" do
    test = self()

    detector = fn message ->
      send(test, :looked)
      answering(message)
    end

    owner = spawn_link(fn -> Process.sleep(:infinity) end)
    options = [owner: owner, owner_queue_max: 5, detector: detector]
    socket = open!(asking("solve {n}", "solved {n}"), options)
    for _ <- 1..200, do: assert_receive(:looked, 20_000)
    assert {:message_queue_len, length} = Process.info(owner, :message_queue_len)
    # One batch may be on its way when the queue reaches its mark.
    assert length <= 5 + 128

    eventually(fn ->
      match?({:ok, %{heartbeats_answered: n}} when n >= 200, Heartwire.health(socket))
    end)

    assert {:ok, %{heartbeats_failed: 0}} = Heartwire.health(socket)
    assert {:ok, %{reconnections: 0}} = Heartwire.metrics(socket)
  end

  test "what a detector sees ahead of a slow owner reaches it in order" do
    test = self()

    detector = fn {:text, data} ->
      if data == "last", do: send(test, :seen_last)
      nil
    end

    options = [owner_queue_max: 10, detector: detector]
    socket = connect!(url(:ws, "/echo"), options)
    for n <- 1..2000, do: :ok = Heartwire.send(socket, {:text, "#{n}"})
    :ok = Heartwire.send(socket, {:text, "last"})

    # Nothing is read before the detector has seen everything.
    eventually(fn -> :seen_last in (self() |> Process.info(:messages) |> elem(1)) end)
    for n <- 1..2000, do: assert(await_message(socket) == {:text, "#{n}"})
    assert await_message(socket) == {:text, "last"}
  end

  test "parts of messages are not shown" do
    test = self()
    detector = fn {_kind, data} -> send(test, {:shown, byte_size(data)}) && nil end
    options = [detector: detector, message_part_bytes: "1KiB"]
    socket = connect!(url(:ws, "/flood?n=1&size=5000"), options)
    assert_receive {:heartwire, ^socket, {:text_part, _data, :last}}, 20_000
    :ok = Heartwire.send(socket, {:text, "whole"})
    assert_receive {:shown, 5}, 20_000
    refute_received {:shown, _size}
  end

  test "a heartbeat without an answer is counted" do
    detector = fn {:text, text} -> if text == "alive", do: :seen, else: :none end
    socket = connect!(url(:ws, "/echo"), detector: detector)
    :ok = Heartwire.send(socket, {:text, "data"})
    :ok = Heartwire.send(socket, {:text, "alive"})
    assert %Event{text: "detector"} = await_event(socket, :heartbeat_received)
    assert {:ok, %{heartbeats_received: 1, heartbeats_answered: 0}} = Heartwire.health(socket)
  end

  for {name, code} <- [
        raises: quote(do: raise("broken")),
        throws: quote(do: throw(:broken)),
        exits: quote(do: exit(:broken)),
        "is killed": quote(do: Process.exit(self(), :kill)),
        "returns nonsense": quote(do: {:text, :nonsense}),
        "returns something else": quote(do: 42),
        "returns text that is not UTF-8": quote(do: {:text, <<0xFF>>}),
        "returns what is too large": quote(do: {:binary, :binary.copy("x", 65_537)})
      ] do
    test "a detector that #{name} is reported and called again" do
      detector = fn
        {:text, "bad"} -> unquote(code)
        {:text, "good"} -> :seen
      end

      socket = connect!(url(:ws, "/echo"), detector: detector)

      log =
        ExUnit.CaptureLog.capture_log(fn ->
          :ok = Heartwire.send(socket, {:text, "bad"})
          assert %Event{count: 1, text: "detector" <> _} = await_event(socket, :heartbeat_failure)
        end)

      assert log =~ "detector"
      :ok = Heartwire.send(socket, {:text, "good"})
      assert %Event{text: "detector"} = await_event(socket, :heartbeat_received)
      assert Heartwire.state(socket) == :connected
    end
  end

  test "failures in a row end the connection as the options say" do
    options = [
      detector: fn _message -> raise "broken" end,
      heartbeat_failure_threshold: 2,
      heartbeat_on_failure: :fail,
      heartbeat_close_code: 4001
    ]

    socket = connect!(url(:ws, "/echo"), options)
    for _ <- 1..2, do: Heartwire.send(socket, {:text, "x"})
    assert %Event{status: :heartbeat, close_code: 4001} = await_event(socket, :closed)
    assert {:shutdown, %Error{status: :heartbeat}} = await_exit(socket)
  end

  test "the detector's process ends with the connection, even if it never returns" do
    test = self()

    detector = fn _message ->
      send(test, {:detector, self()})
      Process.sleep(:infinity)
    end

    socket = connect!(url(:ws, "/echo"), detector: detector)
    :ok = Heartwire.send(socket, {:text, "x"})
    assert_receive {:detector, pid}, 20_000
    monitor = Process.monitor(pid)
    Process.exit(socket, :kill)
    assert_receive {:DOWN, ^monitor, :process, ^pid, :killed}, 20_000
  end

  test "a detector that does not return holds up no heartbeat of the library's" do
    rule = ~S({"reply":[{"on":{"eq":"ping"},"send":{"body":"pong"}}]})
    options = [rules: [rule], detector: fn _message -> Process.sleep(:infinity) end]
    socket = connect!(asking("ping", "pong"), options)
    await_answers(socket, 20)
  end

  test "an answer does not go to another connection" do
    test = self()

    detector = fn {:text, text} ->
      send(test, {:looking, self(), text})
      receive do: (:go_on -> {:text, "answer to " <> text})
    end

    {listener, port} = RawServer.listen()
    socket = open!("ws://127.0.0.1:#{port}/", detector: detector)
    first = RawServer.accept(listener)
    :ok = :gen_tcp.send(first, <<0x81, 3, "one">>)
    assert_receive {:looking, pid, "one"}, 20_000
    :gen_tcp.close(first)
    second = RawServer.accept(listener)
    assert %Event{epoch: 1} = await_event(socket, :opened)
    assert %Event{epoch: 2} = await_event(socket, :opened)
    send(pid, :go_on)
    :ok = :gen_tcp.send(second, <<0x81, 3, "two">>)
    assert_receive {:looking, ^pid, "two"}, 20_000
    send(pid, :go_on)
    assert RawServer.read_frame(second) == {1, "answer to two"}
  end

  test "what is no detector is refused" do
    for detector <- [&Kernel.+/2, fn _a, _b, _c -> nil end, :none, {Heartwire, :send}],
        not is_function(detector, 2) do
      assert {:error, %Error{status: :value}} =
               Heartwire.start_link(url: "ws://localhost/", detector: detector)
    end

    assert {:error, %Error{status: :property}} =
             Heartwire.start_link(url: "ws://localhost/", detector_thread: :inline)
  end
end
