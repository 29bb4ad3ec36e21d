"""Plays the server's side of one transcript to a client."""

from __future__ import annotations

import asyncio
import pathlib
import sys
from collections.abc import Callable

from fast_time import FastTime
from judge import Judge
from transcript import Frame, Step, Transcript

sys.path.insert(0, str(pathlib.Path(__file__).resolve().parents[1] / "Servers"))
from raw_frames import BINARY, CLOSE, CONTINUATION, PING, PONG, TEXT, frame, read_frame, response_head  # noqa: E402

OPCODES = {"text": TEXT, "binary": BINARY, "ping": PING, "pong": PONG, "close": CLOSE}
KINDS = {opcode: kind for kind, opcode in OPCODES.items()}


class Player:
    """One connection. Its times are those of the transcript: fast milliseconds since the connection was opened."""

    def __init__(self, transcript: Transcript, time: FastTime, tolerance_ms: float, send_by_app: Callable[[Frame], None]) -> None:
        self.transcript = transcript
        self.judge = Judge(transcript, tolerance_ms)
        self.opened = asyncio.Event()
        self.done = asyncio.Event()
        """The transcript is at its end, or could not be played."""
        self.released = asyncio.Event()
        self._time = time
        self._tolerance_ms = tolerance_ms
        self._send_by_app = send_by_app
        self._opened_ms = 0.0
        self._progress = asyncio.Event()
        self._sent: list[Frame] = []
        self._delivered: list[Frame] = []
        self._events: list[tuple[float, str, str]] = []

    def problems(self) -> list[str]:
        """What was wrong; to be asked once, after the client has released the connection."""
        return self.judge.finish(self._events, self._sent, self._delivered)

    # What the client reports

    def report_error(self, text: str) -> None:
        """The client could not do what it was told."""
        self.judge.problems.append(text)
        for event in (self.opened, self.done, self.released):
            event.set()

    def report_message(self, message: Frame) -> None:
        """A message was delivered to the program."""
        self._delivered.append(message)

    def report_event(self, name: str, clock_ns: int, text: str) -> None:
        """An event was delivered to the program."""
        self._events.append((self._time.from_clock_ms(clock_ns) - self._opened_ms, name, text))
        if name == "released":
            self.released.set()

    # The conversation

    async def play(self, reader: asyncio.StreamReader, writer: asyncio.StreamWriter, fields: dict[str, str]) -> None:
        """
        Answers the opening handshake with these header fields and plays the transcript to its end. A client that comes back, because it
        took its connection for dead, finds nobody.
        """
        if self.opened.is_set():
            return
        self._opened_ms = self._time.now_ms()
        writer.write(response_head(fields))
        self.opened.set()
        receiving = asyncio.create_task(self._receive(reader, writer))
        try:
            for index, step in enumerate(self.transcript.steps):
                if step.by_app or not step.is_client:
                    await self._perform(step, self.transcript.steps[:index], writer)
            # The client's last steps may move the end. An answer that should not have been sent is given its time to arrive.
            for step in self.transcript.steps:
                await self._await_step(step)
            await self._sleep_until(self.judge.end_ms + self._tolerance_ms)
        finally:
            receiving.cancel()
            self.done.set()

    async def _perform(self, step: Step, earlier: list[Step], writer: asyncio.StreamWriter) -> None:
        # What stands before it is what it answers.
        for other in earlier:
            await self._await_step(other)
        await self._sleep_until(self.judge.jitter.moved(step.at_ms))
        if step.is_client:
            self._send_by_app(step.frame)
        else:
            self._send(self.judge.with_stand_ins(step.frame), step.fragments, writer)

    async def _await_step(self, step: Step) -> None:
        """Waits until the client's step has come or is overdue; not at all for a step of the server."""
        while self.judge.waits_for(step):
            overdue_ms = self.judge.jitter.latest_ms(step) + self._tolerance_ms + 1
            self._progress.clear()
            left_s = max(overdue_ms - self._now_ms(), 0) / self._time.factor / 1000
            try:
                await asyncio.wait_for(self._progress.wait(), left_s)
            except asyncio.TimeoutError:
                self.judge.expire(self._now_ms())

    def _send(self, message: Frame, fragments: list[bytes], writer: asyncio.StreamWriter) -> None:
        if message.kind in ("text", "binary"):
            self._sent.append(message)
        pieces = fragments or [message.payload]
        for index, piece in enumerate(pieces):
            writer.write(frame(CONTINUATION if index else OPCODES[message.kind], piece, fin=index == len(pieces) - 1))

    async def _receive(self, reader: asyncio.StreamReader, writer: asyncio.StreamWriter) -> None:
        try:
            while True:
                fin, opcode, payload = await read_frame(reader)
                sent = Frame(KINDS.get(opcode, f"opcode {opcode}"), payload)
                at_ms = self._now_ms()
                if not fin:
                    self.judge.problems.append(f"at {at_ms:.0f} ms: the first of several fragments: {sent}")
                if self.judge.receive(sent, at_ms, self._time.unix_ms + self._time.now_ms()):
                    self._send(Frame("pong", payload), [], writer)
                self._progress.set()
        except (asyncio.IncompleteReadError, ConnectionError):
            self.judge.end_connection(self._now_ms())

    def _now_ms(self) -> float:
        return self._time.now_ms() - self._opened_ms

    async def _sleep_until(self, at_ms: float) -> None:
        await self._time.sleep_until(self._opened_ms + at_ms)
