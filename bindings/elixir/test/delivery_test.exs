defmodule Heartwire.DeliveryTest do
  use Heartwire.Case

  # Nobody listens there, so what is sent waits.
  defp waiting!(options \\ []), do: open!(url(:refused, "/"), options)

  describe "send/3" do
    test "gives each message an id, and an outcome when it was sent" do
      socket = connect!(url(:ws, "/echo"))
      assert {:ok, 1} = Heartwire.send(socket, {:text, "one"}, [])
      assert {:ok, 2} = Heartwire.send(socket, {:text, "two"}, report: true)

      assert %Event{message_id: 2, count: 1, level: :sent, previous_level: nil} =
               await_event(socket, :outcome)

      assert {:ok, :sent} = Heartwire.outcome(socket, 1)
      for data <- ["one", "two"], do: assert(await_message(socket) == {:text, data})
    end

    test "sends what is large" do
      socket = connect!(url(:ws, "/echo"))
      data = :binary.copy("x", 1_000_000)
      assert {:ok, 1} = Heartwire.send(socket, {:binary, [data]}, report: true)
      assert await_message(socket) == {:binary, data}
      assert %Event{level: :sent} = await_event(socket, :outcome)
    end

    test "sends now or not at all" do
      socket = connect!(url(:ws, "/echo"))
      assert {:ok, 1} = Heartwire.send(socket, {:text, "now"}, now: true)
      assert await_message(socket) == {:text, "now"}

      assert {:error, %Error{status: :not_connected, message: message}} =
               Heartwire.send(waiting!(), {:text, "now"}, now: true)

      assert message =~ "not sent"
    end

    test "gives up what has waited too long" do
      socket = waiting!()
      assert {:ok, 1} = Heartwire.send(socket, {:text, "old"}, ttl: 1)
      assert {:ok, 2} = Heartwire.send(socket, {:text, "young"}, ttl: 3_600_000)
      assert %Event{message_id: 1, count: 1, level: :expired} = await_event(socket, :outcome)
      assert {:ok, :expired} = Heartwire.outcome(socket, 1)
      assert {:ok, :pending} = Heartwire.outcome(socket, 2)
      assert {:ok, %{queue_expired: 1, queue_messages: 1}} = Heartwire.metrics(socket)
    end

    test "tells of what gave way to newer messages" do
      socket = waiting!(queue_messages_max: 2, queue_overflow: :drop_oldest)
      for n <- 1..3, do: assert({:ok, ^n} = Heartwire.send(socket, {:text, "#{n}"}, []))
      assert %Event{message_id: 1, level: :dropped} = await_event(socket, :outcome)
      assert {:ok, %{queue_dropped: 1}} = Heartwire.metrics(socket)
    end

    test "refuses options that it does not have" do
      socket = waiting!()

      for options <- [
            [ttl: 0],
            [ttl: -1],
            [ttl: "1s"],
            [ttl: 0x1_0000_0000_0000_0000],
            [now: 1],
            [more: true],
            [:now],
            :now
          ] do
        assert {:error, %Error{status: :argument, message: message}} =
                 Heartwire.send(socket, {:text, "x"}, options)

        assert message =~ "ttl"
      end

      assert {:ok, %{queue_messages: 0}} = Heartwire.metrics(socket)
    end
  end

  describe "cancel/2" do
    test "takes back what waits" do
      socket = waiting!()
      {:ok, id} = Heartwire.send(socket, {:text, "x"}, [])
      assert :ok = Heartwire.cancel(socket, id)
      assert {:ok, :cancelled} = Heartwire.outcome(socket, id)
      assert %Event{message_id: ^id, level: :cancelled} = await_event(socket, :outcome)
      assert {:ok, %{queue_cancelled: 1, queue_messages: 0}} = Heartwire.metrics(socket)
    end

    test "says that it is too late, or that there is nothing to take back" do
      socket = connect!(url(:ws, "/echo"))
      {:ok, id} = Heartwire.send(socket, {:text, "x"}, report: true)
      await_event(socket, :outcome)

      assert {:error, %Error{status: :state, message: "It is too late" <> _}} =
               Heartwire.cancel(socket, id)

      assert {:error, %Error{status: :range}} = Heartwire.cancel(socket, id + 1)
      assert {:error, %Error{status: :range}} = Heartwire.outcome(socket, id + 1)
      assert {:error, %Error{status: :range}} = Heartwire.outcome(socket, 0)
    end
  end

  test "a gap is told of after a loss" do
    key = System.unique_integer([:positive])
    socket = connect!(url(:ws, "/drop-once?key=elixir-gap-#{key}"))
    :ok = Heartwire.send(socket, {:text, "nobody knows whether this arrived"})
    gap = await_event(socket, :gap)
    assert %Event{count: 1, epoch: 2, last_message_ns: 0} = gap
    assert gap.latency_ns > 0
    assert gap.began_ns in 1..gap.time_ns
  end

  test "a host that fails too often has its circuit opened, and attempts held back" do
    {refusing, port} = RawServer.refuse()
    address = "ws://127.0.0.1:#{port}/"
    socket = open!(address, circuit_failures_max: 2, circuit_open_for: "50ms", reconnect_base: 1)
    circuit = await_event(socket, :circuit)
    assert %Event{level: :open, previous_level: :closed, delay_ms: 50} = circuit
    assert circuit.text == "127.0.0.1:#{port}"
    assert %Event{level: :circuit} = await_event(socket, :attempt_held)
    assert %Event{level: :half_open, previous_level: :open} = await_event(socket, :circuit)
    :socket.close(refusing)
  end

  test "a host's budget of attempts holds the next one back" do
    {refusing, port} = RawServer.refuse()
    socket = open!("ws://127.0.0.1:#{port}/", attempts_per_minute_max: 1)
    assert %Event{level: :budget, delay_ms: delay} = await_event(socket, :attempt_held)
    assert delay > 0
    assert {:ok, %{attempts: 1}} = Heartwire.metrics(socket)
    :socket.close(refusing)
  end
end
