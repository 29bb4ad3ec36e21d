defmodule Heartwire.ListenerEndTest do
  use Heartwire.Case

  @close 8

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
end
