"""shutdown closes all connections of the process gracefully, and the end of the interpreter does the same."""

from __future__ import annotations

import json

import pytest
from conftest import PATIENCE_SECONDS, Servers, run_script, wait_until

import heartwire
from heartwire import ShutdownReport, State


@pytest.fixture(autouse=True)
def nothing_else_is_open() -> None:
    """Connections that another test has left behind would be counted."""
    heartwire.shutdown(0)


def test_everything_is_sent(servers: Servers) -> None:
    client = heartwire.Client(servers.url("raw", "/obey"))
    wait_until(lambda: client.state is State.CONNECTED)
    for _ in range(1000):
        client.send("x" * 1000)
    report = heartwire.shutdown(PATIENCE_SECONDS)
    assert report == ShutdownReport(connections=1, connections_cut=0, connections_unsent=0, messages_unsent=0, bytes_unsent=0)
    client.wait(PATIENCE_SECONDS)
    assert client.metrics().messages_sent == 1000
    client.close()
    assert heartwire.shutdown() == ShutdownReport(0, 0, 0, 0, 0)


def test_what_could_not_be_finished(servers: Servers) -> None:
    offline = heartwire.Client(servers.url("refused"))
    offline.send("one")
    offline.send(b"second")
    unanswered = heartwire.sync.connect(servers.url("raw", "/silent"), close_timeout="1h")
    report = heartwire.shutdown(0.01)
    assert report == ShutdownReport(connections=2, connections_cut=1, connections_unsent=1, messages_unsent=2, bytes_unsent=9)
    offline.close()
    unanswered.release()


def test_timeout_of_a_wrong_type() -> None:
    with pytest.raises(TypeError, match="timeout is a number of seconds or None, not str"):
        heartwire.shutdown("5s")  # type: ignore[arg-type]


BACKLOG_AT_EXIT = """
import sys
import heartwire
ws = heartwire.sync.connect(sys.argv[1])
for _ in range(1000):
    ws.send("x" * 10000)
"""


def test_backlog_is_sent_before_the_interpreter_ends(servers: Servers) -> None:
    """The close frame follows the backlog, so a server that got it has got everything."""
    key = "exit-with-backlog"
    assert run_script(BACKLOG_AT_EXIT, servers.url("raw", f"/obey?key={key}")) == (0, "", "")
    with heartwire.sync.connect(servers.url("raw", f"/seen-close?key={key}")) as witness:
        assert json.loads(witness.recv(PATIENCE_SECONDS))["code"] == 1001


OFFLINE_AT_EXIT = """
import sys
import heartwire
client = heartwire.Client(sys.argv[1])
client.send("lost")
client.send("lost")
"""


def test_end_of_the_interpreter_says_what_was_not_sent(servers: Servers) -> None:
    expected = "the interpreter ends with 2 messages that were not sent\n"
    assert run_script(OFFLINE_AT_EXIT, servers.url("refused")) == (0, "", expected)
