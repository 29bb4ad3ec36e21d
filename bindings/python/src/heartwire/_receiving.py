"""Messages that are received in parts: put together for those who want them whole, one by one for a PartReader."""

from __future__ import annotations

import weakref
from typing import TYPE_CHECKING, Any

from ._delivery import Message, Part
from ._errors import Layer, MessageCutOff, StateError, Status
from ._events import Event

if TYPE_CHECKING:
    from ._connection import BaseConnection


class Assembly:
    """
    The message of which parts have arrived and more are to come. Whoever takes the first part gets the others: a PartReader, or
    this assembly, where they are put together. What a reader leaves behind when it is dropped is skipped.
    """

    def __init__(self) -> None:
        self._parts: list[Any] = []
        self._reader: weakref.ref[PartReader] | None = None

    def add(self, part: Part) -> Message | None:
        """Puts a part to those before it, if it belongs to them; returns the message when it is complete."""
        if part.is_first:
            self._parts.clear()
        elif not self._parts:
            return None
        self._parts.append(part.data)
        if not part.is_last:
            return None
        message: Message = type(part.data)().join(self._parts)
        self._parts.clear()
        return message

    def require_unclaimed(self) -> None:
        if self._reader is not None and self._reader() is not None:
            message = "recv_streaming is in the middle of a message; nobody else can receive before it is at the end, or dropped"
            raise StateError(message, status=Status.STATE)

    def claim(self, reader: PartReader) -> None:
        self._reader = weakref.ref(reader)

    def disclaim(self) -> None:
        self._reader = None

    def cut_off(self, event: Event) -> None:
        """The connection has ended, and no further part of its message will come."""
        self._parts.clear()
        reader = self._reader and self._reader()
        self._reader = None
        if reader:
            reader.cut_off(event.close_code, event.error)


class PartReader:
    """Takes the parts of one message, the next one that begins, from what is pending in a connection."""

    def __init__(self, connection: BaseConnection) -> None:
        self._connection = connection
        self._is_inside = False
        self._failure: MessageCutOff | None = None
        self.is_at_end = False

    def pop(self) -> Message | None:
        """The next part, or a message that came whole; None if it has not arrived yet. MessageCutOff."""
        pending = self._connection._pending
        part = None
        while part is None and self._failure is None and pending:
            item = pending.popleft()
            if type(item) is Event:
                self._connection._tell(item)
            elif self._is_inside and not (type(item) is Part and not item.is_first):
                # The event of the end was lost, as it is when thousands wait.
                pending.appendleft(item)
                self._connection._assembly.disclaim()
                self.cut_off(0, None)
            elif type(item) is Part:
                part = self._take(item)
            else:
                part = item
                self.is_at_end = True
        if self._failure is not None:
            self.is_at_end = True
            raise self._failure
        if self.is_at_end:
            self._connection._tell_leading_events()
        return part

    def _take(self, part: Part) -> Message | None:
        """Parts of a message that another receiver has begun, and left when it was cancelled, are put together."""
        assembly = self._connection._assembly
        if part.is_first:
            self._is_inside = True
            assembly.claim(self)
        elif not self._is_inside:
            message = self._connection._join(part)
            self.is_at_end = message is not None
            return message
        if part.is_last:
            self.is_at_end = True
            assembly.disclaim()
        return part.data

    def cut_off(self, close_code: int, cause: Exception | None) -> None:
        message = "the connection ended inside a message that was received in parts; the next message begins anew"
        self._failure = MessageCutOff(
            message, status=Status.CONNECTION_LOST, layer=Layer.WEBSOCKET, close_code=close_code, retryable=True
        )
        self._failure.__cause__ = cause
