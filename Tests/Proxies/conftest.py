"""The servers behind the proxies, and the proxies."""

from __future__ import annotations

import contextlib
import json
import os
import pathlib
import subprocess
import sys
import tempfile
from collections.abc import Iterator

import pytest
from proxies import PASSWORD_IN_URL, USER, Command, Proxy, microsocks, running, squid, tinyproxy

ROOT = pathlib.Path(__file__).resolve().parents[2]


class Servers:
    """Addresses on the servers of Tests/Servers/serve.py."""

    def __init__(self, announced: dict[str, str]) -> None:
        self._announced = announced
        self.ca_file = announced["ca_file"]

    def url(self, server: str, target: str = "/echo", host: str = "localhost") -> str:
        scheme = "wss" if server.startswith("wss") else "ws"
        return f"{scheme}://{host}:{self._announced[server]}{target}"


@pytest.fixture(scope="session")
def servers() -> Iterator[Servers]:
    command = [sys.executable, str(ROOT / "Tests" / "Servers" / "serve.py")]
    with subprocess.Popen(command, stdin=subprocess.PIPE, stdout=subprocess.PIPE, text=True) as process:
        assert process.stdin is not None and process.stdout is not None
        yield Servers(json.loads(process.stdout.readline()))
        process.stdin.close()


class Proxies:
    """Every proxy, by name; those that end in "-auth" want a user name and a password. Each starts when it is first asked for."""

    _KINDS: dict[str, tuple[str, Command]] = {
        "tinyproxy": ("http", tinyproxy), "squid": ("http", squid), "microsocks": ("socks5", microsocks),
    }  # fmt: skip

    def __init__(self, folder: pathlib.Path, stack: contextlib.ExitStack) -> None:
        self._folder = folder
        self._stack = stack
        self._running: dict[str, Proxy] = {}

    def __getitem__(self, name: str) -> Proxy:
        if name not in self._running:
            kind, _, wants = name.partition("-")
            scheme, command = self._KINDS[kind]
            folder = self._folder / name
            folder.mkdir()
            self._running[name] = self._stack.enter_context(running(scheme, command, folder, wants == "auth"))
        return self._running[name]

    def url(self, name: str) -> str:
        """The proxy's URL, with the right credentials if it wants any."""
        password = PASSWORD_IN_URL.replace("%20", "") if name.startswith("tinyproxy") else PASSWORD_IN_URL
        return self[name].url(f"{USER}:{password}" if name.endswith("-auth") else "")


@pytest.fixture(scope="session")
def proxies() -> Iterator[Proxies]:
    with tempfile.TemporaryDirectory(prefix="heartwire-proxies-") as folder, contextlib.ExitStack() as stack:
        # A proxy that was started by root and has changed its user must get through.
        os.chmod(folder, 0o755)
        yield Proxies(pathlib.Path(folder), stack)


@pytest.fixture(autouse=True)
def no_proxies_in_the_environment(monkeypatch: pytest.MonkeyPatch) -> None:
    for name in ("http_proxy", "https_proxy", "all_proxy", "no_proxy"):
        monkeypatch.delenv(name, raising=False)
        monkeypatch.delenv(name.upper(), raising=False)
