"""
A server that keeps a book of what it receives, on disk, so that it can be killed at any time.

Usage: server.py websockets|aiohttp ADDRESS PORT BOOK

Prints its port when it listens. Of each message it writes a line, "CONNECTION NUMBER BYTES" if it begins with a number, else "CONNECTION
TEXT", and then answers with that number or text. Each connection begins with the line "CONNECTION open".
"""

from __future__ import annotations

import asyncio
import contextlib
import itertools
import os
import sys

import websockets.asyncio.server
import websockets.exceptions
from aiohttp import WSMsgType, web

MESSAGE_BYTES_MAX = 1 << 24


class Book:
    """Nothing of it stays in the process: what a line tells has been written when the message is answered."""

    def __init__(self, path: str) -> None:
        self._file = os.open(path, os.O_WRONLY | os.O_APPEND | os.O_CREAT)
        self._numbers = itertools.count(1)

    def open(self) -> str:
        """Names a new connection, as no other server process does."""
        name = f"{os.getpid()}.{next(self._numbers)}"
        self._write(f"{name} open")
        return name

    def enter(self, connection: str, message: str) -> str:
        """Writes down a message; returns the answer to it."""
        word = message.split(maxsplit=1)[0]
        self._write(f"{connection} {word} {len(message)}" if word.isdecimal() else f"{connection} {message}")
        return word

    def _write(self, line: str) -> None:
        os.write(self._file, f"{line}\n".encode())


async def serve_websockets(address: str, port: int, book: Book) -> int:
    async def serve(connection: websockets.asyncio.server.ServerConnection) -> None:
        name = book.open()
        # That connections end is what the tests are about. What came before a close is read after it.
        with contextlib.suppress(websockets.exceptions.ConnectionClosed):
            while True:
                answer = book.enter(name, str(await connection.recv()))
                with contextlib.suppress(websockets.exceptions.ConnectionClosed):
                    await connection.send(answer)

    server = await websockets.asyncio.server.serve(
        serve, address, port, compression=None, ping_interval=None, max_size=MESSAGE_BYTES_MAX
    )  # fmt: skip
    return int(next(iter(server.sockets)).getsockname()[1])


async def serve_aiohttp(address: str, port: int, book: Book) -> int:
    async def serve(request: web.Request) -> web.WebSocketResponse:
        connection = web.WebSocketResponse(max_msg_size=MESSAGE_BYTES_MAX, compress=False)
        await connection.prepare(request)
        name = book.open()
        with contextlib.suppress(ConnectionError):
            async for message in connection:
                if message.type is WSMsgType.TEXT:
                    await connection.send_str(book.enter(name, message.data))
        return connection

    app = web.Application()
    app.add_routes([web.get("/", serve)])
    runner = web.AppRunner(app)
    await runner.setup()
    await web.TCPSite(runner, address, port).start()
    return int(runner.addresses[0][1])


SERVERS = {"websockets": serve_websockets, "aiohttp": serve_aiohttp}


async def main() -> None:
    kind, address, port, book = sys.argv[1:]
    print(await SERVERS[kind](address, int(port), Book(book)), flush=True)
    await asyncio.Event().wait()


if __name__ == "__main__":
    asyncio.run(main())
