"""What every object with a native handle shares: release exactly once, at the latest when the interpreter exits; nothing after fork."""

from __future__ import annotations

import os
import warnings
import weakref

_live: weakref.WeakSet[Managed] = weakref.WeakSet()


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


def release_all() -> None:
    for managed in list(_live):
        managed.release()


def _forget_all() -> None:
    for managed in list(_live):
        managed._after_fork_in_child()
    _live.clear()


os.register_at_fork(after_in_child=_forget_all)
