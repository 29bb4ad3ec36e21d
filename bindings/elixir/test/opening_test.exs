defmodule Heartwire.OpeningTest do
  use Heartwire.Case

  @steps [
    ~S({"expect":{"json":{"/event":"hello"}},"learn":{"nonce":"/nonce"}}),
    ~S({"send":{"body":"login ${last.nonce}"}}),
    ~S({"expect":{"eq":"welcome"},"fail":{"eq":"denied"},"timeout":"15s"})
  ]

  # Plays the server's part of the opening script.
  defp welcome(listener, nonce) do
    peer = RawServer.accept(listener)
    RawServer.send_text(peer, ~s({"event":"hello","nonce":#{nonce}}))
    assert RawServer.read_frame(peer) == {1, "login #{nonce}"}
    RawServer.send_text(peer, "welcome")
    peer
  end

  test "the script comes first, then what is kept, then what is queued, on every connection" do
    {listener, port} = RawServer.listen()
    socket = open!("ws://127.0.0.1:#{port}/", opening: @steps)
    assert :ok = Heartwire.send(socket, {:text, "queued"})
    assert :ok = Heartwire.keep(socket, "trades", {:text, ["subscribe ", "trades"]})
    assert :ok = Heartwire.keep(socket, "book", {:binary, "subscribe book"})
    assert {:ok, %{kept_messages: 2}} = Heartwire.metrics(socket)

    first = welcome(listener, 1)
    assert RawServer.read_frame(first) == {1, "subscribe trades"}
    assert RawServer.read_frame(first) == {2, "subscribe book"}
    assert RawServer.read_frame(first) == {1, "queued"}
    assert await_message(socket) == {:text, ~S({"event":"hello","nonce":1})}
    assert await_message(socket) == {:text, "welcome"}

    assert :ok = Heartwire.keep(socket, "trades", {:text, "subscribe all trades"})
    assert RawServer.read_frame(first) == {1, "subscribe all trades"}
    assert :ok = Heartwire.remove_kept(socket, "book")
    assert :ok = Heartwire.keep(socket, "empty", {:text, ""})
    assert RawServer.read_frame(first) == {1, ""}
    :gen_tcp.close(first)

    second = welcome(listener, 2)
    assert RawServer.read_frame(second) == {1, "subscribe all trades"}
    assert RawServer.read_frame(second) == {1, ""}
    assert %Event{epoch: 2} = await_event(socket, :gap)
  end

  test "a script that the server refuses is a failed attempt" do
    {listener, port} = RawServer.listen()
    socket = open!("ws://127.0.0.1:#{port}/", opening: @steps)
    peer = RawServer.accept(listener)
    RawServer.send_text(peer, ~S({"event":"hello","nonce":1}))
    assert RawServer.read_frame(peer) == {1, "login 1"}
    RawServer.send_text(peer, "denied")
    assert %Event{status: :script, text: text} = await_event(socket, :attempt_failed)
    assert text =~ "denied"
    welcome(listener, 2)
    await_state(socket, :connected)
  end

  test "a step that is malformed is refused, and the error points at it" do
    for step <- [~S({"sned":{"body":"x"}}), "{", "", ~S({"send":{}})] do
      assert {:error, %Error{status: :step, message: message}} =
               Heartwire.start_link(url: "ws://localhost/", opening: [step])

      assert message != ""
    end

    assert {:error, %Error{status: :step}} =
             Heartwire.start_link(url: "ws://localhost/", opening: [%{send: "x"}])

    assert {:error, %Error{status: :argument}} =
             Heartwire.start_link(url: "ws://localhost/", opening: "{}")
  end

  test "what cannot be kept is refused" do
    socket = open!(url(:refused, "/"), queue_messages_max: 1)

    for {key, message, status} <- [
          {"", {:text, "x"}, :argument},
          {"a\0b", {:text, "x"}, :argument},
          {String.duplicate("k", 256), {:text, "x"}, :argument},
          {"key", {:text, <<0xFF>>}, :utf8}
        ] do
      assert {:error, %Error{status: ^status}} = Heartwire.keep(socket, key, message)
    end

    assert :ok = Heartwire.keep(socket, "one", {:text, "x"})

    assert {:error, %Error{status: :full, message: message}} =
             Heartwire.keep(socket, "two", {:text, "x"})

    assert message =~ "kept"
    assert :ok = Heartwire.remove_kept(socket, "never kept")
  end
end
