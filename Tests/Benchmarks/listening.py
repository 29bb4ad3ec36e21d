"""Benchmarks of the listener, beside servers made with its peers: each serves the same crowd of bare clients, one after the other."""

import contextlib
import functools
import os
import pathlib
import subprocess
import sys
from collections.abc import Iterator

from bench import BUILT, HERE, ROOT, Bench, Case, Figures, medians, pin_to, relate, table

NATIVE = ("Heartwire", "uWebSockets")
INLINE = ("delivery=inline",)
PYTHON_PEERS = ("websockets", "aiohttp", "picows")
UWEBSOCKETS_SOURCES = ROOT / ".build" / "uWebSockets"

IDLE_CLIENTS = 10_000
IDLE_S = 70
PING_S = 30
BROADCAST_CLIENTS = 1000


def build_uwebsockets() -> bool:
    """False if it cannot be had, which is said."""
    if not UWEBSOCKETS_SOURCES.exists():
        print(f"  uWebSockets is left out: no {UWEBSOCKETS_SOURCES.relative_to(ROOT)}; to measure it, git clone --recurse-submodules "
              "https://github.com/uNetworking/uWebSockets there", flush=True)  # fmt: skip
        return False
    sockets = UWEBSOCKETS_SOURCES / "uSockets" / "src"
    program = BUILT / "uwebsockets_server"
    if program.exists():
        return True
    flags = ["-O3", "-flto=auto", "-DLIBUS_NO_SSL", f"-I{sockets}", f"-I{UWEBSOCKETS_SOURCES / 'src'}"]
    objects = []
    for source in sorted([*sockets.glob("*.c"), *sockets.glob("eventing/*.c")]):
        objects.append(str(BUILT / f"uwebsockets-{source.stem}.o"))
        subprocess.run(["cc", "-std=c11", *flags, "-c", str(source), "-o", objects[-1]], check=True)
    linked = [str(HERE / "uwebsockets_server.cpp"), *objects, "-lz", "-pthread"]
    subprocess.run(["c++", "-std=c++20", *flags, *linked, "-o", str(program)], check=True)
    return True


@contextlib.contextmanager
def serving(bench: Bench, server: str, *options: str) -> Iterator[tuple[str, str]]:
    """Runs a server on CPU 0, and gives its process and port."""
    compresses = "deflate" if "compression=on" in options else "plain"
    if server == "Heartwire":
        command = [str(BUILT / "crowd_server"), *options]
    elif server == "uWebSockets":
        command = [str(BUILT / "uwebsockets_server"), compresses]
    else:
        command = [sys.executable, str(HERE / "crowd_servers.py"), server, compresses]
    with subprocess.Popen(
        command, env=bench.environment, preexec_fn=pin_to(0), stdin=subprocess.PIPE, stdout=subprocess.PIPE, text=True
    ) as process:
        assert process.stdout is not None
        yield str(process.pid), process.stdout.readline().strip()


def crowd(bench: Bench, server: str, options: tuple[str, ...], program: str, *arguments: str) -> Figures | None:
    """Has a crowd visit a server of its own; the crowd is on CPU 1."""
    with serving(bench, server, *options) as (pid, port):
        return bench.c(program, pid, port, *arguments)


def peers(*left_out: str) -> list[str]:
    natives = ["uWebSockets"] if build_uwebsockets() else []
    return [peer for peer in [*natives, *PYTHON_PEERS] if peer not in left_out]


def contenders(others: list[str]) -> list[tuple[str, str, tuple[str, ...]]]:
    """Names, servers and their options: Heartwire with callbacks on its I/O thread, as its peers run theirs, and on its dispatcher."""
    return [("Heartwire", "Heartwire", INLINE), ("Heartwire, dispatcher", "Heartwire", ()), *((other, other, ()) for other in others)]


def print_load() -> None:
    print(f"  load of the machine: {pathlib.Path('/proc/loadavg').read_text().split()[0]} with {os.cpu_count()} CPUs", flush=True)


def bench_listener_idle(bench: Bench) -> None:
    """10,000 clients that answer the pings of a server each 30 s, for 70 s"""
    print_load()
    cases: list[Case] = []
    for server in ("Heartwire", *peers("picows")):
        measure = functools.partial(crowd, bench, server, (), "crowd_idle", str(IDLE_CLIENTS), str(IDLE_S), str(PING_S))
        cases.append((server, measure))
    rows = list(medians(cases, 1))
    relate(rows, "Heartwire", memory_ratio="kib_per_client", cpu_ratio="cpu_percent")
    columns = [("clients", "clients", ",.0f"), ("kib_per_client", "KiB/client", ",.2f"), ("memory_ratio", "memory, ours = 1", ".2f"),
               ("cpu_percent", "CPU %", ",.2f"), ("cpu_us_per_ping", "CPU µs/ping", ",.1f"), ("cpu_ratio", "CPU, ours = 1", ".2f"),
               ("pings_min", "fewest pings", ",.0f"), ("deviation_ms", "worst off 30 s, ms", ",.1f"), ("ended", "lost", ",.0f")]  # fmt: skip
    table(columns, rows)


def bench_listener_broadcast(bench: Bench) -> None:
    """A text of 128 bytes to 1,000 clients, one broadcast at a time and 16"""
    print_load()
    columns = [("deliveries_per_s", "deliveries/s", ",.0f"), ("speed_ratio", "ours = 1", ".2f"), ("cpu_ns", "CPU ns/delivery", ",.0f"),
               ("cpu_ratio", "CPU, ours = 1", ".2f")]  # fmt: skip
    compressed = ("compression=on", "compression.threshold_bytes=0", "compression.server_context_takeover=false")
    # picows compresses nothing.
    for how, options, servers in (("plain", (), peers()), ("deflate", compressed, peers("picows"))):
        for window in (1, 16):
            cases: list[Case] = []
            for name, server, delivery in contenders(servers):
                arguments = (str(BROADCAST_CLIENTS), "200" if server in NATIVE else "50", str(window), how)
                cases.append((name, functools.partial(crowd, bench, server, (*delivery, *options), "crowd_broadcast", *arguments)))
            rows = list(medians(cases, 3))
            relate(rows, "Heartwire", speed_ratio="deliveries_per_s", cpu_ratio="cpu_ns")
            table(columns, rows, f"{how}, {window} under way")


def bench_listener_handshakes(bench: Bench) -> None:
    """Clients that connect, ask, are let in, say goodbye and leave, 32 at a time"""
    print_load()
    cases: list[Case] = []
    for name, server, options in contenders(peers()):
        count = 20_000 if server in NATIVE else 3_000
        cases.append((name, functools.partial(crowd, bench, server, options, "crowd_handshakes", str(count), "32")))
    rows = list(medians(cases, 5))
    relate(rows, "Heartwire", speed_ratio="handshakes_per_s", cpu_ratio="cpu_us")
    columns = [("handshakes_per_s", "handshakes/s", ",.0f"), ("speed_ratio", "ours = 1", ".2f"), ("cpu_us", "CPU µs/handshake", ",.1f"),
               ("cpu_ratio", "CPU, ours = 1", ".2f")]  # fmt: skip
    table(columns, rows)


def bench_listener_echo(bench: Bench) -> None:
    """Round trips of binary messages of 64 bytes"""
    print_load()
    columns = [("trips_per_s", "trips/s", ",.0f"), ("speed_ratio", "ours = 1", ".2f"), ("median_us", "median µs", ",.1f"),
               ("p99_us", "p99 µs", ",.1f"), ("cpu_us", "CPU µs/trip", ",.2f"), ("cpu_ratio", "CPU, ours = 1", ".2f")]  # fmt: skip
    servers = peers()
    for clients, depth, title in ((1, 1, "1 client"), (100, 1, "100 clients"), (100, 32, "100 clients, 32 each")):
        cases: list[Case] = []
        for name, server, options in contenders(servers):
            trips = (20_000 if clients == 1 else 200_000) if server in NATIVE else 20_000
            arguments = (str(clients), str(trips), str(depth))
            cases.append((name, functools.partial(crowd, bench, server, options, "crowd_echo", *arguments)))
        rows = list(medians(cases, 5))
        relate(rows, "Heartwire", speed_ratio="trips_per_s", cpu_ratio="cpu_us")
        table(columns, rows, title)
