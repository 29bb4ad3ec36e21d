defmodule Heartwire.RawClient do
  @moduledoc "A client's end of a TCP connection that a test plays by hand, to see what a listener does."

  @timeout_ms 10_000

  @doc "Connects, asks for a WebSocket connection, and gives the socket and the head of the answer."
  def ask(port, headers \\ []) do
    {:ok, socket} = :gen_tcp.connect({127, 0, 0, 1}, port, [:binary, active: false])

    :ok =
      :gen_tcp.send(socket, [
        "GET /chat?room=1 HTTP/1.1\r\nHost: h\r\nUpgrade: websocket\r\nConnection: Upgrade\r\n",
        "Sec-WebSocket-Version: 13\r\nSec-WebSocket-Key: dGhlIHNhbXBsZSBub25jZQ==\r\n",
        for({name, value} <- headers, do: [name, ": ", value, "\r\n"]),
        "\r\n"
      ])

    socket
  end

  @doc "The head of the answer."
  def read_head(socket, head \\ "") do
    if String.ends_with?(head, "\r\n\r\n") do
      head
    else
      {:ok, byte} = :gen_tcp.recv(socket, 1, @timeout_ms)
      read_head(socket, head <> byte)
    end
  end

  @doc "Does both, and sees that the client is let in."
  def connect(port, headers \\ []) do
    socket = ask(port, headers)
    "HTTP/1.1 101 " <> _rest = read_head(socket)
    socket
  end

  @doc "Sends one message of text, masked with zeros."
  def send_text(socket, text), do: :gen_tcp.send(socket, frame(text))

  @doc "The frame of a message of text."
  def frame(text) when byte_size(text) < 126,
    do: <<0x81, 1::1, byte_size(text)::7, 0::32, text::binary>>

  def frame(text) when byte_size(text) < 65_536,
    do: <<0x81, 1::1, 126::7, byte_size(text)::16, 0::32, text::binary>>

  @doc "Reads one short frame: its opcode and payload, or `:closed`."
  def read_frame(socket) do
    with {:ok, <<1::1, 0::3, opcode::4, 0::1, size::7>>} when size < 126 <-
           :gen_tcp.recv(socket, 2, @timeout_ms),
         {:ok, payload} <- read(socket, size) do
      {opcode, payload}
    else
      {:error, :closed} -> :closed
    end
  end

  @doc "The next frame that is no ping, none of which is answered."
  def read_frame_without_pings(socket) do
    with {9, _payload} <- read_frame(socket), do: read_frame_without_pings(socket)
  end

  defp read(_socket, 0), do: {:ok, ""}
  defp read(socket, size), do: :gen_tcp.recv(socket, size, @timeout_ms)
end
