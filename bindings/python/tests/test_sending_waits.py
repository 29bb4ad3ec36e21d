"""send_streaming waits for EventKind.WRITABLE while the queue is full, whoever takes the event from the inbox."""

from __future__ import annotations

import asyncio
import threading
from collections.abc import AsyncIterator, Callable
from typing import Any

import pytest
from conftest import PATIENCE_SECONDS, Servers, eventually, run, wait_until
from listening import ANYWHERE, NAMED, address

import heartwire
from heartwire import EventKind, Message, _connection, aio

OPTIONS: dict[str, Any] = {"queue_bytes_max": "4KiB", "ping_interval": 0}
LARGE = ["y" * 2000, "y" * 2000]


@pytest.fixture(autouse=True)
def retries(monkeypatch: pytest.MonkeyPatch) -> pytest.MonkeyPatch:
    """Who looks again after a while, instead of waiting for the event, does not end in time, unless a test undoes this."""
    for module in (aio, _connection):
        monkeypatch.setattr(module, "RETRY_SECONDS", PATIENCE_SECONDS * 10)
    return monkeypatch


class Blockade:
    """Fills the queue: behind a message that is not complete nothing leaves it."""

    def __init__(self, ws: Any) -> None:
        self._ws = ws
        self._number = ws._channel.send_part(1, b"first", 0, False)
        ws.send("x" * 4000)

    def lift(self) -> None:
        self._ws._channel.send_part(1, b"", self._number, True)


SENT: list[Message] = ["first", "x" * 4000, "y" * 4000]


def test_asyncio(servers: Servers) -> None:
    async def main() -> None:
        async with heartwire.connect(servers.url("ws"), **OPTIONS) as ws:
            blockade = Blockade(ws)
            sending = asyncio.create_task(ws.send_streaming(LARGE))
            for _ in range(10):
                await asyncio.sleep(0)
            assert not sending.done()
            blockade.lift()
            assert await sending == 3
            assert [await ws.recv() for _ in range(3)] == SENT

    run(main())


def test_asyncio_while_another_task_receives(servers: Servers) -> None:
    async def main() -> None:
        async with heartwire.connect(servers.url("ws"), **OPTIONS) as ws:

            async def parts() -> AsyncIterator[str]:
                for _ in range(3):
                    yield "y" * 1000

            receiving = asyncio.create_task(receive(ws, 400))
            senders = [asyncio.create_task(send_many(ws, parts, 20)) for _ in range(20)]
            await asyncio.gather(*senders)
            assert await receiving == ["y" * 3000] * 400

    run(main())


async def receive(ws: heartwire.Connection, count: int) -> list[Message]:
    return [await ws.recv() for _ in range(count)]


async def send_many(ws: heartwire.Connection, parts: Callable[[], AsyncIterator[str]], count: int) -> None:
    for _ in range(count):
        await ws.send_streaming(parts())


def test_events_are_told_while_a_sender_waits(servers: Servers) -> None:
    async def main() -> None:
        told: list[EventKind] = []
        async with heartwire.connect(servers.url("ws"), on_event=lambda ws, event: told.append(event.kind), **OPTIONS) as ws:
            blockade = Blockade(ws)
            sending = asyncio.create_task(ws.send_streaming(LARGE))
            await asyncio.sleep(0)
            blockade.lift()
            await sending
            assert await receive(ws, 3) == SENT
            assert EventKind.WRITABLE in told

    run(main())


def in_a_thread(ws: Any) -> threading.Thread:
    """Has another thread send, and waits until it waits."""
    before = len(ws._channel.inbox.polling)
    sending = threading.Thread(target=ws.send_streaming, args=(LARGE,))
    sending.start()
    wait_until(lambda: len(ws._channel.inbox.polling) > before)
    return sending


def test_threads(servers: Servers) -> None:
    with heartwire.sync.connect(servers.url("ws"), **OPTIONS) as ws:
        blockade = Blockade(ws)
        sending = in_a_thread(ws)
        blockade.lift()
        sending.join(PATIENCE_SECONDS)
        assert not sending.is_alive()
        assert [ws.recv(PATIENCE_SECONDS) for _ in range(3)] == SENT


def test_threads_while_another_receives(servers: Servers) -> None:
    """Whichever of them takes the event or the message, the other must hear of it."""
    with heartwire.sync.connect(servers.url("ws"), **OPTIONS) as ws:
        received: list[Message] = []
        receiving = threading.Thread(target=lambda: received.extend(ws.recv(PATIENCE_SECONDS) for _ in range(4 * 200)))
        sending = [
            threading.Thread(target=lambda: [ws.send_streaming(["y" * 1000] * 3) for _ in range(200)]) for _ in range(4)
        ]  # fmt: skip
        for thread in (receiving, *sending):
            thread.start()
        for thread in (*sending, receiving):
            thread.join(PATIENCE_SECONDS)
            assert not thread.is_alive()
        assert received == ["y" * 3000] * 4 * 200


def test_receiver_wakes_when_a_sender_has_taken_its_message(servers: Servers) -> None:
    with heartwire.sync.connect(servers.url("ws"), **OPTIONS) as ws:
        received: list[Message] = []
        receiving = threading.Thread(target=lambda: received.append(ws.recv(PATIENCE_SECONDS)))
        receiving.start()
        wait_until(lambda: bool(ws._channel.inbox.polling))
        ws.send("hello")
        while not received:
            ws._gather()
        receiving.join(PATIENCE_SECONDS)
        assert received == ["hello"]


def test_callbacks(servers: Servers) -> None:
    received: list[Message] = []
    with heartwire.Client(servers.url("ws"), on_message=lambda client, message: received.append(message), **OPTIONS) as client:
        wait_until(lambda: client.state is heartwire.State.CONNECTED)
        blockade = Blockade(client)
        sending = in_a_thread(client)
        blockade.lift()
        sending.join(PATIENCE_SECONDS)
        assert not sending.is_alive()
        wait_until(lambda: received == SENT)


def test_callback_that_sends(servers: Servers) -> None:
    received: list[Message] = []
    blockades: list[Blockade] = []

    def on_message(client: heartwire.Client, message: Message) -> None:
        received.append(message)
        if message == "go":
            blockades.append(Blockade(client))
            client.send_streaming(LARGE)

    with heartwire.Client(servers.url("ws"), on_message=on_message, **OPTIONS) as client:
        client.send("go")
        wait_until(lambda: bool(blockades) and bool(client._channel.inbox.polling))
        blockades[0].lift()
        wait_until(lambda: received == ["go", *SENT])


@pytest.mark.filterwarnings("ignore::pytest.PytestUnhandledThreadExceptionWarning")
def test_end_of_the_connection_ends_the_wait(servers: Servers) -> None:
    async def main() -> None:
        async with heartwire.connect(servers.url("ws"), **OPTIONS) as ws:
            Blockade(ws)
            sending = asyncio.create_task(ws.send_streaming(LARGE))
            await asyncio.sleep(0)
            ws.release()
            with pytest.raises(heartwire.StateError):
                await sending

    run(main())
    with heartwire.sync.connect(servers.url("ws"), **OPTIONS) as ws:
        Blockade(ws)
        sending = in_a_thread(ws)
        ws.release()
        sending.join(PATIENCE_SECONDS)
        assert not sending.is_alive()


def test_event_behind_messages_that_nobody_receives(retries: pytest.MonkeyPatch) -> None:
    retries.undo()

    async def main() -> None:
        async with heartwire.listen(ANYWHERE, **NAMED) as listener, heartwire.connect(address(listener), **NAMED, **OPTIONS) as client:
            ws = await listener.accept()
            blockade = Blockade(client)
            for number in range(1000):
                ws.send(str(number))
            await eventually(lambda: client.metrics().messages_received == 1000)
            sending = asyncio.create_task(client.send_streaming(LARGE))
            await asyncio.sleep(0)
            blockade.lift()
            assert await sending == 3
            assert await receive(client, 1000) == [str(number) for number in range(1000)]

    run(main())


def test_event_behind_messages_that_no_thread_receives(retries: pytest.MonkeyPatch) -> None:
    retries.undo()
    with heartwire.sync.listen(ANYWHERE, **NAMED) as listener, heartwire.sync.connect(address(listener), **NAMED, **OPTIONS) as client:
        ws = listener.accept(PATIENCE_SECONDS)
        blockade = Blockade(client)
        for number in range(1000):
            ws.send(str(number))
        wait_until(lambda: client.metrics().messages_received == 1000)
        sending = threading.Thread(target=client.send_streaming, args=(LARGE,))
        sending.start()
        blockade.lift()
        sending.join(PATIENCE_SECONDS)
        assert not sending.is_alive()
        assert [client.recv(PATIENCE_SECONDS) for _ in range(1000)] == [str(number) for number in range(1000)]


def test_client_of_a_listener() -> None:
    async def main() -> None:
        async with heartwire.listen(ANYWHERE, **NAMED, **OPTIONS) as listener, heartwire.connect(address(listener), **NAMED) as client:
            ws = await listener.accept()
            blockade = Blockade(ws)
            sending = asyncio.create_task(ws.send_streaming(LARGE))
            for _ in range(10):
                await asyncio.sleep(0)
            assert not sending.done()
            blockade.lift()
            assert await sending == 3
            assert await receive(client, 3) == SENT

    run(main())
    with heartwire.sync.listen(ANYWHERE, **NAMED, **OPTIONS) as listener, heartwire.sync.connect(address(listener), **NAMED) as client:
        ws = listener.accept(PATIENCE_SECONDS)
        blockade = Blockade(ws)
        sending = threading.Thread(target=ws.send_streaming, args=(LARGE,))
        sending.start()
        blockade.lift()
        assert [client.recv(PATIENCE_SECONDS) for _ in range(3)] == SENT
        sending.join(PATIENCE_SECONDS)
