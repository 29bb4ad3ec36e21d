"""The networks, a server behind each, and its book."""

from __future__ import annotations

import functools
import pathlib
from collections.abc import Callable, Iterator

import packet_line
import pytest
from faulty_proxy import FaultyProxy
from networks import Network, Server
from packet_line import PacketLine

why_no_packets = functools.cache(packet_line.why_not)


@pytest.fixture(params=["packets", "proxy"])
def network(request: pytest.FixtureRequest) -> Iterator[Network]:
    """A line that carries packets between network namespaces, where that is allowed, and a proxy on the loopback."""
    if request.param == "packets" and (reason := why_no_packets()):
        pytest.skip(f"no network namespaces: {reason}")
    network = PacketLine() if request.param == "packets" else FaultyProxy()
    yield network
    network.close()


@pytest.fixture
def book(tmp_path: pathlib.Path) -> pathlib.Path:
    return tmp_path / "book"


@pytest.fixture
def start_server(network: Network, book: pathlib.Path) -> Iterator[Callable[[str], Server]]:
    """Starts a server of a kind, which is killed after the test."""
    servers: list[Server] = []

    def start(kind: str) -> Server:
        servers.append(Server(kind, network, book))
        return servers[-1]

    yield start
    for server in servers:
        server.kill()
