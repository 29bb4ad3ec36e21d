defmodule Heartwire.ListenerTest do
  use Heartwire.Case

  @close 8

  # A connection of ours to a listener, and the client that this is to it.
  defp pair(listener, url, options \\ []) do
    ours = connect!(url, [reconnect_enabled: false] ++ options)
    client = await_client(listener)
    assert %Event{epoch: 1} = await_event(client, :opened)
    {ours, client}
  end

  test "messages go both ways, and a client is a connection like any other" do
    {listener, _port, url} = listen!(compression: :on, subprotocols: ["b", "c"])
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
    assert Heartwire.peer_address(ours) == {:ok, String.trim_leading(url, "ws://")}
    assert {:ok, %{state: :connected, messages_received: 3}} = Heartwire.metrics(client)
    assert {:ok, %Heartwire.Health{}} = Heartwire.health(client)
    assert {:error, %Error{status: :argument}} = Heartwire.close(client, 1005)

    monitor = Process.monitor(client)
    assert :ok = Heartwire.close(client, 4001, "done")
    assert %Event{close_code: 4001, by_peer: true} = await_event(ours, :closed)
    await_state(client, :disconnected)
    assert_receive {:DOWN, ^monitor, :process, ^client, :normal}, 20_000
  end

  test "what is asked of a client that has gone is answered with a stale handle" do
    {listener, _port, url} = listen!()
    {ours, client} = pair(listener, url)
    %{handle: handle} = :sys.get_state(client)
    :ok = Heartwire.close(ours, 1000, "bye")
    assert %Event{close_code: 1000, by_peer: true, text: "bye"} = await_event(client, :closed)
    eventually(fn -> not Process.alive?(client) end)

    for answer <- [
          Heartwire.send(client, {:text, "late"}),
          Heartwire.metrics(client),
          Listener.join(listener, client, "group"),
          Listener.leave(listener, client, "group")
        ],
        do: assert({:error, %Error{status: :handle}} = answer)

    assert :ok = Heartwire.close(client)
    assert Heartwire.state(client) == :disconnected
    assert {:error, %{status: :handle}} = Heartwire.NIF.send(handle, :text, "late")
    assert {:error, %{status: :handle}} = Heartwire.NIF.accept(handle, 1, 0, "")
    assert {:error, %{status: :handle}} = Heartwire.NIF.close(handle, 1000, "")
  end

  test "a handle is stale as soon as its client has gone, though its owner has not read that" do
    owner = busy_owner()
    {_listener, port, _url} = listen!(owner: owner, owner_queue_max: 2)
    socket = RawClient.connect(port)
    assert_receive {:seen, {:heartwire, _listener, {:client, client}}}, 20_000
    # The process of the client knows of the end, and has not told the owner.
    eventually(fn -> Process.info(owner, :message_queue_len) >= {:message_queue_len, 2} end)
    :ok = RawClient.send_text(socket, "last words")
    :gen_tcp.close(socket)

    eventually(fn ->
      match?({:error, %Error{status: :handle}}, Heartwire.send(client, {:text, "late"}))
    end)

    assert Process.alive?(client)
    send(owner, :go_on)
    assert_receive {:seen, {:heartwire, ^client, {:text, "last words"}}}, 20_000
    assert_receive {:seen, {:heartwire, ^client, {:event, %Event{kind: :closed}}}}, 20_000
  end

  # Passes the first message on to the test, and the others once it is told to.
  defp busy_owner do
    test = self()

    spawn_link(fn ->
      receive do: (message -> send(test, {:seen, message}))
      receive do: (:go_on -> :ok)
      pass_on(test)
    end)
  end

  defp pass_on(test) do
    receive do: (message -> send(test, {:seen, message}))
    pass_on(test)
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

  describe "the end of" do
    test "the listener closes its clients, and lets nobody in" do
      {listener, port, url} = listen!()
      {ours, client} = pair(listener, url)
      :ok = Heartwire.send(client, {:text, "last words"})
      assert :ok = Listener.close(listener)
      assert await_message(ours) == {:text, "last words"}
      assert %Event{close_code: 1001, by_peer: true} = await_event(ours, :closed)
      await_state(client, :disconnected)
      assert await_exit(listener) == :normal
      assert :ok = Listener.close(listener)

      for answer <- [Listener.port(listener), Listener.broadcast(listener, {:text, ""})],
          do: assert({:error, %Error{status: :handle, message: "The listener is gone."}} = answer)

      assert {:error, :econnrefused} = :gen_tcp.connect({127, 0, 0, 1}, port, [])
    end

    test "a listener without clients" do
      {listener, _port, _url} = listen!()
      assert :ok = Listener.close(listener)
      assert await_exit(listener) == :normal
    end

    test "what the owner has not read outlives the listener" do
      owner = busy_owner()
      {listener, port, _url} = listen!(owner: owner, owner_queue_max: 2)
      socket = RawClient.connect(port)
      assert_receive {:seen, {:heartwire, ^listener, {:client, client}}}, 20_000
      eventually(fn -> Process.info(owner, :message_queue_len) >= {:message_queue_len, 2} end)
      for n <- 1..50, do: :ok = RawClient.send_text(socket, "#{n}")
      eventually(fn -> match?({:ok, %{messages_received: 50}}, Heartwire.metrics(client)) end)
      assert :ok = Listener.close(listener)
      assert RawClient.read_frame(socket) == {@close, <<1001::16>>}
      :gen_tcp.close(socket)
      assert await_exit(listener) == :normal
      send(owner, :go_on)

      for n <- 1..50 do
        text = "#{n}"
        assert_receive {:seen, {:heartwire, ^client, {:text, ^text}}}, 20_000
      end

      assert_receive {:seen, {:heartwire, ^client, {:event, %Event{kind: :closed}}}}, 20_000
      eventually(fn -> not Process.alive?(client) end)
    end

    test "a killed listener closes its clients" do
      {listener, port, _url} = listen!()
      socket = RawClient.connect(port)
      client = await_client(listener)
      Process.exit(listener, :kill)
      assert RawClient.read_frame(socket) == {@close, <<1001::16>>}
      eventually(fn -> not Process.alive?(client) end)
      eventually(fn -> :gen_tcp.connect({127, 0, 0, 1}, port, []) == {:error, :econnrefused} end)
    end

    test "the owner of a listener closes it and its clients" do
      test = self()

      owner =
        spawn(fn ->
          {:ok, listener} = GenServer.start(Listener.Server, {self(), options()})
          send(test, {:listener, listener, Listener.port(listener)})
          Process.sleep(:infinity)
        end)

      assert_receive {:listener, listener, {:ok, port}}, 20_000
      monitor = Process.monitor(listener)
      socket = RawClient.connect(port)
      Process.exit(owner, :kill)
      assert RawClient.read_frame(socket) == {@close, <<1001::16>>}
      assert_receive {:DOWN, ^monitor, :process, ^listener, :normal}, 20_000
    end

    defp options, do: [url: "ws://127.0.0.1:0", owner: self(), owner_queue_max: 100]

    test "a client's owner closes that client alone" do
      test = self()
      let_in = fn _client, _event -> {:ok, owner: spawn(fn -> serve(test) end)} end
      {_listener, port, _url} = listen!(before_accept: let_in)
      [first, second] = for _ <- 1..2, do: RawClient.connect(port)
      assert_receive {:owner, owner, client}, 20_000
      assert_receive {:owner, _other, stays}, 20_000
      Process.exit(owner, :kill)

      closed =
        Enum.find([first, second], fn socket ->
          :gen_tcp.recv(socket, 0, 200) == {:ok, <<0x88, 2, 1001::16>>}
        end)

      assert closed != nil
      eventually(fn -> not Process.alive?(client) end)
      assert :ok = Heartwire.send(stays, {:text, "still here"})
      [other] = [first, second] -- [closed]
      assert RawClient.read_frame(other) == {1, "still here"}
    end

    defp serve(test) do
      receive do
        {:heartwire, _listener, {:client, client}} -> send(test, {:owner, self(), client})
      end

      Process.sleep(:infinity)
    end

    test "a client's process cuts the client off" do
      {listener, port, _url} = listen!()
      socket = RawClient.connect(port)
      Process.exit(await_client(listener), :kill)
      assert RawClient.read_frame(socket) == {@close, <<1001::16>>}
      assert RawClient.read_frame(socket) == :closed
      RawClient.connect(port)
      await_client(listener)
    end
  end

  test "hundreds of clients, and listeners that come and go, leave nothing behind" do
    # The first ones start the threads that all of them share.
    {listener, port, _url} = listen!()
    RawClient.connect(port)
    first = await_client(listener)
    descriptors = count("/proc/self/fd")
    threads = count("/proc/self/task")
    processes = Process.list()

    for number <- 1..500 do
      socket = RawClient.connect(port)
      client = await_client(listener)
      if rem(number, 3) == 0, do: Process.exit(client, :kill)
      if rem(number, 3) == 1, do: Heartwire.close(client)
      :gen_tcp.close(socket)
    end

    for _ <- 1..100 do
      {listener, port, _url} = listen!()
      socket = RawClient.connect(port)
      Process.exit(listener, :kill)
      assert await_exit(listener) == :killed
      :gen_tcp.close(socket)
    end

    eventually(fn -> count("/proc/self/fd") <= descriptors end)
    assert count("/proc/self/task") <= threads
    eventually(fn -> Enum.all?(Process.list() -- processes, &(not leftover?(&1))) end)
    assert %{clients: clients} = :sys.get_state(listener)
    assert [%{pid: ^first}] = Map.values(clients)
  end

  defp count(directory), do: directory |> File.ls!() |> length()

  defp leftover?(pid) do
    case Process.info(pid, :dictionary) do
      {:dictionary, dictionary} ->
        match?(
          {module, :init, 1} when module in [Listener.Server, Heartwire.Connection],
          dictionary[:"$initial_call"]
        )

      nil ->
        false
    end
  end

  describe "under a supervisor" do
    test "a killed listener is started again at its port" do
      {free, port, _url} = listen!()
      :ok = Listener.close(free)
      assert await_exit(free) == :normal
      url = "ws://127.0.0.1:#{port}"
      start_supervised!({Listener, url: url, owner: self(), name: :supervised_listener})
      first = Process.whereis(:supervised_listener)
      RawClient.connect(port)
      await_client(first)
      Process.exit(first, :kill)

      second =
        eventually(fn ->
          pid = Process.whereis(:supervised_listener)
          pid != first && Listener.port(:supervised_listener) == {:ok, port} && pid
        end)

      RawClient.connect(port)
      await_client(second)
    end

    test "a listener that was closed is not started again" do
      {:ok, supervisor} = Supervisor.start_link([], strategy: :one_for_one)
      child = {Listener, url: "ws://127.0.0.1:0", owner: self()}
      {:ok, listener} = Supervisor.start_child(supervisor, child)
      assert :ok = Listener.close(listener)
      eventually(fn -> Supervisor.count_children(supervisor).active == 0 end)
    end

    test "the owner must be named" do
      assert_raise ArgumentError, ~r/:owner/, fn -> Listener.child_spec(url: "ws://[::]:0") end
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
