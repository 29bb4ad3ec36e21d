"""How `heartwire connect` lives and ends: reconnection, signals, readers that leave, exit statuses, terminals."""

from __future__ import annotations

import contextlib
import os
import signal
import subprocess
import threading
from collections.abc import Callable, Iterator
from typing import IO, Any

import pytest
from conftest import Service, Shared
from program import PROGRAM, Terminal, connect, running
from websockets.sync.server import ServerConnection

Start = Callable[..., Service]
QUICK = ["--set", "reconnect.base=10ms", "--set", "reconnect.cap=100ms"]


@pytest.fixture
def terminal() -> Iterator[Terminal]:
    terminal = Terminal()
    yield terminal
    terminal.close()


def test_lines_wait_until_the_server_is_back(echo: Service) -> None:
    with running("connect", *QUICK, echo.url) as program:
        program.type("one")
        assert program.line() == "one"
        echo.stop()
        program.wait_for_error("heartwire: connection ended: code 100")
        program.wait_for_error("attempt 1 failed: ")
        program.type("two")
        echo.start()
        assert program.line() == "two"
        program.wait_for_error("heartwire: connected again\n")
        program.end_input()
        assert program.status() == 0


def test_the_program_waits_for_a_server_that_is_not_there_yet(echo: Service) -> None:
    echo.stop()
    with running("connect", "--wait", "0", "--keep", "kept", *QUICK, echo.url) as program:
        program.end_input()
        program.wait_for_error("attempt 2 failed: ")
        echo.start()
        assert echo.next_received() == "kept"
        assert program.status() == 0


def test_the_end_of_the_input_waits_until_its_lines_are_sent(echo: Service) -> None:
    with running("connect", "--wait", "0", *QUICK, echo.url) as program:
        program.type("one")
        assert program.line() == "one"
        echo.stop()
        program.wait_for_error("attempt 1 failed: ")
        program.type("two")
        program.end_input()
        program.wait_for_error("attempt 4 failed: ")
        echo.start()
        assert [echo.next_received(), echo.next_received()] == ["one", "two"]
        assert program.status() == 0


@pytest.mark.parametrize("number", [signal.SIGINT, signal.SIGTERM, signal.SIGHUP])
def test_a_signal_closes_gracefully(echo: Service, number: int) -> None:
    with running("connect", echo.url) as program:
        program.type("x")
        assert program.line() == "x"
        program.process.send_signal(number)
        assert program.status() == 0
        assert program.rest() == ("", "")
    assert echo.next_close_code() == 1000


@pytest.mark.parametrize("number", [signal.SIGINT, signal.SIGTERM, signal.SIGHUP])
def test_a_second_signal_cuts_off(shared: Shared, number: int) -> None:
    """A server that never answers a close frame would be waited for."""
    with running("connect", "--events", "--set", "close.timeout=24h", shared.url("raw", "/silent")) as program:
        program.wait_for_error("state=connected")
        program.process.send_signal(number)
        program.wait_for_error("state=closing")
        program.process.send_signal(number)
        assert program.status() == 128 + number


def test_a_server_that_does_not_answer_is_not_waited_for_longer_than_asked(shared: Shared) -> None:
    with running("connect", "--events", "--set", "close.timeout=50ms", shared.url("raw", "/silent")) as program:
        program.wait_for_error("state=connected")
        program.process.terminate()
        assert program.status() == 0


def test_a_signal_that_was_ignored_stays_ignored(echo: Service) -> None:
    with running("connect", echo.url, preexec_fn=lambda: signal.signal(signal.SIGINT, signal.SIG_IGN)) as program:
        for line in ("there", "still there", "and goes on"):
            program.type(line)
            assert program.line() == line
            program.process.send_signal(signal.SIGINT)


def test_lines_that_a_signal_leaves_behind(echo: Service) -> None:
    echo.stop()
    with running("connect", "--set", "queue.messages_max=2", *QUICK, echo.url) as program:
        program.type("one\ntwo\nthree")
        program.wait_for_error("attempt 3 failed: ")
        program.process.terminate()
        assert program.status() == 1
        assert "2 messages were not sent" in program.rest()[1]


def test_lines_that_were_read_but_found_no_room_before_a_signal(start: Start) -> None:
    """The server takes nothing until the program is closing; then all that waits is sent, but not what had found no room."""
    closing = threading.Event()
    service = start(lambda _: closing.wait(30) and None)
    line = b"x" * 4000 + b"\n"
    with running("connect", "--stats", "--events", "--set", "queue.messages_max=10", service.url) as program:
        assert program.process.stdin is not None
        feeding = threading.Thread(target=feed, args=(program.process.stdin, line * 5000))
        feeding.start()
        program.wait_for_error(" waiting 10; ")
        program.process.terminate()
        program.wait_for_error("state=closing")
        closing.set()
        # What the server sends back has to be read, lest it stops reading.
        assert program.process.stdout is not None
        received = len(program.process.stdout.read()) // len(line)
        assert program.status() == 1
        feeding.join()
    assert received < 5000
    assert service.next_close_code() == 1000


def feed(pipe: IO[bytes], text: bytes) -> None:
    with contextlib.suppress(BrokenPipeError):
        pipe.write(text)


def test_a_reader_that_leaves_closes_the_connection(echo: Service) -> None:
    """Nothing is written meanwhile: the program does not wait for the next message to find out."""
    with running("connect", echo.url) as program:
        program.type("x")
        assert program.line() == "x"
        assert program.process.stdout is not None and program.process.stderr is not None
        program.process.stdout.close()
        assert program.status() == 0
        assert program.process.stderr.read() == b""
    assert echo.next_close_code() == 1000


def test_a_reader_that_leaves_amid_a_flood(start: Start) -> None:
    def flood(ws: ServerConnection) -> None:
        while True:
            ws.send("x" * 1000)

    command = f"{PROGRAM} connect {start(flood).url} | head -n 3"
    result = subprocess.run(["bash", "-o", "pipefail", "-c", command], stdin=subprocess.PIPE, capture_output=True, timeout=60, check=False)
    assert (result.returncode, result.stderr, result.stdout) == (0, b"", (b"x" * 1000 + b"\n") * 3)


def test_output_that_cannot_be_written(echo: Service) -> None:
    with open("/dev/full", "wb") as full, running("connect", echo.url, stdout=full) as program:
        program.type("x")
        assert program.status() == 8
        assert program.process.stderr is not None
        assert program.process.stderr.read() == b"heartwire: standard output: No space left on device\n"


def test_closed_output_never_becomes_the_connection(echo: Service) -> None:
    with running("connect", echo.url, stdout=None, preexec_fn=lambda: os.close(1)) as program:
        program.type("one")
        assert echo.next_received() == "one"
        program.type("two")
        assert echo.next_received() == "two"
        program.end_input()
        assert program.status() == 0


# ---- Exit statuses


def failure(*arguments: str, stdin: bytes = b"") -> tuple[int, str]:
    """The status, and the last line of standard error."""
    result = connect(*arguments, stdin=stdin)
    assert result.stdout == b""
    return result.returncode, result.stderr.decode().splitlines()[-1]


def test_closed_by_the_server_without_reconnection(start: Start) -> None:
    result = connect("--set", "reconnect.enabled=false", "--wait", "forever", start(lambda ws: ws.close(1000)).url)
    assert result.returncode == 0


def test_lines_that_the_server_did_not_wait_for(shared: Shared) -> None:
    url = shared.url("ws", "/close?code=1000&reason=")
    result = connect("--set", "reconnect.enabled=false", "--set", "queue.messages_max=1", url, stdin=b"x\n" * 100_000)
    assert result.returncode == 1


def test_unreachable(shared: Shared) -> None:
    status, line = failure("--set", "reconnect.attempts_max=1", shared.url("refused", "/"))
    assert status == 3 and "Connection refused" in line and line.endswith(" (HW_E_CONNECT)")


def test_lost(start: Start) -> None:
    def cut(ws: ServerConnection) -> None:
        ws.socket.shutdown(2)

    assert failure("--set", "reconnect.enabled=false", "--wait", "forever", start(cut).url)[0] == 3


def test_certificate(shared: Shared) -> None:
    url = shared.url("wss", "/echo")
    status, line = failure(url)
    assert status == 4 and line.endswith(" (HW_E_CERTIFICATE)")
    assert connect("--set", f"tls.ca_file={shared.ca_file}", url, stdin=b"x\n").stdout == b"x\n"


def test_trust_store_that_cannot_be_read() -> None:
    assert failure("--set", "tls.ca_file=/nowhere", "wss://localhost/")[0] == 4


def test_refused_handshake(shared: Shared) -> None:
    result = connect(shared.url("ws", "/status?code=404"))
    failed, answer = result.stderr.decode().splitlines()
    assert result.returncode == 5 and failed.endswith(" (HW_E_HTTP_STATUS)") and answer.endswith(": refused with 404")


def test_closed_for_good(shared: Shared) -> None:
    status, line = failure("--wait", "forever", shared.url("ws", "/close?code=1008&reason=go"))
    assert status == 6 and line.endswith(" (HW_E_CLOSED_BY_PEER)")


def test_failed_heartbeats(shared: Shared) -> None:
    pings = ["--set", "ping.interval=20ms", "--set", "ping.timeout=20ms", "--set", "close.timeout=20ms", "--set", "reconnect.enabled=false"]
    status, line = failure(*pings, "--wait", "forever", shared.url("raw", "/silent"))
    assert status == 7 and line.endswith(" (HW_E_HEARTBEAT)")


# ---- Terminals


def test_a_terminal_is_told_how_to_go_on_and_is_not_commanded(start: Start, terminal: Terminal) -> None:
    service = start(lambda ws: ws.send("a\x1b[2J\x9b\x07\ttab ü"))
    ends = dict.fromkeys(("stdin", "stdout", "stderr"), terminal.inner)
    with running("connect", service.url, **ends) as program:
        shown = terminal.read_until("tab ü".encode())
        assert b"heartwire: connected; each line is sent as a message, Ctrl-D ends the input, Ctrl-C closes\r\n" in shown
        assert b"a\\x1b[2J\\x9b\\x07\ttab" in shown and b"\x1b" not in shown
        terminal.type(b"typed\n")
        assert service.next_received() == "typed"
        terminal.type(b"\x04")
        assert program.status() == 0


def test_a_close_reason_does_not_command_the_terminal(start: Start) -> None:
    result = connect("--wait", "forever", start(lambda ws: ws.close(1008, "\x1b[2J")).url)
    assert result.returncode == 6
    assert b"\\x1b[2J" in result.stderr and b"\x1b" not in result.stderr


def test_a_slow_reader_costs_no_heartbeat(start: Start) -> None:
    """Nobody reads the output, so the program is stuck in writing it, while the server asks for signs of life."""
    answered = threading.Event()

    def flood_and_ping(ws: ServerConnection) -> None:
        for _ in range(200):
            ws.send("x" * 1000)
        for _ in range(3):
            assert ws.ping().wait(30)
        answered.set()

    with running("connect", start(flood_and_ping).url) as program:
        assert answered.wait(30)
        assert [len(program.line()) for _ in range(200)] == [1000] * 200


def test_ctrl_c_at_a_terminal_closes(echo: Service, terminal: Terminal) -> None:
    def take_terminal() -> None:
        os.setsid()
        import fcntl
        import termios

        fcntl.ioctl(0, termios.TIOCSCTTY, 0)

    ends: dict[str, Any] = dict.fromkeys(("stdin", "stdout", "stderr"), terminal.inner)
    with running("connect", echo.url, preexec_fn=take_terminal, **ends) as program:
        terminal.read_until(b"Ctrl-C closes")
        terminal.type(b"\x03")
        assert program.status() == 0
    assert echo.next_close_code() == 1000
