"""
The obedient path of the raw server: sends what the client tells it to, and tells the client what came from it.

A text message that begins with "!" is a command; every other frame is remembered, control frames included.

!text TEXT    sends a text message          !ping TEXT    sends a ping
!hex HEX      sends a binary message        !mute         answers no ping from here on
!close CODE   sends a close frame           !drop         cuts the connection
!frames       sends the text message "frames", then a line for each frame that came: its opcode and its payload, a binary one as
              hexadecimal digits or, if it is gzip, as "gzip" and what it holds

In the query: `first` is a text message to begin with, `ping` a ping that follows it, `tell` sends "frames" after each frame that came,
`mute` leaves pings unanswered, `key` names the connection in the log of closes.
"""

import gzip
import struct
import typing

from close_log import CloseLog
from raw_frames import BINARY, CLOSE, PING, PONG, TEXT, frame, read_frame

if typing.TYPE_CHECKING:
    from raw_server import Connection


def describe(opcode: int, payload: bytes) -> str:
    """A frame as a line of the report."""
    if opcode != BINARY:
        return f"{opcode} {payload.decode('latin-1')}"
    if payload.startswith(b"\x1f\x8b"):
        return f"{opcode} gzip {gzip.decompress(payload).decode('latin-1')}"
    return f"{opcode} {payload.hex()}"


class Obedience:
    """What the server does for one connection."""

    def __init__(self, connection: "Connection", closes: CloseLog) -> None:
        self._connection = connection
        self._closes = closes
        self._frames: list[str] = []
        self._tells = "tell" in connection.query
        self._is_mute = "mute" in connection.query

    async def serve(self) -> None:
        """Obeys until the connection ends."""
        query = self._connection.query
        opening = [(TEXT, query.get("first")), (PING, query.get("ping"))]
        await self._connection.accept(b"".join(frame(opcode, text.encode()) for opcode, text in opening if text is not None))
        while True:
            _, opcode, payload = await read_frame(self._connection.reader)
            if opcode == TEXT and payload.startswith(b"!"):
                if not await self._obey(*payload[1:].decode().partition(" ")[::2]):
                    return
                continue
            self._frames.append(describe(opcode, payload))
            if self._tells:
                await self._report()
            if opcode == PING and not self._is_mute:
                await self._send(PONG, payload)
            elif opcode == CLOSE:
                code, reason = (int.from_bytes(payload[:2], "big"), payload[2:].decode()) if payload else (1005, "")
                self._closes.record(self._connection.query.get("key"), code, reason)
                await self._send(CLOSE, payload)
                return

    async def _obey(self, command: str, argument: str) -> bool:
        """Carries out one command; false if it ends the connection."""
        match command:
            case "text":
                await self._send(TEXT, argument.encode())
            case "hex":
                await self._send(BINARY, bytes.fromhex(argument))
            case "ping":
                await self._send(PING, argument.encode())
            case "close":
                await self._send(CLOSE, struct.pack("!H", int(argument)))
            case "mute":
                self._is_mute = True
            case "frames":
                await self._report()
            case "drop":
                self._connection.writer.transport.abort()
                return False
            case _:
                raise ValueError(f"no command {command}")
        return True

    async def _report(self) -> None:
        await self._send(TEXT, "\n".join(["frames", *self._frames]).encode())

    async def _send(self, opcode: int, payload: bytes) -> None:
        await self._connection.write(frame(opcode, payload))
