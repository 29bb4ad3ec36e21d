"""Sends a message in parts, as an iterable gives them."""

from __future__ import annotations

import contextlib
from collections.abc import AsyncIterable, Iterable, Mapping
from typing import Union

from ._calls import ConnectionCalls, Outgoing, encoded
from ._errors import HeartwireError, QueueFull, Status
from ._life import Outcome

BytesLike = Union[bytes, bytearray, memoryview]
Parts = Union[Iterable[str], Iterable[BytesLike]]
AsyncParts = Union[AsyncIterable[str], AsyncIterable[BytesLike]]

# A full queue is looked at again after this time if the event that tells of room comes behind many messages that nobody receives.
RETRY_SECONDS = 0.01

_INTERNAL_ERROR = 1011


class MessageInParts:
    """
    A message on its way, as a context manager. What is sent after it waits for its end, so if that does not come the connection
    is closed.
    """

    def __init__(self, channel: ConnectionCalls, flags: int, ttl_ms: int) -> None:
        self._channel = channel
        self._flags = flags
        self._ttl_ms = ttl_ms
        self._kind = 0
        self._data = b""
        self._is_last = False
        self._is_unfinished = False
        self._is_over = False
        self.number = 0

    def __enter__(self) -> MessageInParts:
        return self

    def __exit__(self, kind: type[BaseException] | None, *exception: object) -> None:
        if kind is not None and self._is_unfinished:
            with contextlib.suppress(HeartwireError):
                self._channel.close(_INTERNAL_ERROR, "error in fragmented message")

    def put(self, part: Outgoing) -> None:
        """Sets the part that offer hands over."""
        kind, self._data = encoded(part)
        if self._kind not in (0, kind):
            raise TypeError("the parts of a message are all text or all bytes")
        self._kind = kind

    def put_end(self) -> None:
        """An empty part ends the message, since an iterable tells too late which of its parts is the last."""
        self._data, self._is_last = b"", True

    def offer(self) -> bool:
        """Hands the part over, unless the message expired or was cancelled meanwhile; False if the queue has no room for it now."""
        if not self._kind or self._is_over:
            return True
        # Set before the call, since Ctrl-C may come between it and whatever follows.
        self._is_unfinished = True
        try:
            self.number = self._channel.send_part(
                self._kind, self._data, self.number, self._is_last, self._flags, self._ttl_ms
            )
        except HeartwireError as error:
            self._is_over = error.status is Status.ARGUMENT and self._has_outcome()
            self._is_unfinished = self.number != 0 and not self._is_over
            if isinstance(error, QueueFull):
                return False
            if not self._is_over:
                raise
        return True

    def _has_outcome(self) -> bool:
        """True for a message that expired or was cancelled meanwhile: no further part of it is taken."""
        with contextlib.suppress(HeartwireError):
            return self.number != 0 and self._channel.outcome(self.number) is not Outcome.PENDING
        return False


def refuse_whole(parts: object) -> None:
    """Slips that would pass as iterables: the characters of a text, the numbers in bytes, the keys of a mapping."""
    if isinstance(parts, (str, bytes, bytearray, memoryview, Mapping)):
        raise TypeError(f"send_streaming takes an iterable of parts, not {type(parts).__name__}; send takes a whole message")
