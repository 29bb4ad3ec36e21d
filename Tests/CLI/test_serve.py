"""How `heartwire serve` echoes, broadcasts, tells of its clients and ends."""

from __future__ import annotations

import contextlib
import gzip
import json
import pathlib
import re
import signal
import socket
import threading
import urllib.error
import urllib.request
from typing import Any

import pytest
import trustme
from program import PATIENCE_S, connect, records, run, running
from serving import serving, silent_client
from websockets.exceptions import ConnectionClosed
from websockets.sync.client import ClientConnection


def closing(client: ClientConnection) -> tuple[list[str | bytes], int | None]:
    """What a client still gets, and the close code."""
    messages: list[str | bytes] = []
    with contextlib.suppress(ConnectionClosed):
        while True:
            messages.append(client.recv(timeout=PATIENCE_S))
    return messages, client.close_code


# ---- Listening


@pytest.mark.parametrize("arguments", [["--host", "127.0.0.1"], ["--host=localhost"], ["--json"]])
def test_the_first_line_says_where_it_listens(arguments: list[str]) -> None:
    with serving(*arguments) as server, server.connect() as client:
        client.send("there?")
        assert client.recv(timeout=PATIENCE_S) == "there?"


def test_all_addresses() -> None:
    with serving("--host", "::") as server:
        assert server.url.startswith("ws://[::]:")
        port = server.url.rpartition(":")[2]
        for host in ("127.0.0.1", "[::1]"):
            assert connect("--wait", "200ms", f"ws://{host}:{port}/", stdin=b"x\n").stdout == b"x\n"


def test_a_url_says_where_to_listen() -> None:
    with socket.create_server(("127.0.0.1", 0)) as taken:
        port = taken.getsockname()[1]
        result = run("serve", f"ws://127.0.0.1:{port}")
    assert (result.returncode, result.stdout) == (8, b"")
    assert b"Address already in use" in result.stderr and result.stderr.count(b"\n") == 1


def test_a_host_that_is_none() -> None:
    assert run("serve", "--host", "nowhere.invalid", "--port", "0").returncode == 3


def test_properties_are_set() -> None:
    with serving("--set", "subprotocols=one, two") as server, server.connect(subprotocols=["two"]) as client:
        assert client.subprotocol == "two"


def test_tls(tmp_path: pathlib.Path) -> None:
    authority = trustme.CA()
    authority.cert_pem.write_to_path(tmp_path / "ca.pem")
    authority.issue_cert("127.0.0.1").private_key_and_cert_chain_pem.write_to_path(tmp_path / "server.pem")
    with running("serve", "--set", f"tls.certificate_file={tmp_path / 'server.pem'}", "wss://127.0.0.1:0") as program:
        url = program.line().removeprefix("listening at ")
        assert url.startswith("wss://127.0.0.1:")
        assert connect("--set", f"tls.ca_file={tmp_path / 'ca.pem'}", url, stdin=b"x\n").stdout == b"x\n"
        assert connect("--set", "reconnect.attempts_max=1", url).returncode == 4


def get(url: str) -> bytes:
    """What a browser shows there."""
    with urllib.request.urlopen(url, timeout=PATIENCE_S) as page:
        text = page.read()
        return gzip.decompress(text) if page.headers["Content-Encoding"] == "gzip" else text


@pytest.mark.parametrize(("name", "expected"), [("metrics", b"# EOF\n"), ("monitor", b"</html>")])
def test_pages(name: str, expected: bytes) -> None:
    with serving(f"--{name}") as server, server.connect() as client:
        line = server.program.line()
        assert line == f"{name} at {server.url.replace('ws:', 'http:')}/{name}"
        assert expected in get(line.removeprefix(f"{name} at "))
        client.send("there?")
        assert client.recv(timeout=PATIENCE_S) == "there?"


def test_the_address_of_the_monitor_holds_its_token() -> None:
    with serving("--metrics", "--monitor", "--set", "listener.monitor_token=a-token_of.this~test") as server:
        metrics, monitor = (server.program.line().partition(" at ")[2] for _ in range(2))
        assert b"# EOF\n" in get(metrics) and b"</html>" in get(monitor)
        assert metrics.endswith("/metrics") and monitor.endswith("/monitor?token=a-token_of.this~test")
        with pytest.raises(urllib.error.HTTPError, match="401"):
            get(monitor.partition("?")[0])


# ---- Echo


def test_each_message_comes_back() -> None:
    with serving() as server, server.connect() as client:
        for message in ("text ü", b"\x00\xff", "", "x" * 1_000_000):
            client.send(message)
            assert client.recv(timeout=PATIENCE_S) == message


def test_lines_of_the_own_client_come_back() -> None:
    lines = b"".join(b"%d\n" % number for number in range(20_000))
    with serving("--echo") as server:
        result = connect(server.url, stdin=lines)
    assert (result.returncode, result.stderr) == (0, b"")
    assert result.stdout == lines


def test_a_client_that_takes_no_echoes_is_told_so_after_all_that_was_echoed() -> None:
    with serving("--set", "queue.messages_max=10", "--set", "close.timeout=60s") as server, server.connect() as client:

        def flood() -> None:
            with contextlib.suppress(ConnectionClosed):
                for number in range(1000):
                    client.send(f"{number} " + "x" * 65_536)

        flooding = threading.Thread(target=flood)
        flooding.start()
        server.program.wait_for_error("client 1 takes its echoes too slowly; --set queue.messages_max=N")
        messages, code = closing(client)
        flooding.join()
        assert code == 1013
        assert [int(str(message).split()[0]) for message in messages] == list(range(len(messages)))
        assert 10 <= len(messages) < 1000


def test_a_message_that_is_too_large_to_be_sent_back() -> None:
    with serving("--set", "queue.bytes_max=1KiB") as server, server.connect() as client:
        client.send("x" * 1024)
        client.send("x" * 1025)
        messages, code = closing(client)
        assert (messages, code) == (["x" * 1024], 1009)


def test_many_clients_come_and_go() -> None:
    def check(clients: list[ClientConnection]) -> None:
        for number, client in enumerate(clients):
            client.send(str(number))
        assert [client.recv(timeout=PATIENCE_S) for client in clients] == [str(number) for number in range(len(clients))]

    with serving("--stats") as server:
        for _ in range(2):
            with contextlib.ExitStack() as stack:
                clients = [stack.enter_context(server.connect()) for _ in range(100)]
                check(clients)
                for client in clients[::2]:
                    client.close()
                server.program.wait_for_error("clients 50; ")
                check(clients[1::2])
        line = server.program.wait_for_error("clients 0; ")
        assert re.fullmatch(r"clients 0; in 300 \(\d+/s\); out 300 \(\d+/s\), waiting 0; beats \d+, missed 0\n", line)


# ---- Broadcast


def test_each_line_goes_to_all_and_what_they_send_is_printed() -> None:
    with serving("--broadcast") as server, server.connect("/one") as one, server.connect("/two") as two:
        server.program.wait_for_error("client 1 connected: /one")
        server.program.wait_for_error("client 2 connected: /two")
        for line in ("news", "", "ü"):
            server.program.type(line)
            assert (one.recv(timeout=PATIENCE_S), two.recv(timeout=PATIENCE_S)) == (line, line)
        one.send("from one")
        assert server.program.line() == "1: from one"
        two.send(b"\x00\xff\n")
        assert server.program.line() == "2: binary, 3 bytes: AP8K"


def test_broadcast_in_json() -> None:
    with serving("--broadcast", "--json") as server, server.connect() as client:
        client.send('say "ü"')
        message = json.loads(server.program.line())
        assert (message["type"], message["client"], message["kind"], message["data"]) == ("message", 1, "text", 'say "ü"')


def test_the_end_of_the_input_ends_nothing() -> None:
    with serving("--broadcast") as server:
        server.program.end_input()
        with server.connect() as client:
            client.send("still there?")
            assert server.program.line() == "1: still there?"


def test_lines_that_cannot_be_sent() -> None:
    with serving("--broadcast", "--set", "queue.bytes_max=1KiB") as server, server.connect() as client:
        server.program.wait_for_error("client 1 connected")
        assert server.program.process.stdin is not None
        server.program.process.stdin.write(b"\n\xff\n" + b"x" * 1025 + b"\nlast\n")
        server.program.process.stdin.flush()
        server.program.wait_for_error("line 2 was not sent: it is no UTF-8 text\n")
        server.program.wait_for_error("line 3 was not sent: it is larger than queue.bytes_max; --set queue.bytes_max=SIZE allows more\n")
        assert client.recv(timeout=PATIENCE_S) == ""
        assert client.recv(timeout=PATIENCE_S) == "last"


# ---- What is told of clients


def test_notices() -> None:
    with serving() as server:
        with server.connect("/chat?room=1"):
            server.program.wait_for_error("heartwire: client 1 connected: /chat?room=1\n")
        server.program.wait_for_error("heartwire: client 1 gone: code 1000\n")


def test_events_are_objects() -> None:
    with serving("--json", "--events") as server:
        with server.connect(additional_headers={"Authorization": "Bearer secret"}):
            pass
        events: list[dict[str, Any]] = []
        while not events or events[-1]["event"] != "released":
            events.append(json.loads(server.program.line()))
        assert all((event["type"], event["client"]) == ("event", 1) for event in events)
        names = [event["event"] for event in events]
        assert "secret" not in str(events)
        assert names[0] == "accept_due" and names.index("opened") < names.index("closed")


def test_events_are_lines_on_standard_error() -> None:
    with serving("--events", "--set", "ping.interval=10ms") as server, server.connect():
        assert re.match(r"\* opened time=\S+Z client=1 epoch=1 ", server.program.wait_for_error("* opened"))
        assert "client=1" in server.program.wait_for_error("* beat_acked ")


def test_clients_that_answer_no_ping_are_closed() -> None:
    with serving("--set", "ping.interval=20ms", "--set", "ping.timeout=20ms") as server, silent_client(server.url):
        server.program.wait_for_error("client 1 gone: code 1001")


# ---- The end


@pytest.mark.parametrize("number", [signal.SIGINT, signal.SIGTERM, signal.SIGHUP])
def test_a_signal_says_goodbye_to_all(number: int) -> None:
    with serving() as server, server.connect() as one, server.connect() as two:
        for client in (one, two):
            client.send("x")
            assert client.recv(timeout=PATIENCE_S) == "x"
        server.program.process.send_signal(number)
        assert [closing(one), closing(two)] == [([], 1001), ([], 1001)]
        assert server.program.status() == 0
        error = server.program.rest()[1]
        assert error.endswith("heartwire: ended: 2 connections closed, 0 of them cut off, 0 messages not sent\n")


def test_the_end_in_json() -> None:
    with serving("--json") as server:
        assert server.end() == 0
        assert records(server.program.rest()[0].encode()) == [
            {"type": "ended", "connections": 0, "connections_cut": 0, "messages_unsent": 0}
        ]  # fmt: skip


def test_what_a_client_did_not_take_in_time_is_counted() -> None:
    """More than the kernel takes for a client that reads nothing."""
    message = b"\x82\xff" + (262_144).to_bytes(8, "big") + bytes(4 + 262_144)
    with serving("--stats", "--set", "close.timeout=50ms") as server, silent_client(server.url) as client:
        client.sendall(message * 50)
        server.program.wait_for_error("; out 50 (")
        assert server.end() == 1
        assert re.search(r"ended: 1 connections closed, 1 of them cut off, [1-9]\d* messages not sent", server.program.rest()[1])


@pytest.mark.parametrize("number", [signal.SIGINT, signal.SIGTERM])
def test_a_second_signal_cuts_off(number: int) -> None:
    """A client that never answers a close frame would be waited for."""
    with serving("--set", "close.timeout=24h") as server, silent_client(server.url) as client:
        server.program.wait_for_error("client 1 connected")
        server.program.process.send_signal(number)
        assert client.recv(4096) == b"\x88\x02\x03\xe9"
        server.program.process.send_signal(number)
        assert server.program.status() == 128 + number


def test_a_reader_that_leaves_does_not_end_the_server() -> None:
    with serving("--broadcast") as server, server.connect() as client:
        assert server.program.process.stdout is not None
        server.program.process.stdout.close()
        client.send("nobody reads this")
        client.send("nor this")
        server.program.type("news")
        assert client.recv(timeout=PATIENCE_S) == "news"
        server.program.process.terminate()
        assert server.program.status() == 0
