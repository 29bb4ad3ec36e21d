defmodule Heartwire.ShutdownTest do
  use Heartwire.Case

  test "shutdown/1 closes every connection with 1001, and those opened later live" do
    sockets = for _ <- 1..2, do: connect!(url(:ws, "/echo"))
    assert %{connections: n, connections_cut: 0, messages_unsent: 0} = Heartwire.shutdown(20_000)
    assert n >= 2

    for socket <- sockets do
      assert %Event{close_code: 1001} = await_event(socket, :closed)
      assert await_exit(socket) == :normal
    end

    connect!(url(:ws, "/echo"))
  end

  test "shutdown/1 tells what could not be finished" do
    silent = connect!(url(:raw, "/silent"))
    waiting = open!(url(:refused, "/"))
    :ok = Heartwire.send(waiting, {:text, "12345"})
    report = Heartwire.shutdown(0)
    assert %{connections_cut: cut, connections_unsent: 1} = report
    assert %{messages_unsent: 1, bytes_unsent: 5} = report
    assert cut >= 1
    for socket <- [silent, waiting], do: assert(await_exit(socket) == :normal)
  end

  # Runs code with the package in another VM, and what the test does meanwhile.
  defp in_other_vm(code, meanwhile) do
    paths =
      for path <- [:heartwire, :logger, :crypto], do: ["-pa", Application.app_dir(path, "ebin")]

    elixir = System.find_executable("elixir")

    arguments =
      List.flatten([paths, "-e", "Application.ensure_all_started(:heartwire)", "-e", code])

    options = [:binary, :exit_status, :stderr_to_stdout, args: arguments]
    port = Port.open({:spawn_executable, elixir}, options)
    meanwhile.()
    assert_receive {^port, {:exit_status, 0}}, 30_000
  end

  # Much more than the kernel takes on the loopback interface.
  @size 12_000_000

  for {how, ending} <- [{"is stopped", "System.stop(); Process.sleep(:infinity)"}, {"ends", ""}] do
    test "what is queued is sent, and 1001, when a VM #{how}" do
      {listener, port} = RawServer.listen()

      code = """
      script = self()
      spawn(fn ->
        {:ok, socket} = Heartwire.start_link(url: "ws://127.0.0.1:#{port}/")
        :ok = Heartwire.send(socket, {:binary, :binary.copy("x", #{@size})})
        receive do: ({:heartwire, ^socket, {:event, %{state: :connected}}} -> send(script, :connected))
        Process.sleep(:infinity)
      end)
      receive do: (:connected -> :ok)
      #{unquote(ending)}
      """

      in_other_vm(code, fn ->
        peer = RawServer.accept(listener)
        assert await_close_frame(peer, 0, "") == 1001
        :gen_tcp.close(peer)
      end)
    end
  end

  # Reads on until the message has come in its frames, and behind it the close frame, whose code it gives.
  defp await_close_frame(peer, size, last) do
    {:ok, bytes} = :gen_tcp.recv(peer, 0, 20_000)
    size = size + byte_size(bytes)
    last = binary_slice(last <> bytes, -8, 8)

    case last do
      <<0x88, 0x82, mask::16, _rest::16, code::16>> when size > @size -> Bitwise.bxor(mask, code)
      _ -> await_close_frame(peer, size, last)
    end
  end
end
