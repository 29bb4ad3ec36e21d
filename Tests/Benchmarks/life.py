"""Benchmarks of a connection's life: how soon it is back."""

import functools
import subprocess

from bench import BUILT, Bench, Case, Figures, medians, pin_to, table

OUTAGE_MS = 100
RESTARTS = 200
# Of the peer as it is by default, which takes seconds each.
PEER_RESTARTS = 15


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
