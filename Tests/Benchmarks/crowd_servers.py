"""The same server as crowd_server.c, made with a Python peer: binary messages go back to who sent them, text messages to all clients.

Usage: crowd_servers.py PEER plain|deflate   prints its port when ready, and ends with its standard input.
"""

import asyncio
import contextlib
import os
import resource
import sys

PING_S = 30


async def serve_websockets(compresses: bool) -> int:
    from websockets.asyncio.server import ServerConnection, broadcast, serve
    from websockets.exceptions import ConnectionClosedError
    from websockets.extensions.permessage_deflate import ServerPerMessageDeflateFactory

    clients: set[ServerConnection] = set()

    async def serve_client(client: ServerConnection) -> None:
        clients.add(client)
        # Crowds leave without a word.
        with contextlib.suppress(ConnectionClosedError):
            async for message in client:
                if isinstance(message, str):
                    broadcast(clients, message)
                else:
                    await client.send(message)
        clients.remove(client)

    extensions = [ServerPerMessageDeflateFactory()] if compresses else None
    server = await serve(serve_client, "127.0.0.1", 0, compression=None, extensions=extensions, ping_interval=PING_S)
    return next(iter(server.sockets)).getsockname()[1]


async def serve_aiohttp(compresses: bool) -> int:
    from aiohttp import WSMsgType, web

    clients: set[web.WebSocketResponse] = set()

    async def serve_client(request: web.Request) -> web.WebSocketResponse:
        client = web.WebSocketResponse(compress=compresses, heartbeat=PING_S)
        await client.prepare(request)
        clients.add(client)
        async for message in client:
            if message.type is WSMsgType.TEXT:
                for other in clients:
                    await other.send_str(message.data)
            elif message.type is WSMsgType.BINARY:
                await client.send_bytes(message.data)
        clients.remove(client)
        return client

    application = web.Application()
    application.router.add_get("/", serve_client)
    runner = web.AppRunner(application, access_log=None)
    await runner.setup()
    site = web.TCPSite(runner, "127.0.0.1", 0, backlog=1024)
    await site.start()
    return runner.addresses[0][1]


async def serve_picows(compresses: bool) -> int:
    from picows import WSFrame, WSListener, WSMsgType, WSTransport, WSUpgradeRequest, ws_create_server

    if compresses:
        raise SystemExit("picows has no permessage-deflate")
    clients: set[WSTransport] = set()

    class Client(WSListener):
        def on_ws_connected(self, transport: WSTransport) -> None:
            clients.add(transport)

        def on_ws_disconnected(self, transport: WSTransport) -> None:
            clients.discard(transport)

        def on_ws_frame(self, transport: WSTransport, frame: WSFrame) -> None:
            if frame.msg_type == WSMsgType.TEXT:
                payload = frame.get_payload_as_bytes()
                for client in clients:
                    client.send(WSMsgType.TEXT, payload)
            elif frame.msg_type == WSMsgType.BINARY:
                transport.send(WSMsgType.BINARY, frame.get_payload_as_bytes())
            elif frame.msg_type == WSMsgType.CLOSE:
                transport.send_close(frame.get_close_code(), frame.get_close_message())
                transport.disconnect()

    def make_client(request: WSUpgradeRequest) -> WSListener:
        return Client()

    server = await ws_create_server(make_client, "127.0.0.1", 0)
    asyncio.create_task(server.serve_forever())
    return server.sockets[0].getsockname()[1]


PEERS = {"websockets": serve_websockets, "aiohttp": serve_aiohttp, "picows": serve_picows}


async def main() -> None:
    resource.setrlimit(resource.RLIMIT_NOFILE, (resource.getrlimit(resource.RLIMIT_NOFILE)[1],) * 2)
    port = await PEERS[sys.argv[1]](sys.argv[2] == "deflate")
    print(port, flush=True)
    await asyncio.get_running_loop().run_in_executor(None, sys.stdin.read)
    # Without a word to the clients.
    os._exit(0)


if __name__ == "__main__":
    asyncio.run(main())
