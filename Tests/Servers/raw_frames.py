"""Just enough of RFC 6455 to write frames by hand, right and wrong ones alike."""

import asyncio
import base64
import hashlib
import struct
import zlib

TEXT, BINARY, CLOSE, PING, PONG, CONTINUATION = 1, 2, 8, 9, 10, 0


def frame_head(opcode: int, size: int, fin: bool = True) -> bytes:
    """The head of an unmasked frame (section 5.2)."""
    first = (0x80 if fin else 0) | opcode
    if size < 126:
        return struct.pack("!BB", first, size)
    if size < 65536:
        return struct.pack("!BBH", first, 126, size)
    return struct.pack("!BBQ", first, 127, size)


def frame(opcode: int, payload: bytes, fin: bool = True) -> bytes:
    """An unmasked frame, as a server sends it."""
    return frame_head(opcode, len(payload), fin) + payload


def compressed_frame(opcode: int, payload: bytes) -> bytes:
    """An unmasked frame of a compressed message (RFC 7692 section 7.2.1), with no context from an earlier one."""
    deflater = zlib.compressobj(wbits=-15)
    deflated = deflater.compress(payload) + deflater.flush(zlib.Z_SYNC_FLUSH)
    whole = frame(opcode, deflated.removesuffix(b"\x00\x00\xff\xff"))
    return bytes([whole[0] | 0x40]) + whole[1:]


def masked_frame(opcode: int, payload: bytes) -> bytes:
    """A masked frame of under 126 bytes, which a server must not send (section 5.1)."""
    key = b"\x11\x22\x33\x44"
    masked = bytes(byte ^ key[i % 4] for i, byte in enumerate(payload))
    return struct.pack("!BB", 0x80 | opcode, 0x80 | len(payload)) + key + masked


async def read_frame(reader: asyncio.StreamReader) -> tuple[bool, int, bytes]:
    """Reads one frame of a client: whether it is the last of its message, its opcode and its unmasked payload."""
    first, second = await reader.readexactly(2)
    size = second & 0x7F
    if size == 126:
        (size,) = struct.unpack("!H", await reader.readexactly(2))
    elif size == 127:
        (size,) = struct.unpack("!Q", await reader.readexactly(8))
    if not second & 0x80:
        raise ValueError("a client frame must be masked")
    key = await reader.readexactly(4)
    payload = await reader.readexactly(size)
    mask = int.from_bytes((key * (size // 4 + 1))[:size], "big")
    return bool(first & 0x80), first & 0x0F, (int.from_bytes(payload, "big") ^ mask).to_bytes(size, "big")


async def read_request(reader: asyncio.StreamReader) -> tuple[str, dict[str, str]]:
    """Reads a request head: the target and the header fields with names in lower case."""
    head = (await reader.readuntil(b"\r\n\r\n")).decode("latin-1")
    request_line, *lines = head.rstrip("\r\n").split("\r\n")
    fields = {}
    for line in lines:
        name, _, value = line.partition(":")
        fields[name.strip().lower()] = value.strip()
    return request_line.split(" ")[1], fields


def response_head(fields: dict[str, str], accept: str | None = None, extensions: str | None = None) -> bytes:
    """The 101 answer (section 4.2.2), with the right accept key unless another is given, and the extensions if any are given."""
    if accept is None:
        key = fields["sec-websocket-key"] + "258EAFA5-E914-47DA-95CA-C5AB0DC85B11"
        accept = base64.b64encode(hashlib.sha1(key.encode()).digest()).decode()
    lines = (
        "HTTP/1.1 101 Switching Protocols",
        "Upgrade: websocket",
        "Connection: Upgrade",
        f"Sec-WebSocket-Accept: {accept}",
        *([f"Sec-WebSocket-Extensions: {extensions}"] if extensions is not None else []),
    )
    return ("\r\n".join(lines) + "\r\n\r\n").encode()
