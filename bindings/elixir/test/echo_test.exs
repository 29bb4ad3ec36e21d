defmodule Heartwire.EchoTest do
  use Heartwire.Case

  for server <- [:ws, :wss, :aiohttp] do
    describe "an echo over #{server}" do
      setup do
        %{socket: connect!(url(unquote(server), "/echo"))}
      end

      test "brings text and binary messages back", %{socket: socket} do
        for message <- [{:text, "héllo"}, {:binary, <<0, 255>>}, {:text, ""}, {:binary, ""}] do
          assert :ok = Heartwire.send(socket, message)
          assert await_message(socket) == message
        end
      end

      test "brings back messages too large for one call of the NIF", %{socket: socket} do
        for size <- [65_535, 65_536, 65_537, 1_000_000] do
          data = :crypto.strong_rand_bytes(size)
          assert :ok = Heartwire.send(socket, {:binary, data})
          assert await_message(socket) == {:binary, data}
        end
      end

      test "keeps the order of small and large messages", %{socket: socket} do
        messages =
          for number <- 1..500 do
            size = if rem(number, 100) == 0, do: 300_000, else: 10
            {:text, String.pad_trailing("#{number}", size)}
          end

        # One megabyte goes up while the echoes come down: sending must not wait for taking.
        for message <- messages, do: assert(:ok = Heartwire.send(socket, message))
        for message <- messages, do: assert(await_message(socket) == message)
      end
    end
  end

  test "iodata is sent as one message" do
    socket = connect!(url(:ws, "/echo"))
    assert :ok = Heartwire.send(socket, {:text, ["a", [?b, "c"]]})
    assert await_message(socket) == {:text, "abc"}
  end

  test "the agreed subprotocol comes with the opened event" do
    socket = open!(url(:ws, "/echo"), subprotocols: ["unheard", "chat"])
    assert %Event{text: "chat", epoch: 1} = await_event(socket, :opened)
  end

  test "header fields reach the server" do
    socket = open!(url(:ws, "/headers"), headers: [{"X-Token", "secret"}])
    {:text, json} = await_message(socket)
    assert json =~ ~s("x-token": "secret") or json =~ ~s("x-token":"secret")
  end
end
