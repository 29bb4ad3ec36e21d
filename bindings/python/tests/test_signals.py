"""What a signal handler may do while it interrupts its own thread in the middle of a take; in programs of their own, for they may hang."""

from __future__ import annotations

import pytest
from conftest import Servers, run_script

# Python runs handlers between any two instructions; these are the ones just before and just after the library's call.
INTERRUPTED = """
import contextlib, signal, sys, threading
import heartwire
from heartwire._library import library

url, moment, action = sys.argv[1:]
take = library.hw_inbox_take
told = []
ws = heartwire.sync.connect(url, on_event=lambda ws, event: told.append(event.kind))
while heartwire.EventKind.ENGINE_STARTED not in told:
    with contextlib.suppress(heartwire.TimeoutError):
        ws.recv(0.01)

def interrupted_take(*arguments):
    library.hw_inbox_take = take
    ws._channel.inbox.poll(None)
    if moment == "before":
        signal.raise_signal(signal.SIGUSR1)
    status = take(*arguments)
    if moment == "after":
        signal.raise_signal(signal.SIGUSR1)
    return status

def handle(number, frame):
    try:
        print(getattr(ws, action)())
    except heartwire.StateError as error:
        print(error)

ws.send("hello")
signal.signal(signal.SIGUSR1, handle)
library.hw_inbox_take = interrupted_take
try:
    print(ws.recv())
except heartwire.StateError as error:
    print(error)
if action == "recv":
    ws.close()
print(list(ws), ws.state.name)
"""


@pytest.mark.parametrize(
    ("moment", "action", "told", "received"),
    [
        ("before", "close", "None", "hello"),
        ("after", "close", "None", "hello"),
        ("before", "release", "None", "hello"),
        ("after", "release", "None", "hello"),
        ("before", "recv", "a signal handler cannot receive while the code that it interrupts does", "hello"),
        ("after", "recv", "a signal handler cannot receive while the code that it interrupts does", "hello"),
    ],
)
def test_handler_that_interrupts_a_take(servers: Servers, moment: str, action: str, told: str, received: str) -> None:
    status, output, errors = run_script(INTERRUPTED, servers.url("ws"), moment, action)
    assert (status, output.splitlines(), errors) == (0, [told, received, "[] DISCONNECTED"], "")


FORKED_WHILE_WAITING = """
import os, signal, sys, threading
import heartwire

ws = heartwire.sync.connect(sys.argv[1])

def handle(number, frame):
    child = os.fork()
    if child == 0:
        sys.exit(3)
    print(os.waitstatus_to_exitcode(os.waitpid(child, 0)[1]))
    ws.release()

def interrupt():
    while not ws._channel.inbox.polling:
        pass
    signal.pthread_kill(threading.main_thread().ident, signal.SIGUSR1)

signal.signal(signal.SIGUSR1, handle)
threading.Thread(target=interrupt, daemon=True).start()
try:
    ws.recv()
except heartwire.StateError as error:
    print(error)
"""


def test_fork_in_a_handler_that_interrupts_a_wait(servers: Servers) -> None:
    assert run_script(FORKED_WHILE_WAITING, servers.url("ws")) == (0, "3\nthe connection is closed\n", "")


RELEASED_WHILE_ANOTHER_THREAD_POLLS = """
import signal, sys, threading
import heartwire
from heartwire._library import library

take = library.hw_inbox_take
ws = heartwire.sync.connect(sys.argv[1])
polling = threading.Thread(target=ws._channel.inbox.poll, args=(None,))

def interrupted_take(*arguments):
    library.hw_inbox_take = take
    signal.raise_signal(signal.SIGUSR1)
    return take(*arguments)

def handle(number, frame):
    polling.start()
    while not ws._channel.inbox.polling:
        pass
    ws.release()
    print(ws.state.name)
    try:
        ws.send("too late")
    except heartwire.StateError as error:
        print(error)

signal.signal(signal.SIGUSR1, handle)
library.hw_inbox_take = interrupted_take
try:
    ws.recv()
except heartwire.StateError as error:
    print(error)
polling.join()
"""


def test_release_in_a_handler_wakes_other_threads(servers: Servers) -> None:
    status, output, errors = run_script(RELEASED_WHILE_ANOTHER_THREAD_POLLS, servers.url("ws"))
    assert (status, output.splitlines(), errors) == (0, ["DISCONNECTED"] + ["the connection is closed"] * 2, "")
