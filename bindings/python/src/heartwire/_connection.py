"""What the asyncio, synchronous and callback connections have in common: sending, queries, and the order of messages and events."""

from __future__ import annotations

import inspect
import time
from collections import deque
from collections.abc import Callable, Sequence
from typing import Any, NamedTuple

from ._calls import ConnectionCalls, Outgoing, closed_error, encoded
from ._channel import Channel
from ._config import Settings
from ._declarations import SEND_NOW, SEND_REPORT
from ._delivery import CAPACITY, Item, Message, Part
from ._detection import Detector, Inspection
from ._errors import HeartwireError, StateError
from ._events import Event, EventKind, Metrics, State
from ._health import HealthReport
from ._life import Outcome
from ._lifetime import Managed
from ._logging import logger
from ._preparing import prepare
from ._receiving import Assembly
from ._sending import RETRY_SECONDS, MessageInParts, Parts, refuse_whole
from ._timeout import ttl_milliseconds


class Origin(NamedTuple):
    """What a connection of one's own is opened with."""

    url: str
    detector: Detector | None
    settings: Settings


class BaseConnection(Managed):
    """
    A managed connection. Items wait in _pending in the order of the library, so an event is told when the messages that came
    before it have been handed out.
    """

    def __init__(self, origin: Origin | ConnectionCalls, on_event: Callable[[Any, Event], object] | None) -> None:
        """origin: what is to be opened, or what has been accepted."""
        require_callable(on_event, "on_event")
        self._on_event = on_event
        self._inspection: Inspection | None = None
        self._before_connect: Any = None
        self._due: deque[Event] = deque()
        self._pending: deque[Item] = deque()
        self._assembly = Assembly()
        self._connected_once = False
        self._final: Event | None = None
        self._refusal: Event | None = None
        self._subprotocol = ""
        self._writables = 0
        self._channel = self._open(origin) if isinstance(origin, Origin) else origin
        super().__init__()

    def _open(self, origin: Origin) -> Channel:
        require_callable(origin.detector, "detector")
        require_callable(origin.settings.before_connect, "before_connect")
        self._before_connect = origin.settings.before_connect
        if origin.detector is None:
            return Channel(origin.url, origin.settings, None)
        self._inspection = Inspection(origin.detector)
        channel = Channel(origin.url, origin.settings, self._inspection.arrivals)
        self._inspection.response_timeout_ns = channel.response_timeout_ns
        return channel

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

    @property
    def peer_address(self) -> str | None:
        """
        The address that the connection leads to, a proxy's if there is one, or that a listener's client comes from: "192.0.2.1:443" or
        "[2001:db8::1]:443". None while there is no transport.
        """
        return self._channel.peer_address

    def metrics(self) -> Metrics:
        """A snapshot of the library's counters; the last one once the connection has ended."""
        return self._channel.metrics()

    def health(self) -> HealthReport:
        """A snapshot of what the library knows of the heartbeats; the last one once the connection has ended."""
        return self._channel.health()

    def send(self, message: Outgoing, *, now: bool = False, report: bool = False, ttl: float | None = None) -> int:
        """
        Sends text (str) or binary (bytes) and returns the message's number. Never blocks: while the connection is down the
        message waits in the library's queue. QueueFull, MessageTooLarge or StateError. May be called from any thread.

        now: only if connected (NotConnected), and never again on another connection: for what must not be replayed, such as an
        order. report: on_event hears also when it has been sent (EventKind.OUTCOME). ttl: how many seconds it may wait before its
        first byte is written; None: as queue_ttl says, and more than a week is a week.
        """
        return self._channel.send(message, send_flags(report, now), ttl_milliseconds(ttl))

    def outcome(self, number: int) -> Outcome:
        """
        What has become of the message with this number, until the connection has ended; on_event hears of all that were not sent.
        ArgumentError: there is no such message, or it was too long ago.
        """
        return self._channel.outcome(number)

    def cancel(self, number: int) -> bool:
        """
        Takes back a message of which nothing has been written yet. False: it is too late, its outcome stands or it is being
        written. ArgumentError: there is no such message, or it was too long ago.
        """
        return self._channel.cancel(number)

    def keep(self, key: str, message: Outgoing) -> None:
        """
        Keeps a message, such as a subscription, under a key: it is sent at once if connected, and again on every new connection,
        after the opening script and before what is queued, in the order in which the keys were first given. The same key replaces
        the message, and keeps its place. Raises what send raises.
        """
        self._channel.keep(key, encoded(message))

    def remove_kept(self, key: str) -> None:
        """Keeps the message under this key no longer; sends nothing."""
        self._channel.keep(key, None)

    def rotate(self) -> None:
        """
        Opens a new connection, runs its opening script while the old one still delivers, then sends by the new one, and closes the
        old one when what it has begun is written. Returns at once; on_event hears how far it is (EventKind.ROTATION). Does nothing
        before the first connection or while a rotation is under way. StateError.
        """
        self._channel.rotate()

    def _take(self) -> bool:
        """Moves one batch from the inbox to _pending, and asks the program what it is to be asked; False if nothing was there."""
        has_taken = self._gather()
        if self._inspection is not None:
            self._inspection.run(self._channel, self._report_detector)
        if self._due:
            due = [self._due.popleft() for _ in range(len(self._due))]
            if not self._released:
                self._prepare(due)
        return has_taken

    def _gather(self) -> bool:
        """
        Moves one batch from the inbox to _pending; False if nothing was there. For those who do not receive but wait for an event:
        receivers are woken, and ask the program.
        """
        events = self._channel.take(self._pending)
        if events is None:
            return False
        try:
            for event in events:
                self._follow(event)
        finally:
            self._channel.inbox.announce()
        return True

    def _prepare(self, due: Sequence[Event]) -> None:
        """Asks before_connect about attempts."""
        for event in due:
            prepare(self._channel, event, self._before_connect, self._report_before_connect)

    def _report_detector(self, error: Exception) -> None:
        """A failing detector must not break a receive, which may have nothing to do with heartbeats."""
        logger.error("the detector of %r raised an exception", self, exc_info=error)

    def _report_before_connect(self, error: Exception) -> None:
        logger.error("before_connect of %r raised an exception", self, exc_info=error)

    def _follow(self, event: Event) -> None:
        """The release at the end also wakes any other thread that waits for the inbox."""
        if event.kind is EventKind.OPENED:
            self._subprotocol = event.text
        elif event.kind is EventKind.ATTEMPT_FAILED:
            self._refusal = event
        elif event.kind is EventKind.WRITABLE:
            self._writables += 1
        elif event.kind is EventKind.CONNECT_DUE and self._before_connect is not None:
            self._due.append(event)
        elif event.kind is EventKind.STATE and event.state is State.CONNECTED:
            self._connected_once = True
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

    def _pop_message(self) -> Message | None:
        """The next whole message of what is pending, None if there is none, and the events before it and right behind it."""
        pending = self._pending
        message: Message | None = None
        while message is None and pending:
            item = pending.popleft()
            if type(item) is Event:
                self._tell(item)
            elif type(item) is Part:
                message = self._join(item)
            else:
                message = item
        self._tell_leading_events()
        return message

    def _join(self, part: Part) -> Message | None:
        """The whole message, if this is its last part and nobody receives it in parts."""
        try:
            self._assembly.require_unclaimed()
        except StateError:
            self._pending.appendleft(part)
            raise
        return self._assembly.add(part)

    def _tell_leading_events(self) -> None:
        pending = self._pending
        while pending:
            item = pending[0]
            if type(item) is not Event:
                return
            pending.popleft()
            self._tell(item)

    def _tell(self, event: Event) -> None:
        if event.kind is EventKind.CLOSED:
            self._assembly.cut_off(event)
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


class ThreadConnection(BaseConnection):
    """What the connections for ordinary threads have in common beyond that."""

    def _open(self, origin: Origin) -> Channel:
        if inspect.iscoroutinefunction(origin.settings.before_connect):
            raise TypeError("before_connect is a coroutine function, which only the asyncio API can await")
        return super()._open(origin)

    def send_streaming(self, parts: Parts, *, report: bool = False, ttl: float | None = None) -> int:
        """
        Sends one message in parts, each as soon as the iterable gives it: all str or all bytes. Returns the message's number, 0
        if there was no part and so no message. report and ttl as for send. Waits while the queue is full; a message that is larger
        than queue_bytes_max in all is MessageTooLarge. May be called from any thread; what is sent meanwhile follows the message.
        Of a message that expires or is cancelled before its first byte is written, the parts that follow are not sent either.

        A message that cannot be brought to its end, because the iterable raises an exception or gives something else, would hold
        up all that follow. So the exception is raised, and if a part has been sent, the connection is closed with code 1011.
        """
        refuse_whole(parts)
        with MessageInParts(self._channel, send_flags(report), ttl_milliseconds(ttl)) as message:
            for part in parts:
                message.put(part)
                self._hand_over(message)
            message.put_end()
            self._hand_over(message)
        return message.number

    def _hand_over(self, message: MessageInParts) -> None:
        writables = self._writables
        while not message.offer():
            self._wait_until_writable(writables)
            writables = self._writables

    def _wait_until_writable(self, writables: int) -> None:
        """
        Until there were more than this many EventKind.WRITABLE, or the connection has ended. The event comes behind the messages
        that arrived before it; if too many of them wait to be received, the queue is looked at after a while instead.
        """
        inbox = self._channel.inbox
        while True:
            changes = inbox.changes
            if self._writables != writables or self._released:
                return
            if len(self._pending) >= CAPACITY:
                time.sleep(RETRY_SECONDS)
                return
            if not self._gather():
                inbox.poll(None, changes)


def send_flags(report: bool, now: bool = False) -> int:
    return (SEND_REPORT if report else 0) | (SEND_NOW if now else 0)


def require_callable(callback: object, name: str) -> None:
    if callback is not None and not callable(callback):
        raise TypeError(f"{name} is a function or None, not {type(callback).__name__}")


def is_interruption(kind: type[BaseException] | None) -> bool:
    """True for what leaves a with block and is no error, such as Ctrl-C or a cancelled task: it is not to wait for a server."""
    return kind is not None and not issubclass(kind, Exception)
