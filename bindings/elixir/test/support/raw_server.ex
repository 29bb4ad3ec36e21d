defmodule Heartwire.RawServer do
  @moduledoc "One end of a TCP connection that a test plays by hand, to see what the client does."

  @guid "258EAFA5-E914-47DA-95CA-C5AB0DC85B11"
  @timeout_ms 10_000

  @doc "Listens on a free port of the loopback interface."
  def listen do
    {:ok, listener} = :gen_tcp.listen(0, [:binary, active: false, ip: {127, 0, 0, 1}])
    {:ok, port} = :inet.port(listener)
    {listener, port}
  end

  @doc "Accepts one client and answers its opening handshake."
  def accept(listener) do
    {:ok, socket} = :gen_tcp.accept(listener, @timeout_ms)
    [_all, key] = Regex.run(~r/sec-websocket-key:\s*(\S+)/i, read_head(socket, ""))
    accept = Base.encode64(:crypto.hash(:sha, key <> @guid))

    :ok =
      :gen_tcp.send(socket, [
        "HTTP/1.1 101 Switching Protocols\r\nUpgrade: websocket\r\nConnection: Upgrade\r\n",
        "Sec-WebSocket-Accept: #{accept}\r\n\r\n"
      ])

    socket
  end

  @doc "Reads one short masked frame: its opcode and unmasked payload, or `:closed`."
  def read_frame(socket) do
    with {:ok, <<1::1, 0::3, opcode::4, 1::1, size::7, mask::binary-4>>} when size < 126 <-
           :gen_tcp.recv(socket, 6, @timeout_ms),
         {:ok, payload} <- read(socket, size) do
      {opcode, :crypto.exor(payload, binary_part(String.duplicate(mask, 32), 0, size))}
    else
      {:error, :closed} -> :closed
    end
  end

  defp read(_socket, 0), do: {:ok, ""}
  defp read(socket, size), do: :gen_tcp.recv(socket, size, @timeout_ms)

  defp read_head(socket, head) do
    if String.ends_with?(head, "\r\n\r\n") do
      head
    else
      {:ok, bytes} = :gen_tcp.recv(socket, 0, @timeout_ms)
      read_head(socket, head <> bytes)
    end
  end
end
