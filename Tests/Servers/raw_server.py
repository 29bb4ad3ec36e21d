"""The misbehaving server: each path breaks RFC 6455, or its spirit, in one way of its own."""

import asyncio
import contextlib
import json
import socket
import struct

from close_log import CloseLog
from group import Groups
from obedient import Obedience
from raw_frames import (
    BINARY,
    CLOSE,
    CONTINUATION,
    PING,
    PONG,
    TEXT,
    frame,
    frame_head,
    masked_frame,
    compressed_frame,
    read_frame,
    read_request,
    response_head,
)
from websockets_app import split_target

CHUNK_BYTES = 65536


class Connection:
    """One accepted connection: its streams and what its request said."""

    def __init__(self, reader: asyncio.StreamReader, writer: asyncio.StreamWriter) -> None:
        self.reader = reader
        self.writer = writer
        self.path = ""
        self.query: dict[str, str] = {}
        self.fields: dict[str, str] = {}

    async def read_request(self) -> None:
        """Reads the opening handshake's request."""
        target, self.fields = await read_request(self.reader)
        self.path, self.query = split_target(target)

    async def write(self, data: bytes) -> None:
        """Writes and waits until the transport has taken it."""
        self.writer.write(data)
        await self.writer.drain()

    async def accept(self, first_frames: bytes = b"", extensions: str | None = None) -> None:
        """Completes the opening handshake, with frames in the same segment and extensions if given."""
        await self.write(response_head(self.fields, extensions=extensions) + first_frames)

    async def stall(self) -> None:
        """Reads and ignores everything until the client gives up."""
        while await self.reader.read(CHUNK_BYTES):
            pass


class RawServer:
    """The paths of the server."""

    def __init__(self, closes: CloseLog) -> None:
        self._closes = closes
        self._refused: set[str] = set()
        groups = Groups()
        self._paths = {
            "/wrong-accept": self._wrong_accept,
            "/garbage": self._garbage,
            "/oversize": self._oversize,
            "/masked": self._masked,
            "/bad-utf8": self._bad_utf8,
            "/fragments": self._fragments,
            "/half-head": self._half_head,
            "/no-answer": Connection.stall,
            "/silent": self._silent,
            "/slow": self._slow,
            "/two-in-one": self._two_in_one,
            "/burst": self._burst,
            "/reset-after-burst": self._reset_after_burst,
            "/http-1.0": self._http_1_0,
            "/huge-head": self._huge_head,
            "/redirect-to-self": self._redirect_to_self,
            "/odd-head": self._odd_head,
            "/ping-then-report": self._ping_then_report,
            "/accept-then-refuse": self._accept_then_refuse,
            "/close-no-code": self._close_no_code,
            "/close-1-byte": self._close_1_byte,
            "/report-frames": self._report_frames,
            "/report-each-frame": self._report_each_frame,
            "/message-in-halves": self._message_in_halves,
            "/ping-flood": self._ping_flood,
            "/empty-fragments": self._empty_fragments,
            "/announce": self._announce,
            "/close-then-message": self._close_then_message,
            "/deflate-answer": self._deflate_answer,
            "/deflate-bomb": self._deflate_bomb,
            "/seen-close": self._seen_close,
            "/obey": self._obey,
            "/report-frames-after-close": self._report_frames_after_close,
            "/deaf": self._deaf,
            "/late-pongs": self._late_pongs,
            "/member": groups.serve_member,
            "/control": groups.serve_control,
        }

    async def handle(self, reader: asyncio.StreamReader, writer: asyncio.StreamWriter) -> None:
        """Serves one connection until the client leaves."""
        connection = Connection(reader, writer)
        try:
            await connection.read_request()
            serve = self._paths.get(connection.path)
            if serve is None:
                await connection.write(b"HTTP/1.1 404 Not Found\r\nContent-Length: 0\r\n\r\n")
            else:
                await serve(connection)
        except (asyncio.IncompleteReadError, ConnectionError):
            pass
        finally:
            writer.close()

    async def _finish(self, connection: Connection) -> None:
        """Behaves from here on: answers pings, and the client's close frame."""
        while True:
            _, opcode, payload = await read_frame(connection.reader)
            if opcode == PING:
                await connection.write(frame(PONG, payload))
            elif opcode == CLOSE:
                self._record_close(connection, payload)
                await connection.write(frame(CLOSE, payload))
                return

    async def _await_close(self, connection: Connection) -> None:
        """Waits for the client's close frame, after the server sent something that calls for one."""
        while True:
            _, opcode, payload = await read_frame(connection.reader)
            if opcode == CLOSE:
                self._record_close(connection, payload)
                return

    def _record_close(self, connection: Connection, payload: bytes) -> None:
        # A close frame without a code is reported as 1005 (section 7.1.5).
        code = struct.unpack("!H", payload[:2])[0] if payload else 1005
        self._closes.record(connection.query.get("key"), code, payload[2:].decode())

    async def _wrong_accept(self, connection: Connection) -> None:
        await connection.write(response_head(connection.fields, accept="AAAAAAAAAAAAAAAAAAAAAAAAAAA="))
        await connection.stall()

    async def _garbage(self, connection: Connection) -> None:
        await connection.accept()
        await connection.write(b"\xff" * 64)
        await self._await_close(connection)

    async def _oversize(self, connection: Connection) -> None:
        size = int(connection.query["size"])
        await connection.accept()

        async def stream() -> None:
            await connection.write(frame_head(TEXT, size))
            for offset in range(0, size, CHUNK_BYTES):
                await connection.write(b"x" * min(CHUNK_BYTES, size - offset))

        streaming = asyncio.create_task(stream())
        try:
            await self._await_close(connection)
        finally:
            streaming.cancel()
            await asyncio.gather(streaming, return_exceptions=True)

    async def _masked(self, connection: Connection) -> None:
        await connection.accept(masked_frame(TEXT, b"masked"))
        await self._await_close(connection)

    async def _bad_utf8(self, connection: Connection) -> None:
        await connection.accept(frame(TEXT, b"caf\xc3\x28"))
        await self._await_close(connection)

    async def _fragments(self, connection: Connection) -> None:
        await connection.accept()
        await connection.write(frame(TEXT, b"one, ", fin=False))
        await connection.write(frame(PING, b"between"))
        await connection.write(frame(CONTINUATION, b"two, ", fin=False))
        await connection.write(frame(CONTINUATION, b"three"))
        _, opcode, payload = await read_frame(connection.reader)
        answered = opcode == PONG and payload == b"between"
        await connection.write(frame(TEXT, b"OK" if answered else b"no pong"))
        await self._finish(connection)

    async def _half_head(self, connection: Connection) -> None:
        head = response_head(connection.fields)
        await connection.write(head[: len(head) // 2])
        await connection.stall()

    async def _silent(self, connection: Connection) -> None:
        await connection.accept()
        await connection.stall()

    async def _slow(self, connection: Connection) -> None:
        # Each pause lets the byte before it leave in a segment of its own.
        for byte in response_head(connection.fields) + frame(TEXT, b"slow"):
            await connection.write(bytes((byte,)))
            await asyncio.sleep(0.001)
        await self._finish(connection)

    async def _two_in_one(self, connection: Connection) -> None:
        await connection.accept(frame(TEXT, b"first"))
        await self._finish(connection)

    async def _burst(self, connection: Connection) -> None:
        """Sends many messages in as few segments as they fit into."""
        await connection.accept(frame(TEXT, b"x") * int(connection.query["n"]))
        await self._finish(connection)

    async def _reset_after_burst(self, connection: Connection) -> None:
        """Sends ten messages; resets the connection, and records it as code 1006, when the client says something."""
        await connection.accept(frame(TEXT, b"x") * 10)
        await read_frame(connection.reader)
        # Not to linger makes closing send RST instead of FIN.
        connection.writer.get_extra_info("socket").setsockopt(socket.SOL_SOCKET, socket.SO_LINGER, struct.pack("ii", 1, 0))
        connection.writer.transport.abort()
        with contextlib.suppress(ConnectionError):
            await connection.writer.wait_closed()
        self._closes.record(connection.query.get("key"), 1006, "reset")

    async def _http_1_0(self, connection: Connection) -> None:
        await connection.write(response_head(connection.fields).replace(b"HTTP/1.1", b"HTTP/1.0", 1))
        await connection.stall()

    async def _huge_head(self, connection: Connection) -> None:
        """Sends header fields of 20 MB, or as much of them as the client takes."""
        await connection.write(response_head(connection.fields)[:-2] + b"X: ")
        for _ in range(20_000_000 // CHUNK_BYTES):
            await connection.write(b"x" * CHUNK_BYTES)
        await connection.stall()

    async def _redirect_to_self(self, connection: Connection) -> None:
        """Keeps the connection open, as a server may; the body that it announces never comes."""
        await connection.write(b"HTTP/1.1 301 Here\r\nLocation: #again\r\nContent-Length: 5\r\n\r\n")
        await connection.stall()

    async def _odd_head(self, connection: Connection) -> None:
        """Answers rightly but for further lines in the head, which the query holds in hexadecimal."""
        lines = bytes.fromhex(connection.query["lines"])
        await connection.write(response_head(connection.fields)[:-2] + lines + b"\r\n\r\n")
        await connection.stall()

    async def _ping_then_report(self, connection: Connection) -> None:
        await connection.accept(frame(PING, b"\x00heartwire\xff"))
        opcode = TEXT
        while opcode != PONG:
            _, opcode, payload = await read_frame(connection.reader)
        await connection.write(frame(TEXT, payload.hex().encode()))
        await self._finish(connection)

    async def _accept_then_refuse(self, connection: Connection) -> None:
        """Drops the first connection with a key as soon as it is open, and refuses those that follow."""
        key = connection.query["key"]
        if key in self._refused:
            await connection.write(b"HTTP/1.1 503 Service Unavailable\r\nContent-Length: 0\r\n\r\n")
        else:
            self._refused.add(key)
            await connection.accept()

    async def _close_no_code(self, connection: Connection) -> None:
        await connection.accept(frame(CLOSE, b""))
        await self._await_close(connection)

    async def _close_1_byte(self, connection: Connection) -> None:
        await connection.accept(frame(CLOSE, b"\x03"))
        await self._await_close(connection)

    async def _report_frames(self, connection: Connection) -> None:
        """Answers each complete message with JSON: the payload sizes of the frames it came in."""
        await connection.accept()
        await self._report_messages(connection)

    async def _report_messages(self, connection: Connection) -> None:
        sizes: list[int] = []
        while True:
            fin, opcode, payload = await read_frame(connection.reader)
            if opcode == CLOSE:
                self._record_close(connection, payload)
                await connection.write(frame(CLOSE, payload))
                return
            if opcode == PING:
                await connection.write(frame(PONG, payload))
            if opcode in (TEXT, BINARY, CONTINUATION):
                sizes.append(len(payload))
                if fin:
                    await connection.write(frame(TEXT, json.dumps(sizes).encode()))
                    sizes = []

    async def _report_frames_after_close(self, connection: Connection) -> None:
        """Does the same, but reads nothing until another connection with the same key has been closed by its client."""
        connection.writer.transport.pause_reading()
        await connection.accept()
        await self._closes.wait(connection.query["key"])
        connection.writer.transport.resume_reading()
        await self._report_messages(connection)

    async def _report_each_frame(self, connection: Connection) -> None:
        """Answers each data frame with JSON: its opcode, whether it is the last of its message, and its payload's size."""
        await connection.accept()
        while True:
            fin, opcode, payload = await read_frame(connection.reader)
            if opcode == CLOSE:
                self._record_close(connection, payload)
                await connection.write(frame(CLOSE, payload))
                return
            if opcode in (TEXT, BINARY, CONTINUATION):
                await connection.write(frame(TEXT, json.dumps([opcode, fin, len(payload)]).encode()))

    async def _message_in_halves(self, connection: Connection) -> None:
        """Sends half of a message of 10,000 bytes, and the rest when the client says "rest"; anything else ends the connection."""
        half = b"x" * 5000
        await connection.accept(frame(TEXT, half, fin=False))
        _, _, payload = await read_frame(connection.reader)
        if payload == b"rest":
            await connection.write(frame(CONTINUATION, half))
            await self._finish(connection)

    async def _ping_flood(self, connection: Connection) -> None:
        """Sends pings numbered from 0 without pause, then says in JSON how many pongs came and the number in the last."""
        count = int(connection.query["n"])
        await connection.accept()
        await connection.write(b"".join(frame(PING, b"%d" % number) for number in range(count)))
        pongs, last = 0, -1
        while last != count - 1:
            _, opcode, payload = await read_frame(connection.reader)
            if opcode == PONG:
                pongs, last = pongs + 1, int(payload)
        await connection.write(frame(TEXT, json.dumps([pongs, last]).encode()))
        await self._finish(connection)

    async def _empty_fragments(self, connection: Connection) -> None:
        """Sends one empty message in so many fragments."""
        count = int(connection.query["n"])
        await connection.accept(frame(TEXT, b"", fin=False))
        await connection.write(frame(CONTINUATION, b"", fin=False) * (count - 2) + frame(CONTINUATION, b""))
        await self._finish(connection)

    async def _announce(self, connection: Connection) -> None:
        """Announces a message of the size it is given, and sends its first ten bytes."""
        await connection.accept(frame_head(BINARY, int(connection.query["size"])) + bytes(10))
        await connection.stall()

    async def _close_then_message(self, connection: Connection) -> None:
        """Sends a message after its close frame."""
        await connection.accept(frame(TEXT, b"before") + frame(CLOSE, struct.pack("!H", 1000)) + frame(TEXT, b"after"))
        await self._await_close(connection)

    async def _deflate_answer(self, connection: Connection) -> None:
        """Answers the offer of extensions with the text it is given, whatever was offered, then sends a compressed message."""
        await connection.accept(extensions=connection.query["answer"])
        await connection.write(compressed_frame(TEXT, b"Hello"))
        await self._await_close(connection)

    async def _deflate_bomb(self, connection: Connection) -> None:
        """Sends one message of so many zero bytes, compressed about a thousandfold."""
        await connection.accept(extensions="permessage-deflate")
        await connection.write(compressed_frame(BINARY, bytes(int(connection.query["size"]))))
        await self._await_close(connection)

    async def _seen_close(self, connection: Connection) -> None:
        """Sends JSON: the code and reason with which the client closed the connection that had the same key."""
        await connection.accept()
        seen = await self._closes.wait(connection.query["key"])
        await connection.write(frame(TEXT, json.dumps(seen).encode()))
        await self._finish(connection)

    async def _obey(self, connection: Connection) -> None:
        """Does as the client says; obedient.py has the commands."""
        await Obedience(connection, self._closes).serve()

    async def _deaf(self, connection: Connection) -> None:
        """Sends a ping each 5 ms and reads nothing."""
        connection.writer.transport.pause_reading()
        await connection.accept()
        while True:
            await connection.write(frame(PING, b"deaf"))
            await asyncio.sleep(0.005)

    async def _late_pongs(self, connection: Connection) -> None:
        """Answers pings so many milliseconds late."""
        await connection.accept()
        while True:
            _, opcode, payload = await read_frame(connection.reader)
            await asyncio.sleep(int(connection.query["ms"]) / 1000)
            if opcode == PING:
                await connection.write(frame(PONG, payload))
            elif opcode == CLOSE:
                await connection.write(frame(CLOSE, payload))
                return
