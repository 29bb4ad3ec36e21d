"""Clients over a network that breaks, and a server that dies; what the server wrote down by then is the reference."""

from __future__ import annotations

import functools
import pathlib
import statistics
import time
from collections.abc import Callable

import pytest
from books import check_arrivals, numbers_of, wait_for, wait_for_number
from client_program import Client, Event
from networks import Network, Server
from settings import QUICK, beats

from heartwire import EventKind, Status

MS = 1_000_000
# How late a busy machine may be with what is due.
LATE_NS = 2_000 * MS

StartServer = Callable[[str], Server]
languages = pytest.mark.parametrize("language", ["c", "python"])


def check_gap(gap: Event, lost: Event, broke_ns: int, mended_ns: int) -> None:
    """The event tells when messages, which had come all the time, ceased to come, and how long it was until the next connection."""
    assert gap.epoch == lost.epoch + 1
    assert abs(gap.began_ns - broke_ns) <= LATE_NS
    assert gap.last_message_ns <= gap.began_ns <= lost.time_ns
    assert mended_ns <= gap.began_ns + gap.latency_ns <= gap.time_ns


def finish(client: Client, book: pathlib.Path) -> None:
    """Ends the traffic and the client, and sees that nothing is amiss."""
    last = client.stop()
    wait_for_number(book, last)
    assert check_arrivals(book, client, last) == set(range(1, last + 1))
    client.release()


@pytest.mark.parametrize(("language", "kind"), [("c", "websockets"), ("c", "aiohttp"), ("python", "websockets")])
def test_server_is_killed_and_restarted_in_mid_traffic(
    network: Network, start_server: StartServer, book: pathlib.Path, language: str, kind: str
) -> None:
    server = start_server(kind)
    with Client(language, network, QUICK | beats(every="20ms", within="20s")) as client:
        client.start()
        opened = client.event(EventKind.OPENED)
        for _ in range(3):
            # What waited meanwhile has come, and more.
            wait_for_number(book, opened.accepted + 100)
            client.event(EventKind.BEAT_ACKED, after=client.count())
            before = client.count()
            killed_ns = time.monotonic_ns()
            server.kill()
            lost = client.event(EventKind.CLOSED, after=before)
            assert lost.status is Status.CONNECTION_LOST
            client.event(EventKind.ATTEMPT_FAILED, after=before, number=1)
            restarted_ns = time.monotonic_ns()
            server.start()
            opened = client.event(EventKind.OPENED, after=before)
            gap = client.event(EventKind.GAP, after=before)
            check_gap(gap, lost, killed_ns, restarted_ns)
            # What came before the last acknowledged beat is not in doubt.
            assert gap.count < lost.accepted
        finish(client, book)


@languages
def test_heartbeats_keep_their_intervals_through_delay_and_loss(
    network: Network, start_server: StartServer, book: pathlib.Path, language: str
) -> None:
    start_server("websockets")
    intervals = {"ping": 100 * MS, "beat 0": 150 * MS}
    with Client(language, network, QUICK | beats(every="150ms", within="20s") | {"ping.interval": "100ms"}) as client:
        client.event(EventKind.OPENED)
        network.delay(0.1)
        network.lose(0.05)
        client.start(interval_us=10_000)
        for name, interval in intervals.items():
            times = client.wait_for(functools.partial(regular_times, client.events, name, interval))
            assert times[-1] - times[0] == pytest.approx(interval * (len(times) - 1), abs=LATE_NS)
        network.heal()
        beats_sent = len(sent_times(client.events, "beat 0"))
        wait_for(book, lambda runs: len(runs[0].texts) >= beats_sent)
        finish(client, book)
        assert not client.of_kind(EventKind.BEAT_MISSED) and not client.of_kind(EventKind.GAP)


def sent_times(events: list[Event], beat: str) -> list[int]:
    return [event.time_ns for event in events if event.kind is EventKind.BEAT_SENT and event.text == beat]


def regular_times(events: list[Event], beat: str, interval: int) -> list[int] | None:
    """All times, once the last thirty lie an interval apart; a busy machine may take a while to let them."""
    times = sent_times(events, beat)
    pauses = [after - before for before, after in zip(times[-30:], times[-29:], strict=False)]
    return times if len(pauses) == 29 and statistics.median(pauses) == pytest.approx(interval, rel=0.1) else None


@languages
def test_blackhole_is_noticed_within_the_configured_bounds(
    network: Network, start_server: StartServer, book: pathlib.Path, language: str
) -> None:
    start_server("websockets")
    pings = {"ping.interval": "200ms", "ping.timeout": "400ms", "ping.missed_max": "2"}
    with Client(language, network, QUICK | pings) as client:
        client.start()
        wait_for_number(book, 100)
        before = client.count()
        network.swallow()
        swallowed_ns = time.monotonic_ns()
        lost = client.event(EventKind.CLOSED, after=before)
        assert lost.status is Status.HEARTBEAT
        assert client.event(EventKind.ATTEMPT_FAILED, after=before).status is Status.CONNECT_TIMEOUT
        healed_ns = time.monotonic_ns()
        network.heal()
        gap = client.event(EventKind.GAP, after=before)
        check_gap(gap, lost, swallowed_ns, healed_ns)
        # The second ping after the last sign of life goes out two intervals after it at the latest.
        assert 400 * MS <= lost.time_ns - gap.began_ns <= (2 * 200 + 400) * MS + LATE_NS
        finish(client, book)


@languages
def test_reset_is_followed_by_a_new_connection(
    network: Network, start_server: StartServer, book: pathlib.Path, language: str
) -> None:
    start_server("websockets")
    with Client(language, network, QUICK) as client:
        client.start()
        opened = client.event(EventKind.OPENED)
        for _ in range(3):
            wait_for_number(book, opened.accepted + 100)
            before = client.count()
            reset_ns = time.monotonic_ns()
            network.reset()
            lost = client.event(EventKind.CLOSED, after=before)
            assert lost.status is Status.CONNECTION_LOST
            opened = client.event(EventKind.OPENED, after=before)
            check_gap(client.event(EventKind.GAP, after=before), lost, reset_ns, reset_ns)
        finish(client, book)


@languages
def test_server_that_vanished_without_a_word_is_replaced(
    network: Network, start_server: StartServer, book: pathlib.Path, language: str
) -> None:
    """As when its machine has lost power, and is up again."""
    server = start_server("websockets")
    with Client(language, network, QUICK | beats(every="200ms", within="400ms") | {"heartbeat.failure_threshold": "2"}) as client:
        client.start()
        wait_for_number(book, 100)
        before = client.count()
        network.swallow()
        server.kill()
        server.start()
        network.heal()
        wait_for_number(book, client.event(EventKind.GAP, after=before).accepted + 100)
        finish(client, book)


@languages
def test_large_messages_that_pile_up_before_a_blackhole_arrive_whole(
    network: Network, start_server: StartServer, book: pathlib.Path, language: str
) -> None:
    start_server("websockets")
    with Client(language, network, QUICK | {"ping.interval": "200ms", "ping.timeout": "400ms"}) as client:
        client.event(EventKind.OPENED)
        network.swallow()
        client.start(size=100_000)
        client.event(EventKind.CLOSED)
        accepted = client.wait_for(functools.partial(queue_is_full, client.events))
        network.heal()
        # More waited than was lost.
        assert client.event(EventKind.GAP).count < accepted / 2
        finish(client, book)
        assert len(numbers_of(book)) > 0


def queue_is_full(events: list[Event]) -> int | None:
    """What was accepted, once no more is while attempts fail."""
    *_, before, last = [0, 0] + [event.accepted for event in events if event.kind is EventKind.ATTEMPT_FAILED]
    return last if before == last else None
