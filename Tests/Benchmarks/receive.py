"""Measures what receiving a flood of text messages costs in Python, by Heartwire or a peer.

Usage: receive.py CLIENT URL MESSAGES

Every client hands each message to the program as a str, whose length is added up. From the connect to the close; imports, which a
first connection brings, are not counted.
"""

import asyncio
import json
import sys
import time


async def receive_heartwire(url: str, wanted: int) -> int:
    import heartwire

    size = count = 0
    async with heartwire.connect(url) as connection:
        async for message in connection:
            size += len(message)
            count += 1
            if count == wanted:
                break
    return size


async def receive_heartwire_sync(url: str, wanted: int) -> int:
    import heartwire.sync

    size = count = 0
    with heartwire.sync.connect(url) as connection:
        for message in connection:
            size += len(message)
            count += 1
            if count == wanted:
                break
    return size


async def receive_websockets(url: str, wanted: int) -> int:
    from websockets.asyncio.client import connect

    size = 0
    async with connect(url, compression=None, ping_interval=None) as connection:
        for _ in range(wanted):
            size += len(await connection.recv())
    return size


async def receive_picows(url: str, wanted: int) -> int:
    from picows import WSFrame, WSListener, WSMsgType, WSTransport, ws_connect

    class Listener(WSListener):
        messages = 0
        size = 0

        def on_ws_frame(self, transport: WSTransport, frame: WSFrame) -> None:
            if frame.msg_type == WSMsgType.TEXT:
                self.messages += 1
                self.size += len(frame.get_payload_as_utf8_text())
                if self.messages == wanted:
                    transport.disconnect()

    transport, listener = await ws_connect(Listener, url)
    await transport.wait_disconnected()
    return listener.size


CLIENTS = {
    "heartwire": receive_heartwire,
    "heartwire.sync": receive_heartwire_sync,
    "websockets": receive_websockets,
    "picows": receive_picows,
}


def main() -> None:
    client, url, wanted = CLIENTS[sys.argv[1]], sys.argv[2], int(sys.argv[3])
    asyncio.run(client(url.replace(f"n={wanted}", "n=1"), 1))
    cpu_started, started = time.process_time_ns(), time.perf_counter_ns()
    asyncio.run(client(url, wanted))
    cpu_ns, wall_ns = time.process_time_ns() - cpu_started, time.perf_counter_ns() - started
    print(json.dumps({"cpu_ns": cpu_ns / wanted, "messages_per_s": wanted / wall_ns * 1e9}))


if __name__ == "__main__":
    main()
