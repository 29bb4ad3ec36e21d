defmodule Heartwire.ListenerTest do
  use Heartwire.Case

  @close 8

  test "messages go both ways, and a client is a connection like any other" do
    {listener, port, url} = listen!(compression: :on, subprotocols: ["b", "c"])
    ours = connect!(url, compression: :on, subprotocols: ["a", "c"])
    client = await_client(listener)
    assert %Event{compressed: true, text: "c"} = await_event(client, :opened)
    await_state(client, :connected)

    for message <- [
          {:text, "grüße"},
          {:binary, <<0, 255>>},
          {:text, String.duplicate("x", 200_000)}
        ] do
      :ok = Heartwire.send(ours, message)
      assert await_message(client) == message
      :ok = Heartwire.send(client, message)
      assert await_message(ours) == message
    end

    assert {:ok, 4} = Heartwire.send(client, {:text, "told"}, report: true)
    assert %Event{message_id: 4, level: :sent} = await_event(client, :outcome)
    assert :ok = Heartwire.send_parts(client, {:text, ["in ", "parts"]})
    for text <- ["told", "in parts"], do: assert(await_message(ours) == {:text, text})
    assert Heartwire.state(client) == :connected
    assert {:ok, "127.0.0.1:" <> _port} = Heartwire.peer_address(client)
    assert Heartwire.peer_address(ours) == {:ok, "127.0.0.1:#{port}"}
    assert {:ok, %{state: :connected, messages_received: 3}} = Heartwire.metrics(client)
    assert {:ok, %Heartwire.Health{}} = Heartwire.health(client)
    assert {:error, %Error{status: :argument}} = Heartwire.close(client, 1005)

    monitor = Process.monitor(client)
    assert :ok = Heartwire.close(client, 4001, "done")
    assert %Event{close_code: 4001, by_peer: true} = await_event(ours, :closed)
    await_state(client, :disconnected)
    assert_receive {:DOWN, ^monitor, :process, ^client, :normal}, 20_000
  end

  describe "sending to many" do
    setup do
      {listener, _port, url} = listen!()
      pairs = for _ <- 1..3, do: pair(listener, url)

      %{
        listener: listener,
        ours: Enum.map(pairs, &elem(&1, 0)),
        clients: Enum.map(pairs, &elem(&1, 1))
      }
    end

    test "reaches all, or a group", %{listener: listener, ours: ours, clients: clients} do
      [first, second, third] = clients
      [at_first, at_second, at_third] = ours
      assert {:ok, 3} = Listener.broadcast(listener, {:text, ["to ", "all"]})
      for connection <- ours, do: assert(await_message(connection) == {:text, "to all"})

      for client <- [first, second, first],
          do: assert(:ok = Listener.join(listener, client, "some"))

      assert :ok = Listener.join(listener, third, "größe")
      assert {:ok, 2} = Listener.broadcast(listener, {:binary, <<0>>}, "some")
      assert {:ok, 1} = Listener.broadcast(listener, {:text, ""}, "größe")
      assert await_message(at_first) == {:binary, <<0>>}
      assert await_message(at_second) == {:binary, <<0>>}
      assert await_message(at_third) == {:text, ""}

      assert :ok = Listener.leave(listener, first, "some")
      assert :ok = Listener.leave(listener, first, "some")
      assert {:ok, 1} = Listener.broadcast(listener, {:text, "to one"}, "some")
      assert await_message(at_second) == {:text, "to one"}
      assert {:ok, 0} = Listener.broadcast(listener, {:text, "to none"}, "none")

      :ok = Heartwire.close(at_second)
      eventually(fn -> Listener.broadcast(listener, {:text, ""}, "some") == {:ok, 0} end)
      assert {:ok, 2} = Listener.broadcast(listener, {:text, ""})
    end

    test "tells what cannot be", %{listener: listener, ours: [ours | _], clients: [client | _]} do
      for group <- ["", String.duplicate("x", 256), "a\0b"] do
        assert {:error, %Error{status: :argument} = error} =
                 Listener.join(listener, client, group)

        assert error.message =~ "1 to 255"

        assert {:error, %Error{status: :argument}} =
                 Listener.broadcast(listener, {:text, ""}, group)
      end

      assert {:error, %Error{status: :utf8}} = Listener.join(listener, client, <<255>>)
      assert {:error, %Error{status: :utf8}} = Listener.broadcast(listener, {:text, <<255>>})

      assert {:error, %Error{status: :state} = error} = Listener.join(listener, ours, "group")
      assert error.message =~ "no client of this listener"
      assert {:error, %Error{status: :handle}} = Listener.join(client, client, "group")
      assert {:error, %Error{status: :handle}} = Listener.broadcast(ours, {:text, ""})
      assert {:error, %Error{status: :handle}} = Heartwire.send(listener, {:text, ""})
    end

    test "a client with a full queue is left out" do
      {listener, port, _url} = listen!(queue_bytes_max: "64KiB", ping_interval: 0)
      socket = RawClient.connect(port)
      await_event(await_client(listener), :opened)
      data = String.duplicate("x", 60_000)
      eventually(fn -> Listener.broadcast(listener, {:text, data}) == {:ok, 0} end)
      assert {:ok, _} = :gen_tcp.recv(socket, 0, 10_000)
    end
  end

  test "a client that answers no ping is closed, and one that does is not" do
    {listener, port, url} = listen!(ping_interval: 50, ping_timeout: 50, close_timeout: 100)
    {_ours, alive} = pair(listener, url)
    socket = RawClient.connect(port)
    silent = await_client(listener)
    assert %Event{status: :heartbeat, close_code: 1001} = await_event(silent, :closed)

    assert RawClient.read_frame_without_pings(socket) ==
             {@close, <<1001::16, "Heartbeat timeout">>}

    eventually(fn -> not Process.alive?(silent) end)
    assert {:ok, %{pongs_received: count}} = Heartwire.metrics(alive)
    assert count > 0
  end

  test "pages of other origins are turned away" do
    {listener, port, _url} = listen!(listener_origins: "https://a.example")
    assert RawClient.read_head(RawClient.ask(port, [{"Origin", "https://b.example"}])) =~ "403"
    RawClient.connect(port, [{"Origin", "https://a.example"}])
    await_client(listener)
    refute_received {:heartwire, _client, {:event, %Event{kind: :attempt_failed}}}
  end

  test "each client's messages are looked at by a detector" do
    {listener, port, _url} =
      listen!(
        detector: fn
          {:text, "challenge " <> data} -> {:text, String.upcase(data)}
          _message -> nil
        end
      )

    sockets = for name <- ["a", "b"], do: {name, RawClient.connect(port)}

    for {name, socket} <- sockets do
      :ok = RawClient.send_text(socket, "challenge #{name}")
      assert RawClient.read_frame(socket) == {1, String.upcase(name)}
      assert %Event{text: "detector"} = await_event(await_client(listener), :heartbeat_responded)
    end
  end

  test "what cannot be is answered with an error" do
    {_listener, port, _url} = listen!()

    for {url, options, status, text} <- [
          {"ws://127.0.0.1:#{port}", [], :system, "cannot listen at 127.0.0.1:"},
          {"http://127.0.0.1", [], :url, "ws"},
          {"ws://a\0b", [], :url, "NUL"},
          {"ws://127.0.0.1:0", [ping_intervall: 1], :property, "ping.interval"},
          {"ws://127.0.0.1:0", [inbox_overflow: :some], :value, "pause"},
          {"ws://127.0.0.1:0", [headers: [{"a", "b"}]], :property, ":headers"},
          {"ws://127.0.0.1:0", [opening: []], :property, ":opening"},
          {"ws://127.0.0.1:0", [before_connect: nil], :property, ":before_connect"},
          {"ws://127.0.0.1:0", [before_accept: fn _event -> :ok end], :value, "before_accept"},
          {"ws://127.0.0.1:0", [before_accept: true], :value, "before_accept"},
          {"ws://127.0.0.1:0", [detector: :none], :value, "detector"},
          {"ws://127.0.0.1:0", [owner: :nobody_is_called_so], :argument, "owner"},
          {"ws://127.0.0.1:0", [owner: "nobody"], :argument, "owner"}
        ] do
      assert {:error, %Error{status: ^status, message: message}} = Heartwire.listen(url, options)
      assert message =~ text
    end

    assert {:error, %Error{status: :handle}} = Listener.port(:nobody_is_called_so)
    assert_raise KeyError, fn -> Listener.start_link([]) end
    assert_raise ArgumentError, fn -> Heartwire.NIF.port(make_ref()) end
    assert_raise ArgumentError, fn -> Heartwire.NIF.adopt(:client) end
    assert {:ok, stale} = Heartwire.NIF.adopt(123_456)
    assert {:error, %{status: :handle}} = Heartwire.NIF.metrics(stale)
  end
end
