defmodule Heartwire.LifecycleTest do
  use Heartwire.Case

  @close 8

  test "states lead from connecting to disconnected, and the process ends normally" do
    socket = open!(url(:ws, "/echo"))
    await_state(socket, :connecting)
    await_state(socket, :connected)
    assert Heartwire.state(socket) == :connected
    assert {:ok, %{state: :connected, epoch: 1}} = Heartwire.metrics(socket)

    assert :ok = Heartwire.close(socket)
    await_state(socket, :closing)
    await_state(socket, :disconnected)
    assert await_exit(socket) == :normal
  end

  test "the server gets the close code and reason" do
    {listener, port} = RawServer.listen()
    socket = open!("ws://127.0.0.1:#{port}/")
    peer = RawServer.accept(listener)
    await_state(socket, :connected)
    assert :ok = Heartwire.close(socket, 4001, "done")
    assert RawServer.read_frame(peer) == {@close, <<4001::16, "done">>}
  end

  test "the server's answer to the close ends a connection under TLS, not the timeout" do
    # The answer and the end of TLS come in one segment or in two, as it happens.
    for _ <- 1..10 do
      socket = connect!(url(:wss, "/echo"), close_timeout: "60s", ping_interval: "50ms")

      eventually(fn ->
        match?({:ok, %{pongs_received: count}} when count > 0, Heartwire.metrics(socket))
      end)

      assert :ok = Heartwire.close(socket)
      assert await_exit(socket) == :normal
    end
  end

  test "closing twice is allowed, before and after the end" do
    socket = connect!(url(:ws, "/echo"))
    assert :ok = Heartwire.close(socket)
    assert :ok = Heartwire.close(socket)
    assert await_exit(socket) == :normal
    assert :ok = Heartwire.close(socket)
  end

  test "nothing can be sent on a closing connection" do
    socket = connect!(url(:raw, "/silent"), close_timeout: "10s")
    assert :ok = Heartwire.close(socket)
    assert {:error, %Error{status: :state}} = Heartwire.send(socket, {:text, "late"})
  end

  test "a process that is gone is answered with a stale handle" do
    socket = connect!(url(:ws, "/echo"))
    Process.exit(socket, :kill)
    assert await_exit(socket) == :killed
    assert {:error, %Error{status: :handle}} = Heartwire.send(socket, {:text, "late"})
    assert {:error, %Error{status: :handle}} = Heartwire.metrics(socket)
    assert Heartwire.state(socket) == :disconnected
    assert {:error, %Error{status: :handle}} = Heartwire.send(:nobody_is_called_so, {:text, "x"})
  end

  test "a native handle outlives its process as a stale one" do
    socket = connect!(url(:ws, "/echo"))
    [{^socket, handle}] = Registry.lookup(Heartwire.Registry, socket)
    %{inbox: inbox} = :sys.get_state(socket)
    Process.exit(socket, :kill)
    eventually(fn -> match?({:error, %{status: :handle}}, Heartwire.NIF.metrics(handle)) end)
    assert {:error, %{status: :handle}} = Heartwire.NIF.send(handle, :text, "late")
    assert {:error, %{status: :handle}} = Heartwire.NIF.close(handle, 1000, "")
    assert {:error, %{status: :handle}} = Heartwire.NIF.watch(inbox)
    assert Heartwire.NIF.state(handle) == :disconnected
    assert Heartwire.NIF.take(inbox) == []
  end

  test "the native functions refuse what is no connection" do
    assert_raise ArgumentError, fn -> Heartwire.NIF.take(make_ref()) end
    assert_raise ArgumentError, fn -> Heartwire.NIF.send(:nothing, :text, "x") end
  end

  test "a name reaches the connection" do
    socket = connect!(url(:ws, "/echo"), name: :named_connection)
    assert :ok = Heartwire.send(:named_connection, {:text, "by name"})
    assert await_message(socket) == {:text, "by name"}

    assert {:error, {:already_started, ^socket}} =
             Heartwire.start_link(url: url(:ws, "/echo"), name: :named_connection)
  end

  test "the owner's death closes the connection at the server" do
    {listener, port} = RawServer.listen()
    owner = spawn(fn -> Process.sleep(:infinity) end)
    {:ok, socket} = Heartwire.start_link(url: "ws://127.0.0.1:#{port}/", owner: owner)
    peer = RawServer.accept(listener)
    eventually(fn -> Heartwire.state(socket) == :connected end)

    Process.exit(owner, :kill)
    assert RawServer.read_frame(peer) == {@close, <<1001::16>>}
    assert RawServer.read_frame(peer) == :closed
    assert await_exit(socket) == :normal
  end

  test "a killed connection is closed at the server" do
    {listener, port} = RawServer.listen()
    socket = open!("ws://127.0.0.1:#{port}/")
    peer = RawServer.accept(listener)
    await_state(socket, :connected)
    Process.exit(socket, :kill)
    assert RawServer.read_frame(peer) == {@close, <<1001::16>>}
    assert RawServer.read_frame(peer) == :closed
  end

  test "a thousand killed connections leave no descriptor and no thread behind" do
    # The first connection starts the threads that all of them share; an address needs no resolver.
    address = "ws://127.0.0.1:#{Heartwire.TestServer.value(:ws)}/echo"
    first = connect!(address)
    ca_file = Heartwire.TestServer.value(:ca_file)
    descriptors = count("/proc/self/fd")
    threads = count("/proc/self/task")

    for number <- 1..1000 do
      {:ok, socket} = Heartwire.start_link(url: address, tls_ca_file: ca_file)
      if rem(number, 10) == 0, do: await_state(socket, :connected)
      Process.exit(socket, :kill)
      assert await_exit(socket) == :killed
    end

    eventually(fn -> count("/proc/self/fd") <= descriptors end)
    assert count("/proc/self/task") <= threads
    assert :ok = Heartwire.send(first, {:text, "still here"})
    assert await_message(first) == {:text, "still here"}
  end

  test "a connection killed while it copies large messages is released" do
    descriptors = count("/proc/self/fd")
    flood = url(:ws, "/flood?n=20&size=2000000")

    for _ <- 1..30 do
      socket = connect!(flood)
      await_message(socket)
      Process.exit(socket, :kill)
      assert await_exit(socket) == :killed
    end

    eventually(fn -> count("/proc/self/fd") <= descriptors end)
  end

  defp count(directory), do: directory |> File.ls!() |> length()

  describe "under a supervisor" do
    setup do
      %{options: [url: url(:ws, "/echo"), owner: self(), name: :supervised_connection]}
    end

    test "a killed connection is started again", %{options: options} do
      start_supervised!({Heartwire, options})
      first = Process.whereis(:supervised_connection)
      await_state(first, :connected)
      Process.exit(first, :kill)

      second =
        eventually(fn ->
          pid = Process.whereis(:supervised_connection)
          pid != first && pid
        end)

      await_state(second, :connected)
      assert :ok = Heartwire.send(:supervised_connection, {:text, "again"})
      assert await_message(second) == {:text, "again"}
    end

    test "a connection that was closed is not started again", %{options: options} do
      {:ok, supervisor} = Supervisor.start_link([], strategy: :one_for_one)
      {:ok, socket} = Supervisor.start_child(supervisor, {Heartwire, options})
      await_state(socket, :connected)
      assert :ok = Heartwire.close(socket)
      await_state(socket, :disconnected)
      eventually(fn -> Supervisor.count_children(supervisor).active == 0 end)
      assert Process.alive?(supervisor)
    end

    test "a connection that cannot be opened fails the start of its supervisor" do
      children = [{Heartwire, url: "http://localhost/", owner: self()}]

      assert {:error, {:shutdown, {:failed_to_start_child, _id, %Error{status: :url}}}} =
               Supervisor.start_link(children, strategy: :one_for_one)
    end

    test "the owner must be named" do
      assert_raise ArgumentError, ~r/:owner/, fn ->
        Heartwire.child_spec(url: "ws://localhost/")
      end
    end
  end

  test "the NIF refuses to be replaced while it runs" do
    socket = connect!(url(:ws, "/echo"))

    ExUnit.CaptureLog.capture_log(fn ->
      assert {:error, :on_load_failure} = :code.load_file(Heartwire.NIF)
    end)

    assert :ok = Heartwire.send(socket, {:text, "unharmed"})
    assert await_message(socket) == {:text, "unharmed"}
  end
end
