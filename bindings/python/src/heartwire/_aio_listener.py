"""The asyncio listener: `async with heartwire.listen(url) as listener`, `async for ws in listener`."""

from __future__ import annotations

import asyncio
import weakref
from collections import deque
from collections.abc import AsyncIterator, Awaitable, Callable, Mapping
from types import TracebackType

from ._accepting import AsyncBeforeAccept, Request, ask_later
from ._config import Option, Rules, Settings
from ._connection import is_interruption
from ._events import Event
from ._listener_calls import closed_listener
from ._listening import BaseListener
from ._preparing import seconds_left
from ._serving import INTERNAL_ERROR, Served, ServedChannel
from .aio import Connection, running_loop

OnEvent = Callable[["ServedConnection", Event], object]


def listen(
    url: str,
    *,
    on_event: OnEvent | None = None,
    before_accept: AsyncBeforeAccept | None = None,
    rules: Rules | None = None,
    properties: Mapping[str, Option] | None = None,
    **options: Option,
) -> Listener:
    """
    Listens for clients at "ws://host:port", or at "wss://host:port" with tls_certificate_file and tls_key_file. Port 0 takes a free
    one, and the host is an address, "[::]" or 0.0.0.0 for all of this machine's, or a name. Files are read and names resolved at once.

        async with heartwire.listen("ws://0.0.0.0:8080", ping_interval="20s") as listener:
            await listener.serve(handle)

    The clients are pinged, by default every 30 seconds, and one that does not answer is closed with 1001, whatever Python does.

    before_accept(request) is called in the loop for every client, and may be a coroutine function: it returns None to let it in, or a
    Refusal to turn it away with an HTTP status. A client that is not let in within connect_timeout has gone. What it raises turns the
    client away with 500, and goes to the loop's exception handler.

    on_event(ws, event) hears of each client's heartbeats, state and end, in order with its messages. rules, options and properties are
    as for heartwire.connect, and hold for every client.
    """
    return Listener(url, on_event, before_accept, Settings(options, properties, None, rules))


class ServedConnection(Served, Connection):
    """A client of a Listener. Belongs to the listener's loop, apart from send, state and metrics."""


class Listener(BaseListener[ServedConnection]):
    """
    Listens in an asyncio loop, made by listen. Belongs to that loop's thread, apart from join, leave and broadcast. Its clients stay
    until they go or are closed, whether or not the program keeps them.
    """

    def __init__(
        self, url: str, on_event: OnEvent | None, before_accept: AsyncBeforeAccept | None, settings: Settings
    ) -> None:
        self._loop = asyncio.get_running_loop()
        self._changed = asyncio.Event()
        self._new: deque[ServedConnection] = deque()
        self._deciding: dict[int, asyncio.Task[None]] = {}
        self._closing = False
        super().__init__(url, on_event, before_accept, settings)
        # The reader knows the listener weakly, so that one dropped without close is noticed.
        self._loop.add_reader(self._calls.inbox.fd, _read, weakref.ref(self))

    async def __aenter__(self) -> Listener:
        return self

    async def __aexit__(
        self, kind: type[BaseException] | None, error: BaseException | None, traceback: TracebackType | None
    ) -> None:
        if is_interruption(kind):
            self.release()
        else:
            await self.close()

    async def __aiter__(self) -> AsyncIterator[ServedConnection]:
        """Yields the clients as they come, until the listener is closed."""
        while (client := await self._next()) is not None:
            yield client

    async def accept(self) -> ServedConnection:
        """The next client. StateError once the listener is closed."""
        client = await self._next()
        if client is None:
            raise closed_listener()
        return client

    async def serve(self, handler: Callable[[ServedConnection], Awaitable[object]]) -> None:
        """
        Runs the coroutine function handler(ws) in a task for each client, until the listener is closed and the last one has ended. A
        client is closed when its handler returns. What tells the handler that its client has gone may end it; any other exception goes
        to the loop's exception handler, and the client is closed with 1011. If serve is cancelled, so are the handlers.
        """
        tasks: set[asyncio.Task[None]] = set()
        try:
            async for client in self:
                task = asyncio.create_task(_serve(client, handler))
                tasks.add(task)
                task.add_done_callback(tasks.discard)
            if tasks:
                await asyncio.wait(tasks)
        finally:
            for task in tasks:
                task.cancel()

    async def close(self) -> None:
        """
        Lets nobody in any more, closes the clients with 1001 and waits for their answers, at most close_timeout. Calling it again
        does nothing.
        """
        if self._released:
            return
        self._calls.close()
        self._closing = True
        self._changed.set()
        try:
            while not self._released:
                if self._take():
                    await asyncio.sleep(0)
                elif self._clients:
                    await self._wait()
                else:
                    break
        finally:
            self.release()

    async def _next(self) -> ServedConnection | None:
        self._require_open()
        while not self._new:
            if self._closing or self._released:
                return None
            await self._wait()
        return self._new.popleft()

    async def _wait(self) -> None:
        self._changed.clear()
        await self._changed.wait()

    def _decide(self, handle: int, event: Event, request: Request) -> None:
        if self._before_accept is None:
            self._accept(handle, event, None)
            return
        calls, loop, deciding = self._calls, self._loop, self._deciding
        deciding[handle] = loop.create_task(
            ask_later(
                self._before_accept, request, seconds_left(event),
                lambda verdict: calls.accept(handle, event.attempt_id, verdict),
                lambda error: loop.call_exception_handler({"message": "before_accept raised an exception", "exception": error}),
            )
        )  # fmt: skip
        deciding[handle].add_done_callback(lambda task: deciding.pop(handle, None))

    def _welcome(self, channel: ServedChannel) -> ServedConnection:
        return ServedConnection(channel, self._on_event)

    def _has_come(self, client: ServedConnection) -> None:
        self._new.append(client)
        self._changed.set()

    def _has_more(self, client: ServedConnection) -> None:
        client._on_readable()

    def _has_gone(self, handle: int) -> None:
        self._changed.set()
        task = self._deciding.pop(handle, None)
        if task is not None:
            task.cancel()

    def _dispose(self) -> None:
        """May run in any thread, from __del__: the loop is told first, for the descriptor's number may be taken anew at once."""
        if self._loop.is_closed() or not self._loop.is_running() or running_loop() is self._loop:
            self._detach()
        else:
            self._loop.call_soon_threadsafe(self._detach)

    def _detach(self) -> None:
        if not self._loop.is_closed():
            self._loop.remove_reader(self._calls.inbox.fd)
        super()._dispose()
        self._changed.set()
        for task in self._deciding.values():
            task.cancel()


async def _serve(client: ServedConnection, handler: Callable[[ServedConnection], Awaitable[object]]) -> None:
    try:
        await handler(client)
        await client.close()
    except Exception as error:
        if not client._is_end(error):
            context = {"message": f"the handler of {client!r} raised an exception", "exception": error}
            asyncio.get_running_loop().call_exception_handler(context)
            await client.close(INTERNAL_ERROR)
    finally:
        client.release()


def _read(reference: weakref.ref[Listener]) -> None:
    listener = reference()
    if listener is not None:
        listener._take()
