"""Measures what permessage-deflate costs in Python, by Heartwire or a peer: CPU time of the whole process a message.

Usage: deflate.py CLIENT URL in|out TEXTS SIZE MESSAGES

Receives texts, or sends those of a file of texts of SIZE bytes until the server says that it has got them all. Every client uses zlib with
its defaults; whether with context takeover, the server's answer decides.
"""

import asyncio
import contextlib
import json
import pathlib
import sys
import time
from typing import Any


@contextlib.asynccontextmanager
async def open_heartwire(url: str):
    import heartwire

    async with heartwire.connect(url, compression="on", queue_messages_max=1_000_000, queue_bytes_max="1GiB") as connection:
        yield connection


@contextlib.asynccontextmanager
async def open_websockets(url: str):
    from websockets.asyncio.client import connect
    from websockets.extensions.permessage_deflate import ClientPerMessageDeflateFactory

    async with connect(url, compression=None, extensions=[ClientPerMessageDeflateFactory()], ping_interval=None) as connection:
        yield connection


@contextlib.asynccontextmanager
async def open_picows(url: str):
    from picows.websockets import connect

    async with connect(url, ping_interval=None) as connection:
        yield connection


CLIENTS = {"heartwire": open_heartwire, "websockets": open_websockets, "picows": open_picows}


async def receive(connection: Any, wanted: int) -> None:
    for _ in range(wanted):
        await connection.recv()


async def send(connection: Any, texts: list[str], wanted: int) -> int:
    """Gives how many bytes of payload the server counted."""
    for index in range(wanted):
        sent = connection.send(texts[index % len(texts)])
        if asyncio.iscoroutine(sent):
            await sent
    return int(await connection.recv())


async def measure(client: str, url: str, texts: list[str] | None, wanted: int) -> dict[str, float]:
    async with CLIENTS[client](url) as connection:
        cpu_started = time.process_time_ns()
        payload_bytes = await send(connection, texts, wanted) if texts is not None else await receive(connection, wanted)
        cpu_ns = time.process_time_ns() - cpu_started
    return {"cpu_ns": cpu_ns / wanted, "payload_bytes": (payload_bytes or 0) / wanted}


def main() -> None:
    client, url, direction, path, size, wanted = *sys.argv[1:5], int(sys.argv[5]), int(sys.argv[6])
    corpus = pathlib.Path(path).read_text()
    texts = [corpus[at : at + size] for at in range(0, len(corpus), size)]
    print(json.dumps(asyncio.run(measure(client, url, texts if direction == "out" else None, wanted))))


if __name__ == "__main__":
    main()
