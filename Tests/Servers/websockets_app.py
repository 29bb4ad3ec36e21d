"""The well-behaved server, on the library `websockets`; it runs plain and behind TLS."""

import asyncio
import http
import json
from urllib.parse import parse_qsl, urlsplit

from websockets.asyncio.server import ServerConnection
from websockets.exceptions import ConnectionClosed
from websockets.http11 import Request, Response

from close_log import CloseLog
from questions import serve_questions

SUBPROTOCOLS = ("chat", "echo")


def split_target(target: str) -> tuple[str, dict[str, str]]:
    """Splits a request target into its path and its query parameters."""
    parts = urlsplit(target)
    return parts.path, dict(parse_qsl(parts.query, keep_blank_values=True))


class WebSocketsApp:
    """The paths of the server; one instance serves every listening port."""

    def __init__(self, closes: CloseLog) -> None:
        self._closes = closes
        self._dropped: set[str] = set()
        self._paths = {
            "/echo": self._echo,
            "/flood": self._flood,
            "/close": self._close,
            "/abort": self._abort,
            "/drop-once": self._drop_once,
            "/ping": self._ping,
            "/ask": serve_questions,
            "/headers": self._headers,
            "/tls": self._tls,
        }

    def process_request(self, connection: ServerConnection, request: Request) -> Response | None:
        """Refuses unknown paths, and answers /status and /redirect as it was asked to."""
        path, query = split_target(request.path)
        if path == "/status":
            code = int(query["code"])
            response = connection.respond(http.HTTPStatus(code), f"refused with {code}\n")
            if "retry_after" in query:
                response.headers["Retry-After"] = query["retry_after"]
            return response
        if path == "/redirect":
            response = connection.respond(http.HTTPStatus(int(query.get("code", "302"))), "elsewhere\n")
            response.headers["Location"] = query["to"]
            return response
        if path not in self._paths:
            return connection.respond(http.HTTPStatus.NOT_FOUND, f"no path {path}\n")
        return None

    def select_subprotocol(self, connection: ServerConnection, offered: list[str]) -> str | None:
        """Agrees on a known subprotocol, and accepts clients that offer none."""
        return next((name for name in SUBPROTOCOLS if name in offered), None)

    async def handle(self, connection: ServerConnection) -> None:
        """Serves one connection."""
        path, query = split_target(connection.request.path)
        try:
            await self._paths[path](connection, query)
        except ConnectionClosed:
            pass
        finally:
            if connection.protocol.close_rcvd is not None:
                received = connection.protocol.close_rcvd
                self._closes.record(query.get("key"), int(received.code), received.reason)

    async def _echo(self, connection: ServerConnection, query: dict[str, str]) -> None:
        async for message in connection:
            await connection.send(message)

    async def _flood(self, connection: ServerConnection, query: dict[str, str]) -> None:
        message = "x" * int(query["size"])
        for number in range(int(query["n"])):
            await connection.send(message)
            # Sending does not yield while the socket takes it all; the other connections want their turn.
            if number % 64 == 0:
                await asyncio.sleep(0)
        await self._echo(connection, query)

    async def _close(self, connection: ServerConnection, query: dict[str, str]) -> None:
        await connection.close(int(query.get("code", "1000")), query.get("reason", ""))

    async def _abort(self, connection: ServerConnection, query: dict[str, str]) -> None:
        await connection.recv()
        connection.transport.abort()

    async def _drop_once(self, connection: ServerConnection, query: dict[str, str]) -> None:
        if query["key"] in self._dropped:
            await self._echo(connection, query)
        else:
            self._dropped.add(query["key"])
            await self._abort(connection, query)

    async def _ping(self, connection: ServerConnection, query: dict[str, str]) -> None:
        pings, pongs = 0, 0

        def count_pong(waiter: "asyncio.Future[float]") -> None:
            nonlocal pongs
            if not waiter.cancelled() and waiter.exception() is None:
                pongs += 1

        async def send_pings() -> None:
            nonlocal pings
            while True:
                waiter = await connection.ping()
                waiter.add_done_callback(count_pong)
                pings += 1
                await asyncio.sleep(int(query["interval_ms"]) / 1000)

        pinging = asyncio.create_task(send_pings())
        try:
            async for message in connection:
                if message == "count":
                    await connection.send(json.dumps({"pings": pings, "pongs": pongs}))
        finally:
            pinging.cancel()
            await asyncio.gather(pinging, return_exceptions=True)

    async def _tls(self, connection: ServerConnection, query: dict[str, str]) -> None:
        tls = connection.transport.get_extra_info("ssl_object")
        facts = {
            "version": tls.version(),
            "alpn": tls.selected_alpn_protocol(),
            "reused": tls.session_reused,
            "client": [name for _, name in (tls.getpeercert() or {}).get("subjectAltName", ())],
        }
        await connection.send(json.dumps(facts))
        await self._echo(connection, query)

    async def _headers(self, connection: ServerConnection, query: dict[str, str]) -> None:
        fields: dict[str, str] = {}
        for name, value in connection.request.headers.raw_items():
            fields[name.lower()] = f"{fields[name.lower()]}, {value}" if name.lower() in fields else value
        await connection.send(json.dumps(fields))
        await self._echo(connection, query)
