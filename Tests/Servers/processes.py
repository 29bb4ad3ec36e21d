"""Runs servers that nobody here wrote, each a process that is given a free port and has a log."""

from __future__ import annotations

import contextlib
import os
import pathlib
import socket
import subprocess
import threading
from collections.abc import Callable, Iterator, Mapping

STARTS_MAX = 5
PATIENCE_S = 60


@contextlib.contextmanager
def running(command: Callable[[int], list[str]], log: pathlib.Path, environment: Mapping[str, str] | None = None) -> Iterator[int]:
    """Runs the command that a port makes, for as long as the context lasts, with these additions to the environment; gives the port."""
    process, port = start(command, log, environment or {})
    try:
        yield port
    finally:
        # Not killed, so that it can remove what it has left elsewhere.
        process.terminate()
        process.wait(PATIENCE_S)


def start(command: Callable[[int], list[str]], log: pathlib.Path, environment: Mapping[str, str]) -> tuple[subprocess.Popen[bytes], int]:
    """Starts a server, on another port if it ends at once, for somebody may have taken the chosen one meanwhile."""
    environment = os.environ | {"PATH": os.environ["PATH"] + ":/usr/sbin"} | environment
    for _ in range(STARTS_MAX):
        port = free_port()
        with log.open("wb") as output:
            process = subprocess.Popen(command(port), env=environment, stdin=subprocess.DEVNULL, stdout=output, stderr=output)
        if listens(process, port):
            return process, port
        is_running = process.poll() is None
        process.kill()
        process.wait(PATIENCE_S)
        if is_running:
            break
    raise RuntimeError(f"{' '.join(command(port))} does not start: {log.read_text(errors='replace')}")


def free_port() -> int:
    with socket.create_server(("127.0.0.1", 0)) as listener:
        return int(listener.getsockname()[1])


def listens(process: subprocess.Popen[bytes], port: int) -> bool:
    """Waits until somebody listens on the port; False if the process ends before, or takes too long."""
    pause = threading.Event()
    for _ in range(PATIENCE_S * 100):
        if process.poll() is not None:
            return False
        with contextlib.suppress(OSError), socket.create_connection(("127.0.0.1", port)):
            return True
        pause.wait(0.01)
    return False
