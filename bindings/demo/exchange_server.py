"""A small exchange over TLS, on the PyPI package websockets, that keeps its own books about every client program.

Usage: exchange_server.py --certificate PEM --trading-seconds N

Clients connect to /?program=NAME. The exchange sends a trade every 50 ms, asks for a sign of life every 2 s in the manner of Deribit,
and cuts each program's first connection after 5 s without a close frame. It prints "READY {json}" with its port, then what happens,
and when its standard input closes "COUNTS {json}": its books, against which the programs' own counts are checked.
"""

import argparse
import asyncio
import contextlib
import dataclasses
import json
import ssl
import sys
import urllib.parse

from websockets.asyncio.server import ServerConnection, serve
from websockets.exceptions import ConnectionClosed
from websockets.frames import Frame, Opcode

TRADE_INTERVAL_S = 0.05
HEARTBEAT_INTERVAL_S = 2.0
CUT_AFTER_S = 5.0

TEST_REQUEST = json.dumps({"jsonrpc": "2.0", "method": "heartbeat", "params": {"type": "test_request"}})


@dataclasses.dataclass
class Books:
    """What the exchange knows about one program, over all its connections."""

    connections: int = 0
    cuts: int = 0
    trades: int = 0
    test_requests: int = 0
    results: int = 0
    messages_sent: int = 0
    in_flight_at_cut: int = 0
    """Messages of the cut connection that the program had not yet proven to have received: these, and only these, may be lost."""
    answers_received: int = 0
    answer_slowest_ms: float = 0.0
    pings_received: int = 0
    trading_ends_at: float = 0.0


class ExchangeConnection(ServerConnection):
    """A connection that counts the client's pings, which websockets answers by itself."""

    pings_received = 0

    def process_event(self, event: object) -> None:
        if isinstance(event, Frame) and event.opcode is Opcode.PING:
            self.pings_received += 1
        super().process_event(event)


class Client:
    """One connection of a program, from the exchange's side."""

    def __init__(self, connection: ExchangeConnection, program: str, books: Books) -> None:
        self.connection = connection
        self.program = program
        self.books = books
        self.clock = asyncio.get_running_loop().time
        self.messages_sent = 0
        self.messages_acknowledged = 0
        self.asked_at: float | None = None
        self.is_cut = False

    def trading(self) -> bool:
        return self.clock() < self.books.trading_ends_at

    async def send(self, text: str) -> None:
        """Sends a message and a ping behind it: the pong proves that the program's side has read everything up to here."""
        await self.connection.send(text)
        self.messages_sent += 1
        self.books.messages_sent += 1
        sent_before = self.messages_sent
        pong = await self.connection.ping()
        pong.add_done_callback(lambda done: self.acknowledge(done, sent_before))

    def acknowledge(self, pong: asyncio.Future, messages: int) -> None:
        if not pong.cancelled() and pong.exception() is None:
            self.messages_acknowledged = max(self.messages_acknowledged, messages)

    async def send_trades(self) -> None:
        while self.trading():
            self.books.trades += 1
            await self.send(json.dumps({"type": "trade", "id": self.books.trades, "pair": "BTC-EUR", "price": 91500 + self.books.trades % 40}))
            await asyncio.sleep(TRADE_INTERVAL_S)

    async def send_test_requests(self) -> None:
        await asyncio.sleep(HEARTBEAT_INTERVAL_S)
        while self.trading():
            self.books.test_requests += 1
            self.asked_at = self.clock()
            await self.send(TEST_REQUEST)
            await asyncio.sleep(HEARTBEAT_INTERVAL_S)

    async def cut(self) -> None:
        """Breaks the connection as a failing network would: no close frame, nothing."""
        await asyncio.sleep(CUT_AFTER_S)
        self.is_cut = True
        self.books.cuts += 1
        print(f"server  | cuts the connection of {self.program}, without a close frame", flush=True)
        self.connection.transport.abort()

    async def answer_requests(self) -> None:
        async for text in self.connection:
            request = json.loads(text)
            if request.get("method") != "public/test":
                continue
            self.books.answers_received += 1
            if self.asked_at is not None:
                self.books.answer_slowest_ms = max(self.books.answer_slowest_ms, (self.clock() - self.asked_at) * 1000)
                self.asked_at = None
            self.books.results += 1
            await self.send(json.dumps({"jsonrpc": "2.0", "id": request.get("id"), "result": {"version": "1.2.26"}}))

    async def run(self) -> None:
        works = [self.send_trades(), self.send_test_requests()]
        if self.books.connections == 1:
            works.append(self.cut())
        tasks = [asyncio.create_task(work) for work in works]
        try:
            with contextlib.suppress(ConnectionClosed):
                await self.answer_requests()
        finally:
            for task in tasks:
                task.cancel()
            await asyncio.gather(*tasks, return_exceptions=True)
            self.books.pings_received += self.connection.pings_received
            if self.is_cut:
                self.books.in_flight_at_cut = self.messages_sent - self.messages_acknowledged


async def main() -> None:
    parser = argparse.ArgumentParser()
    parser.add_argument("--certificate", required=True, help="PEM file with the key and the certificate chain")
    parser.add_argument("--trading-seconds", type=float, required=True, help="how long a program is served, from its first connection on")
    options = parser.parse_args()

    tls = ssl.SSLContext(ssl.PROTOCOL_TLS_SERVER)
    tls.load_cert_chain(options.certificate)
    books_of: dict[str, Books] = {}

    async def welcome(connection: ExchangeConnection) -> None:
        query = urllib.parse.parse_qs(urllib.parse.urlsplit(connection.request.path).query)
        program = query.get("program", ["unknown"])[0]
        books = books_of.setdefault(program, Books())
        books.connections += 1
        if books.connections == 1:
            books.trading_ends_at = asyncio.get_running_loop().time() + options.trading_seconds
        await Client(connection, program, books).run()

    # The server's own keepalive is off, so that every ping on the wire is either a client's or a receipt for messages.
    async with serve(welcome, "127.0.0.1", 0, ssl=tls, create_connection=ExchangeConnection, ping_interval=None) as server:
        port = server.sockets[0].getsockname()[1]
        print("READY", json.dumps({"port": port}), flush=True)
        await asyncio.get_running_loop().run_in_executor(None, sys.stdin.read)
    print("COUNTS", json.dumps({program: dataclasses.asdict(books) for program, books in books_of.items()}), flush=True)


if __name__ == "__main__":
    with contextlib.suppress(KeyboardInterrupt):
        asyncio.run(main())
