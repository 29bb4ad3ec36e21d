defmodule Heartwire.RotationTest do
  use Heartwire.Case

  @messages 3000

  defp await_rotation(socket, level) do
    case await_event(socket, :rotation) do
      %Event{level: ^level} = event -> event
      event -> flunk("#{inspect(event)} is not #{level}")
    end
  end

  test "a rotation loses nothing that is on its way" do
    socket = connect!(url(:ws, "/echo"))

    for n <- 1..@messages do
      if n == div(@messages, 3), do: assert(:ok = Heartwire.rotate(socket))
      :ok = Heartwire.send(socket, {:text, "#{n}"})
    end

    echoes =
      for _ <- 1..@messages, do: socket |> await_message() |> elem(1) |> String.to_integer()

    assert Enum.sort(echoes) == Enum.to_list(1..@messages)

    await_rotation(socket, :started)
    assert %Event{epoch: 2} = await_rotation(socket, :switched)
    assert %Event{epoch: 1} = await_rotation(socket, :finished)
    assert {:ok, %{rotations: 1, epoch: 2, reconnections: 0}} = Heartwire.metrics(socket)
    refute_received {:heartwire, ^socket, {:event, %Event{kind: :gap}}}
    refute_received {:heartwire, ^socket, {:event, %Event{state: :reconnecting}}}
  end

  test "a rotation that fails leaves the old connection as it is" do
    {listener, port} = RawServer.listen()
    socket = open!("ws://127.0.0.1:#{port}/")
    peer = RawServer.accept(listener)
    await_state(socket, :connected)
    :gen_tcp.close(listener)
    assert :ok = Heartwire.rotate(socket)
    await_rotation(socket, :started)
    assert %Event{status: :connect, layer: :tcp} = await_rotation(socket, :failed)
    :ok = Heartwire.send(socket, {:text, "still here"})
    assert RawServer.read_frame(peer) == {1, "still here"}
  end

  test "what has ended cannot be rotated" do
    socket = connect!(url(:raw, "/silent"), close_timeout: "10s")
    assert :ok = Heartwire.close(socket)
    assert {:error, %Error{status: :state}} = Heartwire.rotate(socket)
  end
end
