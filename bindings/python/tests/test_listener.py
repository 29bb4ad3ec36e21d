"""The asyncio listener with clients of our own."""

from __future__ import annotations

import asyncio
import contextlib
from typing import Any

import pytest
from conftest import eventually, run
from listening import ANYWHERE, NAMED, address, connected, pair

import heartwire
from heartwire import EventKind, Listener, Refusal, ServedConnection, State, Status


def test_messages_go_both_ways() -> None:
    async def main() -> None:
        messages: list[heartwire.Message] = ["text", "", "grüße 🎺", b"", b"\x00\xff", "x" * 300_000, bytes(200_000)]
        async with heartwire.listen(ANYWHERE, **NAMED) as listener, pair(listener) as (client, ws):
            for message in messages:
                client.send(message)
                assert await ws.recv() == message
                ws.send(message)
                assert await client.recv() == message
            assert ws.metrics().messages_received == len(messages)
            assert ws.state is State.CONNECTED
            assert client.peer_address == f"127.0.0.1:{listener.port}"
            assert ws.peer_address is not None and ws.peer_address.startswith("127.0.0.1:")
        assert client.peer_address is None

    run(main())


def test_iteration_over_clients_and_their_messages() -> None:
    async def main() -> None:
        async def echo(ws: ServedConnection) -> None:
            async for message in ws:
                ws.send(message)

        async def serve(listener: Listener) -> int:
            handlers = [asyncio.create_task(echo(ws)) async for ws in listener]
            await asyncio.gather(*handlers)
            return len(handlers)

        async with heartwire.listen(ANYWHERE, **NAMED) as listener:
            serving = asyncio.create_task(serve(listener))
            for number in range(5):
                async with heartwire.connect(address(listener), **NAMED) as client:
                    client.send(str(number))
                    assert await client.recv() == str(number)
        assert await serving == 5

    run(main())


def test_a_handler_for_each_client() -> None:
    async def main() -> None:
        problems: list[Any] = []
        asyncio.get_running_loop().set_exception_handler(lambda loop, context: problems.append(context["exception"]))

        async def handle(ws: ServedConnection) -> None:
            greeting = await ws.recv()
            if greeting == "fail":
                raise ZeroDivisionError
            ws.send(greeting)
            if greeting == "stay":
                await ws.recv()

        async with heartwire.listen(ANYWHERE, **NAMED) as listener:
            serving = asyncio.create_task(listener.serve(handle))
            for greeting, code in (("hello", 1000), ("fail", 1011)):
                codes: list[int] = []
                client = await connected(address(listener), on_event=lambda ws, event, codes=codes: codes.append(event.close_code))
                client.send(greeting)
                with contextlib.suppress(heartwire.ClosedByPeer):
                    assert [message async for message in client] == ["hello"]
                assert code in codes
            lost, staying = [await connected(address(listener)) for _ in range(2)]
            for client in (lost, staying):
                client.send("stay")
                assert await client.recv() == "stay"
            lost.release()
            await eventually(lambda: len(listener.clients) == 1)
        await serving
        assert [type(problem) for problem in problems] == [ZeroDivisionError]
        await staying.close()

    run(main())


def test_cancelled_serving_cancels_the_handlers() -> None:
    async def main() -> None:
        async with heartwire.listen(ANYWHERE, **NAMED) as listener:
            handled, cancelled = asyncio.Event(), asyncio.Event()

            async def handle(ws: ServedConnection) -> None:
                handled.set()
                try:
                    await ws.recv()
                finally:
                    cancelled.set()

            serving = asyncio.create_task(listener.serve(handle))
            client = await connected(address(listener))
            await handled.wait()
            serving.cancel()
            await cancelled.wait()
            assert [message async for message in client] == []

    run(main())


def test_flood_arrives_whole_and_in_order() -> None:
    async def main() -> None:
        async with heartwire.listen(ANYWHERE, **NAMED) as listener, pair(listener, queue_messages_max=100_000) as (client, ws):
            for number in range(20_000):
                client.send(str(number))
            assert [await ws.recv() for _ in range(20_000)] == [str(number) for number in range(20_000)]

    run(main())


def test_large_messages_in_parts() -> None:
    async def main() -> None:
        async with heartwire.listen(ANYWHERE, **NAMED, message_part_bytes="1KiB") as listener, pair(listener) as (client, ws):
            for _ in range(2):
                client.send("x" * 100_000)
            parts = [part async for part in ws.recv_streaming()]
            assert len(parts) >= 98 and "".join(map(str, parts)) == "x" * 100_000
            assert await ws.recv() == "x" * 100_000
            await ws.send_streaming(["one, ", "two"])
            assert await client.recv() == "one, two"

    run(main())


def test_events_come_in_order_with_the_messages() -> None:
    async def main() -> None:
        story: list[object] = []

        def on_event(ws: ServedConnection, event: heartwire.Event) -> None:
            story.append(event.state if event.kind is EventKind.STATE else event.kind)

        async with heartwire.listen(ANYWHERE, **NAMED, on_event=on_event) as listener:
            async with pair(listener) as (client, ws):
                client.send("hello")
                story.append(await ws.recv())
            assert [message async for message in ws] == []
        assert story == [
            EventKind.OPENED, EventKind.ENGINE_STARTED, State.CONNECTED, "hello",
            EventKind.ENGINE_STOPPED, EventKind.CLOSED, State.DISCONNECTED,
        ]  # fmt: skip

    run(main())


def test_closing_one_client() -> None:
    async def main() -> None:
        async with heartwire.listen(ANYWHERE, **NAMED) as listener, pair(listener) as (client, ws), pair(listener) as (other, _):
            closed: list[heartwire.Event] = []
            client._on_event = lambda ws, event: closed.append(event) if event.kind is EventKind.CLOSED else None
            await ws.close(4001, "enough")
            await eventually(lambda: len(closed) == 1)
            assert (closed[0].close_code, closed[0].text, closed[0].by_peer) == (4001, "enough", True)
            await eventually(lambda: len(listener.clients) == 1)
            assert listener.broadcast("still there") == 1
            assert await other.recv() == "still there"

    run(main())


def test_close_says_goodbye_and_lets_nobody_in() -> None:
    async def main() -> None:
        listener = heartwire.listen(ANYWHERE, **NAMED)
        client = await connected(address(listener))
        ws = await listener.accept()
        client.send("last words")
        await eventually(lambda: ws.metrics().messages_received == 1)
        accepting = asyncio.create_task(listener.accept())
        await asyncio.sleep(0)
        await listener.close()
        await listener.close()
        assert [message async for message in client] == []
        assert [message async for message in ws] == ["last words"]
        assert [client async for client in listener] == []
        for call in (lambda: listener.broadcast("x"), lambda: listener.join(ws, "group"), lambda: ws.send("x"), ws.metrics):
            with pytest.raises(heartwire.StateError):
                call()
        with pytest.raises(heartwire.StateError, match="the listener is closed"):
            await accepting
        with pytest.raises(heartwire.ConnectError):
            await connected(address(listener))

    run(main())


@pytest.mark.parametrize(
    ("url", "options", "status"),
    [
        ("http://127.0.0.1:0", {}, Status.URL),
        ("ws://no.such.host.invalid:0", {}, Status.RESOLVE),
        ("ws://192.0.2.1:0", {}, Status.SYSTEM),
        (ANYWHERE, {"ping_interval": "soon"}, Status.VALUE),
        (ANYWHERE, {"ping_intervall": 1}, Status.PROPERTY),
    ],
)
def test_what_cannot_be_had(url: str, options: Any, status: Status) -> None:
    async def main() -> None:
        with pytest.raises(heartwire.HeartwireError) as caught:
            heartwire.listen(url, **options)
        assert caught.value.status is status

    run(main())


def test_port_that_is_taken() -> None:
    async def main() -> None:
        async with heartwire.listen(ANYWHERE, **NAMED) as listener:
            with pytest.raises(heartwire.ResourceError, match="cannot listen at 127.0.0.1"):
                heartwire.listen(address(listener))

    run(main())


def test_slips() -> None:
    async def main() -> None:
        for name in ("on_event", "before_accept"):
            with pytest.raises(TypeError, match=f"{name} is a function"):
                heartwire.listen(ANYWHERE, **NAMED, **{name: 5})  # type: ignore[arg-type]
        with pytest.raises(ValueError, match="400 to 599"):
            Refusal(200)
        with pytest.raises(TypeError, match="not bytes"):
            Refusal(403, b"no")  # type: ignore[arg-type]

    run(main())


def test_messages_that_nobody_receives_close_their_client_alone() -> None:
    async def main() -> None:
        async with heartwire.listen(ANYWHERE, **NAMED, inbox_messages_max=1000) as listener:
            async with pair(listener) as (noisy, ignored), pair(listener) as (other, ws):
                for number in range(5000):
                    noisy.send(str(number))
                other.send("not disturbed")
                assert await ws.recv() == "not disturbed"
                await eventually(lambda: noisy.state is State.FAILED)
                received: list[heartwire.Message] = []
                with pytest.raises(heartwire.SlowConsumer, match="inbox_messages_max"):
                    async for message in ignored:
                        received.append(message)
                assert 1000 <= len(received) < 5000
                assert received == [str(number) for number in range(len(received))]
                other.send("still here")
                assert await ws.recv() == "still here"

    run(main())
