"""The bridge into the standard module logging; in programs of their own, for the library's log is the process's."""

from __future__ import annotations

import pytest
from conftest import AS_DERIBIT, DERIBIT, Servers, run_script

BEGINNING = """
import atexit, logging, os, sys, threading, time
ended = []
def end():
    ended.append(True)
    time.sleep(0.05)
atexit.register(end)    # runs after what heartwire registers
import heartwire
url = sys.argv[1]
records = []
class Handler(logging.Handler):
    def emit(self, record):
        if ended:
            os.write(2, b"a line after the end\\n")
        records.append((record.levelname, record.getMessage()))
        wanted = waiting and waiting[0]
        if wanted and wanted in record.getMessage():
            arrived.set()
waiting, arrived = [], threading.Event()
def expect(text):
    waiting[:] = [text]
    if not any(text in message for _, message in records):
        assert arrived.wait(30), records
    arrived.clear()
logger = logging.getLogger("heartwire")
logger.addHandler(Handler())
logger.propagate = False
"""


def run_logging(servers: Servers, script: str) -> list[str]:
    beginning = f"{BEGINNING}options = {AS_DERIBIT}\n"
    status, output, errors = run_script(beginning + script, servers.url("ws", DERIBIT))
    assert (status, errors) == (0, "")
    return output.splitlines()


def test_beats_are_logged_for_debugging(servers: Servers) -> None:
    script = """
heartwire.enable_logging("DEBUG")
with heartwire.sync.connect(url, **options):
    expect("heartbeat responded")
print(logger.level, {level for level, message in records if "heartbeat responded" in message})
print({level for level, message in records if "opened" in message})
"""
    assert run_logging(servers, script) == ["10 {'DEBUG'}", "{'INFO'}"]


def test_level(servers: Servers) -> None:
    script = """
import logging
heartwire.enable_logging()
with heartwire.sync.connect(url, **options) as ws:
    while ws.health().heartbeats_answered < 3: pass
expect("disconnected")
print({level for level, message in records})
records.clear()
heartwire.enable_logging(logging.CRITICAL)
with heartwire.sync.connect(url, **options): pass
heartwire.enable_logging(logging.INFO)
with heartwire.sync.connect(url, **options): pass
expect("disconnected")
print(sum("opened" in message for level, message in records))
heartwire.disable_logging()
records.clear()
with heartwire.sync.connect(url, **options): pass
print(records)
"""
    assert run_logging(servers, script) == ["{'INFO'}", "1", "[]"]


@pytest.mark.parametrize("level", ["'LOUD'", "None", "1.5"])
def test_refused_level(servers: Servers, level: str) -> None:
    script = f"""
try:
    heartwire.enable_logging({level})
except (ValueError, TypeError) as error:
    print(type(error).__name__)
"""
    assert run_logging(servers, script) in (["ValueError"], ["TypeError"])


def test_disabling_in_a_handler(servers: Servers) -> None:
    script = """
class Once(logging.Handler):
    def emit(self, record):
        heartwire.disable_logging()
        heartwire.disable_logging()
logger.addHandler(Once())
heartwire.enable_logging(logging.DEBUG)
with heartwire.sync.connect(url, **options) as ws:
    expect("connecting")
    while ws.health().heartbeats_answered < 3: pass
print(len(records))
"""
    assert run_logging(servers, script) == ["1"]


def test_a_forked_child_logs_too(servers: Servers) -> None:
    script = """
heartwire.enable_logging(logging.DEBUG)
with heartwire.sync.connect(url, **options):
    expect("heartbeat responded")
    child = os.fork()
    if child == 0:
        records.clear()
        with heartwire.sync.connect(url, **options):
            expect("heartbeat responded")
        os._exit(3)
    print(os.waitstatus_to_exitcode(os.waitpid(child, 0)[1]))
"""
    assert run_logging(servers, script) == ["3"]


@pytest.mark.parametrize("ending", ["", "sys.exit(0)", "heartwire.disable_logging()"])
def test_exit_amid_a_flood_of_lines(servers: Servers, ending: str) -> None:
    """Hundreds of lines wait for the handler, which must not be called while the interpreter goes."""
    script = """
heartwire.enable_logging(logging.DEBUG)
class Slow(logging.Handler):
    def emit(self, record):
        time.sleep(0.001)
logger.addHandler(Slow())
clients = [heartwire.Client(url, **options, ping_interval="1ms") for _ in range(20)]
while sum(client.metrics().beats_sent for client in clients) < 1000: pass
"""
    assert run_logging(servers, script + ending) == []
