"""What has come for one client of a listener, whose inbox all clients share, and waits for whoever receives."""

from __future__ import annotations

import threading
from collections import deque
from collections.abc import Iterable

from ._delivery import CAPACITY, Item, Part
from ._errors import SlowConsumer, Status
from ._events import Event
from ._inbox import Turn


class Intake:
    """
    Stands to a client as an Inbox does to a connection of one's own. The listener's inbox cannot be kept from delivering for one client
    alone, so a client for which too much waits is given up instead: nobody may wait for it, and memory is not without end.
    """

    def __init__(self, messages_max: int, bytes_max: int) -> None:
        self.fd = None
        self.changes = 0
        self.failure: SlowConsumer | None = None
        """Set once too much waited: what came after that is missing."""
        self._messages_max = messages_max
        self._bytes_max = bytes_max
        self._items: deque[Item] = deque()
        self._messages = 0
        self._bytes = 0
        self._released = False
        self._turn = Turn()
        self._changed = threading.Condition(threading.RLock())

    def add(self, items: Iterable[Item]) -> None:
        with self._changed:
            for item in items:
                if self._released:
                    return
                if type(item) is Event:
                    self._items.append(item)
                elif self._has_room(item):
                    self._items.append(item)
                    self._messages += 1
                    self._bytes += _size(item)
            self.announce()

    def _has_room(self, item: Item) -> bool:
        if self._messages >= self._messages_max or self._bytes > 0 and self._bytes + _size(item) > self._bytes_max:
            text = "more messages waited to be received than inbox_messages_max and inbox_bytes_max allow; the client was closed"
            self.failure = self.failure or SlowConsumer(text, status=Status.SLOW_CONSUMER)
        return self.failure is None

    def take(self, pending: deque[Item]) -> list[Event] | None:
        """Moves at most one batch to pending; its events, or None if nothing was there."""
        with self._turn, self._changed:
            if self._released or not self._items:
                return None
            batch = [self._items.popleft() for _ in range(min(CAPACITY, len(self._items)))]
            events = [item for item in batch if type(item) is Event]
            self._messages -= len(batch) - len(events)
            self._bytes -= sum(_size(item) for item in batch)
            pending.extend(batch)
            return events

    def is_interrupted(self) -> bool:
        return self._turn.is_interrupted()

    def announce(self) -> None:
        """Wakes all who poll."""
        with self._changed:
            self.changes += 1
            self._changed.notify_all()

    def poll(self, timeout: float | None, changes: int | None = None) -> bool:
        """Waits until something is there, or changes are not as many any more; False if timeout seconds have passed before."""
        with self._changed:
            return self._changed.wait_for(
                lambda: bool(self._items) or self._released or changes not in (None, self.changes),
                None if timeout is None else min(timeout, threading.TIMEOUT_MAX),
            )

    def release(self) -> None:
        self._released = True
        self.announce()

    def after_fork_in_child(self) -> None:
        """Another thread of the parent may have been in the middle of anything."""
        self._turn = Turn()
        self._changed = threading.Condition(threading.RLock())


def _size(item: Item) -> int:
    """Of text that is not ASCII the library counts some more; events do not count."""
    if type(item) is Event:
        return 0
    return len(item.data) if type(item) is Part else len(item)
