"""The servers that the tests talk to, and helpers that every file needs."""

from __future__ import annotations

import asyncio
import importlib.util
import json
import os
import subprocess
import sys
from collections.abc import Awaitable, Callable, Iterator
from pathlib import Path
from typing import Any, TypeVar
from urllib.parse import urlencode

import pytest

PACKAGE = Path(__file__).resolve().parents[1]
ROOT = PACKAGE.parents[1]

if importlib.util.find_spec("heartwire") is None:
    sys.path.insert(0, str(PACKAGE / "src"))

sys.path.insert(0, str(ROOT / "Tests" / "Servers"))

from waiting import wait_until  # noqa: E402, F401

import heartwire  # noqa: E402

# Ends a test that would hang; no test depends on how long anything takes.
PATIENCE_SECONDS = 30

T = TypeVar("T")


def asking(**query: str) -> str:
    """The path of a server that asks, and wants to be answered; Tests/Servers/questions.py says what the query is."""
    return "/ask?" + urlencode({"interval_ms": 1, "within_ms": PATIENCE_SECONDS * 1000, **query})


TEST_REQUEST = {"jsonrpc": "2.0", "method": "heartbeat", "params": {"type": "test_request"}}

# Asks as Deribit does, once the client has asked for it, and every 45 s.
DERIBIT = asking(ask=json.dumps(TEST_REQUEST), answer="public/test", after='"interval":45')
AS_DERIBIT: dict[str, Any] = {"preset": "deribit", "preset_parameters": {"interval": 45}}

CHALLENGES = asking(ask="challenge:{n}", answer="response:{n}")


class Servers:
    """Addresses on the servers of Tests/Servers/serve.py."""

    def __init__(self, announced: dict[str, Any]) -> None:
        self._announced = announced
        self.ca_file: str = announced["ca_file"]

    def url(self, server: str, target: str = "/echo", host: str = "localhost") -> str:
        scheme = "wss" if server.startswith("wss") else "ws"
        return f"{scheme}://{host}:{self._announced[server]}{target}"

    def options(self, server: str) -> dict[str, str]:
        return {"tls_ca_file": self.ca_file} if server.startswith("wss") else {}


@pytest.fixture(scope="session")
def servers() -> Iterator[Servers]:
    command = [sys.executable, str(ROOT / "Tests" / "Servers" / "serve.py")]
    with subprocess.Popen(command, stdin=subprocess.PIPE, stdout=subprocess.PIPE, text=True) as process:
        assert process.stdin is not None and process.stdout is not None
        yield Servers(json.loads(process.stdout.readline()))
        process.stdin.close()
        process.wait(PATIENCE_SECONDS)


def run(main: Awaitable[T]) -> T:
    """Runs a test's coroutine in a loop of its own."""

    async def with_patience() -> T:
        return await asyncio.wait_for(main, PATIENCE_SECONDS)

    return asyncio.run(with_patience(), debug=False)


async def eventually(condition: Callable[[], bool]) -> None:
    while not condition():
        await asyncio.sleep(0.001)


def start_script(script: str, *arguments: str, **options: Any) -> subprocess.Popen[str]:
    """Starts a Python program that uses the same package and library as this process."""
    environment = {**os.environ, "PYTHONPATH": str(Path(heartwire.__file__).parents[1])}
    return subprocess.Popen(
        [sys.executable, "-c", script, *arguments],
        env=environment, stdout=subprocess.PIPE, stderr=subprocess.PIPE, text=True, **options,
    )  # fmt: skip


def run_script(script: str, *arguments: str) -> tuple[int, str, str]:
    """Runs such a program to its end: exit status, standard output, standard error."""
    with start_script(script, *arguments) as process:
        try:
            output, errors = process.communicate(timeout=PATIENCE_SECONDS)
        except subprocess.TimeoutExpired:
            process.kill()
            raise
    return process.returncode, output, errors


def descriptors() -> int:
    return len(os.listdir("/proc/self/fd"))
