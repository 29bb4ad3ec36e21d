"""Messages received in parts: by recv_streaming, and by those who want them whole."""

from __future__ import annotations

import asyncio
import threading
from typing import Any

import pytest
from conftest import PATIENCE_SECONDS, Servers, eventually, run, wait_until

import heartwire
from heartwire import Event, EventKind, Message, Part

PART = 1024
IN_PARTS: dict[str, Any] = {"message_part_bytes": PART, "reconnect_base": 0.01}
NEVER_AGAIN: dict[str, Any] = {"message_part_bytes": PART, "reconnect_base": "24h", "reconnect_cap": "24h"}
LARGE = "grüße 🎺 " * 1000
WHOLE = "x" * 10_000


def in_halves(servers: Servers) -> str:
    """An address that sends half of WHOLE, then the rest when it hears "rest"; anything else ends the connection."""
    return servers.url("raw", "/message-in-halves")


def sizes(parts: list[Message]) -> list[int]:
    return [len(part.encode() if isinstance(part, str) else part) for part in parts]


@pytest.mark.parametrize("compression", ["off", "on"])
@pytest.mark.parametrize("message", [LARGE, LARGE.encode()], ids=["text", "binary"])
def test_asynchronous_receiver_of_parts(servers: Servers, message: Message, compression: str) -> None:
    async def main() -> None:
        opened: list[Event] = []

        def on_event(ws: heartwire.Connection, event: Event) -> None:
            if event.kind is EventKind.OPENED:
                opened.append(event)

        async with heartwire.connect(servers.url("ws"), on_event=on_event, compression=compression, **IN_PARTS) as ws:
            ws.send(message)
            ws.send("small")
            parts = [part async for part in ws.recv_streaming()]
            assert {type(part) for part in parts} == {type(message)}
            assert type(message)().join(parts) == message  # type: ignore[arg-type]
            assert max(sizes(parts)) <= PART
            assert [part async for part in ws.recv_streaming()] == ["small"]
            assert opened[0].compressed is (compression == "on")

    run(main())


@pytest.mark.parametrize("message", [LARGE, LARGE.encode()], ids=["text", "binary"])
def test_synchronous_receiver_of_parts(servers: Servers, message: Message) -> None:
    with heartwire.sync.connect(servers.url("ws"), **IN_PARTS) as ws:
        ws.send(message)
        ws.send("small")
        parts = list(ws.recv_streaming())
        assert {type(part) for part in parts} == {type(message)}
        assert type(message)().join(parts) == message  # type: ignore[arg-type]
        assert max(sizes(parts)) <= PART
        assert list(ws.recv_streaming()) == ["small"]


def test_parts_come_before_the_message_is_complete(servers: Servers) -> None:
    with heartwire.sync.connect(in_halves(servers), **IN_PARTS) as ws:
        parts = ws.recv_streaming()
        first = str(next(parts))
        assert first == "x" * PART
        ws.send("rest")
        assert first + "".join(map(str, parts)) == WHOLE


def test_receive_and_iteration_give_whole_messages(servers: Servers) -> None:
    messages: list[Message] = [LARGE, "small", LARGE.encode(), b""]

    async def main() -> None:
        async with heartwire.connect(servers.url("ws"), **IN_PARTS) as ws:
            for message in messages * 2:
                ws.send(message)
            assert [await ws.recv() for _ in messages] == messages
            received = []
            async for message in ws:
                received.append(message)
                if len(received) == len(messages):
                    break
            assert received == messages

    run(main())
    with heartwire.sync.connect(servers.url("ws"), **IN_PARTS) as ws:
        for message in messages * 2:
            ws.send(message)
        assert [ws.recv(PATIENCE_SECONDS) for _ in messages] == messages
        assert [message for _, message in zip(messages, ws)] == messages


def test_client_gives_whole_messages_or_parts(servers: Servers) -> None:
    whole: list[Message] = []
    parts: list[Part] = []
    for on_part in (None, lambda client, part: parts.append(part)):
        ended = threading.Event()

        def on_message(client: heartwire.Client, message: Message, ended: threading.Event = ended) -> None:
            whole.append(message)
            if message == "end":
                ended.set()

        with heartwire.Client(servers.url("ws"), on_message=on_message, on_part=on_part, **IN_PARTS) as client:
            for message in ("small", LARGE, "end"):
                client.send(message)
            assert ended.wait(PATIENCE_SECONDS)
    assert whole == ["small", LARGE, "end", "small", "end"]
    assert "".join(str(part.data) for part in parts) == LARGE
    assert [part.is_first for part in parts] == [True] + [False] * (len(parts) - 1)
    assert [part.is_last for part in parts] == [False] * (len(parts) - 1) + [True]


def test_connection_that_ends_inside_a_message(servers: Servers) -> None:
    async def main() -> None:
        async with heartwire.connect(in_halves(servers), **IN_PARTS) as ws:
            parts = ws.recv_streaming()
            assert await anext(parts) == "x" * PART
            ws.send("break")
            with pytest.raises(heartwire.MessageCutOff) as caught:
                async for part in parts:
                    assert part == "x" * PART
            assert isinstance(caught.value, heartwire.ConnectError)
            assert caught.value.close_code == 1006
            assert isinstance(caught.value.__cause__, heartwire.ConnectError)
            assert [part async for part in parts] == []
            ws.send("rest")
            assert "".join([str(part) async for part in ws.recv_streaming()]) == WHOLE

    run(main())


def test_synchronous_connection_that_ends_inside_a_message(servers: Servers) -> None:
    with heartwire.sync.connect(in_halves(servers), **IN_PARTS) as ws:
        parts = ws.recv_streaming()
        next(parts)
        ws.send("break")
        with pytest.raises(heartwire.MessageCutOff):
            list(parts)
        assert list(parts) == []
        ws.send("rest")
        assert ws.recv(PATIENCE_SECONDS) == WHOLE


def test_the_end_is_told_without_waiting_for_the_next_message(servers: Servers) -> None:
    """No further message comes here, for there is no further connection."""

    async def main() -> None:
        async with heartwire.connect(in_halves(servers), **NEVER_AGAIN) as ws:
            with pytest.raises(heartwire.MessageCutOff):
                async for _ in ws.recv_streaming():
                    ws.send("break")

    run(main())
    with heartwire.sync.connect(in_halves(servers), **NEVER_AGAIN) as ws:
        with pytest.raises(heartwire.MessageCutOff):
            for _ in ws.recv_streaming():
                ws.send("break")


def ask_for_the_rest(connection: Any, event: Event) -> None:
    """Where the first connection has ended inside the message."""
    if event.kind is EventKind.CLOSED and event.epoch == 1:
        connection.send("rest")


def test_whole_messages_hold_nothing_of_one_that_was_cut_off(servers: Servers) -> None:
    async def main() -> None:
        async with heartwire.connect(in_halves(servers), on_event=ask_for_the_rest, **IN_PARTS) as ws:
            await eventually(lambda: ws.metrics().bytes_received > 5000)
            ws.send("break")
            assert await ws.recv() == WHOLE

    run(main())
    with heartwire.sync.connect(in_halves(servers), on_event=ask_for_the_rest, **IN_PARTS) as ws:
        wait_until(lambda: ws.metrics().bytes_received > 5000)
        ws.send("break")
        assert ws.recv(PATIENCE_SECONDS) == WHOLE

    received: list[Message] = []
    complete = threading.Event()

    def on_message(client: heartwire.Client, message: Message) -> None:
        received.append(message)
        complete.set()

    with heartwire.Client(in_halves(servers), on_message=on_message, on_event=ask_for_the_rest, **IN_PARTS) as client:
        wait_until(lambda: client.metrics().bytes_received > 5000)
        client.send("break")
        assert complete.wait(PATIENCE_SECONDS)
    assert received == [WHOLE]


def test_nothing_is_kept_of_a_message_that_is_complete_or_cut_off(servers: Servers) -> None:
    async def main() -> None:
        async with heartwire.connect(in_halves(servers), **IN_PARTS) as ws:
            receiving = asyncio.create_task(ws.recv())
            await eventually(lambda: bool(ws._assembly._parts))
            ws.send("break")
            await eventually(lambda: not ws._assembly._parts)
            await eventually(lambda: bool(ws._assembly._parts))
            ws.send("rest")
            assert await receiving == WHOLE
            assert not ws._assembly._parts

    run(main())


def test_flags_tell_of_the_end_if_its_event_does_not(servers: Servers) -> None:
    """Events are lost when very many wait."""
    old, new, end = Part("old", True, False), Part("new", True, False), Part(" end", False, True)
    with heartwire.sync.connect(servers.url("ws"), **IN_PARTS) as ws:
        for followers in (["whole"], [new, end]):
            ws._pending += [old, *followers]
            parts = ws.recv_streaming()
            assert next(parts) == "old"
            with pytest.raises(heartwire.MessageCutOff):
                next(parts)
            assert ws.recv() in ("whole", "new end")
        ws._pending += [old, new, end]
        assert ws.recv() == "new end"


def test_client_hears_of_the_end_between_the_parts(servers: Servers) -> None:
    story: list[object] = []
    complete = threading.Event()

    def on_part(client: heartwire.Client, part: Part) -> None:
        story.append((part.is_first, part.is_last))
        if part.is_first:
            client.send("break")
        if part.is_last:
            complete.set()

    def on_event(client: heartwire.Client, event: Event) -> None:
        ask_for_the_rest(client, event)
        if event.kind is EventKind.CLOSED:
            story.append("closed")

    with heartwire.Client(in_halves(servers), on_part=on_part, on_event=on_event, **IN_PARTS):
        assert complete.wait(PATIENCE_SECONDS)
    closed = story.index("closed")
    assert story[0] == story[closed + 1] == (True, False)
    assert (False, True) not in story[:closed]


def test_rest_of_a_dropped_reader_is_skipped(servers: Servers) -> None:
    async def main() -> None:
        async with heartwire.connect(servers.url("ws"), **IN_PARTS) as ws:
            for message in (LARGE, "second", LARGE, "fourth"):
                ws.send(message)
            async for part in ws.recv_streaming():
                assert LARGE.startswith(str(part))
                break
            assert await ws.recv() == "second"
            async for part in ws.recv_streaming():
                break
            assert [part async for part in ws.recv_streaming()] == ["fourth"]

    run(main())
    with heartwire.sync.connect(servers.url("ws"), **IN_PARTS) as ws:
        for message in (LARGE, "second"):
            ws.send(message)
        for part in ws.recv_streaming():
            break
        assert ws.recv(PATIENCE_SECONDS) == "second"


def test_nobody_else_receives_inside_a_message(servers: Servers) -> None:
    async def main() -> None:
        async with heartwire.connect(servers.url("ws"), **IN_PARTS) as ws:
            ws.send(LARGE)
            ws.send(LARGE.upper())
            parts = ws.recv_streaming()
            received = [await anext(parts)]
            with pytest.raises(heartwire.StateError, match="recv_streaming"):
                await ws.recv()
            with pytest.raises(heartwire.StateError, match="recv_streaming"):
                async for _ in ws:
                    pass
            with pytest.raises(heartwire.StateError, match="recv_streaming"):
                await anext(ws.recv_streaming())
            received += [part async for part in parts]
            assert "".join(map(str, received)) == LARGE
            assert await ws.recv() == LARGE.upper()

    run(main())


def test_reader_after_a_cancelled_receive_gets_the_message_whole(servers: Servers) -> None:
    async def main() -> None:
        async with heartwire.connect(in_halves(servers), **IN_PARTS) as ws:
            receiving = asyncio.create_task(ws.recv())
            await eventually(lambda: len(ws._assembly._parts) > 3)
            receiving.cancel()
            with pytest.raises(asyncio.CancelledError):
                await receiving
            ws.send("rest")
            assert [part async for part in ws.recv_streaming()] == [WHOLE]

    run(main())


def test_reader_that_waits_when_the_connection_is_closed(servers: Servers) -> None:
    async def main() -> None:
        async with heartwire.connect(servers.url("ws"), **IN_PARTS) as ws:
            waiting = asyncio.ensure_future(anext(ws.recv_streaming()))
            await asyncio.sleep(0)
            await ws.close()
            with pytest.raises(heartwire.StateError):
                await waiting

    run(main())
    ws = heartwire.sync.connect(servers.url("ws"), **IN_PARTS)
    ws.close()
    with pytest.raises(heartwire.StateError):
        next(ws.recv_streaming())


def test_events_are_told_behind_the_last_part(servers: Servers) -> None:
    story: list[object] = []

    def on_event(ws: heartwire.sync.Connection, event: Event) -> None:
        if event.kind is EventKind.CLOSED:
            story.append("closed")

    with heartwire.sync.connect(servers.url("ws"), on_event=on_event, **IN_PARTS) as ws:
        ws.send(LARGE)
        parts = ws.recv_streaming()
        first = str(next(parts))
        ws.close()
        assert story == []
        assert first + "".join(map(str, parts)) == LARGE
        assert story == ["closed"]
