"""A client that a listener has let in, as the connection of whichever API."""

from __future__ import annotations

from collections import deque
from typing import Any

from ._accepting import Request
from ._calls import ConnectionCalls
from ._connection import BaseConnection
from ._delivery import Item
from ._errors import HeartwireError
from ._events import Event, EventKind, State
from ._intake import Intake
from ._library import library


INTERNAL_ERROR = 1011

_POLICY_VIOLATION = 1008


class ServedChannel(ConnectionCalls):
    """An hw_connection of a listener's, which releases its handle by itself when the client has gone."""

    inbox: Intake

    def __init__(self, url: str, handle: int, request: Request, intake: Intake) -> None:
        super().__init__(url)
        self._connection = handle
        self.request = request
        self.inbox = intake

    def add(self, items: list[Item]) -> None:
        """Has the items wait for whoever receives. Closes a client for which nobody does, when too much waits."""
        had_failed = self.inbox.failure is not None
        self.inbox.add(items)
        if self.inbox.failure is not None and not had_failed:
            self.close(_POLICY_VIOLATION, "the receiver is too slow")

    def take(self, pending: deque[Item]) -> list[Event] | None:
        return self.inbox.take(pending)

    def release(self) -> None:
        super().release()
        library.hw_connection_release(self._connection)


class Served(BaseConnection):
    """What the connections to clients have beyond others. It lives until the client goes, even if the program forgets it."""

    _channel: Any

    @property
    def request(self) -> Request:
        """What the client has asked for: path and header fields."""
        request: Request = self._channel.request
        return request

    def _is_end(self, error: Exception) -> bool:
        """Whether the error only tells that the client has gone."""
        return isinstance(error, HeartwireError) and self.state is not State.CONNECTED

    def __del__(self) -> None:
        """No warning: the listener keeps it as long as there is something to close."""
        self.release()

    def _follow(self, event: Event) -> None:
        """The last event comes whatever else was left out while nobody took events."""
        super()._follow(event)
        if event.kind is EventKind.RELEASED:
            self.release()

    def _tell(self, event: Event) -> None:
        """Of the end the program has heard already."""
        if event.kind is not EventKind.RELEASED:
            super()._tell(event)

    def _ended(self) -> bool:
        has_ended = super()._ended()
        if has_ended and self._channel.inbox.failure is not None:
            raise self._channel.inbox.failure
        return has_ended
