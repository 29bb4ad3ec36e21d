"""The well-behaved server once more, on aiohttp: a second implementation of RFC 6455 to agree with."""

import asyncio
import json

from aiohttp import WSMsgType, web

from websockets_app import SUBPROTOCOLS


async def _open(request: web.Request, **options: object) -> web.WebSocketResponse:
    """Answers the opening handshake."""
    offered = request.headers.get("Sec-WebSocket-Protocol")
    response = web.WebSocketResponse(
        protocols=SUBPROTOCOLS if offered else (), max_msg_size=0, compress=False, **options
    )
    await response.prepare(request)
    return response


async def _echo_messages(socket: web.WebSocketResponse) -> None:
    async for message in socket:
        if message.type is WSMsgType.TEXT:
            await socket.send_str(message.data)
        elif message.type is WSMsgType.BINARY:
            await socket.send_bytes(message.data)


async def _echo(request: web.Request) -> web.StreamResponse:
    socket = await _open(request)
    await _echo_messages(socket)
    return socket


async def _flood(request: web.Request) -> web.StreamResponse:
    socket = await _open(request)
    message = "x" * int(request.query["size"])
    for number in range(int(request.query["n"])):
        await socket.send_str(message)
        # Sending does not yield while the socket takes it all; the other connections want their turn.
        if number % 64 == 0:
            await asyncio.sleep(0)
    await _echo_messages(socket)
    return socket


async def _close(request: web.Request) -> web.StreamResponse:
    socket = await _open(request)
    await socket.close(
        code=int(request.query.get("code", "1000")), message=request.query.get("reason", "").encode()
    )
    return socket


async def _abort_upon_message(request: web.Request, socket: web.WebSocketResponse) -> None:
    async for _ in socket:
        if request.transport is not None:
            request.transport.abort()


async def _abort(request: web.Request) -> web.StreamResponse:
    socket = await _open(request)
    await _abort_upon_message(request, socket)
    return socket


async def _headers(request: web.Request) -> web.StreamResponse:
    socket = await _open(request)
    fields = {name.lower(): ", ".join(request.headers.getall(name)) for name in request.headers}
    await socket.send_str(json.dumps(fields))
    await _echo_messages(socket)
    return socket


async def _status(request: web.Request) -> web.StreamResponse:
    code = int(request.query["code"])
    return web.Response(status=code, text=f"refused with {code}\n")


async def _redirect(request: web.Request) -> web.StreamResponse:
    return web.Response(status=int(request.query.get("code", "302")), headers={"Location": request.query["to"]})


async def _ping(request: web.Request) -> web.StreamResponse:
    # With autoping aiohttp would swallow the pongs that are to be counted.
    socket = await _open(request, autoping=False)
    pings, pongs = 0, 0

    async def send_pings() -> None:
        nonlocal pings
        while True:
            await socket.ping(b"%d" % pings)
            pings += 1
            await asyncio.sleep(int(request.query["interval_ms"]) / 1000)

    pinging = asyncio.create_task(send_pings())
    try:
        async for message in socket:
            if message.type is WSMsgType.PONG:
                pongs += 1
            elif message.type is WSMsgType.PING:
                await socket.pong(message.data)
            elif message.type is WSMsgType.TEXT and message.data == "count":
                await socket.send_str(json.dumps({"pings": pings, "pongs": pongs}))
    finally:
        pinging.cancel()
        await asyncio.gather(pinging, return_exceptions=True)
    return socket


def make_aiohttp_app() -> web.Application:
    """Makes the application with all its paths."""
    dropped: set[str] = set()

    async def drop_once(request: web.Request) -> web.StreamResponse:
        if request.query["key"] in dropped:
            return await _echo(request)
        dropped.add(request.query["key"])
        return await _abort(request)

    app = web.Application()
    app.add_routes(
        [
            web.get("/echo", _echo),
            web.get("/flood", _flood),
            web.get("/close", _close),
            web.get("/abort", _abort),
            web.get("/drop-once", drop_once),
            web.get("/ping", _ping),
            web.get("/headers", _headers),
            web.get("/status", _status),
            web.get("/redirect", _redirect),
        ]
    )
    return app
