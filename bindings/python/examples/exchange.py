"""A client of a small exchange: counts messages, answers the exchange's heartbeat requests and shows what the connection does.

Usage: exchange.py URL [--ca FILE] [--seconds N]

Pings, reconnection and the queue are the library's work and need no code here.
"""

import argparse
import asyncio
import json

import heartwire


class Counters:
    def __init__(self) -> None:
        self.messages = 0
        self.answers = 0


def say(text: str) -> None:
    print(f"python  | {text}", flush=True)


def show_event(ws: heartwire.Connection, event: heartwire.Event) -> None:
    if event.kind is heartwire.EventKind.STATE:
        say(f"state -> {event.state.name.lower()}")
    elif event.kind is heartwire.EventKind.CLOSED:
        say(f"connection {event.epoch} ended: code {event.close_code}, {event.text}")
    elif event.kind is heartwire.EventKind.ATTEMPT_FAILED:
        say(f"attempt {event.attempt} failed: {event.status.name}, {event.text}")
    elif event.kind is heartwire.EventKind.BEAT_MISSED:
        say(f"ping unanswered, {event.count} in a row")


async def trade(ws: heartwire.Connection, counters: Counters) -> None:
    """The exchange cancels all orders of a client that leaves a test request unanswered. The loop goes on across reconnections."""
    async for message in ws:
        counters.messages += 1
        content = json.loads(message)
        if content.get("method") == "heartbeat" and content["params"]["type"] == "test_request":
            ws.send(json.dumps({"jsonrpc": "2.0", "id": counters.answers + 1, "method": "public/test", "params": {}}))
            counters.answers += 1


async def show_progress(ws: heartwire.Connection, counters: Counters) -> None:
    while True:
        await asyncio.sleep(1)
        metrics = ws.metrics()
        say(
            f"messages {counters.messages:5}  answered {counters.answers:3}  pings {metrics.beats_sent:3}  "
            f"rtt {metrics.rtt_last_ns / 1e6:6.2f} ms"
        )


async def main() -> None:
    parser = argparse.ArgumentParser(description="A client of a small exchange.")
    parser.add_argument("url")
    parser.add_argument("--ca", help="PEM file of the CA to trust instead of the system's")
    parser.add_argument("--seconds", type=float, default=15)
    arguments = parser.parse_args()

    counters = Counters()
    connecting = heartwire.connect(arguments.url, on_event=show_event, tls_ca_file=arguments.ca, ping_interval=1)
    async with connecting as ws:
        progress = asyncio.create_task(show_progress(ws, counters))
        try:
            await asyncio.wait_for(trade(ws, counters), arguments.seconds)
        except asyncio.TimeoutError:
            pass
        finally:
            progress.cancel()
        metrics = ws.metrics()
    result = {
        "program": "python",
        "messages": counters.messages,
        "answers": counters.answers,
        "pings": metrics.beats_sent,
        "reconnections": metrics.reconnections,
        "rtt_last_us": metrics.rtt_last_ns // 1000,
        "rtt_mean_us": metrics.rtt_mean_ns // 1000,
    }
    print(f"RESULT {json.dumps(result)}", flush=True)


if __name__ == "__main__":
    asyncio.run(main())
