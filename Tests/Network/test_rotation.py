"""Connections that are replaced before they end, in mid-traffic and over a bad network: nothing is lost, nothing comes twice."""

from __future__ import annotations

import pathlib
from collections.abc import Callable

import pytest
from books import check_arrivals, read_runs, wait_for_number
from client_program import Client
from networks import Network, Server
from settings import QUICK

from heartwire import EventKind, Rotation

StartServer = Callable[[str], Server]
languages = pytest.mark.parametrize("language", ["c", "python"])


def finish(client: Client, book: pathlib.Path) -> None:
    """Ends the traffic. Each message was sent once, arrived once and was answered once, and there was no gap."""
    last = client.stop()
    everything = set(range(1, last + 1))
    wait_for_number(book, last)
    assert check_arrivals(book, client, last) == everything
    assert not client.of_kind(EventKind.GAP)
    client.wait_for(lambda: len(client.messages) >= last)
    assert sorted(map(int, client.messages)) == sorted(everything)
    client.release()


@pytest.mark.parametrize(("language", "kind"), [("c", "websockets"), ("c", "aiohttp"), ("python", "websockets")])
def test_connections_of_an_age_give_way_in_mid_traffic(
    network: Network, start_server: StartServer, book: pathlib.Path, language: str, kind: str
) -> None:
    start_server(kind)
    with Client(language, network, QUICK | {"rotate.after": "300ms"}) as client:
        client.start()
        client.event(EventKind.ROTATION, level=Rotation.FINISHED, number=3)
        finish(client, book)


@languages
def test_rotation_on_demand_over_a_slow_and_lossy_network(
    network: Network, start_server: StartServer, book: pathlib.Path, language: str
) -> None:
    """With messages so large that there is always one on its way."""
    start_server("aiohttp")
    with Client(language, network, QUICK | {"connect.timeout": "20s"}) as client:
        client.event(EventKind.OPENED)
        network.delay(0.02)
        network.lose(0.02)
        client.start(interval_us=10_000, size=20_000)
        for number in range(3):
            client.wait_for_answers(20)
            client.rotate()
            client.event(EventKind.ROTATION, level=Rotation.FINISHED, number=number)
        network.heal()
        finish(client, book)


@languages
def test_kept_messages_come_first_on_every_connection(
    network: Network, start_server: StartServer, book: pathlib.Path, language: str
) -> None:
    server = start_server("websockets")
    with Client(language, network, QUICK | {"step": '{"send": {"body": "login"}}'}) as client:
        client.event(EventKind.OPENED)
        for channel in ("trades", "books", "ticker"):
            client.keep(channel, f"subscribe {channel}")
        client.start()
        client.wait_for_answers(100)
        before = client.count()
        server.kill()
        client.event(EventKind.ATTEMPT_FAILED, after=before)
        client.keep("books", "subscribe books level 2")
        server.start()
        client.event(EventKind.GAP, after=before)
        client.wait_for_answers(100)
        client.rotate()
        client.event(EventKind.ROTATION, level=Rotation.FINISHED)
        wait_for_number(book, client.stop())
        client.release()
    first, *later = read_runs(book)
    assert first.texts == ["login", "subscribe trades", "subscribe books", "subscribe ticker"]
    assert len(later) == 2
    for run in later:
        assert run.texts == ["login", "subscribe trades", "subscribe books level 2", "subscribe ticker"]
        assert run.texts_before_numbers == len(run.texts)
