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

  @doc "A port of the loopback interface that refuses, of which no one else knows, while its socket is open."
  def refuse do
    {:ok, socket} = :socket.open(:inet, :stream)
    :ok = :socket.bind(socket, %{family: :inet, addr: {127, 0, 0, 1}, port: 0})
    {:ok, %{port: port}} = :socket.sockname(socket)
    {socket, port}
  end

  @doc "Accepts one client and answers its opening handshake."
  def accept(listener), do: listener |> accept_with_head() |> elem(0)

  @doc "Does the same, and gives the head of the client's request too."
  def accept_with_head(listener) do
    {:ok, socket} = :gen_tcp.accept(listener, @timeout_ms)
    head = read_head(socket, "")
    [_all, key] = Regex.run(~r/sec-websocket-key:\s*(\S+)/i, head)
    accept = Base.encode64(:crypto.hash(:sha, key <> @guid))

    :ok =
      :gen_tcp.send(socket, [
        "HTTP/1.1 101 Switching Protocols\r\nUpgrade: websocket\r\nConnection: Upgrade\r\n",
        "Sec-WebSocket-Accept: #{accept}\r\n\r\n"
      ])

    {socket, head}
  end

  @doc "Sends one short message of text."
  def send_text(socket, text) when byte_size(text) < 126,
    do: :ok = :gen_tcp.send(socket, [<<0x81, byte_size(text)>>, text])

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
