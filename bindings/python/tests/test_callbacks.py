"""The callback API."""

from __future__ import annotations

import logging
import threading

import pytest
from conftest import PATIENCE_SECONDS, Servers, run_script

import heartwire
from heartwire import Event, EventKind, Message, State


class Collector:
    def __init__(self, wanted: int) -> None:
        self.messages: list[Message] = []
        self.complete = threading.Event()
        self._wanted = wanted

    def __call__(self, client: heartwire.Client, message: Message) -> None:
        self.messages.append(message)
        if len(self.messages) == self._wanted:
            self.complete.set()


@pytest.mark.parametrize("server", ["ws", "wss", "aiohttp"])
def test_echo(servers: Servers, server: str) -> None:
    collector = Collector(2)
    with heartwire.Client(servers.url(server), on_message=collector, **servers.options(server)) as client:
        client.send("text")
        client.send(b"\x00\xff")
        assert collector.complete.wait(PATIENCE_SECONDS)
    assert collector.messages == ["text", b"\x00\xff"]
    assert client.state is State.DISCONNECTED


def test_flood(servers: Servers) -> None:
    collector = Collector(5000)
    with heartwire.Client(servers.url("ws", "/flood?n=5000&size=64"), on_message=collector):
        assert collector.complete.wait(PATIENCE_SECONDS)
    assert collector.messages == ["x" * 64] * 5000


def test_close_in_a_callback(servers: Servers) -> None:
    events: list[Event] = []

    def on_message(client: heartwire.Client, message: Message) -> None:
        client.close(4000, "enough")
        client.close()

    client = heartwire.Client(servers.url("ws"), on_message=on_message, on_event=lambda client, event: events.append(event))
    client.send("hello")
    client.wait(PATIENCE_SECONDS)
    assert events[-1].state is State.DISCONNECTED
    client.close()


def test_release_in_a_callback(servers: Servers) -> None:
    received: list[Message] = []

    def on_message(client: heartwire.Client, message: Message) -> None:
        received.append(message)
        client.release()

    client = heartwire.Client(servers.url("ws", "/flood?n=100&size=1"), on_message=on_message)
    client.wait(PATIENCE_SECONDS)
    assert received == ["x"]


def test_clients_that_close_each_other(servers: Servers) -> None:
    clients: list[heartwire.Client] = []
    both_called = threading.Barrier(2)

    def on_message(client: heartwire.Client, message: Message) -> None:
        both_called.wait(PATIENCE_SECONDS)
        for one in clients:
            one.close()

    clients += [heartwire.Client(servers.url("ws"), on_message=on_message) for _ in range(2)]
    for client in clients:
        client.send("hello")
    for client in clients:
        client.wait(PATIENCE_SECONDS)


def test_send_in_a_callback(servers: Servers) -> None:
    done = threading.Event()

    def on_message(client: heartwire.Client, message: Message) -> None:
        if len(message) < 50:
            client.send(f"{message!s}.")
        else:
            done.set()

    with heartwire.Client(servers.url("ws"), on_message=on_message) as client:
        client.send(".")
        assert done.wait(PATIENCE_SECONDS)


def test_no_callback_after_close(servers: Servers) -> None:
    received: list[Message] = []
    first = threading.Event()

    def on_message(client: heartwire.Client, message: Message) -> None:
        received.append(message)
        first.set()

    client = heartwire.Client(servers.url("ws", "/flood?n=2000&size=64"), on_message=on_message)
    assert first.wait(PATIENCE_SECONDS)
    client.close()
    count = len(received)
    assert not any(thread.name.startswith("heartwire-") for thread in threading.enumerate())
    assert len(received) == count


def test_failing_callback_is_logged_and_the_next_follows(servers: Servers, caplog: pytest.LogCaptureFixture) -> None:
    collector = Collector(2)

    def on_message(client: heartwire.Client, message: Message) -> None:
        collector(client, message)
        raise ZeroDivisionError

    with caplog.at_level(logging.ERROR, "heartwire"):
        with heartwire.Client(servers.url("ws"), on_message=on_message) as client:
            client.send("one")
            client.send("two")
            assert collector.complete.wait(PATIENCE_SECONDS)
    assert len(caplog.records) == 2


@pytest.mark.parametrize("ending", [SystemExit(3), KeyboardInterrupt()])
def test_callback_that_ends_the_program(servers: Servers, caplog: pytest.LogCaptureFixture, ending: BaseException) -> None:
    received: list[Message] = []

    def on_message(client: heartwire.Client, message: Message) -> None:
        received.append(message)
        raise ending

    client = heartwire.Client(servers.url("ws", "/flood?n=100&size=1"), on_message=on_message)
    for _ in range(2):
        with pytest.raises(type(ending)) as caught:
            client.wait(PATIENCE_SECONDS)
        assert caught.value is ending
    assert received == ["x"]
    assert client.state is State.DISCONNECTED
    assert [record.name for record in caplog.records] == ["heartwire"]
    client.close()


EXIT_IN_CALLBACK = """
import sys
import heartwire
with heartwire.Client(sys.argv[1], on_message=lambda client, message: sys.exit(3)) as client:
    client.send("hello")
    client.wait()
"""


def test_exit_in_a_callback_ends_the_program_that_waits(servers: Servers) -> None:
    assert run_script(EXIT_IN_CALLBACK, servers.url("ws"))[:2] == (3, "")


def test_wait_raises_the_failure(servers: Servers) -> None:
    client = heartwire.Client(servers.url("raw", "/wrong-accept"))
    with pytest.raises(heartwire.HandshakeError):
        client.wait(PATIENCE_SECONDS)
    assert client.state is State.FAILED
    client.close()


def test_wait_gives_up(servers: Servers) -> None:
    with heartwire.Client(servers.url("ws")) as client:
        with pytest.raises(heartwire.TimeoutError):
            client.wait(0)


def test_events(servers: Servers) -> None:
    kinds: list[EventKind] = []
    echoed = Collector(1)
    with heartwire.Client(
        servers.url("ws"), on_message=echoed, on_event=lambda client, event: kinds.append(event.kind)
    ) as client:
        client.send("hello")
        assert echoed.complete.wait(PATIENCE_SECONDS)
    assert kinds[-2:] == [EventKind.CLOSED, EventKind.STATE]
    assert EventKind.RELEASED not in kinds
