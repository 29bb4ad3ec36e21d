"""Detectors: functions of the program that find heartbeats no rule can express."""

from __future__ import annotations

import asyncio
import json
import logging
import threading
import time
from typing import Any

import pytest
from conftest import CHALLENGES, PATIENCE_SECONDS, Servers, eventually, run, wait_until

import heartwire
from heartwire import Detection, Event, EventKind, Message

def answer_challenge(message: Message, deadline_ns: int) -> bytes | None:
    if isinstance(message, str) and message.startswith("challenge:"):
        return message.replace("challenge", "response").encode()
    return None


def is_failure(event: Event) -> bool:
    return event.kind is EventKind.HEARTBEAT_FAILURE


def test_asyncio(servers: Servers) -> None:
    async def main() -> None:
        async with heartwire.connect(servers.url("ws", CHALLENGES), detector=answer_challenge) as ws:
            await eventually(lambda: ws.health().heartbeats_answered >= 3)
            ws.send("count")
            for number in range(3):
                assert await ws.recv() == f"challenge:{number + 1}"
            async for message in ws:
                if "challenge" not in str(message):
                    assert json.loads(message)["answered"] >= 3
                    break

    run(main())


def test_synchronous(servers: Servers) -> None:
    with heartwire.sync.connect(servers.url("ws", CHALLENGES), detector=answer_challenge) as ws:
        for number in range(3):
            assert ws.recv(PATIENCE_SECONDS) == f"challenge:{number + 1}"
        wait_until(lambda: ws.health().heartbeats_answered >= 3)
        assert ws.health().responses >= 3


def test_client(servers: Servers) -> None:
    events: list[Event] = []
    with heartwire.Client(
        servers.url("wss", CHALLENGES),
        detector=answer_challenge,
        on_event=lambda client, event: events.append(event),
        **servers.options("wss"),
    ) as client:
        wait_until(lambda: client.health().heartbeats_answered >= 3)
        wait_until(lambda: any(event.kind is EventKind.HEARTBEAT_RESPONDED for event in events))
    told = next(event for event in events if event.kind is EventKind.HEARTBEAT_RESPONDED)
    assert (told.text, told.rule, told.epoch) == ("detector", -1, 1)
    assert told.latency_ns > 0


def test_the_detector_comes_before_the_program(servers: Servers) -> None:
    story: list[str] = []
    complete = threading.Event()

    def detector(message: Message, deadline_ns: int) -> None:
        story.append(f"detector {message!s}")

    def on_message(client: heartwire.Client, message: Message) -> None:
        story.append(f"program {message!s}")
        if message == "2":
            complete.set()

    with heartwire.Client(servers.url("ws"), detector=detector, on_message=on_message) as client:
        for number in range(3):
            client.send(str(number))
        assert complete.wait(PATIENCE_SECONDS)
    for number in range(3):
        assert story.count(f"detector {number}") == story.count(f"program {number}") == 1
        assert story.index(f"detector {number}") < story.index(f"program {number}")


def test_deadline(servers: Servers) -> None:
    deadlines: list[int] = []

    def detector(message: Message, deadline_ns: int) -> None:
        deadlines.append(deadline_ns)

    with heartwire.sync.connect(servers.url("ws"), detector=detector, response_timeout="1h") as ws:
        before = time.monotonic_ns()
        ws.send("hello")
        ws.recv(PATIENCE_SECONDS)
        after = time.monotonic_ns()
    hour_ns = 3600 * 10**9
    assert [before + hour_ns <= deadline <= after + hour_ns for deadline in deadlines] == [True]


@pytest.mark.parametrize("timeout", [None, 0.25, "90s", "2m"])
def test_every_spelling_of_the_timeout(servers: Servers, timeout: Any) -> None:
    options: dict[str, Any] = {"response_target": "1ms", "response_warning": "1ms", "response_critical": "1ms"}
    with heartwire.Client(servers.url("refused"), detector=answer_challenge, response_timeout=timeout, **options) as client:
        seconds = {None: 3, 0.25: 0.25, "90s": 90, "2m": 120}[timeout]
        assert client._channel.response_timeout_ns == seconds * 10**9
        client.release()


def test_text_answer_and_seen(servers: Servers) -> None:
    def detector(message: Message, deadline_ns: int) -> str | Detection | None:
        return {"question": "answer", "tick": Detection.SEEN}.get(str(message))

    events: list[Event] = []
    with heartwire.sync.connect(servers.url("ws"), detector=detector, on_event=lambda ws, event: events.append(event)) as ws:
        ws.send("question")
        assert [ws.recv(PATIENCE_SECONDS), ws.recv(PATIENCE_SECONDS)] == ["question", "answer"]
        ws.send("tick")
        assert ws.recv(PATIENCE_SECONDS) == "tick"
        wait_until(lambda: ws.health().heartbeats_received == 2)
        assert ws.health().heartbeats_answered == 1
    told = sorted(event.kind for event in events if event.text == "detector")
    assert told == [EventKind.HEARTBEAT_RECEIVED, EventKind.HEARTBEAT_RECEIVED, EventKind.HEARTBEAT_RESPONDED]


@pytest.mark.parametrize(
    ("answer", "sentence"),
    [
        (True, "a detector returns str or bytes .*, not bool"),
        (5, "a detector returns .*, not int"),
        ("x" * 65537, "64 KiB"),
        ("\ud800", "surrogates not allowed"),
    ],
)
def test_answers_that_cannot_be_sent(servers: Servers, caplog: pytest.LogCaptureFixture, answer: Any, sentence: str) -> None:
    with heartwire.sync.connect(servers.url("ws"), detector=lambda message, deadline_ns: answer) as ws:
        ws.send("hello")
        assert ws.recv(PATIENCE_SECONDS) == "hello"
        wait_until(lambda: ws.health().heartbeats_failed == 1)
    [record] = caplog.records
    assert (record.name, record.levelno) == ("heartwire", logging.ERROR)
    caplog.clear()
    assert record.exc_info is not None
    with pytest.raises(Exception, match=sentence):
        raise record.exc_info[1] or AssertionError


def fail(message: Message, deadline_ns: int) -> None:
    raise ZeroDivisionError("no divisor")


def test_exceptions_in_asyncio(servers: Servers) -> None:
    async def main() -> None:
        heard: list[dict[str, Any]] = []
        asyncio.get_running_loop().set_exception_handler(lambda loop, context: heard.append(context))
        events: list[Event] = []
        async with heartwire.connect(
            servers.url("ws"), detector=fail, on_event=lambda ws, event: events.append(event), heartbeat_on_failure="report"
        ) as ws:
            ws.send("hello")
            assert await ws.recv() == "hello"
            await eventually(lambda: any(map(is_failure, events)))
            assert ws.health().heartbeats_failed == 1
        assert [str(context["exception"]) for context in heard] == ["no divisor"]
        assert [(event.text, event.count) for event in events if is_failure(event)] == [("detector: the detector failed", 1)]

    run(main())


def test_failures_end_the_connection(servers: Servers, caplog: pytest.LogCaptureFixture) -> None:
    client = heartwire.Client(
        servers.url("ws", "/flood?n=100&size=1"), detector=fail, heartbeat_on_failure="fail", heartbeat_failure_threshold=4
    )
    with pytest.raises(heartwire.HeartbeatError):
        client.wait(PATIENCE_SECONDS)
    client.close()
    assert client.health().heartbeats_failed >= 4
    assert all("the detector of" in record.message for record in caplog.records)


@pytest.mark.parametrize("ending", [SystemExit(3), KeyboardInterrupt()])
def test_detector_that_ends_the_program(servers: Servers, ending: BaseException) -> None:
    def detector(message: Message, deadline_ns: int) -> None:
        raise ending

    client = heartwire.Client(servers.url("ws", "/flood?n=100&size=1"), detector=detector)
    with pytest.raises(type(ending)) as caught:
        client.wait(PATIENCE_SECONDS)
    assert caught.value is ending
    client.close()


def test_interrupted_detector_loses_no_message(servers: Servers) -> None:
    endings: list[BaseException] = [KeyboardInterrupt()]

    def detector(message: Message, deadline_ns: int) -> None:
        if endings:
            raise endings.pop()

    with heartwire.sync.connect(servers.url("ws"), detector=detector) as ws:
        ws.send("hello")
        with pytest.raises(KeyboardInterrupt):
            ws.recv(PATIENCE_SECONDS)
        assert ws.recv(PATIENCE_SECONDS) == "hello"


def test_parts_are_not_shown(servers: Servers) -> None:
    shown: list[Message] = []

    def detector(message: Message, deadline_ns: int) -> None:
        shown.append(message)

    with heartwire.sync.connect(servers.url("ws"), detector=detector, message_part_bytes="1KiB") as ws:
        ws.send("x" * 5000)
        ws.send("small")
        assert [len(ws.recv(PATIENCE_SECONDS)), ws.recv(PATIENCE_SECONDS)] == [5000, "small"]
    assert shown == ["small"]


def test_detector_may_use_the_connection(servers: Servers) -> None:
    connections: list[heartwire.sync.Connection] = []

    def detector(message: Message, deadline_ns: int) -> None:
        if message == "close":
            connections[0].send("last")
            connections[0].release()

    ws = heartwire.sync.connect(servers.url("ws"), detector=detector)
    connections.append(ws)
    ws.send("close")
    assert ws.recv(PATIENCE_SECONDS) == "close"
    assert list(ws) == []
