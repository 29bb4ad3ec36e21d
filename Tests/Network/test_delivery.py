"""Delivery classes, times to live and a full queue while the server is away: each message comes to one outcome, and that is true."""

from __future__ import annotations

import pathlib
from collections.abc import Callable

import pytest
from books import check_arrivals, wait_for_number
from client_program import Client
from networks import Network, Server
from settings import QUICK, beats

from heartwire import EventKind, Outcome

StartServer = Callable[[str], Server]
languages = pytest.mark.parametrize("language", ["c", "python"])


def finish(client: Client, book: pathlib.Path) -> set[Outcome]:
    """Ends the traffic; which outcomes there were, all of them true."""
    last = client.stop()
    check_arrivals(book, client, last)
    client.release()
    return set(client.outcomes().values())


@languages
def test_messages_that_are_sent_now_or_never_are_never_sent_again(
    network: Network, start_server: StartServer, book: pathlib.Path, language: str
) -> None:
    """They are large, and so the connection breaks within one."""
    start_server("websockets")
    with Client(language, network, QUICK | {"ping.interval": "100ms", "ping.timeout": "300ms"}) as client:
        client.event(EventKind.OPENED)
        client.start(size=50_000, delivery="now")
        for _ in range(3):
            client.wait_for_answers(10)
            before = client.count()
            network.swallow()
            client.event(EventKind.CLOSED, after=before)
            network.heal()
            client.event(EventKind.GAP, after=before)
        assert finish(client, book) == {Outcome.SENT, Outcome.DROPPED}


@languages
@pytest.mark.parametrize(
    ("properties", "outcome"),
    [({"queue.ttl": "50ms"}, Outcome.EXPIRED), ({"queue.overflow": "drop_oldest", "queue.messages_max": "20"}, Outcome.DROPPED)],
)
def test_messages_that_gave_way_while_the_server_was_away_never_come(
    network: Network, start_server: StartServer, book: pathlib.Path, language: str, properties: dict[str, str], outcome: Outcome
) -> None:
    server = start_server("websockets")
    with Client(language, network, QUICK | beats(every="50ms", within="20s") | properties) as client:
        client.start()
        for _ in range(3):
            client.wait_for_answers(50)
            before = client.count()
            server.kill()
            client.event(EventKind.CLOSED, after=before)
            client.event(EventKind.OUTCOME, after=before, level=outcome)
            server.start()
            wait_for_number(book, client.event(EventKind.GAP, after=before).accepted)
        assert finish(client, book) == {Outcome.SENT, outcome}
