"""Servers for the program to connect to."""

from __future__ import annotations

import contextlib
import json
import pathlib
import queue
import signal
import subprocess
import sys
import threading
from collections.abc import Callable, Iterator
from typing import Any

import pytest
from program import PATIENCE_S
from websockets.exceptions import ConnectionClosed
from websockets.sync.server import Server, ServerConnection, serve

ROOT = pathlib.Path(__file__).resolve().parents[2]
Handler = Callable[[ServerConnection], None]

# Whoever runs the tests in the background, or by nohup, has these ignored, which the program would inherit and respect.
signal.signal(signal.SIGINT, signal.default_int_handler)
signal.signal(signal.SIGHUP, signal.SIG_DFL)


class Service:
    """A `websockets` server on a port of its own, that can be stopped and started again there. It notes what it sees."""

    def __init__(self, handler: Handler, options: dict[str, Any]) -> None:
        self._handler = handler
        self._options = {"max_size": None, "compression": None} | options
        self._port = 0
        self._connections: list[ServerConnection] = []
        self.received: queue.Queue[str | bytes] = queue.Queue()
        self.closed: queue.Queue[int | None] = queue.Queue()
        """The close code of each connection that has ended."""

    def _handle(self, connection: ServerConnection) -> None:
        self._connections.append(connection)
        with contextlib.suppress(ConnectionClosed):
            self._handler(connection)
            for message in connection:
                self.received.put(message)
                # A client that has closed meanwhile may have sent more before that.
                with contextlib.suppress(ConnectionClosed):
                    connection.send(message)
        self.closed.put(connection.close_code)

    def start(self) -> None:
        self._server: Server = serve(self._handle, "127.0.0.1", self._port, **self._options)
        self._port = self._server.socket.getsockname()[1]
        self._thread = threading.Thread(target=self._server.serve_forever)
        self._thread.start()

    def stop(self) -> None:
        """Ends as a process that is killed would: nobody listens, and connections break."""
        self._server.shutdown()
        self._thread.join()
        for connection in self._connections:
            with contextlib.suppress(OSError):
                connection.socket.shutdown(2)
        self._connections.clear()

    def next_received(self) -> str | bytes:
        return self.received.get(timeout=PATIENCE_S)

    def next_close_code(self) -> int | None:
        return self.closed.get(timeout=PATIENCE_S)

    @property
    def url(self) -> str:
        scheme = "wss" if "ssl" in self._options else "ws"
        return f"{scheme}://127.0.0.1:{self._port}/"


@pytest.fixture
def start() -> Iterator[Callable[..., Service]]:
    """Starts a server that calls the handler with each connection, then echoes what it receives."""
    services = []

    def start(handler: Handler = lambda _: None, **options: Any) -> Service:
        services.append(Service(handler, options))
        services[-1].start()
        return services[-1]

    yield start
    for service in services:
        service.stop()


@pytest.fixture
def echo(start: Callable[..., Service]) -> Service:
    return start()


class Shared:
    """Addresses on the servers of Tests/Servers/serve.py."""

    def __init__(self, announced: dict[str, Any]) -> None:
        self._announced = announced
        self.ca_file: str = announced["ca_file"]

    def url(self, server: str, target: str) -> str:
        return f"{'wss' if server.startswith('wss') else 'ws'}://localhost:{self._announced[server]}{target}"


@pytest.fixture(scope="session")
def shared() -> Iterator[Shared]:
    command = [sys.executable, str(ROOT / "Tests" / "Servers" / "serve.py")]
    with subprocess.Popen(command, stdin=subprocess.PIPE, stdout=subprocess.PIPE, text=True) as process:
        assert process.stdin is not None and process.stdout is not None
        yield Shared(json.loads(process.stdout.readline()))
        process.stdin.close()
