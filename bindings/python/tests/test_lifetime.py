"""What the package leaves behind: nothing, after close, release, a forgotten object, fork, Ctrl-C and the interpreter's end."""

from __future__ import annotations

import asyncio
import contextlib
import gc
import json
import signal
import threading
from collections.abc import Iterator
from pathlib import Path

import pytest
from conftest import PATIENCE_SECONDS, Servers, descriptors, eventually, run, run_script, start_script, wait_until

import heartwire


def test_heartbeats_while_python_is_busy(servers: Servers) -> None:
    async def main() -> None:
        async with heartwire.connect(servers.url("ws", "/ping?interval_ms=5")) as ws:
            await eventually(lambda: ws.metrics().pongs_sent > 0)
            # Counted within one stretch of work, in which no Python but this runs; in one or the other a busy server may ask too seldom.
            answered = 0
            while answered < 5:
                before = ws.metrics().pongs_sent
                busy = 0
                while busy < 5_000_000:
                    busy += 1
                answered = ws.metrics().pongs_sent - before
                await asyncio.sleep(0)
            sent = ws.metrics().pongs_sent
            ws.send("count")
            assert json.loads(await ws.recv())["pongs"] >= sent

    run(main())


def test_forgotten_asyncio_connection_warns_and_is_released(servers: Servers) -> None:
    async def main() -> None:
        async with heartwire.connect(servers.url("ws")):
            pass
        before = descriptors()
        ws = await heartwire.connect(servers.url("ws"))
        with pytest.warns(ResourceWarning, match="never closed"):
            del ws
            gc.collect()
        await eventually(lambda: descriptors() <= before)
        async with heartwire.connect(servers.url("ws")) as ws:
            ws.send("the descriptor's number is usable again")
            await ws.recv()

    run(main())


def test_forgotten_connection_collected_in_another_thread(servers: Servers) -> None:
    async def main() -> None:
        async with heartwire.connect(servers.url("ws")):
            pass
        before = descriptors()
        kept = [await heartwire.connect(servers.url("ws"))]
        with pytest.warns(ResourceWarning, match="never closed"):
            await asyncio.to_thread(kept.clear)
        await eventually(lambda: descriptors() <= before)

    run(main())


def test_release_in_another_thread_ends_the_iteration(servers: Servers) -> None:
    async def main() -> None:
        ws = await heartwire.connect(servers.url("ws"))
        receiving = asyncio.create_task(ws.recv())
        await asyncio.sleep(0)
        await asyncio.to_thread(ws.release)
        with pytest.raises(heartwire.StateError):
            await receiving

    run(main())


def test_forgotten_synchronous_connection_warns(servers: Servers) -> None:
    ws = heartwire.sync.connect(servers.url("ws"))
    with pytest.warns(ResourceWarning, match="never closed"):
        del ws
        gc.collect()


def test_connection_that_outlives_its_loop(servers: Servers) -> None:
    async def connect() -> heartwire.Connection:
        return await heartwire.connect(servers.url("ws"))

    ws = asyncio.run(connect())
    assert ws.state is heartwire.State.CONNECTED
    ws.release()
    assert ws.state is heartwire.State.DISCONNECTED


def test_nothing_is_left_after_many_connections(servers: Servers) -> None:
    def once() -> None:
        with heartwire.sync.connect(servers.url("ws")) as ws:
            ws.send("hello")
            ws.recv(PATIENCE_SECONDS)
        client = heartwire.Client(servers.url("ws"))
        client.send("pending")
        client.release()

    once()
    wait_until(lambda: threading.active_count() == 1)
    before = descriptors()
    for _ in range(50):
        once()
    wait_until(lambda: descriptors() <= before and threading.active_count() == 1)


def test_release_with_pending_messages(servers: Servers) -> None:
    client = heartwire.Client(servers.url("refused"))
    for _ in range(1000):
        client.send("x" * 1000)
    client.release()
    client.release()
    assert client.state is heartwire.State.DISCONNECTED


LIVE_AT_EXIT = """
import asyncio, sys, threading
import heartwire
url, kind = sys.argv[1:]
async def connect():
    global ws
    ws = await heartwire.connect(url)
if kind == "asyncio":
    asyncio.run(connect())
elif kind == "sync":
    ws = heartwire.sync.connect(url)
elif kind == "client":
    echoed = threading.Event()
    client = heartwire.Client(url, on_message=lambda client, message: echoed.set())
    client.send("hello")
    echoed.wait()
elif kind == "thread":
    ws = heartwire.sync.connect(url)
    threading.Thread(target=lambda: list(ws), daemon=True).start()
elif kind == "stuck":
    called = threading.Event()
    def on_message(client, message):
        called.set()
        threading.Event().wait()
    client = heartwire.Client(url, on_message=on_message)
    client.send("hello")
    called.wait()
elif kind == "flood":
    received = threading.Event()
    client = heartwire.Client(url.replace("/echo", "/flood?n=1000000&size=64"), on_message=lambda client, message: received.set())
    received.wait()
print("end")
"""


@pytest.mark.parametrize("kind", ["asyncio", "sync", "client", "thread", "stuck", "flood"])
def test_interpreter_ends_with_a_live_connection(servers: Servers, kind: str) -> None:
    status, output, errors = run_script(LIVE_AT_EXIT, servers.url("ws"), kind)
    assert (status, output, errors) == (0, "end\n", "")


@pytest.mark.parametrize("kind", ["asyncio", "sync", "client"])
def test_server_hears_of_the_end_of_the_interpreter(servers: Servers, kind: str) -> None:
    key = f"exit-{kind}"
    assert run_script(LIVE_AT_EXIT, servers.url("ws", f"/echo?key={key}"), kind)[0] == 0
    with heartwire.sync.connect(servers.url("raw", f"/seen-close?key={key}")) as witness:
        assert json.loads(witness.recv(PATIENCE_SECONDS))["code"] == 1001


REPORT_AT_EXIT = """
import atexit, sys, threading
def report():
    print([ws.state.name, client.state.name], [thread.name for thread in threading.enumerate()])
atexit.register(report)
import heartwire
ws = heartwire.sync.connect(sys.argv[1])
client = heartwire.Client(sys.argv[1])
"""


def test_everything_is_released_before_the_interpreter_is_torn_down(servers: Servers) -> None:
    """Handlers run in reverse order, so one registered before the import sees what the package's own has done."""
    expected = "['DISCONNECTED', 'DISCONNECTED'] ['MainThread']\n"
    assert run_script(REPORT_AT_EXIT, servers.url("ws")) == (0, expected, "")


FORK = """
import os, sys, traceback
import heartwire
ws = heartwire.sync.connect(sys.argv[1])
client = heartwire.Client(sys.argv[1])
child = os.fork()
if child == 0:
    try:
        for call in (lambda: ws.send("x"), lambda: ws.recv(timeout=5), lambda: next(iter(ws)), ws.metrics, lambda: client.send("x")):
            try:
                call()
            except heartwire.ForkedError:
                continue
            raise AssertionError("no ForkedError")
        ws.close()
        client.close()
        del ws, client
        with heartwire.sync.connect(sys.argv[1]) as own:
            own.send("child")
            assert own.recv(timeout=20) == "child"
    except BaseException:
        traceback.print_exc()
        os._exit(1)
    os._exit(0)
assert os.waitstatus_to_exitcode(os.waitpid(child, 0)[1]) == 0
ws.send("parent")
assert ws.recv(timeout=20) == "parent"
ws.close()
client.close()
"""


def test_fork(servers: Servers) -> None:
    assert run_script(FORK, servers.url("ws")) == (0, "", "")


MULTIPROCESSING = """
import multiprocessing, sys
import heartwire
def work(url):
    with heartwire.sync.connect(url) as ws:
        ws.send("worker")
        print(ws.recv(timeout=20), flush=True)
ws = heartwire.sync.connect(sys.argv[1])
process = multiprocessing.get_context("fork").Process(target=work, args=sys.argv[1:])
process.start()
process.join()
ws.close()
sys.exit(process.exitcode)
"""


def test_multiprocessing_by_fork(servers: Servers) -> None:
    assert run_script(MULTIPROCESSING, servers.url("ws")) == (0, "worker\n", "")


INTERRUPTIONS = [asyncio.CancelledError, KeyboardInterrupt, SystemExit, GeneratorExit]

# The server never answers the close frame, so whoever waits for the answer has to be freed.
UNANSWERED = {"close_timeout": "1h"}


@contextlib.contextmanager
def ends_without_help(ws: heartwire.Connection | heartwire.sync.Connection | heartwire.Client) -> Iterator[None]:
    helped = threading.Event()

    def help_out() -> None:
        helped.set()
        ws.release()

    timer = threading.Timer(PATIENCE_SECONDS / 2, help_out)
    timer.start()
    yield
    timer.cancel()
    timer.join()
    assert not helped.is_set()
    assert ws.state is heartwire.State.DISCONNECTED


@pytest.mark.parametrize("interruption", INTERRUPTIONS)
def test_interrupted_asyncio_block_ends_at_once(servers: Servers, interruption: type[BaseException]) -> None:
    async def main() -> None:
        block = heartwire.connect(servers.url("raw", "/silent"), **UNANSWERED)
        with ends_without_help(await block.__aenter__()):
            await block.__aexit__(interruption, interruption(), None)

    run(main())


@pytest.mark.parametrize("interruption", INTERRUPTIONS)
def test_interrupted_synchronous_block_ends_at_once(servers: Servers, interruption: type[BaseException]) -> None:
    ws = heartwire.sync.connect(servers.url("raw", "/silent"), **UNANSWERED)
    with ends_without_help(ws):
        ws.__exit__(interruption, interruption(), None)


@pytest.mark.parametrize("interruption", INTERRUPTIONS)
def test_interrupted_block_of_a_client_ends_at_once(servers: Servers, interruption: type[BaseException]) -> None:
    client = heartwire.Client(servers.url("raw", "/silent"), **UNANSWERED)
    wait_until(lambda: client.state is heartwire.State.CONNECTED)
    with ends_without_help(client):
        client.__exit__(interruption, interruption(), None)


# A background job of a shell starts with SIGINT ignored, and so would everything it starts.
INTERRUPTED = """
import signal
import sys
import heartwire
signal.signal(signal.SIGINT, signal.default_int_handler)
with heartwire.sync.connect(sys.argv[1]) as ws:
    print("ready", flush=True)
    try:
        for message in ws:
            pass
    except KeyboardInterrupt:
        print("interrupted", flush=True)
"""


def is_asleep(pid: int) -> bool:
    return Path(f"/proc/{pid}/stat").read_text().rpartition(")")[2].split()[0] == "S"


def test_ctrl_c_ends_a_synchronous_iteration(servers: Servers) -> None:
    with start_script(INTERRUPTED, servers.url("ws")) as process:
        assert process.stdout is not None
        assert process.stdout.readline() == "ready\n"
        wait_until(lambda: is_asleep(process.pid))
        process.send_signal(signal.SIGINT)
        output, errors = process.communicate(timeout=PATIENCE_SECONDS)
    assert (process.returncode, output, errors) == (0, "interrupted\n", "")
