defmodule Heartwire.ReconnectionTest do
  use Heartwire.Case

  test "a lost connection comes back and brings what was sent meanwhile" do
    key = System.unique_integer([:positive])
    socket = connect!(url(:ws, "/drop-once?key=elixir-#{key}"))
    assert %Event{epoch: 1} = await_event(socket, :opened)
    assert :ok = Heartwire.send(socket, {:text, "the last of the first connection"})
    assert %Event{close_code: 1006, epoch: 1} = await_event(socket, :closed)
    assert %Event{state: :reconnecting} = await_state(socket, :reconnecting)

    assert :ok = Heartwire.send(socket, {:text, "meanwhile"})
    assert %Event{epoch: 2} = await_event(socket, :opened)
    assert await_message(socket) == {:text, "meanwhile"}
    assert {:ok, %{reconnections: 1, epoch: 2}} = Heartwire.metrics(socket)
  end

  test "a message sent before the first connection is delivered" do
    {listener, port} = RawServer.listen()
    socket = open!("ws://127.0.0.1:#{port}/")
    assert :ok = Heartwire.send(socket, {:text, "early"})
    peer = RawServer.accept(listener)
    assert RawServer.read_frame(peer) == {1, "early"}
  end

  test "a refused port is tried again" do
    socket = open!(url(:refused, "/"))

    assert %Event{status: :connect, attempt: 1, delay_ms: delay} =
             await_event(socket, :attempt_failed)

    assert is_integer(delay)
    assert %Event{attempt: 2} = await_event(socket, :attempt_failed)
    assert Heartwire.state(socket) == :reconnecting
  end

  test "the attempts are used up" do
    socket = open!(url(:refused, "/"), reconnect_attempts_max: 2)
    assert %Event{status: :connect} = await_state(socket, :failed)
    assert {:shutdown, %Error{status: :connect, layer: :tcp}} = await_exit(socket)
  end

  test "the server's close ends a connection that must not reconnect" do
    socket = open!(url(:ws, "/close?code=1000&reason=bye"), reconnect_enabled: false)
    assert %Event{close_code: 1000, by_peer: true, text: "bye"} = await_event(socket, :closed)
    assert await_exit(socket) == :normal
  end

  test "a close code that forbids reconnection fails the connection" do
    socket = open!(url(:ws, "/close?code=1008&reason=policy"))
    assert %Event{close_code: 1008, status: :closed_by_peer} = await_state(socket, :failed)
    assert {:shutdown, %Error{status: :closed_by_peer, close_code: 1008}} = await_exit(socket)
  end
end
