"""The listener and the clients of other libraries: websockets and aiohttp, and sockets that do as they like."""

from __future__ import annotations

import asyncio
import socket
import ssl
from typing import Any

import aiohttp
import pytest
import trustme
import websockets
from conftest import eventually, run
from listening import ANYWHERE, NAMED, address, pair

import heartwire
from heartwire import EventKind, Refusal, Request, ServedConnection

REQUEST = (
    b"GET / HTTP/1.1\r\nHost: h\r\nUpgrade: websocket\r\nConnection: Upgrade\r\nSec-WebSocket-Version: 13\r\n"
    b"Sec-WebSocket-Key: dGhlIHNhbXBsZSBub25jZQ==\r\n\r\n"
)

MESSAGES: list[Any] = ["text", "", "grüße 🎺", b"", b"\x00\xff", "x" * 300_000, bytes(200_000)]


async def echo(ws: ServedConnection) -> None:
    async for message in ws:
        ws.send(message)


@pytest.mark.parametrize("compression", ["off", "on"])
def test_websockets(compression: str) -> None:
    async def main() -> None:
        async with heartwire.listen(ANYWHERE, **NAMED, compression=compression, subprotocols="b, a") as listener:
            async with websockets.connect(address(listener), subprotocols=["a", "b"], max_size=None) as client:  # type: ignore[list-item]
                echoing = asyncio.create_task(echo(await listener.accept()))
                assert client.subprotocol == "a"
                assert bool(client.protocol.extensions) == (compression == "on")
                for message in MESSAGES:
                    await client.send(message)
                    assert await client.recv() == message
                await client.send(["in ", "parts"])
                assert await client.recv() == "in parts"
                assert await (await client.ping()) > 0
                await client.close(4001, "enough")
            with pytest.raises(heartwire.ClosedByPeer) as caught:
                await echoing
            assert caught.value.close_code == 4001

    run(main())


@pytest.mark.parametrize("compression", ["off", "on"])
def test_aiohttp(compression: str) -> None:
    async def main() -> None:
        async with heartwire.listen(ANYWHERE, **NAMED, compression=compression) as listener, aiohttp.ClientSession() as session:
            async with session.ws_connect(address(listener), compress=15 if compression == "on" else 0) as client:
                echoing = asyncio.create_task(echo(await listener.accept()))
                assert bool(client.compress) == (compression == "on")
                for message in MESSAGES:
                    await (client.send_bytes(message) if isinstance(message, bytes) else client.send_str(message))
                    assert (await client.receive()).data == message
            await echoing

    run(main())


def test_tls() -> None:
    async def main() -> None:
        authority = trustme.CA()
        certificate = authority.issue_cert("localhost")
        own = {"tls_certificate_pem": certificate.cert_chain_pems[0].bytes(), "tls_key_pem": certificate.private_key_pem.bytes()}
        context = ssl.create_default_context()
        authority.configure_trust(context)
        async with heartwire.listen("wss://localhost:0", **NAMED, **own) as listener:
            url = f"wss://localhost:{listener.port}"
            async with websockets.connect(url, ssl=context) as client:
                echoing = asyncio.create_task(echo(await listener.accept()))
                for message in MESSAGES:
                    await client.send(message)
                    assert await client.recv() == message
            await echoing
            async with heartwire.connect(url, **NAMED, tls_ca_pem=authority.cert_pem.bytes()) as ours:
                listener.broadcast("to all")
                assert await ours.recv() == "to all"
        with pytest.raises(heartwire.ConfigurationError, match="certificate"):
            heartwire.listen("wss://localhost:0")

    run(main())


def test_pings_are_answered() -> None:
    async def main() -> None:
        async with heartwire.listen(ANYWHERE, **NAMED, ping_interval="10ms") as listener, aiohttp.ClientSession() as session:
            async with websockets.connect(address(listener)), pair(listener, ping_interval=0):
                async with session.ws_connect(address(listener)) as client:
                    receiving = asyncio.create_task(client.receive())
                    await eventually(lambda: len(listener.clients) == 3)
                    for ws in listener.clients:
                        await eventually(lambda ws=ws: ws.metrics().pongs_received >= 5)  # type: ignore[misc]
                        assert ws.metrics().rtt_last_ns > 0
                    await listener.close()
                    assert (await receiving).data == 1001

    run(main())


def test_client_that_answers_no_ping_is_closed() -> None:
    async def main() -> None:
        ends: list[heartwire.Event] = []
        missed: list[int] = []

        def on_event(ws: ServedConnection, event: heartwire.Event) -> None:
            if event.kind is EventKind.CLOSED:
                ends.append(event)
            elif event.kind is EventKind.BEAT_MISSED:
                missed.append(event.count)

        options: dict[str, Any] = {"ping_interval": "200ms", "ping_timeout": "200ms", "ping_missed_max": 3}
        async with heartwire.listen(ANYWHERE, **NAMED, on_event=on_event, **options) as listener, aiohttp.ClientSession() as session:
            async with pair(listener) as (alive, _), session.ws_connect(address(listener), autoping=False) as silent:
                ws = await listener.accept()
                frame = await silent.receive()
                while frame.type is aiohttp.WSMsgType.PING:
                    frame = await silent.receive()
                assert (frame.type, frame.data, frame.extra) == (aiohttp.WSMsgType.CLOSE, 1001, "Heartbeat timeout")
                with pytest.raises(heartwire.HeartbeatError):
                    await ws.recv()
                assert missed[-1] == 3
                await eventually(lambda: len(listener.clients) == 1)
                assert (ends[0].close_code, ends[0].status) == (1001, heartwire.Status.HEARTBEAT)
                assert listener.broadcast("still here") == 1
                assert await alive.recv() == "still here"

    run(main())


def test_refusal_is_visible_to_others() -> None:
    async def main() -> None:
        async def before_accept(request: Request) -> Refusal | None:
            return Refusal(401, "who are you?") if request.header("Authorization") is None else None

        async with heartwire.listen(ANYWHERE, **NAMED, before_accept=before_accept) as listener, aiohttp.ClientSession() as session:
            with pytest.raises(websockets.InvalidStatus) as refused:
                await websockets.connect(address(listener))
            assert (refused.value.response.status_code, refused.value.response.body) == (401, b"who are you?\n")
            with pytest.raises(aiohttp.WSServerHandshakeError) as denied:
                await session.ws_connect(address(listener))
            assert denied.value.status == 401
            async with websockets.connect(address(listener), additional_headers={"Authorization": "me"}) as client:
                (await listener.accept()).send("welcome")
                assert await client.recv() == "welcome"

    run(main())


def test_origins_of_others() -> None:
    async def main() -> None:
        origins = "https://a.example"
        async with heartwire.listen(ANYWHERE, **NAMED, listener_origins=origins) as listener, aiohttp.ClientSession() as session:
            async with websockets.connect(address(listener), origin="https://a.example"):  # type: ignore[arg-type]
                pass
            with pytest.raises(websockets.InvalidStatus, match="403"):
                await websockets.connect(address(listener), origin="https://b.example")  # type: ignore[arg-type]
            with pytest.raises(aiohttp.WSServerHandshakeError, match="403"):
                await session.ws_connect(address(listener), origin="https://b.example")

    run(main())


def test_broadcast_leaves_out_a_client_that_reads_nothing() -> None:
    async def main() -> None:
        async with heartwire.listen(ANYWHERE, **NAMED, queue_bytes_max="256KiB", message_fragment_bytes="1MiB") as listener:
            reader, writer = await asyncio.open_connection("127.0.0.1", listener.port, limit=1)
            writer.write(REQUEST)
            slow = await listener.accept()
            async with websockets.connect(address(listener)) as client:
                await listener.accept()
                sent = 0
                while listener.broadcast(bytes(65536)) == 2:
                    sent += 1
                    assert len(await client.recv()) == 65536
                assert len(await client.recv()) == 65536
                with pytest.raises(heartwire.QueueFull):
                    slow.send(bytes(200_000))
                assert listener.broadcast("on it goes") >= 1
                assert await client.recv() == "on it goes"
            # Once the client reads it gets all that was queued for it.
            received = 0
            while received < sent * 65536:
                received += len(await reader.read(1 << 20))
            writer.close()

    run(main())


def test_sender_goes_on_when_a_slow_client_reads() -> None:
    async def main() -> None:
        async with heartwire.listen(ANYWHERE, **NAMED, queue_bytes_max="1MiB", ping_interval=0) as listener:
            async with websockets.connect(address(listener), max_queue=1, max_size=None) as client:
                ws = await listener.accept()
                count = 0
                while True:
                    try:
                        ws.send(bytes(100_000))
                        count += 1
                    except heartwire.QueueFull:
                        break
                sending = asyncio.create_task(ws.send_streaming([bytes(400_000), bytes(400_000)]))
                for _ in range(count):
                    assert len(await client.recv()) == 100_000
                assert len(await client.recv()) == 800_000
                assert await sending == count + 1

    run(main())


def test_reset_by_a_client() -> None:
    async def main() -> None:
        async with heartwire.listen(ANYWHERE, **NAMED) as listener:
            with socket.create_connection(("127.0.0.1", listener.port)) as client:
                client.sendall(REQUEST)
                ws = await listener.accept()
                client.setsockopt(socket.SOL_SOCKET, socket.SO_LINGER, b"\x01\0\0\0\0\0\0\0")
            with pytest.raises(heartwire.ConnectError):
                await ws.recv()
            await eventually(lambda: listener.clients == ())

    run(main())
