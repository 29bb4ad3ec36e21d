defmodule Heartwire.SlowOwnerTest do
  use Heartwire.Case

  @messages 20_000
  @inbox 1_000
  @high_water 100
  # One batch may be on its way when the queue reaches its mark; events come on top.
  @slack 200

  test "what a slow owner does not read stays out of its queue and is not lost" do
    options = [owner_queue_max: @high_water, inbox_messages_max: @inbox]
    socket = open!(url(:ws, "/flood?n=#{@messages}&size=100"), options)

    # The count stands still once the inbox is full and reading has paused.
    eventually(fn -> received(socket) >= @inbox end)
    assert queue_length() <= @high_water + @slack
    assert received(socket) < @messages

    for _ <- 1..@messages do
      assert await_message(socket) == {:text, String.duplicate("x", 100)}
      assert queue_length() <= @high_water + @slack
    end

    assert %Event{count: 0} = await_event(socket, :slow_consumer)
    assert :ok = Heartwire.send(socket, {:text, "all read"})
    assert await_message(socket) == {:text, "all read"}
  end

  test "the inbox may drop what a slow owner does not read" do
    options = [owner_queue_max: 10, inbox_messages_max: 100, inbox_overflow: :drop_newest]
    socket = open!(url(:ws, "/flood?n=5000&size=10"), options)
    eventually(fn -> received(socket) >= 5000 end)
    assert {:ok, %{messages_dropped: dropped}} = Heartwire.metrics(socket)
    assert dropped > 0
    assert queue_length() <= 10 + @slack
  end

  test "a slow owner does not hold up the close" do
    # Reading has paused, so the server's answer to the close is not seen.
    options = [owner_queue_max: 10, inbox_messages_max: 100, close_timeout: "100ms"]
    socket = open!(url(:ws, "/flood?n=5000&size=10"), options)
    eventually(fn -> queue_length() >= 10 end)
    assert :ok = Heartwire.close(socket)
    eventually(fn -> Heartwire.state(socket) == :disconnected end)
    read_until_disconnected(socket)
    assert await_exit(socket) == :normal
  end

  defp read_until_disconnected(socket) do
    assert_receive {:heartwire, ^socket, delivery}, 20_000

    unless match?({:event, %Event{kind: :state, state: :disconnected}}, delivery),
      do: read_until_disconnected(socket)
  end

  defp queue_length, do: self() |> Process.info(:message_queue_len) |> elem(1)

  defp received(socket) do
    {:ok, metrics} = Heartwire.metrics(socket)
    metrics.messages_received
  end
end
