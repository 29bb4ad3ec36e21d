"""heartwire.metrics tells of all connections of the process, in OpenMetrics text."""

from __future__ import annotations

import re
from concurrent.futures import ThreadPoolExecutor

import pytest
from conftest import Servers, wait_until

import heartwire


def value(name: str, connection: str, *more: str) -> float | None:
    """A sample of the present text; None if there is none."""
    labels = ",".join([f'connection="{connection}"', *more])
    found = re.search(rf"^{re.escape(f'heartwire_{name}{{{labels}}}')} (\S+)$", heartwire.metrics(), re.MULTILINE)
    return float(found[1]) if found else None


def test_a_connection_by_its_name(servers: Servers) -> None:
    with heartwire.sync.connect(servers.url("ws"), metrics_name='the "best" \\ feed') as ws:
        name = 'the \\"best\\" \\\\ feed'
        assert value("connections", name, 'state="connected"') == 1
        for text in ("one", "two"):
            ws.send(text)
            assert ws.recv() == text
        assert value("messages_sent_total", name) == 2
        assert value("messages_received_total", name) == 2
        assert value("received_bytes_total", name) == 2 * (2 + 3)
        age = value("last_message_age_seconds", name)
        assert age is not None and age > 0


def test_a_connection_by_its_url(servers: Servers) -> None:
    url = servers.url("wss")
    with heartwire.sync.connect(url, **servers.options("wss")):
        host_and_port = url.split("/")[2]
        assert value("connections", host_and_port, 'state="connected"') == 1


def test_pings_in_counters_and_histograms(servers: Servers) -> None:
    with heartwire.sync.connect(servers.url("ws"), metrics_name="pinging", ping_interval="10ms") as ws:
        wait_until(lambda: ws.metrics().pongs_received >= 3)
        acked = value("beats_acked_total", "pinging")
        assert acked is not None and acked >= 3
        counts = [value("round_trip_seconds_bucket", "pinging", f'le="{le}"') for le in ("0.0001", "0.5", "10.0", "+Inf")]
        assert counts == sorted(counts, key=lambda count: count or 0)
        assert (counts[-1] or 0) >= acked
        last = value("last_round_trip_seconds", "pinging")
        assert last is not None and 0 < last < 30


def test_answers_in_the_histogram_of_latency(servers: Servers) -> None:
    with heartwire.sync.connect(servers.url("ws", "/ping?interval_ms=5"), metrics_name="pinged") as ws:
        wait_until(lambda: ws.metrics().pongs_sent >= 3)
        wait_until(lambda: (value("heartbeat_latency_seconds_count", "pinged") or 0) >= 3)
        assert (value("heartbeats_answered_total", "pinged") or 0) >= 3
        assert (value("heartbeat_latency_seconds_sum", "pinged") or 0) > 0


def test_counters_outlive_their_connections(servers: Servers) -> None:
    before = 0.0
    for number in range(1, 4):
        with heartwire.sync.connect(servers.url("ws"), metrics_name="again") as ws:
            ws.send("x")
            assert ws.recv() == "x"
        assert value("messages_received_total", "again") == number
        sent = value("sent_bytes_total", "again")
        assert sent is not None and sent > before
        before = sent
        wait_until(lambda: value("connections", "again", 'state="connected"') is None)


def test_the_text_is_whole_however_often_it_is_asked_for() -> None:
    with ThreadPoolExecutor(4) as pool:
        texts = list(pool.map(lambda _: heartwire.metrics(), range(200)))
        clients = list(pool.map(lambda n: heartwire.Client("ws://127.0.0.1:9", metrics_name=f"whole {n % 50}"), range(100)))
        texts += pool.map(lambda _: heartwire.metrics(), range(50))
    assert all(text.endswith("# EOF\n") and text.count("# EOF") == 1 for text in texts)
    assert value("connections", "whole 7", 'state="connected"') == 0
    for client in clients:
        client.close()


@pytest.mark.parametrize("name", ["a\nb", "x" * 129])
def test_a_name_that_cannot_be_shown(name: str) -> None:
    with pytest.raises(heartwire.ConfigurationError, match="metrics.name"):
        heartwire.Client("ws://127.0.0.1:9", metrics_name=name)
