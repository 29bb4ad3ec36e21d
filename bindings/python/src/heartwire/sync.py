"""The synchronous API: `with heartwire.sync.connect(url) as ws`, `for message in ws`, and its listener."""

from __future__ import annotations

import queue
import threading
import time
from collections.abc import Callable, Iterator, Mapping
from types import TracebackType

from ._accepting import BeforeAccept
from ._calls import closed_error
from ._config import Headers, Option, Rules, Settings, Steps
from ._connection import Origin, ThreadConnection, is_interruption
from ._delivery import Message, Part
from ._detection import Detector
from ._errors import Status, TimeoutError
from ._events import Event
from ._listener_calls import closed_listener
from ._logging import logger
from ._preparing import BeforeConnect
from ._receiving import PartReader
from ._serving import INTERNAL_ERROR, Served, ServedChannel
from ._thread_listener import ThreadListener
from ._timeout import checked

OnEvent = Callable[["Connection", Event], object]
OnServedEvent = Callable[["ServedConnection", Event], object]


def connect(
    url: str,
    *,
    on_event: OnEvent | None = None,
    detector: Detector | None = None,
    before_connect: BeforeConnect | None = None,
    open_timeout: float | None = 30,
    opening: Steps | None = None,
    headers: Headers | None = None,
    rules: Rules | None = None,
    properties: Mapping[str, Option] | None = None,
    **options: Option,
) -> Connection:
    """
    Opens a managed connection and waits until it is established, at most open_timeout seconds (None: as long as the library goes
    on trying). Options as for heartwire.connect. on_event, detector and before_connect are called in the thread that receives, while
    it receives; an exception of the latter two goes to the logger "heartwire".
    """
    timeout = checked(open_timeout, "open_timeout")
    settings = Settings(options, properties, headers, rules, opening, before_connect)
    connection = Connection(Origin(url, detector, settings), on_event)
    try:
        connection._until_connected(timeout)
    except BaseException:
        connection.release()
        raise
    return connection


class Connection(ThreadConnection):
    """A connection for ordinary threads: one receives at a time, any may send or close. Ctrl-C interrupts every wait."""

    def __enter__(self) -> Connection:
        return self

    def __exit__(
        self, kind: type[BaseException] | None, error: BaseException | None, traceback: TracebackType | None
    ) -> None:
        if is_interruption(kind):
            self.release()
        else:
            self.close()

    def __iter__(self) -> Iterator[Message]:
        """
        Yields messages, across reconnections. Ends when the connection is closed, here or (with reconnect_enabled=False) by the
        server; raises the reason when it fails for good.
        """
        pending = self._pending
        while self._refill(None):
            while pending:
                item = pending.popleft()
                if type(item) is str or type(item) is bytes:
                    yield item
                elif type(item) is Event:
                    self._tell(item)
                elif type(item) is Part and (message := self._join(item)) is not None:
                    yield message

    def recv(self, timeout: float | None = None) -> Message:
        """
        The next message. TimeoutError after timeout seconds, StateError once the connection is closed, the reason when it has
        failed.
        """
        deadline = _deadline(checked(timeout, "timeout"))
        while self._refill(deadline):
            message = self._pop_message()
            if message is not None:
                return message
        raise closed_error()

    def recv_streaming(self) -> Iterator[Message]:
        """
        Yields the next message in parts, all str or all bytes, as they arrive, if it is larger than message_part_bytes; else it
        comes whole, as the only part. recv and iteration put the parts of a message together instead.

        Raises what recv raises, and MessageCutOff if the connection ends inside the message; whoever receives next gets the next
        message. Until the end of the message nobody else can receive (StateError). If the iterator is dropped before, the rest
        of the message is skipped.
        """
        reader = PartReader(self)
        while not reader.is_at_end:
            changes = self._channel.inbox.changes
            part = reader.pop()
            if part is not None:
                yield part
            elif not self._advance(None, changes):
                raise closed_error()

    def close(self, code: int = 1000, reason: str = "") -> None:
        """
        Sends what is queued, closes gracefully and waits for the server's answer, at most close_timeout. Messages that have
        arrived can still be received. Calling it again does nothing. In a signal handler that interrupts this thread while it
        receives, it may return before the answer has come; receiving then goes on until the end.
        """
        if self._released:
            return
        self._channel.close(code, reason)
        inbox = self._channel.inbox
        if inbox.is_interrupted():
            return
        try:
            while not self._released:
                changes = inbox.changes
                if not self._take():
                    inbox.poll(None, changes)
        finally:
            self.release()
        self._tell_leading_events()

    def _until_connected(self, timeout: float | None) -> None:
        deadline = _deadline(timeout)
        while True:
            changes = self._channel.inbox.changes
            if self._connected_once:
                return
            if self._final is not None:
                raise self._failure()
            if self._take():
                self._tell_leading_events()
            elif not self._poll_until(deadline, changes):
                raise self._not_connected()

    def _refill(self, deadline: float | None) -> bool:
        """Waits until something is pending; False at the end."""
        while True:
            changes = self._channel.inbox.changes
            if self._pending:
                return True
            if not self._advance(deadline, changes):
                return False

    def _advance(self, deadline: float | None, changes: int) -> bool:
        """Takes a batch, or waits for one, or for another thread that has taken one since there were so many changes; False at the end."""
        if self._ended():
            return False
        if self._take():
            self._tell_leading_events()
        elif not self._poll_until(deadline, changes):
            raise TimeoutError("no message came in the given time", status=Status.TIMEOUT, retryable=True)
        return True

    def _poll_until(self, deadline: float | None, changes: int) -> bool:
        """False if nothing came before the deadline."""
        if deadline is None:
            return self._channel.inbox.poll(None, changes)
        return self._channel.inbox.poll(deadline - time.monotonic(), changes) or time.monotonic() < deadline


def _deadline(timeout: float | None) -> float | None:
    return None if timeout is None else time.monotonic() + timeout


class ServedConnection(Served, Connection):
    """A client of a Listener: one thread receives at a time, any may send or close."""


class Listener(ThreadListener[ServedConnection]):
    """
    Listens for ordinary threads, any of which may call anything. It lives until it is closed or the interpreter exits, and its
    clients stay until they go or are closed, whether or not the program keeps them.
    """

    def __init__(
        self, url: str, on_event: OnServedEvent | None, before_accept: BeforeAccept | None, settings: Settings
    ) -> None:
        self._new: queue.SimpleQueue[ServedConnection | None] = queue.SimpleQueue()
        super().__init__(url, on_event, before_accept, settings)

    def __iter__(self) -> Iterator[ServedConnection]:
        """Yields the clients as they come, until the listener is closed."""
        while (client := self._next(None)) is not None:
            yield client

    def accept(self, timeout: float | None = None) -> ServedConnection:
        """The next client. TimeoutError after timeout seconds, StateError once the listener is closed."""
        client = self._next(checked(timeout, "timeout"))
        if client is None:
            raise closed_listener()
        return client

    def serve(self, handler: Callable[[ServedConnection], object]) -> None:
        """
        Runs handler(ws) in a thread for each client, until the listener is closed. A client is closed when its handler returns. What
        tells the handler that its client has gone may end it; any other exception goes to the logger "heartwire", and the client is
        closed with 1011. The threads are daemons, which do not keep the interpreter from exiting.
        """
        for client in self:
            threading.Thread(target=_serve, args=(client, handler), name=f"heartwire-{client._channel.number}", daemon=True).start()

    def _next(self, timeout: float | None) -> ServedConnection | None:
        """None at the end, which everybody is to find."""
        self._require_open()
        try:
            client = self._new.get(timeout=None if timeout is None else max(0.0, timeout))
        except queue.Empty:
            raise TimeoutError("no client came in the given time", status=Status.TIMEOUT, retryable=True) from None
        if client is None:
            self._new.put(None)
        return client

    def _welcome(self, channel: ServedChannel) -> ServedConnection:
        return ServedConnection(channel, self._on_event)

    def _has_come(self, client: ServedConnection) -> None:
        self._new.put(client)

    def _dispose(self) -> None:
        self._new.put(None)
        super()._dispose()


def _serve(client: ServedConnection, handler: Callable[[ServedConnection], object]) -> None:
    try:
        handler(client)
        client.close()
    except Exception as error:
        if not client._is_end(error):
            logger.exception("the handler of %r raised an exception", client)
            client.close(INTERNAL_ERROR)
    finally:
        client.release()


def listen(
    url: str,
    *,
    on_event: OnServedEvent | None = None,
    before_accept: BeforeAccept | None = None,
    rules: Rules | None = None,
    properties: Mapping[str, Option] | None = None,
    **options: Option,
) -> Listener:
    """
    Listens for clients at "ws://host:port" or "wss://host:port". Options as for heartwire.listen.

        with heartwire.sync.listen("ws://0.0.0.0:8080") as listener:
            listener.serve(handle)

    on_event is called in the thread that receives from the client, while it receives. before_accept(request) is called in the thread
    of the listener, which other clients wait for too: what takes time returns a concurrent.futures.Future of its verdict. What it
    raises turns the client away with 500, and goes to the logger "heartwire".
    """
    return Listener(url, on_event, before_accept, Settings(options, properties, None, rules))
