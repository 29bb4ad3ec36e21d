"""What runs on each new connection: the opening script, the kept messages, a rotation; and what events tell of it."""

from __future__ import annotations

import contextlib
import json
import socket
import threading
import uuid
from typing import Any

import pytest
from conftest import PATIENCE_SECONDS, Servers, eventually, run, wait_until

import heartwire
from heartwire import Circuit, Event, EventKind, Rotation, Status

QUICK: dict[str, Any] = {"reconnect_base": 0.01, "reconnect_cap": 0.05}

LOGIN: list[Any] = [
    {"send": {"body": '{"op":"login","nonce":"n1"}'}},
    json.dumps({"expect": {"json": {"/op": "login"}}, "learn": {"nonce": "/nonce"}}),
    {"send": {"body": '{"op":"proof","of":${last.nonce}}'}},
    {"expect": {"json": {"/op": "proof"}}, "timeout": f"{PATIENCE_SECONDS}s"},
]
PROOF = '{"op":"proof","of":"n1"}'


def drop_once() -> str:
    return f"/drop-once?key={uuid.uuid4()}"


def test_opening_script_comes_before_the_queue(servers: Servers) -> None:
    received: list[object] = []
    given = threading.Event()

    def before_connect(url: str, attempt: int) -> None:
        given.wait(PATIENCE_SECONDS)

    with heartwire.Client(
        servers.url("ws"),
        opening=LOGIN,
        before_connect=before_connect,
        on_message=lambda client, message: received.append(message),
    ) as client:
        client.send("queued")
        client.keep("ticker", "kept")
        given.set()
        wait_until(lambda: len(received) == 4)
    assert received[1:] == [PROOF, "kept", "queued"]


def test_opening_script_runs_again(servers: Servers) -> None:
    async def main() -> None:
        async with heartwire.connect(servers.url("ws"), opening=LOGIN) as ws:
            ws.rotate()
            proofs = 0
            async for message in ws:
                proofs += message == PROOF
                if proofs == 2:
                    break

    run(main())


def test_unmet_expectation(servers: Servers) -> None:
    steps = [{"expect": {"eq": "welcome"}, "timeout": "1ms"}]
    with pytest.raises(heartwire.ScriptError, match="step 0") as caught:
        heartwire.sync.connect(servers.url("ws"), opening=steps, reconnect_attempts_max=1)
    assert isinstance(caught.value, heartwire.HandshakeError)
    assert caught.value.status is Status.SCRIPT


def test_malformed_step() -> None:
    with pytest.raises(heartwire.StepError, match="/expekt") as caught:
        heartwire.Client("ws://localhost:1/", opening=[{"expekt": {"eq": "welcome"}}])
    assert isinstance(caught.value, heartwire.ConfigurationError)


def test_kept_messages_survive_a_loss(servers: Servers) -> None:
    """The first connection is dropped on the first message that comes by it."""
    with heartwire.sync.connect(servers.url("ws", drop_once()), **QUICK) as ws:
        ws.keep("ticker", "subscribe ticker")
        ws.keep("binary", b"\x00\x01")
        assert [ws.recv(PATIENCE_SECONDS), ws.recv(PATIENCE_SECONDS)] == ["subscribe ticker", b"\x00\x01"]
        assert (ws.metrics().epoch, ws.metrics().kept_messages) == (2, 2)


def test_kept_messages_are_replaced_in_place_and_removed(servers: Servers) -> None:
    with heartwire.sync.connect(servers.url("ws")) as ws:
        for key, message in (("a", "a1"), ("b", "b1"), ("c", "c1"), ("a", "a2")):
            ws.keep(key, message)
            assert ws.recv(PATIENCE_SECONDS) == message
        ws.remove_kept("b")
        ws.rotate()
        assert [ws.recv(PATIENCE_SECONDS), ws.recv(PATIENCE_SECONDS)] == ["a2", "c1"]
        assert ws.metrics().kept_messages == 2


def test_empty_message_is_kept(servers: Servers) -> None:
    with heartwire.sync.connect(servers.url("ws")) as ws:
        ws.keep("empty", "")
        assert (ws.recv(PATIENCE_SECONDS), ws.metrics().kept_messages) == ("", 1)


@pytest.mark.parametrize(
    ("key", "message", "kind", "sentence"),
    [
        ("", "x", heartwire.ArgumentError, "1 to 255 bytes"),
        ("k" * 256, "x", heartwire.ArgumentError, "1 to 255 bytes"),
        ("k\0", "x", heartwire.ArgumentError, "a key must not contain a NUL"),
        ("k", "x" * 1025, heartwire.MessageTooLarge, "queue_bytes_max"),
        ("second", "x", heartwire.QueueFull, "the kept messages have reached"),
        (5, "x", TypeError, "a key is str or bytes, not int"),
        ("k", None, TypeError, "not NoneType"),
    ],
)
def test_what_cannot_be_kept(servers: Servers, key: Any, message: Any, kind: type[Exception], sentence: str) -> None:
    with contextlib.closing(heartwire.Client(servers.url("refused"), queue_messages_max=1, queue_bytes_max=1024)) as client:
        client.keep("first", "x")
        with pytest.raises(kind, match=sentence):
            client.keep(key, message)
        assert client.metrics().kept_messages == 1


def test_rotation_loses_no_message(servers: Servers) -> None:
    async def main() -> None:
        steps: list[object] = []

        def on_event(ws: heartwire.Connection, event: Event) -> None:
            if event.kind is EventKind.ROTATION:
                steps.append(event.level)

        async with heartwire.connect(servers.url("ws"), on_event=on_event) as ws:
            missing = set()
            for number in range(2000):
                if number == 1000:
                    ws.rotate()
                ws.send(str(number))
                missing.add(str(number))
            while missing:
                missing.remove(await ws.recv())
            await eventually(lambda: ws.metrics().rotations == 1)
            ws.send("by the new one")
            assert await ws.recv() == "by the new one"
            await eventually(lambda: steps == [Rotation.STARTED, Rotation.SWITCHED, Rotation.FINISHED])
            assert ws.metrics().epoch == 2

    run(main())


def test_rotation_before_and_after(servers: Servers) -> None:
    client = heartwire.Client(servers.url("refused"))
    client.rotate()
    client.release()
    for call in (client.rotate, lambda: client.keep("key", "message"), lambda: client.remove_kept("key")):
        with pytest.raises(heartwire.StateError):
            call()


def test_gap(servers: Servers) -> None:
    gaps: list[Event] = []

    def on_event(ws: heartwire.sync.Connection, event: Event) -> None:
        if event.kind is EventKind.GAP:
            gaps.append(event)
        elif event.kind is EventKind.CLOSED and event.epoch == 1:
            ws.send("sent while down")

    with heartwire.sync.connect(servers.url("ws", drop_once()), on_event=on_event, **QUICK) as ws:
        ws.send("drop me")
        assert ws.recv(PATIENCE_SECONDS) == "sent while down"
    [gap] = gaps
    assert gap.epoch == 2
    assert 0 < gap.began_ns <= gap.time_ns
    assert (gap.latency_ns > 0, gap.last_message_ns, gap.level) == (True, 0, None)


def test_circuit() -> None:
    """On a port of its own, for the circuit is the whole process's."""
    events: list[Event] = []
    with socket.socket() as refusing:
        refusing.bind(("127.0.0.1", 0))
        url = "ws://127.0.0.1:{}/".format(refusing.getsockname()[1])
        client = heartwire.Client(
            url, on_event=lambda client, event: events.append(event), circuit_failures_max=2, circuit_open_for="1h", **QUICK
        )
        wait_until(lambda: any(event.kind is EventKind.ATTEMPT_HELD for event in events))
        client.release()
    circuit = next(event for event in events if event.kind is EventKind.CIRCUIT)
    assert (circuit.previous_level, circuit.level) == (Circuit.CLOSED, Circuit.OPEN)
    assert circuit.delay_ms > 0
    held = next(event for event in events if event.kind is EventKind.ATTEMPT_HELD)
    assert (held.previous_level, held.level) == (None, Circuit.OPEN)
