"""The asyncio API: `async with heartwire.connect(url) as ws`, `async for message in ws`."""

from __future__ import annotations

import asyncio
import functools
import weakref
from collections.abc import AsyncIterable, AsyncIterator, Callable, Generator, Mapping, Sequence
from types import TracebackType

from ._calls import ConnectionCalls, closed_error
from ._config import Headers, Option, Rules, Settings, Steps
from ._connection import BaseConnection, Origin, is_interruption, send_flags
from ._delivery import CAPACITY, Message, Part
from ._detection import Detector
from ._errors import HeartwireError
from ._events import Event
from ._preparing import AsyncBeforeConnect, prepare_later
from ._receiving import PartReader
from ._sending import RETRY_SECONDS, AsyncParts, MessageInParts, Parts, refuse_whole
from ._timeout import checked, ttl_milliseconds

OnEvent = Callable[["Connection", Event], object]


class connect:
    """
    Opens a managed connection.

        async with heartwire.connect("wss://example.org/feed", ping_interval="10s") as ws:
            ws.send("hello")
            async for message in ws:
                ...

    Entering waits until the connection is established, at most open_timeout seconds (None: as long as the library goes on
    trying), and raises a HeartwireError that says why it is not. `ws = await connect(url)` does the same; then call close.

    on_event(ws, event) hears of every state change, reconnection and heartbeat, in order with the messages. Options are the
    library's properties with underscores (ping_interval, reconnect_cap, tls_ca_file, ...); numbers are seconds where the property
    is a duration. The same by their own names go into properties={"ping.interval": "10s"}.

    preset="deribit" names the service whose heartbeats are to be kept up, preset_parameters={"interval": 30} says what it needs
    to know; rules are one's own, each a dict or JSON text. detector(message, deadline_ns) finds heartbeats that rules cannot
    express: it sees every whole message before the program does, in the loop, and returns the answer (str or bytes),
    Detection.SEEN for a heartbeat that needs none, or None. It is no coroutine. deadline_ns is the latest time for the answer, by
    time.monotonic_ns(). An exception counts as a failed heartbeat and goes to the loop's exception handler.

    before_connect(url, attempt) is called in the loop before every attempt, and may be a coroutine function. It returns an Attempt with
    a fresh URL or headers, or None to go on as configured. An exception, or no answer within before_connect_timeout, is a failed
    attempt; the exception also goes to the loop's exception handler.

    opening is a list of steps, each a dict or JSON text, that run on every connection before queued messages are sent:
    {"send": {"body": "..."}} or {"expect": {...}, "timeout": "5s"}.
    """

    def __init__(
        self,
        url: str,
        *,
        on_event: OnEvent | None = None,
        detector: Detector | None = None,
        before_connect: AsyncBeforeConnect | None = None,
        open_timeout: float | None = 30,
        opening: Steps | None = None,
        headers: Headers | None = None,
        rules: Rules | None = None,
        properties: Mapping[str, Option] | None = None,
        **options: Option,
    ) -> None:
        self._origin = Origin(url, detector, Settings(options, properties, headers, rules, opening, before_connect))
        self._on_event = on_event
        self._open_timeout = checked(open_timeout, "open_timeout")
        self._connection: Connection | None = None

    def __await__(self) -> Generator[object, None, Connection]:
        return self._open().__await__()

    async def __aenter__(self) -> Connection:
        self._connection = await self._open()
        return self._connection

    async def __aexit__(
        self, kind: type[BaseException] | None, error: BaseException | None, traceback: TracebackType | None
    ) -> None:
        if self._connection is None:
            return
        if is_interruption(kind):
            self._connection.release()
        else:
            await self._connection.close()

    async def _open(self) -> Connection:
        connection = Connection(self._origin, self._on_event)
        try:
            await connection._until_connected(self._open_timeout)
        except BaseException:
            connection.release()
            raise
        return connection


class Connection(BaseConnection):
    """A connection in an asyncio loop, made by connect. Belongs to that loop's thread, apart from send, state and metrics."""

    def __init__(self, origin: Origin | ConnectionCalls, on_event: OnEvent | None) -> None:
        self._loop = asyncio.get_running_loop()
        self._arrived = asyncio.Event()
        self._reading = False
        self._closing = False
        self._preparing: set[asyncio.Task[None]] = set()
        super().__init__(origin, on_event)
        self._start_reading()

    async def __aiter__(self) -> AsyncIterator[Message]:
        """
        Yields messages, across reconnections. Ends when the connection is closed, here or (with reconnect_enabled=False) by the
        server; raises the reason when it fails for good.
        """
        pending = self._pending
        popleft = pending.popleft
        while await self._refill():
            while pending:
                item = popleft()
                if type(item) is str or type(item) is bytes:
                    yield item
                elif type(item) is Event:
                    self._tell(item)
                elif type(item) is Part and (message := self._join(item)) is not None:
                    yield message

    async def recv(self) -> Message:
        """The next message. StateError once the connection is closed, the reason when it has failed."""
        while await self._refill():
            message = self._pop_message()
            if message is not None:
                return message
        raise closed_error()

    def recv_streaming(self) -> AsyncIterator[Message]:
        """
        Yields the next message in parts, all str or all bytes, as they arrive, if it is larger than message_part_bytes; else it
        comes whole, as the only part. recv and iteration put the parts of a message together instead.

        Raises what recv raises, and MessageCutOff if the connection ends inside the message; whoever receives next gets the next
        message. Until the end of the message nobody else can receive (StateError). If the iterator is dropped before, the rest
        of the message is skipped.
        """
        return _PartIterator(self)

    async def send_streaming(self, parts: Parts | AsyncParts, *, report: bool = False, ttl: float | None = None) -> int:
        """
        Sends one message in parts, each as soon as the iterable or asynchronous iterable gives it: all str or all bytes. Returns
        the message's number, 0 if there was no part and so no message. report and ttl as for send. Waits while the queue is full; a
        message that is larger than queue_bytes_max in all is MessageTooLarge. What is sent meanwhile follows the message. Of one that
        expires or is cancelled before its first byte is written, the parts that follow are not sent either.

        A message that cannot be brought to its end, because the iterable raises an exception or gives something else, or the task
        is cancelled, would hold up all that follow. So the exception is raised, and if a part has been sent, the connection is
        closed with code 1011.
        """
        refuse_whole(parts)
        with MessageInParts(self._channel, send_flags(report), ttl_milliseconds(ttl)) as message:
            if isinstance(parts, AsyncIterable):
                async for part in parts:
                    message.put(part)
                    await self._hand_over(message)
            else:
                for part in parts:
                    message.put(part)
                    await self._hand_over(message)
            message.put_end()
            await self._hand_over(message)
        return message.number

    async def close(self, code: int = 1000, reason: str = "") -> None:
        """
        Sends what is queued, closes gracefully and waits for the server's answer, at most close_timeout. Messages that have
        arrived can still be received. Calling it again does nothing.
        """
        if self._released:
            return
        self._channel.close(code, reason)
        self._closing = True
        self._start_reading()
        try:
            while not self._released:
                await self._wait_for_more()
        finally:
            self.release()

    async def _until_connected(self, timeout: float | None) -> None:
        try:
            await asyncio.wait_for(self._established(), timeout)
        except HeartwireError:
            raise
        except asyncio.TimeoutError:
            raise self._not_connected()

    async def _established(self) -> None:
        while not self._connected_once:
            if self._final is not None:
                raise self._failure()
            await self._wait()

    async def _refill(self) -> bool:
        """
        Waits until something is pending; False at the end. A batch is taken here directly, without a turn of the loop, so the
        loop gets one turn for each batch: a flood must not starve the other tasks.
        """
        while not self._pending:
            if not await self._advance():
                return False
        return True

    async def _advance(self) -> bool:
        """Takes a batch, or waits for one; False at the end."""
        if self._ended():
            return False
        await self._wait_for_more()
        return True

    async def _wait_for_more(self) -> None:
        """Takes a batch, or waits until something was taken."""
        if self._take_and_tell():
            await asyncio.sleep(0)
        else:
            self._start_reading()
            await self._wait()

    async def _hand_over(self, message: MessageInParts) -> None:
        writables = self._writables
        while not message.offer():
            while self._writables == writables and not self._released:
                if len(self._pending) < CAPACITY:
                    await self._wait_for_more()
                else:
                    # Perhaps nobody receives the messages that the event comes behind.
                    await asyncio.sleep(RETRY_SECONDS)
                    break
            writables = self._writables

    async def _wait(self) -> None:
        self._arrived.clear()
        await self._arrived.wait()

    def _take_and_tell(self) -> bool:
        taken = self._take()
        if taken:
            self._tell_leading_events()
            self._arrived.set()
        return taken

    def _on_readable(self) -> None:
        """Leaves a backlog in the bounded inbox, where the library's policy for slow consumers applies."""
        if len(self._pending) >= CAPACITY and not self._closing:
            self._stop_reading()
        else:
            self._take_and_tell()

    def _tell(self, event: Event) -> None:
        """A failing callback must not break the loop's reader or an unrelated receive."""
        try:
            super()._tell(event)
        except Exception as error:
            self._loop.call_exception_handler({"message": "on_event raised an exception", "exception": error})

    def _report_detector(self, error: Exception) -> None:
        self._loop.call_exception_handler({"message": "the detector raised an exception", "exception": error})

    def _prepare(self, due: Sequence[Event]) -> None:
        """The tasks do not know the connection, so that one dropped without close is noticed."""
        report = functools.partial(_report_before_connect, self._loop)
        for event in due:
            task = self._loop.create_task(prepare_later(self._channel, event, self._before_connect, report))
            self._preparing.add(task)
            task.add_done_callback(self._preparing.discard)

    def _start_reading(self) -> None:
        """The reader knows the connection weakly, so that one dropped without close is noticed."""
        fd = self._channel.inbox.fd
        if fd is not None and not self._reading and not self._released:
            self._reading = True
            self._loop.add_reader(fd, _read, weakref.ref(self))

    def _stop_reading(self) -> None:
        fd = self._channel.inbox.fd
        if fd is not None:
            self._reading = False
            self._loop.remove_reader(fd)

    def _dispose(self) -> None:
        """May run in any thread, from __del__: the loop is told first, for the descriptor's number may be taken anew at once."""
        if self._loop.is_closed():
            self._channel.release()
        elif not self._loop.is_running() or running_loop() is self._loop:
            _detach(self._loop, self._channel, self._arrived, self._preparing)
        else:
            self._loop.call_soon_threadsafe(_detach, self._loop, self._channel, self._arrived, self._preparing)


class _PartIterator(PartReader, AsyncIterator[Message]):
    """No generator, whose end the loop would put off: what is received after it was dropped must find it gone."""

    _connection: Connection

    async def __anext__(self) -> Message:
        while not self.is_at_end:
            part = self.pop()
            if part is not None:
                return part
            if not await self._connection._advance():
                raise closed_error()
        raise StopAsyncIteration


def _read(reference: weakref.ref[Connection]) -> None:
    connection = reference()
    if connection is not None:
        connection._on_readable()


def _detach(
    loop: asyncio.AbstractEventLoop, channel: ConnectionCalls, arrived: asyncio.Event, preparing: set[asyncio.Task[None]]
) -> None:
    """Takes no connection, which may be about to be collected."""
    if channel.inbox.fd is not None:
        loop.remove_reader(channel.inbox.fd)
    channel.release()
    arrived.set()
    for task in preparing:
        task.cancel()


def _report_before_connect(loop: asyncio.AbstractEventLoop, error: Exception) -> None:
    loop.call_exception_handler({"message": "before_connect raised an exception", "exception": error})


def running_loop() -> asyncio.AbstractEventLoop | None:
    try:
        return asyncio.get_running_loop()
    except RuntimeError:
        return None
