"""What every object with a native handle shares: release exactly once, at the latest when the interpreter exits; nothing after fork."""

from __future__ import annotations

import os
import threading
import time
import warnings
import weakref

# A callback that never returns must not keep the interpreter from exiting.
EXIT_SECONDS_MAX = 1.0

_live: weakref.WeakSet[Managed] = weakref.WeakSet()
_threads: weakref.WeakSet[threading.Thread] = weakref.WeakSet()


class CallbackThread(threading.Thread):
    """Tells callbacks from other code: one that waited for another client's thread could wait for itself in the end."""


def in_callback() -> bool:
    return isinstance(threading.current_thread(), CallbackThread)


class Managed:
    """Base of the connection classes. Subclasses implement _dispose, which runs at most once."""

    _released = True

    def __init__(self) -> None:
        self._released = False
        _live.add(self)

    def release(self) -> None:
        """Cuts the connection off without waiting and gives up its resources. Calling it again does nothing."""
        if not self._released:
            self._released = True
            _live.discard(self)
            self._dispose()

    def _dispose(self) -> None:
        raise NotImplementedError

    def _after_fork_in_child(self) -> None:
        """The handles, threads and descriptors belong to the parent: the child neither uses nor releases them."""
        self._released = True

    def __del__(self) -> None:
        if not self._released:
            warnings.warn(f"{self!r} was never closed", ResourceWarning, stacklevel=2, source=self)
            self.release()


def join_at_exit(thread: threading.Thread) -> None:
    """For a thread that has started. What has released itself may still be ending when the interpreter exits."""
    _threads.add(thread)


def release_all() -> None:
    for managed in list(_live):
        managed.release()
    end = time.monotonic() + EXIT_SECONDS_MAX
    for thread in list(_threads):
        thread.join(max(0.0, end - time.monotonic()))


def _forget_all() -> None:
    for managed in list(_live):
        managed._after_fork_in_child()
    _live.clear()
    _threads.clear()


os.register_at_fork(after_in_child=_forget_all)
