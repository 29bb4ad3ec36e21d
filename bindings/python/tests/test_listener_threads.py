"""The listeners for ordinary threads: heartwire.sync.listen and heartwire.Server."""

from __future__ import annotations

import threading
from collections.abc import Iterator
from concurrent.futures import Future, ThreadPoolExecutor
from contextlib import contextmanager
from typing import Any

import pytest
from conftest import PATIENCE_SECONDS, wait_until
from listening import ANYWHERE, NAMED, address

import heartwire
from heartwire import EventKind, Refusal, Request, ServedClient, State
from heartwire.sync import Listener, ServedConnection


def connect(listener: Any, **options: Any) -> heartwire.sync.Connection:
    return heartwire.sync.connect(address(listener), **NAMED, reconnect_enabled=False, **options)


@contextmanager
def pair(listener: Listener, **options: Any) -> Iterator[tuple[heartwire.sync.Connection, ServedConnection]]:
    with connect(listener, **options) as client:
        yield client, listener.accept(PATIENCE_SECONDS)


def test_messages_go_both_ways() -> None:
    with heartwire.sync.listen(ANYWHERE, **NAMED) as listener, pair(listener) as (client, ws):
        for message in ("text", b"\x00", "x" * 300_000):
            client.send(message)
            assert ws.recv(PATIENCE_SECONDS) == message
            ws.send(message)
            assert client.recv(PATIENCE_SECONDS) == message
        with pytest.raises(heartwire.TimeoutError):
            ws.recv(0.01)
    assert ws.state is State.DISCONNECTED


def test_a_thread_for_each_client(caplog: pytest.LogCaptureFixture) -> None:
    def handle(ws: ServedConnection) -> None:
        for message in ws:
            ws.send(message)
            if message == "fail":
                raise ZeroDivisionError

    with heartwire.sync.listen(ANYWHERE, **NAMED) as listener:
        serving = threading.Thread(target=listener.serve, args=(handle,))
        serving.start()
        clients = [connect(listener) for _ in range(5)]
        for number in range(200):
            for client in clients:
                client.send(str(number))
        for client in clients:
            assert [client.recv(PATIENCE_SECONDS) for _ in range(200)] == [str(number) for number in range(200)]
        clients[0].send("fail")
        assert clients[0].recv(PATIENCE_SECONDS) == "fail"
        wait_until(lambda: clients[0]._channel.state is not State.CONNECTED)
        clients[1].release()
        wait_until(lambda: len(listener.clients) == 3)
    serving.join(PATIENCE_SECONDS)
    assert not serving.is_alive()
    wait_until(lambda: threading.active_count() == 1)
    assert [record.exc_info and record.exc_info[0] for record in caplog.records] == [ZeroDivisionError]
    for client in clients:
        client.close()


def test_events_are_told_to_the_receiver() -> None:
    story: list[object] = []
    with heartwire.sync.listen(ANYWHERE, **NAMED, on_event=lambda ws, event: story.append(event.kind)) as listener:
        with pair(listener) as (client, ws):
            client.send("hello")
            story.append(ws.recv(PATIENCE_SECONDS))
        assert list(ws) == []
    assert story[0] is EventKind.OPENED and "hello" in story
    assert story[-2:] == [EventKind.CLOSED, EventKind.STATE]


def test_closing_one_client_waits_for_its_answer() -> None:
    with heartwire.sync.listen(ANYWHERE, **NAMED) as listener, pair(listener) as (client, ws):
        client.send("before")
        wait_until(lambda: ws.metrics().messages_received == 1)
        ws.close(1000, "enough")
        assert ws.state is State.DISCONNECTED
        assert list(ws) == ["before"]
        assert list(client) == []
        wait_until(lambda: listener.clients == ())


def test_close_ends_every_wait() -> None:
    listener = heartwire.sync.listen(ANYWHERE, **NAMED)
    with pair(listener) as (client, ws), ThreadPoolExecutor(4) as pool:
        waiting = [pool.submit(listener.accept), pool.submit(lambda: list(listener)), pool.submit(lambda: list(ws))]
        wait_until(lambda: pool._work_queue.empty())
        with pytest.raises(heartwire.TimeoutError):
            listener.wait(0.01)
        listener.close()
        listener.close()
        listener.wait(PATIENCE_SECONDS)
        assert isinstance(waiting[0].exception(PATIENCE_SECONDS), heartwire.StateError)
        assert [future.result(PATIENCE_SECONDS) for future in waiting[1:]] == [[], []]
        with pytest.raises(heartwire.StateError):
            listener.accept(PATIENCE_SECONDS)
        assert list(client) == []


def test_accept_with_a_timeout() -> None:
    with heartwire.sync.listen(ANYWHERE, **NAMED) as listener:
        with pytest.raises(heartwire.TimeoutError):
            listener.accept(0.01)
        with pair(listener):
            pass


def test_decision_in_another_thread() -> None:
    with ThreadPoolExecutor(1) as pool:
        is_decided = threading.Event()

        def check(request: Request) -> Refusal | None:
            assert is_decided.wait(PATIENCE_SECONDS)
            return Refusal(401) if request.path == "/secret" else None

        def before_accept(request: Request) -> Future[Refusal | None] | None:
            return None if request.path == "/open" else pool.submit(check, request)

        with heartwire.sync.listen(ANYWHERE, **NAMED, before_accept=before_accept) as listener:
            waiting = heartwire.Client(address(listener, "/later"), **NAMED)
            with heartwire.sync.connect(address(listener, "/open"), **NAMED):
                assert listener.accept(PATIENCE_SECONDS).request.path == "/open"
                assert waiting.state is State.CONNECTING
                is_decided.set()
                assert listener.accept(PATIENCE_SECONDS).request.path == "/later"
                with pytest.raises(heartwire.HandshakeError, match="401"):
                    heartwire.sync.connect(address(listener, "/secret"), **NAMED)
            waiting.close()


@pytest.mark.parametrize("problem", [ZeroDivisionError(), "slip", "slip in a future"])
def test_before_accept_that_fails(problem: Any, caplog: pytest.LogCaptureFixture) -> None:
    def before_accept(request: Request) -> Any:
        if isinstance(problem, Exception):
            raise problem
        future: Future[Any] = Future()
        future.set_result(problem)
        return future if "future" in problem else problem

    with heartwire.sync.listen(ANYWHERE, **NAMED, before_accept=before_accept) as listener:
        with pytest.raises(heartwire.HandshakeError, match="500"):
            connect(listener)
    assert "before_accept of <heartwire.sync.Listener" in caplog.text


async def coroutine(request: Request) -> None:
    pass


@pytest.mark.parametrize("listen", [heartwire.sync.listen, heartwire.Server])
def test_coroutine_function_is_refused(listen: Any) -> None:
    with pytest.raises(TypeError, match="asyncio"):
        listen(ANYWHERE, **NAMED, before_accept=coroutine)


def test_server_calls_back() -> None:
    told: list[object] = []

    def on_event(client: ServedClient, event: heartwire.Event) -> None:
        if event.kind in (EventKind.OPENED, EventKind.CLOSED):
            told.append((client.request.path, event.kind))
        if event.kind is EventKind.OPENED:
            server.join(client, "all")

    def on_message(client: ServedClient, message: heartwire.Message) -> None:
        if message == "fail":
            raise ZeroDivisionError
        if message == "close":
            client.close()
            return
        server.broadcast(message, "all")

    with heartwire.Server(ANYWHERE, **NAMED, on_message=on_message, on_event=on_event) as server:
        with heartwire.sync.connect(address(server, "/a"), **NAMED) as one, connect(server) as two:
            wait_until(lambda: len(told) == 2)
            one.send("fail")
            one.send("hello")
            assert [ws.recv(PATIENCE_SECONDS) for ws in (one, two)] == ["hello", "hello"]
            two.send("close")
            with pytest.raises(heartwire.StateError):
                two.recv(PATIENCE_SECONDS)
            wait_until(lambda: len(server.clients) == 1)
    assert set(told) == {(path, kind) for path in ("/", "/a") for kind in (EventKind.OPENED, EventKind.CLOSED)}


def test_server_hands_out_parts() -> None:
    parts: list[heartwire.Part] = []
    with heartwire.Server(ANYWHERE, **NAMED, on_part=lambda client, part: parts.append(part), message_part_bytes="1KiB") as server:
        with connect(server) as client:
            client.send(bytes(5000))
            wait_until(lambda: bool(parts) and parts[-1].is_last)
    assert b"".join(bytes(part.data) for part in parts) == bytes(5000)  # type: ignore[arg-type]


def test_server_keeps_the_order_of_a_flood() -> None:
    received: list[heartwire.Message] = []
    with heartwire.Server(ANYWHERE, **NAMED, on_message=lambda client, message: received.append(message)) as server:
        with connect(server, queue_messages_max=100_000) as client:
            for number in range(20_000):
                client.send(str(number))
            wait_until(lambda: len(received) == 20_000)
    assert received == [str(number) for number in range(20_000)]


def test_server_that_is_closed_in_a_callback() -> None:
    with heartwire.Server(ANYWHERE, **NAMED, on_message=lambda client, message: server.close()) as server, connect(server) as client:
        client.send("close")
        assert list(client) == []
        server.wait(PATIENCE_SECONDS)


def test_callback_that_ends_the_program_ends_the_server(caplog: pytest.LogCaptureFixture) -> None:
    def on_message(client: ServedClient, message: heartwire.Message) -> None:
        raise SystemExit(3)

    server = heartwire.Server(ANYWHERE, **NAMED, on_message=on_message)
    with connect(server) as client:
        client.send("exit")
        with pytest.raises(SystemExit):
            server.wait(PATIENCE_SECONDS)
        assert list(client) == []
    assert "ends with an exception" in caplog.text
