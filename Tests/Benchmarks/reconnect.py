"""Measures the same as reconnect.c, of the reconnecting iterator of the PyPI package websockets.

Usage: reconnect.py URL RESTARTS [DELAY_MS]; with a delay it waits so long between attempts, instead of as it does by default.
"""

import asyncio
import itertools
import json
import sys
import time

from websockets.asyncio.client import connect
from websockets.exceptions import ConnectionClosed


async def measure(url: str, restarts: int, options: dict[str, object]) -> list[int]:
    delays_ns: list[int] = []
    async for connection in connect(url, compression=None, ping_interval=None, **options):
        opened_ns = time.monotonic_ns()
        try:
            delays_ns.append(opened_ns - int(await connection.recv()))
            # The first connection does not count.
            if len(delays_ns) > restarts:
                return delays_ns[1:]
            await connection.send("die")
            await connection.recv()
        except ConnectionClosed:
            continue
    raise AssertionError("the iterator has no end")


def main() -> None:
    url, restarts, *delay_ms = sys.argv[1:]
    options = {"reconnect_delays": lambda: itertools.repeat(int(delay_ms[0]) / 1000)} if delay_ms else {}
    delays_ns = sorted(asyncio.run(measure(url, int(restarts), options)))
    figures = {"median": delays_ns[len(delays_ns) // 2], "p99": delays_ns[len(delays_ns) * 99 // 100], "max": delays_ns[-1]}
    print(json.dumps({f"{name}_ms": value / 1e6 for name, value in figures.items()}))


if __name__ == "__main__":
    main()
