"""Runs `heartwire serve` and talks to it."""

from __future__ import annotations

import contextlib
import json
import socket
from collections.abc import Iterator
from typing import Any

from program import PATIENCE_S, Running, running
from websockets.sync.client import ClientConnection
from websockets.sync.client import connect as websocket


class Serving:
    """The program while it serves."""

    def __init__(self, program: Running, url: str) -> None:
        self.program = program
        self.url = url

    def connect(self, target: str = "/", **options: Any) -> ClientConnection:
        return websocket(self.url + target, **({"compression": None, "max_size": None, "open_timeout": PATIENCE_S} | options))

    def end(self) -> int:
        """Asks it to end; the exit status."""
        self.program.process.terminate()
        return self.program.status()


@contextlib.contextmanager
def serving(*arguments: str, **options: Any) -> Iterator[Serving]:
    with running("serve", "--port", "0", *arguments, **options) as program:
        line = program.line()
        if "--json" in arguments:
            announced = json.loads(line)
            assert (announced["type"], announced["url"]) == ("listening", f"ws://127.0.0.1:{announced['port']}")
            yield Serving(program, announced["url"])
        else:
            assert line.startswith("listening at ws://")
            yield Serving(program, line.removeprefix("listening at "))


def silent_client(url: str) -> socket.socket:
    """A client that has opened a connection and never says or reads anything more."""
    host, _, port = url.removeprefix("ws://").rpartition(":")
    client = socket.create_connection((host, int(port)), timeout=PATIENCE_S)
    client.sendall(
        b"GET / HTTP/1.1\r\nHost: h\r\nUpgrade: websocket\r\nConnection: Upgrade\r\n"
        b"Sec-WebSocket-Version: 13\r\nSec-WebSocket-Key: dGhlIHNhbXBsZSBub25jZQ==\r\n\r\n"
    )
    assert client.recv(4096).startswith(b"HTTP/1.1 101 ")
    return client
