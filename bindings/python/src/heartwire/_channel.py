"""A connection that this package has opened, and the inbox it delivers into; the three APIs differ only in how they wait."""

from __future__ import annotations

import ctypes
from collections import deque

from ._calls import ConnectionCalls
from ._config import Config, Settings, c_text
from ._declarations import handle
from ._delivery import Batch, Item
from ._detection import Arrival
from ._errors import Status, error_from_struct, new_error_struct
from ._events import Event
from ._inbox import Inbox
from ._library import library


class Channel(ConnectionCalls):
    """Owns an hw_connection and its hw_inbox."""

    inbox: Inbox

    def __init__(self, url: str, settings: Settings, arrivals: deque[Arrival] | None) -> None:
        """take adds the whole messages to arrivals as well, if a detector waits for them there."""
        super().__init__(url)
        self._arrivals = arrivals
        with Config() as config:
            config.apply(*settings)
            self.response_timeout_ns = config.nanoseconds("response.timeout")
            self.inbox = Inbox(config)
            try:
                self.inbox.attach(config, self.number, self._end)
                self._connection = _open(config, url)
            except BaseException:
                self.inbox.release()
                raise

    def take(self, pending: deque[Item]) -> list[Event] | None:
        def copy(batch: Batch) -> list[Event]:
            items, events = batch.copy()
            if self._arrivals is not None:
                self._arrivals.extend(batch.arrivals(items))
            pending.extend(items)
            return events

        return self.inbox.take(copy)

    def _end(self) -> None:
        if self._connection is None:
            return
        if self._last is None:
            self._last = self.metrics(), self.health()
        library.hw_connection_release(self._connection)


def _open(config: Config, url: str) -> int | None:
    out, error = handle(), new_error_struct()
    status = library.hw_connection_open(config.handle, c_text(url, "the URL"), ctypes.byref(out), ctypes.byref(error))
    if status != Status.OK:
        raise error_from_struct(error)
    return out.value
