"""Messages sent in parts by send_streaming."""

from __future__ import annotations

import asyncio
import json
import threading
import uuid
from collections.abc import AsyncIterator, Iterator
from typing import Any

import pytest
from conftest import PATIENCE_SECONDS, Servers, run, wait_until

import heartwire
from heartwire import Message
from heartwire._calls import ConnectionCalls

def report_each_frame(servers: Servers) -> tuple[str, str]:
    """An address where each data frame is answered with [opcode, is last, size], and one that tells how the client closed."""
    key = uuid.uuid4()
    return servers.url("raw", f"/report-each-frame?key={key}"), servers.url("raw", f"/seen-close?key={key}")


def close_code_seen_at(witness: str) -> int:
    with heartwire.sync.connect(witness) as ws:
        code: int = json.loads(ws.recv(PATIENCE_SECONDS))["code"]
        return code


def test_parts_leave_as_they_come(servers: Servers) -> None:
    async def main() -> None:
        url, _ = report_each_frame(servers)
        async with heartwire.connect(url) as ws:

            async def parts() -> AsyncIterator[str]:
                yield "one"
                assert await ws.recv() == "[1, false, 3]"
                ws.send("follows")
                yield "three"
                assert await ws.recv() == "[0, false, 5]"

            assert await ws.send_streaming(parts()) == 1
            assert [await ws.recv(), await ws.recv()] == ["[0, true, 0]", "[1, true, 7]"]

    run(main())


def test_synchronous_parts_leave_as_they_come(servers: Servers) -> None:
    url, _ = report_each_frame(servers)
    with heartwire.sync.connect(url) as ws:

        def parts() -> Iterator[bytes]:
            yield b"one"
            assert ws.recv(PATIENCE_SECONDS) == "[2, false, 3]"
            yield bytearray(b"three")
            assert ws.recv(PATIENCE_SECONDS) == "[0, false, 5]"

        assert ws.send_streaming(parts()) == 1
        assert ws.recv(PATIENCE_SECONDS) == "[0, true, 0]"


@pytest.mark.parametrize("parts", [["grü", "", "ße"], [b"\x00", bytearray(b"1"), memoryview(b"\xff")], [""], ("a",), iter(["i", "t"])])
def test_parts_arrive_as_one_message(servers: Servers, parts: Any) -> None:
    parts = list(parts)
    whole = "".join(parts) if isinstance(parts[0], str) else b"".join(parts)

    async def main() -> None:
        async with heartwire.connect(servers.url("ws")) as ws:
            await ws.send_streaming(parts)
            assert await ws.recv() == whole

    run(main())
    with heartwire.sync.connect(servers.url("ws")) as ws:
        ws.send_streaming(parts)
        assert ws.recv(PATIENCE_SECONDS) == whole


def test_client_sends_parts_also_in_a_callback(servers: Servers) -> None:
    received: list[Message] = []
    complete = threading.Event()

    def on_message(client: heartwire.Client, message: Message) -> None:
        received.append(message)
        if len(received) == 1:
            client.send_streaming(str(number) for number in range(5))
        else:
            complete.set()

    with heartwire.Client(servers.url("ws"), on_message=on_message) as client:
        client.send_streaming(["fir", "st"])
        assert complete.wait(PATIENCE_SECONDS)
    assert received == ["first", "01234"]


def test_nothing_to_send(servers: Servers) -> None:
    async def nothing() -> AsyncIterator[str]:
        return
        yield

    async def main() -> None:
        async with heartwire.connect(servers.url("ws")) as ws:
            assert await ws.send_streaming([]) == 0
            assert await ws.send_streaming(nothing()) == 0
            ws.send("after")
            assert await ws.recv() == "after"
            assert ws.metrics().messages_sent == 1

    run(main())
    with heartwire.sync.connect(servers.url("ws")) as ws:
        assert ws.send_streaming(iter(())) == 0


@pytest.mark.parametrize("slip", ["text", b"bytes", bytearray(b"bytes"), memoryview(b"bytes"), {"key": "value"}, 5, None, [1, 2], [None]])
def test_slips_that_are_no_parts(servers: Servers, slip: Any) -> None:
    async def main() -> None:
        async with heartwire.connect(servers.url("ws")) as ws:
            with pytest.raises(TypeError):
                await ws.send_streaming(slip)
            ws.send("still open")
            assert await ws.recv() == "still open"

    run(main())
    with heartwire.sync.connect(servers.url("ws")) as ws:
        with pytest.raises(TypeError):
            ws.send_streaming(slip)
        ws.send("still open")
        assert ws.recv(PATIENCE_SECONDS) == "still open"


def failing() -> Iterator[str]:
    yield "begun"
    raise ZeroDivisionError


async def failing_asynchronously() -> AsyncIterator[str]:
    yield "begun"
    raise ZeroDivisionError


UNFINISHED: list[tuple[Any, type[Exception]]] = [
    (failing, ZeroDivisionError),
    (lambda: ["text", b"bytes"], TypeError),
    (lambda: [b"bytes", "text"], TypeError),
    (lambda: ["text", 5], TypeError),
    (lambda: ["text", "\ud800"], UnicodeEncodeError),
    (lambda: [b"x" * 1000] * 100, heartwire.MessageTooLarge),
]


@pytest.mark.parametrize(("parts", "error"), [*UNFINISHED, (failing_asynchronously, ZeroDivisionError)])
def test_unfinished_message_closes_the_connection(servers: Servers, parts: Any, error: type[Exception]) -> None:
    url, witness = report_each_frame(servers)

    async def main() -> None:
        async with heartwire.connect(url, queue_bytes_max="64KiB") as ws:
            with pytest.raises(error):
                await ws.send_streaming(parts())
            async for _ in ws:
                pass
            with pytest.raises(heartwire.StateError):
                ws.send("too late")

    run(main())
    assert close_code_seen_at(witness) == 1011


@pytest.mark.parametrize(("parts", "error"), UNFINISHED)
def test_unfinished_message_closes_the_synchronous_connection(servers: Servers, parts: Any, error: type[Exception]) -> None:
    url, witness = report_each_frame(servers)
    with heartwire.sync.connect(url, queue_bytes_max="64KiB") as ws:
        with pytest.raises(error):
            ws.send_streaming(parts())
        for _ in ws:
            pass
    assert close_code_seen_at(witness) == 1011


def test_failure_before_the_first_part_leaves_the_connection(servers: Servers) -> None:
    def parts() -> Iterator[str]:
        raise ZeroDivisionError
        yield

    with heartwire.sync.connect(servers.url("ws"), queue_bytes_max="64KiB") as ws:
        with pytest.raises(ZeroDivisionError):
            ws.send_streaming(parts())
        with pytest.raises(heartwire.MessageTooLarge):
            ws.send_streaming([bytes(100_000)])
        ws.send("still open")
        assert ws.recv(PATIENCE_SECONDS) == "still open"


def test_cancelled_sender_closes_the_connection(servers: Servers) -> None:
    url, witness = report_each_frame(servers)

    async def main() -> None:
        async def parts() -> AsyncIterator[str]:
            yield "begun"
            await asyncio.Event().wait()

        async with heartwire.connect(url) as ws:
            sending = asyncio.create_task(ws.send_streaming(parts()))
            assert await ws.recv() == "[1, false, 5]"
            sending.cancel()
            with pytest.raises(asyncio.CancelledError):
                await sending
            async for _ in ws:
                pass

    run(main())
    assert close_code_seen_at(witness) == 1011


def test_sender_that_is_interrupted_right_behind_its_first_part(servers: Servers, monkeypatch: pytest.MonkeyPatch) -> None:
    send_part = ConnectionCalls.send_part

    def interrupted(channel: ConnectionCalls, *arguments: Any) -> int:
        send_part(channel, *arguments)
        raise KeyboardInterrupt

    monkeypatch.setattr(ConnectionCalls, "send_part", interrupted)
    url, witness = report_each_frame(servers)
    with heartwire.sync.connect(url) as ws:
        with pytest.raises(KeyboardInterrupt):
            ws.send_streaming(["begun"])
        for _ in ws:
            pass
    assert close_code_seen_at(witness) == 1011


def test_close_while_a_message_is_being_sent(servers: Servers) -> None:
    def parts(ws: heartwire.sync.Connection) -> Iterator[str]:
        yield "begun"
        ws.close(4000)
        yield "too late"

    url, witness = report_each_frame(servers)
    with heartwire.sync.connect(url) as ws:
        with pytest.raises(heartwire.StateError):
            ws.send_streaming(parts(ws))
    assert close_code_seen_at(witness) == 4000


def test_what_is_sent_meanwhile_takes_no_room_from_the_message(servers: Servers) -> None:
    """It waits for the message's end, which would never come."""

    async def main() -> None:
        async with heartwire.connect(servers.url("ws"), queue_bytes_max="4KiB") as ws:

            async def parts() -> AsyncIterator[str]:
                yield "y" * 1000
                ws.send("x" * 3000)
                yield "y" * 3000

            await ws.send_streaming(parts())
            assert [await ws.recv(), await ws.recv()] == ["y" * 4000, "x" * 3000]

    run(main())


def test_message_begins_anew_after_a_reconnection(servers: Servers) -> None:
    with heartwire.sync.connect(servers.url("ws", f"/drop-once?key={uuid.uuid4()}"), reconnect_base=0.01) as ws:

        def parts() -> Iterator[str]:
            yield "one, "
            wait_until(lambda: ws.metrics().reconnections == 1)
            yield "two"

        ws.send("break")
        ws.send_streaming(parts())
        assert ws.recv(PATIENCE_SECONDS) == "one, two"


def test_send_points_to_send_streaming(servers: Servers) -> None:
    with heartwire.sync.connect(servers.url("ws")) as ws:
        with pytest.raises(TypeError, match="send_streaming"):
            ws.send(["a", "b"])  # type: ignore[arg-type]
