"""What `heartwire connect` sends and prints, and each of its options."""

from __future__ import annotations

import base64
import os
import pathlib
import re
import resource
import time
from collections.abc import Callable
from typing import Any

import pytest
from conftest import Service
from program import connect, records, run, running
from websockets.sync.server import ServerConnection

Start = Callable[..., Service]
AWKWARD = 'quote " backslash \\ tab \t bell \x07 escape \x1b[31m next line \x85 umlaut ü clef 𝄞\nsecond line'


def test_each_line_is_a_message_and_each_message_a_line(echo: Service) -> None:
    result = connect(echo.url, stdin=b"one\n\ntwo words\nthe last, without an end")
    assert (result.returncode, result.stderr) == (0, b"")
    assert result.stdout == b"one\n\ntwo words\nthe last, without an end\n"
    assert [echo.next_received() for _ in range(4)] == ["one", "", "two words", "the last, without an end"]
    assert echo.next_close_code() == 1000


def test_options_may_stand_anywhere_and_have_an_equals_sign(echo: Service) -> None:
    result = connect("--wait=500ms", echo.url, "--json", stdin=b"--\n")
    assert [record["data"] for record in records(result.stdout)] == ["--"]
    assert connect("--wait", "500ms", "--", echo.url, stdin=b"x\n").stdout == b"x\n"


def test_a_binary_message_is_shown_in_base64(start: Start) -> None:
    result = connect(start(lambda ws: ws.send(b"\x00\xff\n")).url, "--set", "ping.interval=0")
    assert result.stdout == b"binary, 3 bytes: AP8K\n"


def test_control_characters_stay_as_they_are_unless_on_a_terminal(start: Start) -> None:
    assert connect(start(lambda ws: ws.send(AWKWARD)).url).stdout.decode() == AWKWARD + "\n"


@pytest.mark.parametrize("option", [[], ["--json"]])
def test_a_large_message(start: Start, option: list[str]) -> None:
    line = bytes(range(32, 127)) * 100_000
    result = connect(start(max_size=None).url, *option, stdin=line + b"\n")
    assert (result.returncode, result.stderr) == (0, b"")
    assert (records(result.stdout)[0]["data"].encode() if option else result.stdout[:-1]) == line


def test_more_lines_than_the_queue_takes(echo: Service) -> None:
    lines = b"".join(b"%d\n" % number for number in range(20_000))
    result = connect(echo.url, "--set", "queue.messages_max=10", stdin=lines)
    assert (result.returncode, result.stderr) == (0, b"")
    assert result.stdout == lines


def test_a_line_larger_than_the_queue_is_passed_over(echo: Service) -> None:
    lines = b"short\n" + b"x" * (4 * 65_536 + 94) + b"\n" + b"y" * 1025 + b"\n" + b"z" * 1024 + b"\nend"
    result = connect(echo.url, "--set", "queue.bytes_max=1KiB", stdin=lines)
    assert result.returncode == 1
    assert [line[:5] for line in result.stdout.splitlines()] == [b"short", b"zzzzz", b"end"]
    assert re.findall(rb"line (\d) was not sent: it is larger than queue.bytes_max; --set queue.bytes_max=SIZE allows more", result.stderr) == [
        b"2", b"3",
    ]  # fmt: skip


def test_a_line_larger_than_the_queue_is_not_held(echo: Service) -> None:
    def limit_memory() -> None:
        resource.setrlimit(resource.RLIMIT_DATA, (100 << 20, 100 << 20))

    result = connect(echo.url, stdin=b"x" * (150 << 20) + b"\nend", preexec_fn=limit_memory)
    assert (result.returncode, result.stdout) == (1, b"end\n")


def test_a_line_that_is_not_utf8_is_passed_over(echo: Service) -> None:
    result = connect(echo.url, stdin=b"one\n\xff\xfe\nthree\n")
    assert (result.returncode, result.stdout) == (1, b"one\nthree\n")
    assert result.stderr == b"heartwire: line 2 was not sent: it is no UTF-8 text\n"


def test_nothing_is_sent_to_a_service_that_closes_on_it(start: Start, tmp_path: pathlib.Path) -> None:
    rules = tmp_path / "rules.json"
    rules.write_text('{"send": "forbidden"}')
    result = connect(start(lambda ws: ws.send("feed")).url, "--rules", str(rules), stdin=b"one\n")
    assert (result.returncode, result.stdout) == (1, b"feed\n")
    assert result.stderr == b"heartwire: line 1 was not sent: by its heartbeat rules this service closes on anything that is sent to it\n"


# ---- Options


def test_preset(start: Start) -> None:
    def exchange(ws: ServerConnection) -> None:
        ws.send('{"method":"heartbeat","params":{"type":"test_request"}}')

    service = start(exchange)
    with running("connect", "--preset", "deribit", "--set", "preset.parameters=interval=77", service.url) as program:
        # The service is asked for heartbeats and its request answered, in the order in which both come about.
        received = sorted(str(service.next_received()) for _ in range(2))
        program.end_input()
        assert program.status() == 0
    assert '"interval":77' in received[0] and "public/test" in received[1]


def test_rules(start: Start, tmp_path: pathlib.Path) -> None:
    def ask(ws: ServerConnection) -> None:
        ws.send("are you there")
        ws.send("and well")

    arguments = []
    for question, answer in [("are you there", "yes"), ("and well", "very")]:
        rules = tmp_path / answer
        rules.write_text(f'{{"reply": [{{"on": {{"eq": "{question}"}}, "send": {{"body": "{answer}"}}}}]}}')
        arguments += ["--rules", str(rules)]
    service = start(ask)
    with running("connect", *arguments, service.url) as program:
        assert [service.next_received(), service.next_received()] == ["yes", "very"]
        program.end_input()
        assert program.status() == 0


def test_rules_that_are_wrong(tmp_path: pathlib.Path) -> None:
    rules = tmp_path / "rules.json"
    rules.write_text('{"rep": []}')
    result = connect("--rules", str(rules), "ws://localhost/")
    assert result.returncode == 2
    assert result.stderr.decode().startswith(f"heartwire: --rules: {rules}: rule member /rep unknown member 'rep'; did you mean 'reply'?")
    rules.write_text(" " * 300_000)
    result = connect("--rules", str(rules), "ws://localhost/")
    assert result.returncode == 2 and result.stderr.count(b"\n") == 1


def test_every_property_can_be_set(echo: Service) -> None:
    """To its default, so that they go together."""
    names = [line.split()[0] for line in run("properties").stdout.decode().splitlines()[1:] if not line.startswith(" ")]
    assert len(names) >= 90
    arguments = []
    for name in names:
        default = re.search(r"^  default +(.*)$", run("properties", name).stdout.decode().split("\n\n")[0], re.MULTILINE)
        if name != "delivery" and default:
            arguments += ["--set", f"{name}={default[1]}"]
    assert len(arguments) > 100
    result = connect(*arguments, echo.url, stdin=b"x\n")
    assert (result.returncode, result.stdout, result.stderr) == (0, b"x\n", b"")


def test_set(echo: Service) -> None:
    with running("connect", "--set", "heartbeat.interval=10ms", "--set", "heartbeat.text=a=b", echo.url) as program:
        assert [echo.next_received(), echo.next_received()] == ["a=b", "a=b"]
        program.end_input()


def test_header_and_subprotocol(start: Start) -> None:
    def tell(ws: ServerConnection) -> None:
        assert ws.request is not None
        ws.send("|".join(ws.request.headers.get_all("X-One") + [ws.request.headers["Sec-WebSocket-Protocol"], str(ws.subprotocol)]))

    service = start(tell, subprotocols=["second"])
    result = connect("--header", "X-One: a: b", "--header", "X-One:c", "--subprotocol", "first", "--subprotocol", "second", service.url)
    assert result.stdout == b"a: b|c|first, second|second\n"


def test_keep_is_sent_first_on_every_connection(start: Start) -> None:
    def drop_the_first(ws: ServerConnection) -> None:
        received = [ws.recv(), ws.recv()]
        ws.send(f"connection {connections.pop()}: {received}")
        if connections:
            ws.close(4000)

    connections = [2, 1]
    service = start(drop_the_first)
    with running("connect", "--keep", "one", "--keep", "two", "--set", "reconnect.base=1ms", service.url) as program:
        assert program.line() == "connection 1: ['one', 'two']"
        assert program.line() == "connection 2: ['one', 'two']"
        program.end_input()
        assert program.status() == 0


def test_keep_that_is_no_text(echo: Service) -> None:
    result = connect(echo.url, "--keep", os.fsdecode(b"\xff"))
    assert (result.returncode, result.stderr) == (2, b"heartwire: --keep: message 1 cannot be kept: HW_E_UTF8\n")


# ---- The end of the input


def test_wait_lasts_until_nothing_has_come_for_that_time(start: Start) -> None:
    def answer_slowly(ws: ServerConnection) -> None:
        ws.recv()
        for number in range(6):
            time.sleep(0.5)
            ws.send(str(number))

    assert connect("--wait", "2s", start(answer_slowly).url, stdin=b"go\n").stdout == b"0\n1\n2\n3\n4\n5\n"


def test_wait_of_nothing_sends_all_the_same(echo: Service) -> None:
    result = connect("--wait", "0", echo.url, stdin=b"one\ntwo\n")
    assert (result.returncode, result.stderr) == (0, b"")
    assert [echo.next_received(), echo.next_received(), echo.next_close_code()] == ["one", "two", 1000]


def test_wait_forever(start: Start) -> None:
    def speak_late(ws: ServerConnection) -> None:
        time.sleep(1.5)
        ws.send("still there")

    with running("connect", "--wait", "forever", start(speak_late).url) as program:
        program.end_input()
        assert program.line() == "still there"
        program.process.terminate()
        assert program.status() == 0


def test_closed_input_is_ended_input(echo: Service) -> None:
    result = connect("--keep", "kept", echo.url, preexec_fn=lambda: os.close(0))
    assert (result.returncode, result.stdout) == (0, b"kept\n")


# ---- JSON, events, statistics


def test_json(start: Start) -> None:
    def send(ws: ServerConnection) -> None:
        ws.send(AWKWARD)
        ws.send(b"\x00\xff")
        ws.send(b"")

    result = connect("--json", start(send).url)
    assert not re.search(rb"[\x00-\x09\x0b-\x1f\x7f]|\xc2[\x80-\x9f]", result.stdout)
    text, binary, empty = records(result.stdout)
    assert re.fullmatch(r"\d{4}-\d\d-\d\dT\d\d:\d\d:\d\d\.\d{6}Z", text.pop("time"))
    assert text == {"type": "message", "kind": "text", "epoch": 1, "data": AWKWARD}
    assert (binary["kind"], binary["data_encoding"], base64.b64decode(binary["data"])) == ("binary", "base64", b"\x00\xff")
    assert (empty["data"], empty["data_encoding"]) == ("", "base64")


def test_messages_in_parts(start: Start) -> None:
    text = "ä" * 5000
    service = start(lambda ws: ws.send(text))
    arguments = ["--set", "message.part_bytes=1KiB", service.url]
    assert connect(*arguments).stdout.decode() == text + "\n"
    parts = records(connect("--json", *arguments).stdout)
    assert len(parts) > 1 and "".join(part["data"] for part in parts) == text
    assert [part.get("continued", False) for part in parts] == [False] + [True] * (len(parts) - 1)
    assert [part.get("more", False) for part in parts] == [True] * (len(parts) - 1) + [False]


def test_a_message_that_breaks_off_ends_its_line(start: Start) -> None:
    def break_off(ws: ServerConnection) -> None:
        if not broken:
            broken.append(True)
            ws.socket.sendall(b"\x81\x7e\x10\x00" + b"x" * 2048)
            assert ws.recv() == "go"
            ws.socket.shutdown(2)
        ws.send("whole")

    broken: list[bool] = []
    arguments = ["--set", "message.part_bytes=1KiB", "--set", "reconnect.base=1ms", start(break_off).url]
    with running("connect", *arguments, stdin=-1) as program:
        program.type("go")
        assert set(program.line()) == {"x"}
        assert program.line() == "whole"


def test_events_are_lines_on_standard_error(echo: Service) -> None:
    result = connect("--events", echo.url, stdin=b"x\n")
    assert result.stdout == b"x\n"
    lines = result.stderr.decode().splitlines()
    assert all(re.match(r"\* [a-z_]+ time=\S+Z ", line) for line in lines)
    assert any(re.fullmatch(r"\* state \S+ epoch=1 state=connected previous_state=connecting.*", line) for line in lines)
    assert any(re.fullmatch(r"\* outcome \S+ epoch=1 state=connected message_id=1 count=1 level=sent", line) for line in lines)


def test_events_are_objects_among_the_messages(echo: Service) -> None:
    result = connect("--json", "--events", echo.url, stdin=b"x\n")
    assert result.stderr == b""
    everything = records(result.stdout)
    assert {record["type"] for record in everything} == {"event", "message"}
    states = [record["state"] for record in everything if record.get("event") == "state"]
    assert states == ["connecting", "connected", "closing", "disconnected"]
    names = [record.get("event") for record in everything]
    assert names.index("opened") < names.index(None) < names.index("closed")
    closed = everything[names.index("closed")]
    assert closed["close_code"] == 1000 and "by_peer" not in closed


def refusing(start: Start, body: bytes, status: int = 404) -> str:
    """The URL of a server that answers every opening handshake with this body."""

    def refuse(connection: ServerConnection, _: Any) -> Any:
        response = connection.respond(status, "")
        response.body = body
        del response.headers["Content-Length"]
        response.headers["Content-Length"] = str(len(body))
        return response

    return start(process_request=refuse).url


def refusal(start: Start, body: bytes) -> dict[str, Any]:
    """The event of an attempt that is answered with this body."""
    result = connect("--json", "--events", refusing(start, body))
    assert result.returncode == 5
    return next(record for record in records(result.stdout) if record.get("event") == "attempt_failed")


def test_an_event_tells_what_failed(start: Start) -> None:
    failed = refusal(start, "nö\n".encode())
    assert (failed["status"], failed["layer"], failed["http_status"], failed["retryable"]) == ("HW_E_HTTP_STATUS", "http", 404, False)
    assert failed["body"] == "nö\n" and "body_encoding" not in failed


def test_a_server_that_refuses_is_quoted(start: Start) -> None:
    body = b"<p>\r\n\r\n   who \x1b[2J\xc2\x9b are \xff\x9b you, n\xc3\xb6?\n\0third\nfourth\n"
    quoted = ["<p>", r"who \x1b[2J\x9b are \xff\x9b you, nö?", "third"]
    result = connect(refusing(start, body))
    assert (result.returncode, result.stdout) == (5, b"")
    first, *others = result.stderr.decode().splitlines()
    assert "HTTP status 404" in first
    assert others == [f"heartwire: the answer says: {line}" for line in quoted]


def test_a_long_answer_is_quoted_in_part(start: Start) -> None:
    line = connect(refusing(start, b"x" * 100_000)).stderr.decode().splitlines()[1]
    assert re.fullmatch("heartwire: the answer says: x{900,1024}", line)


def test_a_server_that_refuses_for_now_is_quoted_each_time(start: Start) -> None:
    arguments = ["--set", "reconnect.attempts_max=2", "--set", "reconnect.base=1ms", "--set", "reconnect.retry_after_max=0"]
    lines = connect(*arguments, refusing(start, b"come back later", 503)).stderr.decode().splitlines()
    assert lines[0].startswith("heartwire: attempt 1 failed: ") and "HTTP status 503" in lines[2]
    assert lines[1::2] == ["heartwire: the answer says: come back later"] * 2


@pytest.mark.parametrize(
    "body",
    ["ff", "80", "c0af", "c1bf", "c2", "c220", "e0a0", "e09fbf", "eda080", "edbfbf", "f0808080", "f08fbfbf", "f4908080", "f5808080", "f09f98"],
)
def test_what_is_no_utf8_in_an_event_is_base64(start: Start, body: str) -> None:
    failed = refusal(start, b"text" + bytes.fromhex(body))
    assert failed["body_encoding"] == "base64" and base64.b64decode(failed["body"]) == b"text" + bytes.fromhex(body)


@pytest.mark.parametrize("character", ["\x7f", "\x80", "\u07ff", "\u0800", "\ud7ff", "\ue000", "\uffff", "\U00010000", "\U0010ffff"])
def test_what_is_utf8_in_an_event_stays_text(start: Start, character: str) -> None:
    assert refusal(start, character.encode())["body"] == character


def test_heartbeats_are_events(echo: Service) -> None:
    with running("connect", "--events", "--set", "ping.interval=10ms", echo.url) as program:
        assert "latency_ns=" in program.wait_for_error("* beat_acked ")
        assert re.search(r"level=\w+ previous_level=unknown", program.wait_for_error("* quality "))


def test_stats(echo: Service) -> None:
    with running("connect", "--stats", "--set", "ping.interval=100ms", echo.url) as program:
        program.type("x")
        assert program.line() == "x"
        line = program.wait_for_error("connected; in 1 (")
        pattern = r"connected; in 1 \(\d+/s\); out 1 \(\d+/s\), waiting 0; round trip [\d.]+ ms; beats [1-9]\d*, missed 0; reconnected 0\n"
        assert re.fullmatch(pattern, line)
        program.wait_for_error("connected; in 1 (0/s); out 1 (0/s)")
        program.end_input()
        assert program.status() == 0
        assert program.rest()[1].splitlines()[-1].startswith("disconnected; ")
