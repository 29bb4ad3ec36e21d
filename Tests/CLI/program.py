"""Runs the program `heartwire` as a person or a script would."""

from __future__ import annotations

import contextlib
import json
import os
import pathlib
import subprocess
import threading
from collections.abc import Iterator
from typing import Any

PROGRAM = pathlib.Path(__file__).resolve().parents[2] / ".build" / "heartwire"
# Nothing takes as long as this but on a machine that is overloaded.
PATIENCE_S = 60


def run(*arguments: str, stdin: bytes = b"", **options: Any) -> subprocess.CompletedProcess[bytes]:
    """Runs the program to its end."""
    return subprocess.run([PROGRAM, *arguments], input=stdin, capture_output=True, timeout=PATIENCE_S, check=False, **options)


def connect(*arguments: str, stdin: bytes = b"", **options: Any) -> subprocess.CompletedProcess[bytes]:
    return run("connect", *arguments, stdin=stdin, **options)


def records(output: bytes) -> list[dict[str, Any]]:
    """The JSON objects of the lines; fails if one is no valid JSON in UTF-8."""
    return [json.loads(line) for line in output.decode().splitlines()]


class Running:
    """The program while it runs, with pipes to and from it. Reading never waits longer than the patience lasts."""

    def __init__(self, process: subprocess.Popen[bytes]) -> None:
        self.process = process

    def type(self, line: str) -> None:
        assert self.process.stdin is not None
        self.process.stdin.write(line.encode() + b"\n")
        self.process.stdin.flush()

    def end_input(self) -> None:
        assert self.process.stdin is not None
        self.process.stdin.close()

    def line(self) -> str:
        assert self.process.stdout is not None
        return self.process.stdout.readline().decode().rstrip("\n")

    def wait_for_error(self, text: str) -> str:
        """The first line of standard error that holds the text."""
        assert self.process.stderr is not None
        seen = []
        for line in self.process.stderr:
            seen.append(line.decode())
            if text in seen[-1]:
                return seen[-1]
        raise AssertionError(f"no {text!r} in {seen}")

    def status(self) -> int:
        return self.process.wait(PATIENCE_S)

    def rest(self) -> tuple[str, str]:
        """What standard output and error hold when the program has ended."""
        assert self.process.stdout is not None and self.process.stderr is not None
        return self.process.stdout.read().decode(), self.process.stderr.read().decode()


@contextlib.contextmanager
def running(*arguments: str, program: pathlib.Path = PROGRAM, **options: Any) -> Iterator[Running]:
    pipes: dict[str, Any] = dict.fromkeys(("stdin", "stdout", "stderr"), subprocess.PIPE) | options
    with subprocess.Popen([program, *arguments], **pipes) as process:
        watchdog = threading.Timer(PATIENCE_S, process.kill)
        watchdog.start()
        try:
            yield Running(process)
        finally:
            watchdog.cancel()
            process.kill()
            # What is still to be flushed to a pipe that has lost its reader is of no interest.
            if process.stdin is not None:
                with contextlib.suppress(BrokenPipeError):
                    process.stdin.close()


class Terminal:
    """The program's end of a terminal, read and typed into from the other."""

    def __init__(self) -> None:
        self.outer, self.inner = os.openpty()

    def read_until(self, text: bytes) -> bytes:
        seen = b""
        while text not in seen:
            seen += os.read(self.outer, 4096)
        return seen

    def type(self, keys: bytes) -> None:
        os.write(self.outer, keys)

    def close(self) -> None:
        os.close(self.outer)
        os.close(self.inner)
