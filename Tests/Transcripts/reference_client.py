"""A client that knows the transcripts and does what they show, or one thing wrong, to see whether the runner notices."""

from __future__ import annotations

import asyncio
import contextlib
import enum
from collections.abc import AsyncIterator, Coroutine
from typing import Any

from fast_time import FastTime
from player import OPCODES, Player
from raw_frames import BINARY, TEXT, masked_frame
from runner import ClientMaker
from transcript import Frame, Step

REQUEST = "GET /{} HTTP/1.1\r\nSec-WebSocket-Key: AAAAAAAAAAAAAAAAAAAAAA==\r\n\r\n"


class Fault(enum.Enum):
    """What the client does wrong, once."""

    NONE = enum.auto()
    WRONG_BYTE = enum.auto()
    NOT_SENT = enum.auto()
    SENT_TWICE = enum.auto()
    LATE = enum.auto()
    EARLY = enum.auto()
    CONNECTION_ENDED = enum.auto()
    EVENT_LOST = enum.auto()
    EVENT_LATE = enum.auto()
    EVENT_TOO_MANY = enum.auto()
    MESSAGE_CHANGED = enum.auto()


LATE_MS = 1500
EARLY_MS = 400


class ReferenceClient:
    """A client in this very process."""

    def __init__(self, url: str, time: FastTime, players: dict[int, Player], fault: Fault) -> None:
        self._port = int(url.rpartition(":")[2])
        self._time = time
        self._players = players
        self._fault = fault
        self._writers: dict[int, asyncio.StreamWriter] = {}
        self._tasks: list[asyncio.Task[None]] = []

    def open(self, number: int, preset: str, parameters: dict[str, str]) -> None:
        """Connects, and knows everything by the number."""
        self._start(self._run(number, self._players[number]))

    def send(self, number: int, message: Frame) -> None:
        """Sends at once."""
        self._write(number, message)

    def release(self, number: int) -> None:
        """Ends the connection."""
        self._writers[number].close()
        self._report(self._players[number], "released")

    async def end(self) -> None:
        """Ends all that is still going on."""
        for task in self._tasks:
            task.cancel()
        await asyncio.gather(*self._tasks, return_exceptions=True)

    def _start(self, work: Coroutine[Any, Any, None]) -> None:
        self._tasks.append(asyncio.create_task(work))

    def _write(self, number: int, message: Frame) -> None:
        self._writers[number].write(masked_frame(OPCODES[message.kind], message.payload))

    def _report(self, player: Player, name: str) -> None:
        player.report_event(name, self._time.origin_ns + int(self._time.now_ms() * 1e6), "reply 0")

    async def _run(self, number: int, player: Player) -> None:
        reader, self._writers[number] = await asyncio.open_connection("127.0.0.1", self._port)
        self._writers[number].write(REQUEST.format(number).encode())
        await reader.readuntil(b"\r\n\r\n")
        opened_ms = self._time.now_ms()
        self._start(self._report_events(player, opened_ms))
        for step in player.transcript.steps:
            if not step.is_client:
                await self._receive(reader, player)
            elif not step.by_app:
                await self._send_step(number, step, opened_ms)

    async def _receive(self, reader: asyncio.StreamReader, player: Player) -> None:
        """Reads one whole frame of at most 125 bytes."""
        first, size = await reader.readexactly(2)
        payload = await reader.readexactly(size)
        if first & 0x0F in (TEXT, BINARY):
            changed = payload + b" " if self._fault is Fault.MESSAGE_CHANGED else payload
            player.report_message(Frame("text" if first & 0x0F == TEXT else "binary", changed))

    async def _send_step(self, number: int, step: Step, opened_ms: float) -> None:
        delay_ms = {Fault.LATE: LATE_MS, Fault.EARLY: -EARLY_MS}.get(self._fault, 0)
        await self._time.sleep_until(opened_ms + step.at_ms + delay_ms)
        if self._fault is Fault.CONNECTION_ENDED:
            self._writers[number].close()
        elif self._fault is Fault.WRONG_BYTE:
            self._write(number, Frame(step.frame.kind, step.frame.payload[:-1] + b"!"))
        elif self._fault is not Fault.NOT_SENT:
            for _ in range(2 if self._fault is Fault.SENT_TWICE else 1):
                self._write(number, step.frame)

    async def _report_events(self, player: Player, opened_ms: float) -> None:
        for at_ms, name in player.transcript.events:
            await self._time.sleep_until(opened_ms + at_ms + (LATE_MS if self._fault is Fault.EVENT_LATE else 0))
            if self._fault is not Fault.EVENT_LOST:
                self._report(player, name)
        if self._fault is Fault.EVENT_TOO_MANY:
            self._report(player, "answered")


def reference_client(fault: Fault) -> ClientMaker:
    """Makes clients with this fault."""

    @contextlib.asynccontextmanager
    async def start(url: str, time: FastTime, players: dict[int, Player]) -> AsyncIterator[ReferenceClient]:
        client = ReferenceClient(url, time, players, fault)
        try:
            yield client
        finally:
            await client.end()

    return start
