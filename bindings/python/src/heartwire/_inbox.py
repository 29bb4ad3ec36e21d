"""An hw_inbox: one thread at a time takes from it, any number wait for it."""

from __future__ import annotations

import ctypes
import os
import select
import threading
from collections.abc import Callable
from typing import TypeVar

from ._config import Config
from ._declarations import handle
from ._delivery import CAPACITY, Batch
from ._errors import StateError, Status, error_from_status
from ._library import library

T = TypeVar("T")

# poll(2) takes its milliseconds as an int.
POLL_SECONDS_MAX = 86400.0


class Turn:
    """
    A lock for one who takes, as a context manager. Other threads wait for their turn; a signal handler that interrupts the holder, its
    own thread, cannot.
    """

    def __init__(self) -> None:
        self._lock = threading.RLock()
        self.is_taken = False

    def __enter__(self) -> None:
        self._lock.acquire()
        if self.is_taken:
            self._lock.release()
            message = "a signal handler cannot receive while the code that it interrupts does"
            raise StateError(message, status=Status.STATE)
        self.is_taken = True

    def __exit__(self, *exception: object) -> None:
        self.is_taken = False
        self._lock.release()

    def is_interrupted(self) -> bool:
        """True in a signal handler that interrupted the holder. Others wait for the holder first."""
        with self._lock:
            return self.is_taken


class Bell:
    """Wakes one thread that polls. Closed with its last reference, so nobody rings a descriptor that is something else by then."""

    def __init__(self) -> None:
        self.fd = -1
        self.fd = os.eventfd(0, os.EFD_NONBLOCK | os.EFD_CLOEXEC)

    def ring(self) -> None:
        os.eventfd_write(self.fd, 1)

    def __del__(self) -> None:
        if self.fd >= 0:
            os.close(self.fd)


class Inbox:
    """
    Owns an hw_inbox, and by `end` what delivers into it.

    Any thread may call anything, and so may a signal handler, which runs between any two instructions of the thread that it
    interrupts. So only take holds a lock. release sets a flag, and the handles are released at once if nobody uses them, else by
    whoever is the last to leave; a user announces itself before it looks at the flag, so one of the two sees the other.
    """

    def __init__(self, config: Config) -> None:
        self.handle = _new_inbox(config)
        self.fd = _descriptor(self.handle)
        self.changes = 0
        """Counts what other threads may wait for, beside deliveries: to be read before one looks for it, and passed to poll."""
        self.polling: list[Bell] = []
        self._turn = Turn()
        self._batch = Batch()
        self._released = False
        self._end: Callable[[], None] | None = None

    def attach(self, config: Config, context: int, end: Callable[[], None]) -> None:
        """Has what is opened with config deliver here; end releases it, without blocking, and may be called twice."""
        status = library.hw_config_set_inbox(config.handle, self.handle, context)
        if status != Status.OK:
            raise error_from_status(status, "the inbox could not be attached")
        self._end = end

    def take(self, copy: Callable[[Batch], T]) -> T | None:
        """
        Takes what waits, at most one batch of it, without waiting, and gives what copy makes of it at once, since the data is
        borrowed until the next take or the release of the inbox. None if nothing was there.
        """
        try:
            with self._turn:
                return None if self._released else self._take(copy)
        finally:
            self._dispose_if_idle()

    def _take(self, copy: Callable[[Batch], T]) -> T | None:
        batch = self._batch
        status = library.hw_inbox_take(self.handle, batch.deliveries, CAPACITY, batch.count, 0)
        if status == Status.OK:
            return copy(batch)
        if status != Status.TIMEOUT:
            raise error_from_status(status, "nothing can be received")
        return None

    def is_interrupted(self) -> bool:
        """True in a signal handler that interrupted take: nothing arrives before the handler returns."""
        return self._turn.is_interrupted()

    def announce(self) -> None:
        """Wakes all who poll: what they wait for may have changed."""
        self.changes += 1
        for bell in list(self.polling):
            bell.ring()

    def poll(self, timeout: float | None, changes: int | None = None) -> bool:
        """
        Waits until the inbox has something, or changes are not as many any more, at most timeout seconds or a day, and tells whether
        that is so. In Python, so that Ctrl-C interrupts it.
        """
        bell = Bell()
        # A child that is forked meanwhile has a list of its own, and leaves this one as well.
        polling = self.polling
        polling.append(bell)
        try:
            if self._released or changes not in (None, self.changes):
                return True
            poll = select.poll()
            poll.register(self.fd, select.POLLIN)
            poll.register(bell.fd, select.POLLIN)
            return bool(poll.poll(None if timeout is None else max(0, min(timeout, POLL_SECONDS_MAX) * 1000)))
        finally:
            polling.remove(bell)
            self._dispose_if_idle()

    def release(self) -> None:
        """Never blocks."""
        self._released = True
        self.announce()
        self._dispose_if_idle()

    def after_fork_in_child(self) -> None:
        """Another thread of the parent may have been in the middle of anything."""
        self._turn = Turn()
        self.polling = []

    def _dispose_if_idle(self) -> None:
        """
        Two threads may find this due at once, for a second release does nothing. A take in progress keeps the handles, for it copies
        what is borrowed.
        """
        if not self._released or self._turn.is_taken:
            return
        end = self._end
        if end is not None:
            end()
        if not self.polling:
            library.hw_inbox_release(self.handle)
            self._end = None


def _new_inbox(config: Config) -> int | None:
    out = handle()
    status = library.hw_inbox_new(config.handle, ctypes.byref(out))
    if status != Status.OK:
        raise error_from_status(status, "no inbox could be made")
    return out.value


def _descriptor(inbox: int | None) -> int:
    fd: int = library.hw_inbox_fd(inbox)
    if fd < 0:
        library.hw_inbox_release(inbox)
        raise error_from_status(Status.SYSTEM, "no descriptor could be made for the inbox; the process may have too many open")
    return fd
