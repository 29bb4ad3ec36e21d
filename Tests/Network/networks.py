"""What the tests ask of a network that can be made bad, and the server behind it."""

from __future__ import annotations

import pathlib
import subprocess
import sys
from typing import Any, Protocol

HERE = pathlib.Path(__file__).resolve().parent


class Network(Protocol):
    """Stands between a client and a server."""

    @property
    def server_port(self) -> int: ...

    @property
    def client_url(self) -> str: ...

    def start_client(self, command: list[str], **options: Any) -> subprocess.Popen[str]: ...

    def start_server(self, command: list[str], **options: Any) -> subprocess.Popen[str]: ...

    def server_listens(self, port: int) -> None: ...

    def delay(self, seconds: float) -> None: ...

    def lose(self, share: float) -> None: ...

    def swallow(self) -> None: ...

    def heal(self) -> None: ...

    def reset(self) -> None: ...

    def close(self) -> None: ...


class Server:
    """A server process that can be killed and started anew."""

    def __init__(self, kind: str, network: Network, book: pathlib.Path) -> None:
        self._network = network
        self._command = [sys.executable, str(HERE / "server.py"), kind, "0.0.0.0", str(network.server_port), str(book)]
        self._process: subprocess.Popen[str] | None = None
        self.start()

    def start(self) -> None:
        """Returns when it listens."""
        self._process = self._network.start_server(self._command, stdin=subprocess.DEVNULL, stdout=subprocess.PIPE)
        assert self._process.stdout is not None
        self._network.server_listens(int(self._process.stdout.readline()))

    def kill(self) -> None:
        if self._process is not None:
            self._process.kill()
            self._process.communicate()
            self._process = None
