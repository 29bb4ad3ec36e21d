"""
The servers that every test suite talks to.

Prints one line of JSON with the ports when all of them listen, and runs until its standard input closes.
"""

import asyncio
import json
import logging
import os
import pathlib
import socket
import ssl
import tempfile
import threading

from aiohttp import web
from websockets.asyncio.server import serve

from aiohttp_app import make_aiohttp_app
from certificates import make_certificates
from close_log import CloseLog
from raw_server import RawServer
from websockets_app import WebSocketsApp


def bind_loopback() -> list[socket.socket]:
    """Binds one free port on the IPv4 loopback and, where the machine has it, on the IPv6 one."""
    if not has_ipv6():
        return [bind(socket.AF_INET, "127.0.0.1", 0)]
    while True:
        first = bind(socket.AF_INET, "127.0.0.1", 0)
        try:
            return [first, bind(socket.AF_INET6, "::1", first.getsockname()[1])]
        except OSError:
            first.close()


def bind(family: socket.AddressFamily, host: str, port: int) -> socket.socket:
    """Binds a socket; the caller listens on it or not."""
    # asyncio turns Nagle's algorithm off only for sockets that name their protocol.
    bound = socket.socket(family, socket.SOCK_STREAM, socket.IPPROTO_TCP)
    try:
        if family == socket.AF_INET6:
            bound.setsockopt(socket.IPPROTO_IPV6, socket.IPV6_V6ONLY, 1)
        bound.bind((host, port))
    except OSError:
        bound.close()
        raise
    return bound


def has_ipv6() -> bool:
    """Tells whether the IPv6 loopback exists."""
    try:
        bind(socket.AF_INET6, "::1", 0).close()
    except OSError:
        return False
    return True


async def listen_websockets(app: WebSocketsApp, tls: ssl.SSLContext | None) -> int:
    """Starts the `websockets` server on a port of its own, and returns the port."""
    sockets = bind_loopback()
    for bound in sockets:
        await serve(
            app.handle,
            sock=bound,
            ssl=tls,
            process_request=app.process_request,
            select_subprotocol=app.select_subprotocol,
            compression="deflate",
            ping_interval=None,
            max_size=None,
        )
    return sockets[0].getsockname()[1]


async def listen_aiohttp() -> int:
    """Starts the aiohttp server, and returns its port."""
    sockets = bind_loopback()
    runner = web.AppRunner(make_aiohttp_app())
    await runner.setup()
    for bound in sockets:
        await web.SockSite(runner, bound).start()
    return sockets[0].getsockname()[1]


async def listen_raw(server: RawServer, tls: ssl.SSLContext | None) -> int:
    """Starts the misbehaving server on a port of its own, and returns the port."""
    sockets = bind_loopback()
    for bound in sockets:
        await asyncio.start_server(server.handle, sock=bound, ssl=tls)
    return sockets[0].getsockname()[1]


async def wait_for_end_of_input() -> None:
    """Returns when standard input has been closed."""
    loop = asyncio.get_running_loop()
    ended = asyncio.Event()

    def read_until_end() -> None:
        while os.read(0, 4096):
            pass
        loop.call_soon_threadsafe(ended.set)

    threading.Thread(target=read_until_end, daemon=True).start()
    await ended.wait()


async def main() -> None:
    """Starts everything, announces the ports and waits."""
    # Bound and never listened on, so that connecting is refused and no other program can take the port.
    refused = bind_loopback()
    with tempfile.TemporaryDirectory(prefix="heartwire-servers-") as directory:
        facts, contexts = make_certificates(pathlib.Path(directory))
        closes = CloseLog()
        app = WebSocketsApp(closes)
        raw = RawServer(closes)
        ports = {
            "ws": await listen_websockets(app, None),
            "aiohttp": await listen_aiohttp(),
            "raw": await listen_raw(raw, None),
            "wss_raw": await listen_raw(raw, contexts["good"]),
            "refused": refused[0].getsockname()[1],
        }
        for kind, context in contexts.items():
            ports["wss" if kind == "good" else f"wss_{kind}"] = await listen_websockets(app, context)
        print(json.dumps(ports | facts), flush=True)
        await wait_for_end_of_input()
    for bound in refused:
        bound.close()


if __name__ == "__main__":
    # Refused handshakes and aborted connections are what the tests are about; the servers' own logs of them would be noise.
    logging.disable(logging.CRITICAL)
    asyncio.run(main())
