"""A TCP proxy that is as bad as it is told to be: it delays, stalls, swallows or resets connections, or carries them in tiny pieces."""

from __future__ import annotations

import asyncio
import contextlib
import random
import socket
import struct
import subprocess
import threading
from collections.abc import Callable
from typing import Any

CHUNK_BYTES = 65536
# How long TCP waits at least before it sends a lost segment again, and twice that.
STALL_S = (0.2, 0.4)


class FaultyProxy:
    """Listens on the loopback, and carries what comes to the server and back. It runs on a thread of its own."""

    server_port = 0

    def __init__(self, seed: int = 1) -> None:
        self._random = random.Random(seed)
        self._delay_s, self._loss, self._chunk_bytes = 0.0, 0.0, CHUNK_BYTES
        self._target: int | None = None
        self._open: set[asyncio.StreamWriter] = set()
        self._tasks: set[asyncio.Task[None]] = set()
        self._loop = asyncio.new_event_loop()
        self._flows = asyncio.Event()
        self._flows.set()
        self._thread = threading.Thread(target=self._loop.run_forever, daemon=True)
        self._thread.start()
        listening = asyncio.run_coroutine_threadsafe(asyncio.start_server(self._serve, "127.0.0.1", 0), self._loop)
        self._server = listening.result()
        self.client_url = f"ws://127.0.0.1:{self._server.sockets[0].getsockname()[1]}"

    def start_client(self, command: list[str], **options: Any) -> subprocess.Popen[str]:
        return subprocess.Popen(command, text=True, **options)

    start_server = start_client

    def server_listens(self, port: int) -> None:
        """Carries connections to this port from now on."""
        self._target = port

    def delay(self, seconds: float) -> None:
        """Keeps all bytes for so long."""
        self._delay_s = seconds

    def lose(self, share: float) -> None:
        """Stalls as often as this share of lost packets would have TCP wait."""
        self._loss = share

    def crumble(self, size: int) -> None:
        """Carries at most so many bytes at once."""
        self._chunk_bytes = size

    def swallow(self) -> None:
        """Carries nothing any more, and tells nobody; connections are accepted all the same."""
        self._call(self._flows.clear)

    def heal(self) -> None:
        """Is a good proxy again."""
        self._delay_s, self._loss, self._chunk_bytes = 0.0, 0.0, CHUNK_BYTES
        self._call(self._flows.set)

    def reset(self) -> None:
        """Resets all connections, to both sides."""
        def reset_all() -> None:
            for writer in self._open:
                reset(writer)

        self._call(reset_all)

    def close(self) -> None:
        asyncio.run_coroutine_threadsafe(self._end(), self._loop).result()
        self._loop.call_soon_threadsafe(self._loop.stop)
        self._thread.join()
        self._loop.close()

    def _call(self, action: Callable[[], object]) -> None:
        async def act() -> None:
            action()

        asyncio.run_coroutine_threadsafe(act(), self._loop).result()

    async def _end(self) -> None:
        self._server.close()
        for task in list(self._tasks):
            task.cancel()
        await asyncio.gather(*self._tasks, return_exceptions=True)
        for writer in list(self._open):
            writer.transport.abort()

    async def _serve(self, reader: asyncio.StreamReader, writer: asyncio.StreamWriter) -> None:
        task = asyncio.current_task()
        assert task is not None
        self._tasks.add(task)
        self._open.add(writer)
        try:
            await self._flows.wait()
            await self._connect(reader, writer)
        except OSError:
            # Nobody listens at the other end.
            reset(writer)
        except asyncio.CancelledError:
            pass
        finally:
            self._open.discard(writer)
            self._tasks.discard(task)

    async def _connect(self, reader: asyncio.StreamReader, writer: asyncio.StreamWriter) -> None:
        server_reader, server_writer = await asyncio.open_connection("127.0.0.1", self._target)
        self._open.add(server_writer)
        try:
            await asyncio.gather(self._carry(reader, server_writer), self._carry(server_reader, writer))
        finally:
            self._open.discard(server_writer)
            server_writer.close()
            writer.close()

    async def _carry(self, reader: asyncio.StreamReader, writer: asyncio.StreamWriter) -> None:
        """Carries one direction of a connection until it ends; with it ends the other."""
        on_their_way: asyncio.Queue[tuple[float, bytes]] = asyncio.Queue(maxsize=64)
        delivering = asyncio.create_task(self._deliver(on_their_way, writer))
        due = 0.0
        try:
            while True:
                await self._flows.wait()
                chunk = b""
                with contextlib.suppress(ConnectionError):
                    chunk = await reader.read(self._chunk_bytes)
                stall = self._random.uniform(*STALL_S) if self._random.random() < self._loss else 0.0
                due = max(due, self._loop.time() + self._delay_s + stall)
                await on_their_way.put((due, chunk))
                if not chunk:
                    break
            await delivering
        finally:
            delivering.cancel()

    async def _deliver(self, on_their_way: asyncio.Queue[tuple[float, bytes]], writer: asyncio.StreamWriter) -> None:
        while True:
            due, chunk = await on_their_way.get()
            await asyncio.sleep(max(due - self._loop.time(), 0))
            await self._flows.wait()
            if not chunk:
                writer.close()
                return
            if not writer.is_closing():
                with contextlib.suppress(ConnectionError):
                    writer.write(chunk)
                    await writer.drain()


def reset(writer: asyncio.StreamWriter) -> None:
    """Ends a connection with RST instead of FIN."""
    with contextlib.suppress(OSError):
        writer.get_extra_info("socket").setsockopt(socket.SOL_SOCKET, socket.SO_LINGER, struct.pack("ii", 1, 0))
    writer.transport.abort()
