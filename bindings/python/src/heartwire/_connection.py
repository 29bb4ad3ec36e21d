"""What the asyncio, synchronous and callback connections have in common: sending, queries, and the order of messages and events."""

from __future__ import annotations

from collections import deque
from collections.abc import Callable, Mapping
from typing import Any

from ._channel import Channel, closed_error
from ._config import Headers, Option
from ._delivery import Item, Message
from ._errors import HeartwireError
from ._events import Event, EventKind, Metrics, State
from ._lifetime import Managed


class BaseConnection(Managed):
    """
    A managed connection. Items wait in _pending in the order of the library, so an event is told when the messages that came
    before it have been handed out.
    """

    def __init__(
        self,
        url: str,
        on_event: Callable[[Any, Event], object] | None,
        headers: Headers | None,
        properties: Mapping[str, Option] | None,
        options: Mapping[str, Option],
    ) -> None:
        require_callable(on_event, "on_event")
        self._on_event = on_event
        self._pending: deque[Item] = deque()
        self._connected_once = False
        self._final: Event | None = None
        self._refusal: Event | None = None
        self._subprotocol = ""
        self._channel = Channel(url, headers, properties, options)
        super().__init__()

    @property
    def url(self) -> str:
        return self._channel.url

    @property
    def state(self) -> State:
        """The present state, read from the library; events may still be on their way."""
        return self._final.state if self._final else self._channel.state

    @property
    def subprotocol(self) -> str:
        """The subprotocol agreed with the server in the last opening handshake, or empty."""
        return self._subprotocol

    def metrics(self) -> Metrics:
        """A snapshot of the library's counters; the last one once the connection has ended."""
        return self._channel.metrics()

    def send(self, message: Message | bytearray | memoryview) -> int:
        """
        Sends text (str) or binary (bytes) and returns the message's number. Never blocks: while the connection is down the
        message waits in the library's queue. QueueFull, MessageTooLarge or StateError. May be called from any thread.
        """
        return self._channel.send(message)

    def _take(self) -> bool:
        """Moves one batch from the inbox to _pending; False if nothing was there."""
        events = self._channel.take(self._pending)
        for event in events or ():
            self._follow(event)
        return events is not None

    def _follow(self, event: Event) -> None:
        """The release at the end also wakes any other thread that waits for the inbox."""
        if event.kind is EventKind.OPENED:
            self._connected_once = True
            self._subprotocol = event.text
        elif event.kind is EventKind.ATTEMPT_FAILED:
            self._refusal = event
        elif event.kind is EventKind.STATE and event.state in (State.DISCONNECTED, State.FAILED):
            self._final = event
            self.release()

    def _ended(self) -> bool:
        """True when nothing more will come, once _pending is empty; raises the reason if the connection has failed."""
        if self._final is None:
            self._channel.require_own_process()
            return self._released
        if self._final.state is State.FAILED:
            raise self._failure()
        return True

    def _failure(self) -> HeartwireError:
        """The header promises the body of a refusal with the failed attempt only, not with the state that follows."""
        error = (self._final and self._final.error) or closed_error()
        if self._refusal and self._refusal.status is error.status and not error.body:
            error.body = self._refusal.body
        return error

    def _not_connected(self) -> Exception:
        error = self._channel.not_connected()
        error.__cause__ = self._refusal.error if self._refusal else None
        return error

    def _tell_leading_events(self) -> None:
        pending = self._pending
        while pending:
            item = pending[0]
            if type(item) is not Event:
                return
            pending.popleft()
            self._tell(item)

    def _tell(self, event: Event) -> None:
        if self._on_event is not None:
            self._on_event(self, event)

    def _dispose(self) -> None:
        self._channel.release()

    def _after_fork_in_child(self) -> None:
        super()._after_fork_in_child()
        self._channel.after_fork_in_child()

    def __repr__(self) -> str:
        """Without the URL, whose query may hold a secret that has no place in a log."""
        return f"<{type(self).__module__}.{type(self).__qualname__} {self._channel.number} {self.state.name.lower()}>"


def require_callable(callback: object, name: str) -> None:
    if callback is not None and not callable(callback):
        raise TypeError(f"{name} is a function or None, not {type(callback).__name__}")


def is_interruption(kind: type[BaseException] | None) -> bool:
    """True for what leaves a with block and is no error, such as Ctrl-C or a cancelled task: it is not to wait for a server."""
    return kind is not None and not issubclass(kind, Exception)
