"""The program client.c, linked with the library under test and run in fast time."""

from __future__ import annotations

import asyncio
import contextlib
import os
import pathlib
import subprocess
from collections.abc import AsyncIterator

from fast_time import FastTime
from player import Player
from runner import ClientMaker
from transcript import Frame

HERE = pathlib.Path(__file__).resolve().parent
ROOT = HERE.parents[1]
BUILD = ROOT / ".build" / "transcripts"
LINE_BYTES_MAX = 1 << 24
END_TIMEOUT_S = 10

TIME_FUNCTIONS = {
    "clock_gettime", "clock_nanosleep", "epoll_pwait", "epoll_pwait2", "epoll_wait", "ftime", "gettimeofday", "mq_timedreceive",
    "mq_timedsend", "nanosleep", "poll", "ppoll", "pselect", "pthread_cond_clockwait", "pthread_cond_timedwait", "pthread_mutex_clocklock",
    "pthread_mutex_timedlock", "select", "sem_clockwait", "sem_timedwait", "setitimer", "sigtimedwait", "sleep", "time",
    "timer_settime", "timerfd_settime", "usleep",
}  # fmt: skip
"""What tells the time or waits in libc."""


def symbols(file: pathlib.Path, which: str) -> set[str]:
    """The file's dynamic symbols, without versions."""
    listing = subprocess.run(["nm", "-D", which, str(file)], stdout=subprocess.PIPE, text=True, check=True).stdout
    return {line.split()[-1].partition("@")[0] for line in listing.splitlines()}


def build(library: pathlib.Path) -> tuple[pathlib.Path, pathlib.Path]:
    """Compiles the program and the clock that is preloaded into it."""
    BUILD.mkdir(parents=True, exist_ok=True)
    program, clock = BUILD / "client", BUILD / "fast_clock.so"
    compiler = [os.environ.get("CC", "cc"), "-std=c11", "-O2", "-Wall", "-Wextra", "-pedantic", "-Werror", "-pthread"]
    linked = [f"-I{ROOT / 'include'}", f"-L{library.parent}", "-lheartwire", f"-Wl,-rpath,{library.parent}"]
    subprocess.run([*compiler, "-shared", "-fPIC", str(HERE / "fast_clock.c"), "-o", str(clock)], check=True)
    subprocess.run([*compiler, str(HERE / "client.c"), "-o", str(program), *linked], check=True)
    if slow := symbols(library, "--undefined-only") & TIME_FUNCTIONS - symbols(clock, "--defined-only"):
        raise RuntimeError(f"fast_clock.c does not speed up what the library calls: {', '.join(sorted(slow))}")
    return program, clock


class ClientProgram:
    """A running program."""

    def __init__(self, process: asyncio.subprocess.Process, players: dict[int, Player]) -> None:
        self._process = process
        self._players = players

    def open(self, number: int, preset: str, parameters: dict[str, str]) -> None:
        """Connects to the server's path `/number`."""
        self._command("open", number, preset, ",".join(f"{name}={value}" for name, value in parameters.items()))

    def send(self, number: int, message: Frame) -> None:
        """Has the program of this connection send a message."""
        self._command("send", number, message.kind, message.payload.hex())

    def release(self, number: int) -> None:
        """Releases the connection; the event `released` is the last that it reports."""
        self._command("release", number)

    async def read_reports(self) -> None:
        """Passes on what the program prints, until it ends."""
        assert self._process.stdout is not None
        async for line in self._process.stdout:
            what, number, *fields = line.decode(errors="replace").rstrip("\n").split("\t")
            player = self._players[int(number)]
            if what == "error":
                player.report_error(fields[0])
            elif what == "message":
                player.report_message(Frame(fields[0], bytes.fromhex(fields[1])))
            else:
                name, clock_ns, status, close_code, text = fields
                player.report_event(name, int(clock_ns), f"{text} ({status}, {close_code})" if name == "closed" else text)
        status_code = await self._process.wait()
        for player in self._players.values():
            if not player.released.is_set():
                player.report_error(f"the client program ended with status {status_code}")

    def _command(self, *fields: object) -> None:
        assert self._process.stdin is not None
        self._process.stdin.write("\t".join(map(str, fields)).encode() + b"\n")


def program_client(library: pathlib.Path) -> ClientMaker:
    """Makes clients that run the library."""
    program, clock = build(library)

    @contextlib.asynccontextmanager
    async def start(url: str, time: FastTime, players: dict[int, Player]) -> AsyncIterator[ClientProgram]:
        # No proxy of the machine's may come between.
        environment = {name: value for name, value in os.environ.items() if not name.lower().endswith("_proxy")}
        process = await asyncio.create_subprocess_exec(
            program, url, env=environment | time.environment() | {"LD_PRELOAD": str(clock)},
            stdin=asyncio.subprocess.PIPE, stdout=asyncio.subprocess.PIPE, limit=LINE_BYTES_MAX,
        )  # fmt: skip
        client = ClientProgram(process, players)
        reading = asyncio.create_task(client.read_reports())
        try:
            yield client
            assert process.stdin is not None
            process.stdin.close()
            await asyncio.wait_for(reading, END_TIMEOUT_S)
        finally:
            reading.cancel()
            with contextlib.suppress(ProcessLookupError):
                process.kill()
            await process.wait()

    return start
