"""The bridge into the standard module logging; in programs of their own, for the library's log is the process's."""

from __future__ import annotations

import pytest
from conftest import Servers, run_script

BEGINNING = """
import logging, os, sys, threading
import heartwire
url = sys.argv[1]
records = []
class Handler(logging.Handler):
    def emit(self, record):
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


def run_logging(servers: Servers, script: str, target: str = "/deribit") -> list[str]:
    status, output, errors = run_script(BEGINNING + script, servers.url("ws", target))
    assert (status, errors) == (0, "")
    return output.splitlines()


def test_beats_are_logged_for_debugging(servers: Servers) -> None:
    script = """
heartwire.enable_logging("DEBUG")
with heartwire.sync.connect(url, preset="deribit"):
    expect("heartbeat responded")
print(logger.level, {level for level, message in records if "heartbeat responded" in message})
print({level for level, message in records if "opened" in message})
"""
    assert run_logging(servers, script) == ["10 {'DEBUG'}", "{'INFO'}"]


def test_level(servers: Servers) -> None:
    script = """
import logging
heartwire.enable_logging()
with heartwire.sync.connect(url, preset="deribit") as ws:
    while ws.health().heartbeats_answered < 3: pass
expect("disconnected")
print({level for level, message in records})
records.clear()
heartwire.enable_logging(logging.CRITICAL)
with heartwire.sync.connect(url, preset="deribit"): pass
heartwire.enable_logging(logging.INFO)
with heartwire.sync.connect(url, preset="deribit"): pass
expect("disconnected")
print(sum("opened" in message for level, message in records))
heartwire.disable_logging()
records.clear()
with heartwire.sync.connect(url, preset="deribit"): pass
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
with heartwire.sync.connect(url, preset="deribit") as ws:
    expect("connecting")
    while ws.health().heartbeats_answered < 3: pass
print(len(records))
"""
    assert run_logging(servers, script) == ["1"]


def test_a_forked_child_logs_too(servers: Servers) -> None:
    script = """
heartwire.enable_logging(logging.DEBUG)
with heartwire.sync.connect(url, preset="deribit"):
    expect("heartbeat responded")
    child = os.fork()
    if child == 0:
        records.clear()
        with heartwire.sync.connect(url, preset="deribit"):
            expect("heartbeat responded")
        os._exit(3)
    print(os.waitstatus_to_exitcode(os.waitpid(child, 0)[1]))
"""
    assert run_logging(servers, script) == ["3"]


@pytest.mark.parametrize("ending", ["", "sys.exit(0)", "heartwire.disable_logging()"])
def test_exit_amid_a_flood_of_lines(servers: Servers, ending: str) -> None:
    script = """
heartwire.enable_logging(logging.DEBUG)
clients = [heartwire.Client(url, preset="deribit", ping_interval="1ms") for _ in range(20)]
expect("beat acknowledged")
"""
    for _ in range(3):
        assert run_logging(servers, script + ending) == []
