"""Plays transcripts to a client, all at once, each on a connection of its own."""

from __future__ import annotations

import asyncio
import contextlib
import dataclasses
import functools
from collections.abc import AsyncIterator, Callable, Sequence
from typing import Protocol

from fast_time import FastTime
from player import Player
from raw_frames import read_request
from transcript import Frame, Transcript

UNIX_MS = 1_700_000_000_000
"""What the wall clock shows at first: the time of the transcripts."""

TOLERANCE_MS = 750
"""How late, in fast time, what is expected may come: the faster time passes, the less the machine may dawdle."""

OPEN_TIMEOUT_S = 10
RELEASE_TIMEOUT_S = 10


class Client(Protocol):
    """What drives the connections: the program client.c, or the stand-in that proves this runner. It reports to the players."""

    def open(self, number: int, preset: str, parameters: dict[str, str]) -> None:
        """Connects to the server's path `/number`."""

    def send(self, number: int, message: Frame) -> None:
        """Has the program of this connection send a message."""

    def release(self, number: int) -> None:
        """Releases the connection; the event `released` is the last that it reports."""


ClientMaker = Callable[[str, FastTime, dict[int, Player]], contextlib.AbstractAsyncContextManager[Client]]
"""Starts a client for a server's URL; the dictionary has the player of each connection that is opened later."""


@dataclasses.dataclass
class Outcome:
    """How a transcript went."""

    problems: list[str]
    latest_real_ms: float
    """How late the latest expected frame came, in real time."""


@contextlib.asynccontextmanager
async def serve(players: dict[int, Player]) -> AsyncIterator[str]:
    """Lets each player talk to the client that asks for its number; gives the server's URL."""

    async def handle(reader: asyncio.StreamReader, writer: asyncio.StreamWriter) -> None:
        with contextlib.suppress(asyncio.IncompleteReadError, ConnectionError):
            target, fields = await read_request(reader)
            player = players[int(target.removeprefix("/"))]
            await player.play(reader, writer, fields)
            # A connection that ends first would be made again.
            await player.released.wait()
        writer.close()

    server = await asyncio.start_server(handle, "127.0.0.1", 0)
    async with server:
        yield f"ws://127.0.0.1:{server.sockets[0].getsockname()[1]}"


async def play_one(number: int, player: Player, client: Client) -> None:
    """Waits for the transcript's end and has the connection released."""
    await player.done.wait()
    client.release(number)
    try:
        await asyncio.wait_for(player.released.wait(), RELEASE_TIMEOUT_S)
    except asyncio.TimeoutError:
        player.report_error("the connection was not released")


async def play_all(transcripts: Sequence[Transcript], make_client: ClientMaker, factor: int) -> dict[str, Outcome]:
    """Plays the transcripts `factor` times as fast as they are and tells how each went."""
    time = FastTime.start(factor, UNIX_MS)
    players: dict[int, Player] = {}
    async with serve(players) as url, make_client(url, time, players) as client:
        tasks = []
        for number, transcript in enumerate(sorted(transcripts, key=lambda transcript: -transcript.end_ms)):
            player = players[number] = Player(transcript, time, TOLERANCE_MS, functools.partial(client.send, number))
            client.open(number, transcript.entry, transcript.parameters)
            # One after the other, so that the crowd at the door takes no time from those who have started.
            try:
                await asyncio.wait_for(player.opened.wait(), OPEN_TIMEOUT_S)
            except asyncio.TimeoutError:
                player.report_error("the client did not connect")
            tasks.append(asyncio.create_task(play_one(number, player, client)))
        await asyncio.gather(*tasks)
    return {player.transcript.id: Outcome(player.problems(), player.judge.latest_ms / factor) for player in players.values()}
