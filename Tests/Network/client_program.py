"""Runs the clients, and waits for conditions on what they report."""

from __future__ import annotations

import dataclasses
import functools
import os
import pathlib
import subprocess
import sys
import threading
from collections.abc import Callable, Mapping
from types import TracebackType
from typing import TypeVar

from heartwire import EventKind, Outcome, State, Status
from networks import Network

HERE = pathlib.Path(__file__).resolve().parent
ROOT = HERE.parents[1]
BUILD = ROOT / ".build" / "network"

# Ends a test that would hang; no test depends on how long anything takes.
PATIENCE_S = 60

T = TypeVar("T")


@dataclasses.dataclass
class Event:
    """An event, and the last number that the client had sent when it was told."""

    accepted: int
    kind: EventKind
    time_ns: int
    epoch: int
    state: State
    status: Status
    level: int
    count: int
    message_id: int
    began_ns: int
    latency_ns: int
    last_message_ns: int
    text: str


def event_of(fields: list[str]) -> Event:
    accepted, kind, time_ns, epoch, state, status, level, count, message_id, began_ns, latency_ns, last_message_ns = map(int, fields[:-1])
    return Event(
        accepted, EventKind(kind), time_ns, epoch, State(state), Status(status), level, count, message_id, began_ns, latency_ns,
        last_message_ns, fields[-1],
    )  # fmt: skip


@functools.cache
def build(library: pathlib.Path) -> str:
    """Compiles client.c."""
    BUILD.mkdir(parents=True, exist_ok=True)
    program = str(BUILD / "client")
    compiler = [os.environ.get("CC", "cc"), "-std=c11", "-O2", "-Wall", "-Wextra", "-pedantic", "-Werror", "-pthread"]
    linked = [f"-I{ROOT / 'include'}", f"-L{library.parent}", "-lheartwire", f"-Wl,-rpath,{library.parent}"]
    subprocess.run([*compiler, str(HERE / "client.c"), "-o", program, *linked], check=True)
    return program


def command_of(language: str) -> list[str]:
    """The command of the client in this language."""
    if language == "c":
        return [build(pathlib.Path(os.environ["HEARTWIRE_LIBRARY"]).resolve())]
    return [sys.executable, str(HERE / "client.py")]


class Client:
    """A running client."""

    def __init__(self, language: str, network: Network, properties: Mapping[str, str]) -> None:
        self.events: list[Event] = []
        self.messages: list[str] = []
        self._stopped: int | None = None
        self._has_ended = False
        self._changed = threading.Condition()
        assignments = [f"{name}={value}" for name, value in properties.items()]
        self._process = network.start_client(
            [*command_of(language), network.client_url, *assignments], stdin=subprocess.PIPE, stdout=subprocess.PIPE
        )  # fmt: skip
        self.pid = self._process.pid
        self._reading = threading.Thread(target=self._read, daemon=True)
        self._reading.start()

    def __enter__(self) -> Client:
        return self

    def __exit__(self, kind: type[BaseException] | None, error: BaseException | None, traceback: TracebackType | None) -> None:
        self._process.kill()
        self._process.wait()
        self._reading.join()

    def start(self, interval_us: int = 1000, size: int = 32, delivery: str = "queue") -> None:
        """Has it send the next number each interval."""
        self._command(f"start {interval_us} {size} {delivery}")

    def keep(self, key: str, text: str) -> None:
        """Has it keep a message."""
        self._command(f"keep {key} {text}")

    def rotate(self) -> None:
        """Has it make a new connection before it breaks the old one."""
        self._command("rotate")

    def stop(self) -> int:
        """Has it send no more; the last number that was accepted."""
        self._stopped = None
        self._command("stop")
        return self.wait_for(lambda: self._stopped)

    def release(self) -> None:
        """Has it release its connection and end well."""
        self._command("release")
        assert self._process.wait(PATIENCE_S) == 0

    def wait_for(self, condition: Callable[[], T | None]) -> T:
        """Waits until the condition holds, which is asked whenever something has come."""
        with self._changed:
            self._changed.wait_for(lambda: condition() or self._has_ended, PATIENCE_S)
            result = condition()
            assert result, f"the condition never came true; the last events were {self.events[-20:]}"
            return result

    def count(self) -> int:
        """How many events there are by now; for `event`."""
        with self._changed:
            return len(self.events)

    def wait_for_answers(self, count: int) -> None:
        """Waits until so many more messages have come."""
        enough = len(self.messages) + count
        self.wait_for(lambda: len(self.messages) >= enough)

    def event(self, kind: EventKind, after: int = 0, number: int = 0, level: int | None = None) -> Event:
        """Waits for the event of that kind, level if one is asked for, and number, counted from 0, among those after the first so many."""

        def found() -> Event | None:
            of_kind = [event for event in self.events[after:] if event.kind is kind and level in (None, event.level)]
            return of_kind[number] if len(of_kind) > number else None

        return self.wait_for(found)

    def of_kind(self, kind: EventKind) -> list[Event]:
        with self._changed:
            return [event for event in self.events if event.kind is kind]

    def outcomes(self) -> dict[int, Outcome]:
        """What became of the messages, by their numbers; none came to more than one outcome."""
        outcomes: dict[int, Outcome] = {}
        for event in self.of_kind(EventKind.OUTCOME):
            for number in range(event.message_id, event.message_id + event.count):
                assert number not in outcomes, f"message {number} came to two outcomes: {outcomes[number]} and {event.level}"
                outcomes[number] = Outcome(event.level)
        return outcomes

    def _command(self, command: str) -> None:
        assert self._process.stdin is not None
        self._process.stdin.write(command + "\n")
        self._process.stdin.flush()

    def _read(self) -> None:
        assert self._process.stdout is not None
        try:
            for line in self._process.stdout:
                what, *fields = line.rstrip("\n").split("\t")
                with self._changed:
                    self._keep(what, fields)
                    self._changed.notify_all()
        finally:
            with self._changed:
                self._has_ended = True
                self._changed.notify_all()

    def _keep(self, what: str, fields: list[str]) -> None:
        match what:
            case "event":
                self.events.append(event_of(fields))
            case "message":
                self.messages.append(fields[1])
            case "stopped":
                self._stopped = int(fields[0])
