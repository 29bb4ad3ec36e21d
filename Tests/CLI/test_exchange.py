"""The simulated exchange of `heartwire serve --exchange`, and `heartwire demo`, which lives on it."""

from __future__ import annotations

import contextlib
import json
import os
import re
import select
import signal
from typing import Any

import pytest
from program import PATIENCE_S, records, run, running
from serving import Serving, serving
from websockets.exceptions import ConnectionClosed
from websockets.sync.client import ClientConnection

TEST_REQUEST = {"jsonrpc": "2.0", "method": "heartbeat", "params": {"type": "test_request"}}


def following(client: ClientConnection) -> Any:
    """The next message."""
    return json.loads(client.recv(timeout=PATIENCE_S))


def answer(client: ClientConnection, request: dict[str, Any]) -> Any:
    """What the exchange answers to a request, whatever else it sends meanwhile."""
    client.send(json.dumps({"jsonrpc": "2.0"} | request))
    while (message := following(client)).get("id") != request["id"]:
        pass
    return message


def trades(client: ClientConnection, count: int) -> list[tuple[str, int]]:
    """Channel and number of the next trades."""
    found: list[tuple[str, int]] = []
    while len(found) < count:
        message = following(client)
        if message.get("method") == "subscription":
            found.append((message["params"]["channel"], message["params"]["data"]["trade_seq"]))
    return found


def books(server: Serving) -> dict[str, dict[str, Any]]:
    """Ends the exchange; its books by program."""
    assert server.end() == 0
    return {record["program"]: record for record in records(server.program.rest()[0].encode()) if record["type"] == "books"}


def test_trades_come_unasked() -> None:
    with serving("--exchange") as server, server.connect() as client:
        found = trades(client, 5)
        assert found == [("trades.BTC-EUR", found[0][1] + number) for number in range(5)]


def test_subscriptions() -> None:
    with serving("--exchange") as server, server.connect() as client:
        channels = ["trades.ETH-EUR", "trades.SOL-EUR"]
        subscribed = answer(client, {"id": 7, "method": "public/subscribe", "params": {"channels": channels}})
        assert subscribed == {"jsonrpc": "2.0", "id": 7, "result": channels}
        # A trade of before may still be on its way.
        assert {channel for channel, _ in trades(client, 10)[3:]} == set(channels)
        assert answer(client, {"id": "a", "method": "public/unsubscribe", "params": {"channels": channels[:1]}})["result"] == channels[:1]
        assert {channel for channel, _ in trades(client, 10)[5:]} == {"trades.SOL-EUR"}


def test_requests_are_answered() -> None:
    with serving("--exchange") as server, server.connect() as client:
        assert answer(client, {"id": 1, "method": "public/set_heartbeat", "params": {"interval": 10}})["result"] == "ok"
        assert "version" in answer(client, {"id": 2, "method": "public/test"})["result"]
        order = answer(client, {"id": 3, "method": "private/buy", "params": {"label": "mine"}})["result"]["order"]
        assert order == {"label": "mine", "order_state": "filled"}


def test_signs_of_life_are_asked_for_and_counted() -> None:
    with serving("--exchange", "--json") as server:
        with server.connect("/?program=some%20one&seconds=10") as client:
            while following(client) != TEST_REQUEST:
                pass
            answer(client, {"id": 1, "method": "public/test"})
            client.ping().wait(PATIENCE_S)
        counted = books(server)["some%20one"]
    assert (counted["connections"], counted["cuts"], counted["test_requests"], counted["answers"]) == (1, 0, 1, 1)
    assert counted["messages_sent"] > 20 and 0 < counted["answer_slowest_ns"] < 10**9


def test_trading_ends_when_it_was_asked_to() -> None:
    with serving("--exchange", "--json") as server:
        with server.connect("/?seconds=0.5") as client:
            received = 0
            while following(client).get("method") != "market_closed":
                received += 1
            assert received > 0
            # Neither trades nor requests come any more.
            with pytest.raises(TimeoutError):
                client.recv(timeout=2.5)
        with server.connect("/") as client, pytest.raises(TimeoutError):
            assert following(client)["method"] == "market_closed"
            client.recv(timeout=0.5)
        counted = books(server)["unnamed"]
    assert counted["connections"] == 2 and counted["messages_sent"] == received + 2


def test_a_client_that_gives_no_signs_of_life_is_closed() -> None:
    with serving("--exchange", "--set", "heartbeat.failure_threshold=2") as server, server.connect() as client:
        asked = 0
        with pytest.raises(ConnectionClosed):
            while True:
                asked += following(client) == TEST_REQUEST
        assert client.close_code == 1001 and asked in (2, 3)
        server.program.wait_for_error("client 1 gone: code 1001, 2 heartbeats in a row failed")


def test_the_first_connection_of_a_program_is_cut() -> None:
    with serving("--exchange", "--json") as server:
        url = f"{server.url}/?program=own&cut=0.5"
        with running("connect", "--preset", "deribit", "--set", "reconnect.base=1ms", url) as client:
            client.wait_for_error("connection ended: code 1001")
            client.wait_for_error("connected again")
            server.program.wait_for_error("client 1, own, is cut off")
            server.program.wait_for_error("client 2 connected")
        counted = books(server)["own"]
    assert (counted["connections"], counted["cuts"]) == (2, 1)


def test_foreign_bytes_do_no_harm() -> None:
    deep = "[" * 100_000
    with serving("--exchange", "--json") as server:
        texts: list[str | bytes] = ["{", deep, '{"method":"public/subscribe"}', '"public/subscribe" trades.ETH-EUR', "\0", b"\xff\xfe"]
        for number, text in enumerate(texts):
            with server.connect(f"/?program={'p' * 200}&seconds=1e999&cut=-1&number={number}") as client:
                client.send(text)
                assert "version" in answer(client, {"id": 1, "method": "public/test"})["result"]
        assert list(books(server)) == ["p" * 63]


def test_books_are_kept_for_so_many_programs_only() -> None:
    with serving("--exchange", "--json") as server:
        for number in range(70):
            with server.connect(f"/?program={number}") as client:
                following(client)
        counted = books(server)
    assert len(counted) == 64 and counted["others"]["connections"] == 7


def test_a_program_that_is_frozen_does_not_make_up_for_its_trades() -> None:
    with serving("--exchange") as server, server.connect() as client:
        trades(client, 1)
        server.program.process.send_signal(signal.SIGSTOP)
        with pytest.raises(TimeoutError):
            while True:
                client.recv(timeout=1)
        server.program.process.send_signal(signal.SIGCONT)
        first = trades(client, 1)[0][1]
        with contextlib.suppress(ConnectionClosed, TimeoutError):
            while True:
                client.recv(timeout=0)
        assert first < 40


# ---- The demo


def test_the_demo_keeps_its_promises() -> None:
    result = run("demo")
    lines = result.stdout.decode().splitlines()
    assert (result.returncode, result.stderr) == (0, b""), result.stdout.decode()
    assert len([line for line in lines if re.match(r" *\d+\.\d s  ok ", line)]) == 7
    assert not any("FAILED" in line for line in lines)
    assert lines[-1] == "Everything was kept."
    assert len(lines) < 70 and max(map(len, lines)) <= 160


def exchange_process(line: str) -> int:
    """The number of the demo's exchange, out of its first line."""
    found = re.fullmatch(r" +0\.\d s  exchange \| process (\d+) trades at ws://127\.0\.0\.1:\d+", line)
    assert found
    return int(found[1])


def has_gone(process: int) -> bool:
    """Waits until the process, which is nobody's child here, has ended."""
    with contextlib.suppress(ProcessLookupError):
        descriptor = os.pidfd_open(process)
        try:
            return bool(select.select([descriptor], [], [], PATIENCE_S)[0])
        finally:
            os.close(descriptor)
    return True


@pytest.mark.parametrize(("number", "status"), [(signal.SIGINT, 130), (signal.SIGTERM, 130), (signal.SIGKILL, -9)])
def test_the_demo_leaves_nothing_running(number: int, status: int) -> None:
    with running("demo") as program:
        process = exchange_process(program.line())
        program.process.send_signal(number)
        assert program.status() == status
        assert has_gone(process)
