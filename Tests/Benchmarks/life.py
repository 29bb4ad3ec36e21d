"""Benchmarks of a connection's life: how soon it is back, and what is lost when it is replaced."""

import functools
import json
import subprocess

from bench import BUILT, Bench, Case, Figures, medians, pin_to, table

OUTAGE_MS = 100
RESTARTS = 200
# Of the peer as it is by default, which takes seconds each.
PEER_RESTARTS = 15

FEED_PER_S = 20_000
ROTATION_S = 60
ROTATE_EVERY_MS = 3000


def reconnections(bench: Bench, restarts: int, client: str, *options: str) -> Figures | None:
    """Has a server of its own die and come back."""
    command = [str(BUILT / "restarting_server"), str(OUTAGE_MS), str(restarts + 1)]
    with subprocess.Popen(command, preexec_fn=pin_to(0), stdout=subprocess.PIPE, text=True) as server:
        assert server.stdout is not None
        arguments = (f"ws://127.0.0.1:{int(server.stdout.readline())}/", str(restarts), *options)
        figures = bench.python(client, *arguments) if client.endswith(".py") else bench.c(client, *arguments)
        if figures is None:
            server.kill()
    return figures


def bench_reconnect(bench: Bench) -> None:
    """From the restarted server's listen to connected; it was killed 100 ms before that, each time anew"""
    # Every restart is to be met like the first: no failures count but those since the last connection.
    alone = ("reconnect.stable_after=0", "circuit.failures_max=0")
    quick = ("reconnect.base=10ms", "reconnect.cap=10ms")
    cases: list[Case] = [
        ("C, 0 to 10 ms between", functools.partial(reconnections, bench, RESTARTS, "reconnect", *alone, *quick)),
        ("websockets, 10 ms", functools.partial(reconnections, bench, RESTARTS, "reconnect.py", "10")),
        ("C, default", functools.partial(reconnections, bench, RESTARTS, "reconnect", *alone)),
        ("websockets, default", functools.partial(reconnections, bench, PEER_RESTARTS, "reconnect.py")),
    ]
    table([(f"{key}_ms", f"{key} ms", ",.2f") for key in ("median", "p99", "max")], medians(cases, 1))


def rotation(bench: Bench, *options: str) -> Figures | None:
    """Has a server of its own send and take a feed, and joins what both found."""
    command = [str(BUILT / "feed_server"), str(FEED_PER_S)]
    with subprocess.Popen(command, preexec_fn=pin_to(0), stdin=subprocess.PIPE, stdout=subprocess.PIPE, text=True) as server:
        assert server.stdin is not None and server.stdout is not None
        url = f"ws://127.0.0.1:{int(server.stdout.readline())}/"
        figures = bench.c("rotation", url, str(ROTATION_S), str(ROTATE_EVERY_MS), str(FEED_PER_S), *options)
        server.stdin.close()
        books = json.loads(server.stdout.readline())
    if figures is None:
        return None
    # What the program sent last is what must have come last.
    books["out_lost"] += figures["sent"] - books["out"]
    return books | figures


def bench_rotation(bench: Bench) -> None:
    """20,000 numbered messages a second each way for a minute, the connection rotated each 3 s"""
    cases: list[Case] = [
        ("C", functools.partial(rotation, bench)),
        ("C, duplicates left out", functools.partial(rotation, bench, "rotate.duplicate_key=/n")),
    ]
    rows = list(medians(cases, 1))
    both = [("rotations", "rotations", ",.0f"), ("reconnections", "breaks", ",.0f")]
    received = [("in", "received", ",.0f"), ("in_lost", "lost", ",.0f"), ("in_doubled", "doubled", ",.0f"), ("left_out", "left out", ",.0f"),
                ("longest_pause_ms", "longest pause ms", ",.1f")]  # fmt: skip
    sent = [("out", "sent", ",.0f"), ("out_lost", "lost", ",.0f"), ("out_doubled", "doubled", ",.0f"),
            ("out_disordered", "out of order", ",.0f"), ("refused", "refused", ",.0f")]  # fmt: skip
    table(both + received, rows, "received")
    table(sent, rows, "sent")
