"""The synchronous API."""

from __future__ import annotations

import threading

import pytest
from conftest import PATIENCE_SECONDS, Servers, wait_until

import heartwire
from heartwire import State


@pytest.mark.parametrize("server", ["ws", "wss", "aiohttp"])
def test_echo(servers: Servers, server: str) -> None:
    with heartwire.sync.connect(servers.url(server), **servers.options(server)) as ws:
        assert ws.state is State.CONNECTED
        ws.send("text")
        ws.send(b"\x00\xff")
        assert ws.recv(PATIENCE_SECONDS) == "text"
        assert ws.recv() == b"\x00\xff"
    assert ws.state is State.DISCONNECTED


def test_iteration(servers: Servers) -> None:
    with heartwire.sync.connect(servers.url("ws", "/flood?n=3000&size=64")) as ws:
        received = 0
        for message in ws:
            assert message == "x" * 64
            received += 1
            if received == 3000:
                break
        ws.send("after")
        assert ws.recv(PATIENCE_SECONDS) == "after"


@pytest.mark.parametrize("timeout", [0, -1, 0.01])
def test_receive_timeout(servers: Servers, timeout: float) -> None:
    with heartwire.sync.connect(servers.url("ws")) as ws:
        with pytest.raises(heartwire.TimeoutError):
            ws.recv(timeout)
        ws.send("still open")
        assert ws.recv(PATIENCE_SECONDS) == "still open"


def test_double_close(servers: Servers) -> None:
    ws = heartwire.sync.connect(servers.url("ws"))
    ws.close(4000, "done")
    ws.close()
    ws.release()
    with pytest.raises(heartwire.StateError):
        ws.recv()
    with pytest.raises(heartwire.StateError):
        ws.send("too late")
    assert list(ws) == []


def test_close_from_another_thread_ends_the_iteration(servers: Servers) -> None:
    with heartwire.sync.connect(servers.url("ws")) as ws:
        ws.send("first")
        messages = iter(ws)
        assert next(messages) == "first"
        closing = threading.Thread(target=ws.close)
        closing.start()
        assert list(messages) == []
        closing.join(PATIENCE_SECONDS)
        assert not closing.is_alive()


def test_release_wakes_a_waiting_thread(servers: Servers) -> None:
    ws = heartwire.sync.connect(servers.url("ws"))
    failures: list[BaseException] = []

    def receive() -> None:
        try:
            ws.recv()
        except heartwire.StateError as error:
            failures.append(error)

    receiving = threading.Thread(target=receive)
    receiving.start()
    wait_until(lambda: bool(ws._channel._polling))
    ws.release()
    receiving.join(PATIENCE_SECONDS)
    assert len(failures) == 1


def test_error_of_a_failed_connection(servers: Servers) -> None:
    with pytest.raises(heartwire.HandshakeError) as caught:
        heartwire.sync.connect(servers.url("aiohttp", "/status?code=404"))
    assert (caught.value.http_status, caught.value.body) == (404, b"refused with 404\n")


def test_open_timeout(servers: Servers) -> None:
    with pytest.raises(heartwire.TimeoutError) as caught:
        heartwire.sync.connect(servers.url("refused"), open_timeout=2, reconnect_base=0.01)
    assert isinstance(caught.value.__cause__, heartwire.ConnectError)


def test_callback_exception_reaches_the_receiver(servers: Servers) -> None:
    def on_event(ws: heartwire.sync.Connection, event: heartwire.Event) -> None:
        raise ZeroDivisionError

    with pytest.raises(ZeroDivisionError):
        heartwire.sync.connect(servers.url("ws"), on_event=on_event)


def test_senders_in_many_threads(servers: Servers) -> None:
    with heartwire.sync.connect(servers.url("ws")) as ws:
        threads = [
            threading.Thread(target=lambda name=name: [ws.send(f"{name} {number}") for number in range(200)]) for name in range(5)
        ]
        for thread in threads:
            thread.start()
        received = [str(ws.recv(PATIENCE_SECONDS)).split() for _ in range(1000)]
        for thread in threads:
            thread.join()
    for name in range(5):
        assert [int(number) for who, number in received if who == str(name)] == list(range(200))


@pytest.mark.parametrize("slip", ["1000", None, 1000.5])
def test_only_an_integer_is_a_close_code(servers: Servers, slip: object) -> None:
    with heartwire.sync.connect(servers.url("ws")) as ws:
        with pytest.raises(TypeError, match=f"a close code is an int, not {type(slip).__name__}"):
            ws.close(slip)  # type: ignore[arg-type]
        ws.send("still open")
        assert ws.recv(PATIENCE_SECONDS) == "still open"


@pytest.mark.parametrize("slip", [5, True, None, [1, 2], 1.5])
def test_only_text_and_bytes_are_messages(servers: Servers, slip: object) -> None:
    with heartwire.sync.connect(servers.url("ws")) as ws:
        with pytest.raises(TypeError, match=type(slip).__name__):
            ws.send(slip)  # type: ignore[arg-type]
