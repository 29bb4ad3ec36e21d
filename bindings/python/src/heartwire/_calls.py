"""One hw_connection as plain calls on the library."""

from __future__ import annotations

import ctypes
import dataclasses
import itertools
import os
from collections import deque
from typing import TYPE_CHECKING, Any, Union

from ._config import Headers, c_text, header_fields
from ._declarations import BINARY, SEND_MORE, TEXT, hw_attempt, hw_health, hw_metrics, hw_reply, hw_send_options
from ._delivery import Item
from ._detection import Arrival
from ._errors import ForkedError, StateError, Status, TimeoutError, error_from_status, error_from_struct, new_error_struct
from ._events import Event, Metrics, State
from ._health import Health, HealthReport, Quality, ResponseLevel
from ._library import library
from ._life import Outcome

if TYPE_CHECKING:
    from ._inbox import Inbox
    from ._intake import Intake

Outgoing = Union[str, bytes, bytearray, memoryview]
"""What can be sent: text or bytes."""

numbers = itertools.count(1)
"""What tells the objects of this package apart in logs."""

_SEND_FAILURES = {
    Status.STATE: "the connection is closing, closed or failed",
    Status.NOT_CONNECTED: "there is no connection that takes the message now",
    Status.SEND_FORBIDDEN: "the heartbeat rules forbid sending, for the service would close the connection",
    Status.FULL: "the outbound queue is full; EventKind.WRITABLE tells when to go on",
    Status.TOO_LARGE: "the message is larger than queue_bytes_max",
    Status.UTF8: "the text is not UTF-8",
}

_KEEP_FAILURES = {
    **_SEND_FAILURES,
    Status.ARGUMENT: "a key is 1 to 255 bytes of UTF-8",
    Status.FULL: "the kept messages have reached queue_messages_max or queue_bytes_max",
}

_RESPOND_FAILURES = {**_SEND_FAILURES, Status.TOO_LARGE: "the answer is larger than 64 KiB"}


# With the terminating NUL.
_PEER_ADDRESS_SIZE_MAX = 81


class ConnectionCalls:
    """What any thread, and a signal handler, may ask of a connection until it has been released."""

    inbox: Inbox | Intake

    def __init__(self, url: str) -> None:
        self.number = next(numbers)
        self.url = url
        self._pid = os.getpid()
        self._released = False
        self._last: tuple[Metrics, HealthReport] | None = None
        self._connection: int | None = None

    @property
    def handle(self) -> int | None:
        """What the library knows the connection by; it may be stale."""
        return self._connection

    @property
    def state(self) -> State:
        return State.DISCONNECTED if self._released else State(library.hw_connection_state(self._connection))

    @property
    def peer_address(self) -> str | None:
        buffer = ctypes.create_string_buffer(_PEER_ADDRESS_SIZE_MAX)
        status = library.hw_connection_peer_address(self._connection, buffer, len(buffer), None)
        return buffer.value.decode() if status == Status.OK else None

    def metrics(self) -> Metrics:
        raw = hw_metrics(struct_size=ctypes.sizeof(hw_metrics))
        status = library.hw_connection_metrics(self._connection, ctypes.byref(raw))
        if status == Status.HANDLE and self._last is not None:
            return self._last[0]
        if status != Status.OK:
            self._fail(status, "no metrics")
        return Metrics(**{**_fields(raw, Metrics), "state": State(raw.state)})

    def health(self) -> HealthReport:
        raw = hw_health(struct_size=ctypes.sizeof(hw_health))
        status = library.hw_connection_health(self._connection, ctypes.byref(raw))
        if status == Status.HANDLE and self._last is not None:
            return self._last[1]
        if status != Status.OK:
            self._fail(status, "no health")
        levels = {
            "health": Health(raw.health), "quality": Quality(raw.quality), "response_level": ResponseLevel(raw.response_level),
        }  # fmt: skip
        return HealthReport(**{**_fields(raw, HealthReport), **levels})

    def send(self, message: Outgoing, flags: int = 0, ttl_ms: int = 0) -> int:
        """Sends or queues one message and returns its number."""
        options = _send_options(flags, 0, ttl_ms) if flags or ttl_ms else None
        return self._send(*encoded(message), options)

    def send_part(self, kind: int, data: bytes, number: int, is_last: bool, flags: int = 0, ttl_ms: int = 0) -> int:
        """Sends or queues a part of the message with this number, 0 for a new one. Returns the message's number."""
        return self._send(kind, data, _send_options(flags | (0 if is_last else SEND_MORE), number, ttl_ms))

    def _send(self, kind: int, data: bytes, options: Any) -> int:
        self._require_open()
        number = ctypes.c_uint64()
        status = library.hw_connection_send(self._connection, kind, data, len(data), options, ctypes.byref(number))
        if status != Status.OK:
            self._fail(status, _SEND_FAILURES.get(status, "the message was not sent"))
        return number.value

    def outcome(self, number: int) -> Outcome:
        out = ctypes.c_int32()
        self._ask(library.hw_connection_outcome, number, ctypes.byref(out))
        return Outcome(out.value)

    def cancel(self, number: int) -> bool:
        """False if it is too late."""
        return self._ask(library.hw_connection_cancel, number) == Status.OK

    def _ask(self, function: Any, number: int, *arguments: Any) -> int:
        """Calls a function about the message with this number."""
        self._require_open()
        # ctypes would cut a number that is too large, or negative, to size.
        status: int = function(self._connection, number, *arguments) if 0 <= number < 1 << 64 else Status.RANGE
        if status not in (Status.OK, Status.STATE):
            self._fail(status, f"no message of this connection has the number {number}, or it was too long ago")
        return status

    def keep(self, key: str, message: tuple[int, bytes] | None) -> None:
        """Keeps a message, its kind and bytes, under key; None keeps none there."""
        self._require_open()
        kind, data = message or (0, None)
        size = len(data) if data else 0
        status = library.hw_connection_keep(self._connection, c_text(key, "a key"), kind, data, size)
        if status != Status.OK:
            self._fail(status, _KEEP_FAILURES.get(status, "the message is not kept"))

    def rotate(self) -> None:
        self._require_open()
        status = library.hw_connection_rotate(self._connection)
        if status != Status.OK:
            self._fail(status, _SEND_FAILURES.get(status, "the connection does not rotate"))

    def proceed(self, attempt_id: int, url: str | None, headers: Headers | None) -> None:
        """Has an attempt go on. Nothing is left to do for one that is over."""
        fields = list(header_fields(headers))
        strings = ctypes.c_char_p * len(fields)
        attempt = hw_attempt(
            url=None if url is None else c_text(url, "the URL"),
            header_count=len(fields),
            header_names=strings(*(name for name, _ in fields)),
            header_values=strings(*(value for _, value in fields)),
        )
        self._proceed(attempt_id, attempt)

    def refuse(self, attempt_id: int, failure: str) -> None:
        """Has an attempt fail."""
        self._proceed(attempt_id, hw_attempt(failure=failure.encode("utf-8", "replace").replace(b"\0", b" ")))

    def _proceed(self, attempt_id: int, attempt: hw_attempt) -> None:
        attempt.struct_size = ctypes.sizeof(hw_attempt)
        error = new_error_struct()
        status = library.hw_connection_proceed(self._connection, attempt_id, ctypes.byref(attempt), ctypes.byref(error))
        if status not in (Status.OK, Status.STATE, Status.HANDLE):
            raise error_from_struct(error)

    def respond(self, detection: int, arrival: Arrival, answer: Outgoing = b"") -> None:
        """Tells what a detector found, with the answer if there is one. Nothing is left to do for a connection that is over."""
        kind, data = encoded(answer)
        reply = hw_reply(
            struct_size=ctypes.sizeof(hw_reply), kind=kind, data=data, size=len(data), received_ns=arrival.received_ns,
            epoch=arrival.epoch,
        )  # fmt: skip
        status = library.hw_connection_respond(self._connection, detection, ctypes.byref(reply))
        if status not in (Status.OK, Status.STATE, Status.HANDLE):
            self._fail(status, _RESPOND_FAILURES.get(status, "the answer was not sent"))

    def close(self, code: int, reason: str) -> None:
        """Starts the close handshake. A connection that is final already, or a client that has gone, stays as it is."""
        if not isinstance(code, int):
            raise TypeError(f"a close code is an int, not {type(code).__name__}")
        if not 0 <= code <= 0xFFFF:
            self._fail(Status.ARGUMENT, f"{code} is not a close code")
        status = library.hw_connection_close(self._connection, code, c_text(reason, "the close reason"))
        if status not in (Status.OK, Status.STATE, Status.HANDLE):
            self._fail(status, f"close code {code} with this reason is not allowed (RFC 6455 section 7.4)")

    def not_connected(self) -> TimeoutError:
        """Why the connection is not connected yet, in the library's words."""
        error = new_error_struct()
        library.hw_connection_wait(self._connection, State.CONNECTED, 0, ctypes.byref(error))
        detail = error.message.decode("utf-8", "replace") or "no attempt has failed yet"
        return TimeoutError(f"not connected in the given time: {detail}", status=Status.TIMEOUT, retryable=True)

    def take(self, pending: deque[Item]) -> list[Event] | None:
        """
        Moves what has arrived, at most one batch of it, to pending, without waiting. Returns the events in it once more, or None if
        nothing was there.
        """
        raise NotImplementedError

    def release(self) -> None:
        """Never blocks."""
        self._released = True
        self.inbox.release()

    def after_fork_in_child(self) -> None:
        self.inbox.after_fork_in_child()

    def require_own_process(self) -> None:
        if os.getpid() != self._pid:
            raise ForkedError("the connection belongs to the process that opened it, the parent of this one", status=Status.FORKED)

    def _require_open(self) -> None:
        """The handles of a connection that was released may be in use for a while yet."""
        if self._released:
            raise closed_error()

    def _fail(self, status: int, message: str) -> None:
        """A handle that is not live was released here, so the caller's mistake is to use a closed connection."""
        self.require_own_process()
        if status == Status.HANDLE:
            raise closed_error()
        raise error_from_status(status, message)


def encoded(message: Outgoing) -> tuple[int, bytes]:
    """The kind and the bytes of a message, or of a part of one."""
    if isinstance(message, str):
        return TEXT, message.encode()
    if isinstance(message, (bytes, bytearray, memoryview)):
        return BINARY, bytes(message)
    # bytes(5) would be five zero bytes: a slip must not become a message.
    raise TypeError(
        f"a message, or a part of one for send_streaming, is str, bytes, bytearray or memoryview, not {type(message).__name__}"
    )


def _send_options(flags: int, number: int, ttl_ms: int) -> Any:
    size = ctypes.sizeof(hw_send_options)
    return ctypes.byref(hw_send_options(struct_size=size, flags=flags, message_id=number, ttl_ms=ttl_ms))


def _fields(raw: ctypes.Structure, shape: type[Any]) -> dict[str, Any]:
    return {field.name: getattr(raw, field.name) for field in dataclasses.fields(shape)}


def closed_error() -> StateError:
    return StateError("the connection is closed", status=Status.STATE)
