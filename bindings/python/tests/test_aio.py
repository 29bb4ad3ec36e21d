"""The asyncio API against servers that work."""

from __future__ import annotations

import asyncio
import json

import pytest
from conftest import Servers, descriptors, eventually, run

import heartwire
from heartwire import Event, EventKind, State

SERVERS = ["ws", "wss", "aiohttp"]


@pytest.mark.parametrize("server", SERVERS)
def test_echo(servers: Servers, server: str) -> None:
    async def main() -> None:
        messages: list[heartwire.Message] = ["text", "", "grüße 🎺", b"", b"\x00\xff", "x" * 300_000, bytes(200_000)]
        async with heartwire.connect(servers.url(server), **servers.options(server)) as ws:
            assert ws.state is State.CONNECTED
            numbers = [ws.send(message) for message in messages]
            assert numbers == list(range(1, len(messages) + 1))
            assert [await ws.recv() for _ in messages] == messages
        assert ws.state is State.DISCONNECTED

    run(main())


def test_other_bytes_like_objects(servers: Servers) -> None:
    async def main() -> None:
        async with heartwire.connect(servers.url("ws")) as ws:
            ws.send(bytearray(b"one"))
            ws.send(memoryview(b"two"))
            assert [await ws.recv(), await ws.recv()] == [b"one", b"two"]
            with pytest.raises(TypeError):
                ws.send(None)  # type: ignore[arg-type]

    run(main())


def test_await_instead_of_async_with(servers: Servers) -> None:
    async def main() -> None:
        ws = await heartwire.connect(servers.url("ws"))
        ws.send("hello")
        assert await ws.recv() == "hello"
        await ws.close(4000, "done")
        await ws.close()

    run(main())


@pytest.mark.parametrize(("size", "count"), [(64, 20_000), (20_000, 500)])
def test_flood_arrives_whole_and_leaves_turns_to_other_tasks(servers: Servers, size: int, count: int) -> None:
    async def main() -> None:
        turns = 0

        async def other_task() -> None:
            nonlocal turns
            while True:
                turns += 1
                await asyncio.sleep(0)

        async with heartwire.connect(servers.url("ws", f"/flood?n={count}&size={size}"), inbox_bytes_max="64MiB") as ws:
            await eventually(lambda: ws.metrics().messages_received == count)
            other = asyncio.create_task(other_task())
            received = 0
            async for message in ws:
                assert message == "x" * size
                received += 1
                if received == count:
                    break
            assert turns >= count // 512
            other.cancel()
            ws.send("after")
            assert await ws.recv() == "after"

    run(main())


def test_subprotocol_and_headers(servers: Servers) -> None:
    async def main() -> None:
        async with heartwire.connect(servers.url("ws", "/headers"), headers={"X-Key": "value"}, subprotocols=["none", "echo"]) as ws:
            assert ws.subprotocol == "echo"
            fields = json.loads(await ws.recv())
            assert fields["x-key"] == "value"
            assert fields["sec-websocket-protocol"] == "none, echo"

    run(main())


def test_repeated_header(servers: Servers) -> None:
    async def main() -> None:
        async with heartwire.connect(servers.url("ws", "/headers"), headers=[("X-Key", "a"), ("X-Key", "b")]) as ws:
            assert json.loads(await ws.recv())["x-key"] == "a, b"

    run(main())


def test_metrics(servers: Servers) -> None:
    async def main() -> None:
        async with heartwire.connect(servers.url("ws"), ping_interval=0.01) as ws:
            ws.send("hello")
            await ws.recv()
            await eventually(lambda: ws.metrics().pongs_received > 0)
            metrics = ws.metrics()
            assert (metrics.messages_sent, metrics.messages_received, metrics.epoch) == (1, 1, 1)
            assert metrics.state is State.CONNECTED
            assert metrics.rtt_last_ns > 0
        assert ws.metrics().messages_sent == 1
        assert ws.metrics().state is State.DISCONNECTED

    run(main())


def test_payload_beats(servers: Servers) -> None:
    async def main() -> None:
        async with heartwire.connect(servers.url("ws"), heartbeat_interval=0.01, heartbeat_binary=b"\x00beat") as ws:
            assert await ws.recv() == b"\x00beat"

    run(main())


def test_events_come_in_order_with_the_messages(servers: Servers) -> None:
    async def main() -> None:
        story: list[object] = []

        def on_event(ws: heartwire.Connection, event: Event) -> None:
            story.append(event.state if event.kind is EventKind.STATE else event.kind)

        async with heartwire.connect(servers.url("ws"), on_event=on_event) as ws:
            assert story == [State.CONNECTING, EventKind.OPENED, EventKind.ENGINE_STARTED, State.CONNECTED]
            ws.send("hello")
            story.append(await ws.recv())
        end = [State.CLOSING, EventKind.ENGINE_STOPPED, EventKind.CLOSED, State.DISCONNECTED]
        assert story[4:] == ["hello", *end]

    run(main())


def test_event_waits_for_the_messages_before_it(servers: Servers) -> None:
    async def main() -> None:
        story: list[object] = []

        def on_event(ws: heartwire.Connection, event: Event) -> None:
            if event.kind is EventKind.CLOSED:
                story.append("closed")

        async with heartwire.connect(servers.url("ws", "/flood?n=5&size=1"), on_event=on_event) as ws:
            await eventually(lambda: ws.metrics().messages_received == 5)
            await ws.close()
            assert story == []
            async for message in ws:
                story.append(message)
        assert story == ["x"] * 5 + ["closed"]

    run(main())


def test_failing_callback_reaches_the_exception_handler(servers: Servers) -> None:
    async def main() -> None:
        problems: list[object] = []
        asyncio.get_running_loop().set_exception_handler(lambda loop, context: problems.append(context["exception"]))

        def on_event(ws: heartwire.Connection, event: Event) -> None:
            raise ZeroDivisionError

        async with heartwire.connect(servers.url("ws"), on_event=on_event) as ws:
            ws.send("still alive")
            assert await ws.recv() == "still alive"
        assert problems and all(isinstance(problem, ZeroDivisionError) for problem in problems)

    run(main())


def test_callback_may_send(servers: Servers) -> None:
    """A subscription is sent again with every connection."""

    async def main() -> None:
        def subscribe(ws: heartwire.Connection, event: Event) -> None:
            if event.kind is EventKind.OPENED:
                ws.send("subscribe")

        async with heartwire.connect(servers.url("ws"), on_event=subscribe) as ws:
            assert await ws.recv() == "subscribe"

    run(main())


def test_cancelled_receive_loses_nothing(servers: Servers) -> None:
    async def main() -> None:
        async with heartwire.connect(servers.url("ws")) as ws:
            for number in range(20):
                receiving = asyncio.create_task(ws.recv())
                await asyncio.sleep(0)
                receiving.cancel()
                with pytest.raises(asyncio.CancelledError):
                    await receiving
                ws.send(str(number))
                assert await ws.recv() == str(number)

    run(main())


def test_cancelled_connect_leaves_nothing(servers: Servers) -> None:
    async def main() -> None:
        async with heartwire.connect(servers.url("ws")):
            pass
        await asyncio.sleep(0)
        before = descriptors()
        for _ in range(10):
            connecting = asyncio.create_task(_connect(servers.url("raw", "/no-answer")))
            await asyncio.sleep(0)
            connecting.cancel()
            with pytest.raises(asyncio.CancelledError):
                await connecting
        await eventually(lambda: descriptors() <= before)

    run(main())


async def _connect(url: str) -> heartwire.Connection:
    return await heartwire.connect(url)


def test_many_receivers_share_the_messages(servers: Servers) -> None:
    async def main() -> None:
        async with heartwire.connect(servers.url("ws")) as ws:
            receivers = [asyncio.create_task(ws.recv()) for _ in range(5)]
            await asyncio.sleep(0)
            for number in range(5):
                ws.send(str(number))
            assert sorted([str(message) for message in await asyncio.gather(*receivers)]) == list("01234")

    run(main())


def test_close_ends_the_iteration_of_another_task(servers: Servers) -> None:
    async def main() -> None:
        async def iterate(ws: heartwire.Connection) -> list[heartwire.Message]:
            return [message async for message in ws]

        async with heartwire.connect(servers.url("ws")) as ws:
            iterating = asyncio.create_task(iterate(ws))
            receiving = asyncio.create_task(ws.recv())
            await asyncio.sleep(0)
            await ws.close()
            assert await iterating == []
            with pytest.raises(heartwire.StateError):
                await receiving
            with pytest.raises(heartwire.StateError):
                ws.send("too late")

    run(main())


def test_what_arrived_can_be_received_after_close(servers: Servers) -> None:
    async def main() -> None:
        ws = await heartwire.connect(servers.url("ws", "/flood?n=1000&size=10"))
        await eventually(lambda: ws.metrics().messages_received == 1000)
        await ws.close()
        assert len([message async for message in ws]) == 1000

    run(main())


@pytest.mark.parametrize("code", [-1, 1, 1005, 1006, 2999, 5000, 70000])
def test_close_code_that_must_not_be_sent(servers: Servers, code: int) -> None:
    async def main() -> None:
        async with heartwire.connect(servers.url("ws")) as ws:
            with pytest.raises(heartwire.ArgumentError):
                await ws.close(code)
            ws.send("still open")
            assert await ws.recv() == "still open"

    run(main())


def test_close_reason_that_is_too_long(servers: Servers) -> None:
    async def main() -> None:
        async with heartwire.connect(servers.url("ws")) as ws:
            with pytest.raises(heartwire.ArgumentError):
                await ws.close(1000, "x" * 124)

    run(main())


def test_code_and_reason_reach_the_server(servers: Servers) -> None:
    async def main() -> None:
        ws = await heartwire.connect(servers.url("ws", "/echo?key=python-reason"))
        await ws.close(4001, "enough")
        async with heartwire.connect(servers.url("raw", "/seen-close?key=python-reason")) as witness:
            seen = json.loads(await witness.recv())
            assert (seen["code"], seen["reason"]) == (4001, "enough")

    run(main())


def test_server_close_ends_the_iteration_without_reconnecting(servers: Servers) -> None:
    async def main() -> None:
        async with heartwire.connect(servers.url("ws", "/close?code=1000"), reconnect_enabled=False) as ws:
            assert [message async for message in ws] == []
            assert ws.state is State.DISCONNECTED

    run(main())


def test_slow_consumer_pauses_the_server(servers: Servers) -> None:
    async def main() -> None:
        slow: list[int] = []

        def on_event(ws: heartwire.Connection, event: Event) -> None:
            if event.kind is EventKind.SLOW_CONSUMER:
                slow.append(event.count)

        count = 5000
        url = servers.url("ws", f"/flood?n={count}&size=1000")
        async with heartwire.connect(url, on_event=on_event, inbox_messages_max=100) as ws:
            for _ in range(count):
                await ws.recv()
            ws.send("end")
            assert await ws.recv() == "end"
            assert ws.metrics().messages_dropped == 0
        assert set(slow) <= {0}

    run(main())


def test_slow_consumer_may_lose_the_oldest(servers: Servers) -> None:
    async def main() -> None:
        dropped: list[int] = []

        def on_event(ws: heartwire.Connection, event: Event) -> None:
            if event.kind is EventKind.SLOW_CONSUMER:
                dropped.append(event.count)

        count = 20_000
        url = servers.url("ws", f"/flood?n={count}&size=100")
        async with heartwire.connect(url, on_event=on_event, inbox_messages_max=100, inbox_overflow="drop_oldest") as ws:
            await eventually(lambda: ws.metrics().messages_received == count)
            lost = ws.metrics().messages_dropped
            assert lost > count / 2, "Python must not hoard what nobody receives"
            for _ in range(count - lost):
                assert await ws.recv() == "x" * 100
            ws.send("end")
            assert await ws.recv() == "end"
        assert sum(dropped) == lost

    run(main())


def test_representation_keeps_the_url_secret(servers: Servers) -> None:
    async def main() -> None:
        async with heartwire.connect(servers.url("ws", "/echo?token=secret")) as ws:
            assert "secret" not in repr(ws)
            assert "connected" in repr(ws)
            assert ws.url.endswith("token=secret")

    run(main())
