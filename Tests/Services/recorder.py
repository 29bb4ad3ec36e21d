"""A connection that keeps everything it is told, and waits for conditions on it."""

from __future__ import annotations

import threading
from collections.abc import Callable
from types import TracebackType
from typing import Any, TypeVar

import heartwire
from heartwire import Event, EventKind

T = TypeVar("T")

# Ends a test that would hang; no test depends on how long anything takes.
PATIENCE_S = 60


class Recorder:
    """Opens a connection, sends the opening messages on each established one, and records until it is closed."""

    def __init__(self, url: str, *opening: str | bytes, **options: Any) -> None:
        self.messages: list[str | bytes] = []
        self.events: list[Event] = []
        self._opening = opening
        self._changed = threading.Condition()
        self.client = heartwire.Client(url, on_message=self._on_message, on_event=self._on_event, reconnect_base="10ms", **options)

    def __enter__(self) -> Recorder:
        return self

    def __exit__(self, kind: type[BaseException] | None, error: BaseException | None, traceback: TracebackType | None) -> None:
        self.client.close()

    def _on_message(self, _client: heartwire.Client, message: str | bytes) -> None:
        with self._changed:
            self.messages.append(message)
            self._changed.notify_all()

    def _on_event(self, client: heartwire.Client, event: Event) -> None:
        if event.kind is EventKind.OPENED:
            for message in self._opening:
                client.send(message)
        with self._changed:
            self.events.append(event)
            self._changed.notify_all()

    def of_kind(self, *kinds: EventKind) -> list[Event]:
        return [event for event in self.events if event.kind in kinds]

    def wait_for(self, condition: Callable[[], T]) -> T:
        """Waits until the condition holds, which is asked whenever something has come."""
        with self._changed:
            if not self._changed.wait_for(condition, PATIENCE_S):
                raise AssertionError(f"the condition never came true; there were {self.events} and {self.messages}")
            return condition()

    def event(self, kind: EventKind, number: int = 0) -> Event:
        """Waits for the event of that kind and number, counted from 0."""
        self.wait_for(lambda: len(self.of_kind(kind)) > number)
        return self.of_kind(kind)[number]

    def lifetime_ns(self) -> int:
        """Waits for the end of the first connection, and tells how long it was open."""
        return self.event(EventKind.CLOSED).time_ns - self.event(EventKind.OPENED).time_ns

    def wait_for_age(self, age_ns: int, kind: EventKind) -> None:
        """Waits for an event of that kind on a connection of that age."""
        due_ns = self.event(EventKind.OPENED).time_ns + age_ns
        self.wait_for(lambda: any(event.time_ns >= due_ns for event in self.of_kind(kind)))
