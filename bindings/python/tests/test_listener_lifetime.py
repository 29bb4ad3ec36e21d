"""What listeners leave behind: nothing. And what is left of clients that have gone: objects that say so."""

from __future__ import annotations

import asyncio
import gc
import socket
import subprocess
import threading
import weakref
from typing import Any

import pytest
from conftest import descriptors, eventually, run, run_script, start_script, wait_until
from listening import ANYWHERE, NAMED, address, connected, pair
from test_listener_clients import REQUEST

import heartwire
from heartwire import EventKind, State


def test_client_that_has_gone_says_so() -> None:
    async def main() -> None:
        async with heartwire.listen(ANYWHERE, **NAMED) as listener:
            async with pair(listener) as (_, ws):
                handle = ws._channel.handle
            await eventually(lambda: listener.clients == ())
            calls: list[Any] = [
                lambda: ws.send("x"), lambda: ws.cancel(1), lambda: ws.outcome(1), lambda: ws.rotate(), lambda: ws.keep("key", "x"),
                ws.metrics, ws.health, lambda: listener.join(ws, "group"), lambda: listener.leave(ws, "group"),
            ]  # fmt: skip
            for is_told in (False, True):
                for call in calls:
                    with pytest.raises(heartwire.StateError):
                        call()
                if not is_told:
                    assert [message async for message in ws] == []
                    await ws.close()
                    ws.release()
            assert ws.state is State.DISCONNECTED
            async with pair(listener) as (client, other):
                assert other._channel.handle != handle
                ws.release()
                other.send("another one")
                assert await client.recv() == "another one"

    run(main())


def test_client_that_is_released_is_cut_off() -> None:
    async def main() -> None:
        async with heartwire.listen(ANYWHERE, **NAMED) as listener, pair(listener) as (client, ws):
            receiving = asyncio.create_task(ws.recv())
            await asyncio.sleep(0)
            ws.release()
            with pytest.raises(heartwire.StateError):
                await receiving
            assert [message async for message in client] == []
            await eventually(lambda: listener.clients == ())

    run(main())


def test_listener_that_is_released_cuts_all_off() -> None:
    async def main() -> None:
        listener = heartwire.listen(ANYWHERE, **NAMED)
        async with pair(listener) as (client, ws):
            waiting = [asyncio.create_task(listener.accept()), asyncio.create_task(ws.recv())]
            await asyncio.sleep(0)
            await asyncio.to_thread(listener.release)
            for task in waiting:
                with pytest.raises(heartwire.StateError):
                    await task
            assert [message async for message in client] == []

    run(main())


@pytest.mark.parametrize("interruption", [asyncio.CancelledError, KeyboardInterrupt])
def test_interrupted_block_ends_at_once(interruption: type[BaseException]) -> None:
    """The client never answers the close frame."""

    async def main() -> None:
        listener = heartwire.listen(ANYWHERE, **NAMED, close_timeout="1h")
        with socket.create_connection(("127.0.0.1", listener.port)) as client:
            client.sendall(REQUEST)
            ws = await listener.accept()
            await listener.__aexit__(interruption, interruption(), None)
            assert ws.state is State.DISCONNECTED

    run(main())


def test_clients_stay_though_the_program_forgets_them() -> None:
    async def main() -> None:
        async with heartwire.listen(ANYWHERE, **NAMED) as listener, heartwire.connect(address(listener), **NAMED) as client:
            await listener.accept()
            gc.collect()
            assert listener.broadcast("still here") == 1
            assert await client.recv() == "still here"

    run(main())


def test_forgotten_listener_warns_and_is_released() -> None:
    async def main() -> None:
        before = descriptors()
        listener = heartwire.listen(ANYWHERE, **NAMED)
        client = await connected(address(listener))
        with pytest.warns(ResourceWarning, match="heartwire.*Listener .* was never closed"):
            del listener
            gc.collect()
        assert [message async for message in client] == []
        await client.close()
        await eventually(lambda: descriptors() <= before)

    run(main())


def test_nothing_is_left_of_many_clients() -> None:
    def on_event(ws: heartwire.ServedConnection, event: heartwire.Event) -> None:
        if event.kind is EventKind.OPENED:
            seen.add(ws)

    async def once() -> None:
        async with heartwire.listen(ANYWHERE, **NAMED, on_event=on_event, before_accept=lambda request: None) as listener:
            clients = [await connected(address(listener)) for _ in range(20)]
            await eventually(lambda: len(listener.clients) == 20)
            for client in clients[:10]:
                client.send("unread")
                await client.close()
            for client in clients[10:]:
                client.release()
            await eventually(lambda: listener.clients == ())
            assert (listener._requests, listener._deciding) == ({}, {})

    seen: weakref.WeakSet[heartwire.ServedConnection] = weakref.WeakSet()
    run(once())
    before = descriptors()
    for _ in range(10):
        run(once())
    gc.collect()
    assert len(seen) == 0
    wait_until(lambda: descriptors() <= before and threading.active_count() == 1)


def test_nothing_is_left_of_listeners_with_threads() -> None:
    def once() -> None:
        with heartwire.sync.listen(ANYWHERE, **NAMED) as listener, heartwire.sync.connect(address(listener), **NAMED):
            listener.accept()
        server = heartwire.Server(ANYWHERE, **NAMED)
        client = heartwire.Client(address(server), **NAMED)
        wait_until(lambda: len(server.clients) == 1)
        server.release()
        client.release()

    once()
    before = descriptors()
    for _ in range(20):
        once()
    wait_until(lambda: descriptors() <= before and threading.active_count() == 1)


LIVE_AT_EXIT = """
import asyncio, sys, threading
import heartwire
kind = sys.argv[1]
listeners = []
async def listen():
    listener = heartwire.listen("ws://127.0.0.1:0")
    client = await heartwire.connect(f"ws://127.0.0.1:{listener.port}")
    listeners.append((listener, client, await listener.accept()))
if kind == "asyncio":
    asyncio.run(listen())
elif kind == "sync":
    listener = heartwire.sync.listen("ws://127.0.0.1:0")
    client = heartwire.sync.connect(f"ws://127.0.0.1:{listener.port}")
    ws = listener.accept()
    for iterable in (ws, listener):
        threading.Thread(target=list, args=(iterable,), daemon=True).start()
else:
    called = threading.Event()
    def on_message(client, message):
        called.set()
        if kind == "stuck":
            threading.Event().wait()
    server = heartwire.Server("ws://127.0.0.1:0", on_message=on_message)
    client = heartwire.sync.connect(f"ws://127.0.0.1:{server.port}")
    client.send("hello")
    called.wait()
print("end")
"""


@pytest.mark.parametrize("kind", ["asyncio", "sync", "server", "stuck"])
def test_interpreter_ends_with_a_live_listener(kind: str) -> None:
    assert run_script(LIVE_AT_EXIT, kind) == (0, "end\n", "")


GOODBYE_AT_EXIT = """
import sys
import heartwire
server = heartwire.Server("ws://127.0.0.1:0", on_message=lambda client, message: sys.exit())
print(server.port, flush=True)
sys.stdin.readline()
"""


def test_clients_hear_of_the_end_of_the_interpreter() -> None:
    with start_script(GOODBYE_AT_EXIT, stdin=subprocess.PIPE) as process:
        assert process.stdin is not None and process.stdout is not None
        events: list[heartwire.Event] = []
        url = f"ws://127.0.0.1:{int(process.stdout.readline())}"
        with heartwire.Client(url, **NAMED, reconnect_enabled=False, on_event=lambda client, event: events.append(event)) as client:
            wait_until(lambda: client.state is State.CONNECTED)
            process.stdin.close()
            client.wait()
        assert [event.close_code for event in events if event.kind is EventKind.CLOSED] == [1001]


FORK = """
import os, sys, traceback
import heartwire
listener = heartwire.sync.listen("ws://127.0.0.1:0")
client = heartwire.sync.connect(f"ws://127.0.0.1:{listener.port}")
ws = listener.accept()
child = os.fork()
if child == 0:
    try:
        for call in (lambda: ws.send("x"), lambda: ws.recv(5), lambda: listener.accept(5), lambda: listener.broadcast("x")):
            try:
                call()
            except heartwire.ForkedError:
                continue
            raise AssertionError("no ForkedError")
        del ws, listener, client
        with heartwire.sync.listen("ws://127.0.0.1:0") as own, heartwire.sync.connect(f"ws://127.0.0.1:{own.port}") as peer:
            peer.send("child")
            assert own.accept(20).recv(20) == "child"
    except BaseException:
        traceback.print_exc()
        os._exit(1)
    os._exit(0)
assert os.waitstatus_to_exitcode(os.waitpid(child, 0)[1]) == 0
ws.send("parent")
assert client.recv(timeout=20) == "parent"
listener.close()
client.close()
"""


def test_fork() -> None:
    assert run_script(FORK) == (0, "", "")
