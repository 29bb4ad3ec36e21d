"""
Connections of one client, which the raw server knows as a group by the key in their URLs, and another connection that controls them.

Members ("/member?key=KEY") are numbered from 1 in the order of their requests. The server remembers each whole message that one of them
sends, answers pings, and answers a close frame. With `count` in the query it sends a message "MEMBER NUMBER" again and again, numbered from
0, and as the last one, before it answers the close frame, "MEMBER last".

Each text message on the control connection ("/control?key=KEY") is a command, answered with one message, "done" unless it says otherwise:

refuse              answers the requests that follow with 503
hold                leaves them unanswered
accept              answers them, and those held, as it should be
await MEMBER        is answered when this member has made its request
text MEMBER TEXT    sends the member a text message
close MEMBER CODE   sends it a close frame
drop MEMBER         cuts it off
deaf MEMBER         reads nothing from it any more
hear MEMBER         reads again
mute MEMBER         leaves its pings unanswered
seen                is answered with "seen", then a line "MEMBER TEXT" for each message that came
closes              is answered with "closes", then a line "MEMBER CODE" for each close frame that came
"""

import asyncio
import struct
import typing

from raw_frames import CLOSE, CONTINUATION, PING, PONG, TEXT, frame, read_frame

if typing.TYPE_CHECKING:
    from raw_server import Connection

# Of a message longer than this only the beginning is remembered.
REMEMBERED_BYTES = 64


class Member:
    """One connection of a group."""

    def __init__(self, connection: "Connection", number: int) -> None:
        self.connection = connection
        self.number = number
        self.is_mute = False
        self.has_closed = False

    @property
    def transport(self) -> asyncio.Transport:
        """What lies below the connection."""
        return self.connection.writer.transport

    async def send(self, opcode: int, payload: bytes) -> None:
        """Sends a frame."""
        await self.connection.write(frame(opcode, payload))


class Group:
    """What the server knows of the connections with one key."""

    def __init__(self) -> None:
        self.members: list[Member] = []
        self.seen: list[str] = []
        self.closes: list[str] = []
        self.is_refusing = False
        self.accepting = asyncio.Event()
        self.accepting.set()
        self.grown = asyncio.Condition()

    async def join(self, connection: "Connection") -> Member:
        """Makes the connection the next member."""
        async with self.grown:
            member = Member(connection, len(self.members) + 1)
            self.members.append(member)
            self.grown.notify_all()
        return member

    async def listen(self, member: Member) -> None:
        """Hears a member until it closes."""
        message = b""
        while True:
            is_last, opcode, payload = await read_frame(member.connection.reader)
            if opcode == PING:
                if not member.is_mute:
                    await member.send(PONG, payload)
            elif opcode == CLOSE:
                member.has_closed = True
                code = struct.unpack("!H", payload[:2])[0] if payload else 1005
                self.closes.append(f"{member.number} {code}")
                return
            elif opcode != PONG:
                message = (message + payload if opcode == CONTINUATION else payload)[:REMEMBERED_BYTES]
                if is_last:
                    self.seen.append(f"{member.number} {message.decode('latin-1')}")

    async def count(self, member: Member) -> None:
        """Sends numbered messages until the member has closed."""
        number = 0
        while not member.has_closed:
            await member.send(TEXT, f"{member.number} {number}".encode())
            number += 1
            await asyncio.sleep(0.001)
        await member.send(TEXT, f"{member.number} last".encode())

    async def obey(self, command: str, argument: str) -> str:
        """Carries out a command and gives the answer."""
        match command:
            case "refuse":
                self.is_refusing = True
            case "hold":
                self.accepting.clear()
            case "accept":
                self.is_refusing = False
                self.accepting.set()
            case "seen":
                return "\n".join(["seen", *self.seen])
            case "closes":
                return "\n".join(["closes", *self.closes])
            case "await":
                async with self.grown:
                    await self.grown.wait_for(lambda: len(self.members) >= int(argument))
            case _:
                number, _, rest = argument.partition(" ")
                await self._direct(self.members[int(number) - 1], command, rest)
        return "done"

    async def _direct(self, member: Member, command: str, argument: str) -> None:
        """Carries out what concerns one member."""
        match command:
            case "text":
                await member.send(TEXT, argument.encode())
            case "close":
                await member.send(CLOSE, struct.pack("!H", int(argument)))
            case "drop":
                member.transport.abort()
            case "deaf":
                member.transport.pause_reading()
            case "hear":
                member.transport.resume_reading()
            case "mute":
                member.is_mute = True
            case _:
                raise ValueError(f"no command {command}")


class Groups:
    """The paths of members and of those who control them."""

    def __init__(self) -> None:
        self._groups: dict[str, Group] = {}

    def _group(self, connection: "Connection") -> Group:
        return self._groups.setdefault(connection.query["key"], Group())

    async def serve_member(self, connection: "Connection") -> None:
        """Serves a member until it closes."""
        group = self._group(connection)
        is_refused = group.is_refusing
        member = await group.join(connection)
        if is_refused:
            await connection.write(b"HTTP/1.1 503 Service Unavailable\r\nContent-Length: 0\r\n\r\n")
            return
        await group.accepting.wait()
        await connection.accept()
        counting = asyncio.create_task(group.count(member)) if "count" in connection.query else None
        try:
            await group.listen(member)
            if counting is not None:
                await counting
            await member.send(CLOSE, b"")
        finally:
            if counting is not None:
                counting.cancel()
                await asyncio.gather(counting, return_exceptions=True)

    async def serve_control(self, connection: "Connection") -> None:
        """Carries out commands until the connection is closed."""
        group = self._group(connection)
        await connection.accept()
        while True:
            _, opcode, payload = await read_frame(connection.reader)
            if opcode == TEXT:
                answer = await group.obey(*payload.decode().partition(" ")[::2])
                await connection.write(frame(TEXT, answer.encode()))
            elif opcode == PING:
                await connection.write(frame(PONG, payload))
            elif opcode == CLOSE:
                await connection.write(frame(CLOSE, payload))
                return
