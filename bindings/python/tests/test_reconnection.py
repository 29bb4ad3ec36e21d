"""Connections that break come back by themselves, and the program's loop goes on."""

from __future__ import annotations

import threading
import uuid

import pytest
from conftest import PATIENCE_SECONDS, Servers, run

import heartwire
from heartwire import Event, EventKind, State

QUICK = {"reconnect_base": 0.01, "reconnect_cap": 0.05}


def drop_once() -> str:
    return f"/drop-once?key={uuid.uuid4()}"


def is_loss(event: Event) -> bool:
    """The end of the first connection, which the server broke without a close frame."""
    return event.kind is EventKind.CLOSED and (event.close_code, event.epoch) == (1006, 1)


@pytest.mark.parametrize("server", ["ws", "wss", "aiohttp"])
def test_iteration_survives(servers: Servers, server: str) -> None:
    async def main() -> None:
        story: list[object] = []

        def on_event(ws: heartwire.Connection, event: Event) -> None:
            story.append(event.state if event.kind is EventKind.STATE else event.kind)
            if is_loss(event):
                ws.send("sent while down")

        options = {**servers.options(server), **QUICK}
        async with heartwire.connect(servers.url(server, drop_once()), on_event=on_event, **options) as ws:
            ws.send("drop me")
            async for message in ws:
                if message == "sent while down":
                    break
            metrics = ws.metrics()
            assert (metrics.reconnections, metrics.epoch) == (1, 2)
        lost = story.index(EventKind.CLOSED)
        end = [EventKind.CLOSED, State.RECONNECTING]
        assert story[lost : lost + 5] == [*end, EventKind.OPENED, EventKind.ENGINE_STARTED, State.CONNECTED]

    run(main())


def test_synchronous_iteration_survives(servers: Servers) -> None:
    def on_event(ws: heartwire.sync.Connection, event: Event) -> None:
        if is_loss(event):
            ws.send("sent while down")

    with heartwire.sync.connect(servers.url("ws", drop_once()), on_event=on_event, **QUICK) as ws:
        ws.send("drop me")
        assert ws.recv(PATIENCE_SECONDS) == "sent while down"
        assert ws.metrics().reconnections == 1


def test_client_survives(servers: Servers) -> None:
    arrived = threading.Event()

    def on_event(client: heartwire.Client, event: Event) -> None:
        if is_loss(event):
            client.send("sent while down")

    with heartwire.Client(
        servers.url("ws", drop_once()), on_message=lambda client, message: arrived.set(), on_event=on_event, **QUICK
    ) as client:
        client.send("drop me")
        assert arrived.wait(PATIENCE_SECONDS)


def test_messages_sent_before_the_connection_are_queued(servers: Servers) -> None:
    received: list[heartwire.Message] = []
    complete = threading.Event()

    def on_message(client: heartwire.Client, message: heartwire.Message) -> None:
        received.append(message)
        if len(received) == 100:
            complete.set()

    with heartwire.Client(servers.url("ws"), on_message=on_message) as client:
        for number in range(100):
            client.send(str(number))
        assert complete.wait(PATIENCE_SECONDS)
    assert received == [str(number) for number in range(100)]


def test_attempts_run_out(servers: Servers) -> None:
    attempts: list[Event] = []

    def on_event(client: heartwire.Client, event: Event) -> None:
        if event.kind is EventKind.ATTEMPT_FAILED:
            attempts.append(event)

    client = heartwire.Client(servers.url("refused"), on_event=on_event, reconnect_attempts_max=3, **QUICK)
    with pytest.raises(heartwire.ConnectError):
        client.wait(PATIENCE_SECONDS)
    client.close()
    told = [(event.attempt, event.retryable, event.delay_ms > 0) for event in attempts]
    assert told == [(1, True, True), (2, True, True), (3, True, False)]
    assert isinstance(attempts[0].error, heartwire.ConnectError)
    assert client.state is State.FAILED


def test_refusals_that_pass_are_retried(servers: Servers) -> None:
    async def main() -> None:
        with pytest.raises(heartwire.HandshakeError) as caught:
            url = servers.url("ws", "/status?code=503")
            async with heartwire.connect(url, reconnect_attempts_max=2, reconnect_retry_after_max=0, **QUICK):
                pass
        assert (caught.value.http_status, caught.value.body) == (503, b"refused with 503\n")

    run(main())
