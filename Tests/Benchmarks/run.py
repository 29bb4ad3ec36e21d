"""Runs the benchmarks against one server, in the same minutes on the same machine, and prints their medians.

Usage: run.py --library LIBHEARTWIRE [BENCHMARK]

With two CPUs or more the server runs on CPU 0 and the measured client, with all its threads, on CPU 1 (but for `gil`).
"""

import argparse
import functools
import json
import os
import pathlib
import signal
import subprocess
import sys

import trustme

import texts
from bench import BUILT, HERE, ROOT, Bench, Case, Figures, difference, medians, pin_to, relate, table
from life import bench_reconnect, bench_rotation
from listening import bench_listener_broadcast, bench_listener_echo, bench_listener_handshakes, bench_listener_idle

JSON_TEXTS, LARGE_TEXT = BUILT / "texts.json", BUILT / "large.txt"
ANSWERS = 100_000

MARKET_PRESETS = ("deribit", "okx", "binance-spot", "kraken-v2", "coinbase-exchange", "htx-v2", "bybit-v5", "discord")
PYTHON_CLIENTS = ("heartwire", "websockets", "picows")
RECEIVE_COLUMNS = [("messages_per_s", "messages/s", ",.0f"), ("cpu_ns", "CPU ns/message", ",.1f")]


def bench_connect(bench: Bench) -> None:
    """From the server's accept to its answer to the opening handshake, and the client's CPU; 200 connections one after the other"""
    cases: list[Case] = [
        ("C, plain", lambda: bench.c("connect", f"{bench.plain}/timed", "200", "", "new")),
        ("C, TLS", lambda: bench.c("connect", f"{bench.secure}/timed", "200", bench.ca_file, "new")),
        ("C, plain, again", lambda: bench.c("connect", f"{bench.plain}/timed", "200", "", "again")),
        ("C, TLS, resumed", lambda: bench.c("connect", f"{bench.secure}/timed", "200", bench.ca_file, "again")),
    ]
    table([("median_us", "median µs", ",.0f"), ("p99_us", "p99 µs", ",.0f"), ("cpu_us", "CPU µs", ",.0f")], medians(cases, 3))


def bench_recv(bench: Bench) -> None:
    """A flood of text messages, received in C"""
    cases: list[Case] = []
    for size, count, label in ((64, 2_000_000, "64 B"), (1024, 500_000, "1 KiB")):
        for mode in ("inline", "dispatcher", "inbox"):
            url = f"{bench.plain}/flood?n={count}&size={size}"
            cases.append((f"C {mode}, {label}", lambda url=url, mode=mode, count=count: bench.c("recv", url, mode, str(count))))
    table(RECEIVE_COLUMNS, medians(cases, 5))


def python_case(bench: Bench, client: str, count: int) -> Case:
    url = f"{bench.plain}/flood?n={count}&size=64"
    return f"{client}, 64 B", lambda: bench.python("receive.py", client, url, str(count))


def bench_recv_python(bench: Bench) -> None:
    """A flood of 400,000 text messages, received in Python"""
    table(RECEIVE_COLUMNS, medians([python_case(bench, client, 400_000) for client in ("heartwire", "heartwire.sync")], 5))


def bench_recv_peers(bench: Bench) -> None:
    """The same flood, received by Python peers in turn with Heartwire"""
    rows = list(medians([python_case(bench, client, 400_000) for client in PYTHON_CLIENTS], 3))
    relate(rows, "heartwire, 64 B", ratio="cpu_ns")
    table([*RECEIVE_COLUMNS, ("ratio", "CPU, Heartwire = 1", ".2f")], rows)


def bench_large(bench: Bench) -> None:
    """Text messages of 1 MiB, beside raw sockets that copy what they receive once and send a frame that was built before"""
    size, count = str(texts.LARGE_SIZE), "1000"
    flood, take = f"/flood?n={count}&size={size}", f"/take?n={count}"

    def raw(direction: str, path: str) -> Case:
        return "raw sockets", lambda: bench.c("raw", str(bench.ports["ws"]), path, direction, size, count)

    def received_c(mode: str) -> Case:
        return f"C {mode}", lambda: bench.c("recv", bench.plain + flood, mode, count)

    def received_python(client: str) -> Case:
        return f"Python {client}", lambda: bench.python("receive.py", client, bench.plain + flood, count)

    received = [raw("in", flood), received_c("inline"), received_c("dispatcher"), *map(received_python, PYTHON_CLIENTS)]
    sent: list[Case] = [raw("out", take), ("C", lambda: bench.c("send", bench.plain + take, str(LARGE_TEXT), size, count))]
    for title, cases in (("received", received), ("sent", sent)):
        rows = list(medians(cases, 5))
        for _, figures in rows:
            figures["mb_per_s"] = figures["messages_per_s"] * texts.LARGE_SIZE / 1e6
            figures["cpu_us"] = figures["cpu_ns"] / 1e3
        relate(rows, "raw sockets", speed_ratio="mb_per_s", cpu_ratio="cpu_us")
        columns = [("cpu_us", "CPU µs/message", ",.0f"), ("cpu_ratio", "CPU, raw = 1", ".2f"), ("mb_per_s", "MB/s", ",.0f"),
                   ("speed_ratio", "MB/s, raw = 1", ".2f")]  # fmt: skip
        table(columns, rows, title)


def bench_codec(bench: Bench) -> None:
    """What the library's masking and UTF-8 validation make of the same bytes again and again, in GB/s of CPU time"""
    build_codec()
    works = {"memcpy": "memcpy", "mask": "masking", "ascii": "UTF-8, ASCII", "two-byte": "UTF-8, Russian",
             "three-byte": "UTF-8, Chinese", "four-byte": "UTF-8, emoji"}  # fmt: skip
    cases: list[Case] = [(label, lambda work=work: bench.c("codec", work)) for work, label in works.items()]
    table([("small", "64 B", ",.2f"), ("medium", "1 KiB", ",.2f"), ("large", "1 MiB", ",.2f")], medians(cases, 5))


def deflate_cases(bench: Bench, direction: str, takeover: int) -> list[Case]:
    count = "20000"
    url = f"{bench.plain}/{'deflated' if direction == 'in' else 'take'}?takeover={takeover}&n={count}"
    messages = (str(JSON_TEXTS), str(texts.JSON_SIZE), count)

    def c(mode: str) -> Figures | None:
        if direction == "in":
            return bench.c("recv", url, mode, count, "compression=on")
        return bench.c("send", url, *messages, "compression=on", f"delivery={mode}")

    def python(client: str) -> Case:
        return f"Python {client}", lambda: bench.python("deflate.py", client, url, direction, *messages)

    return [
        ("zlib alone", lambda: bench.c("zlib", direction, str(takeover), *messages)),
        ("C inline", lambda: c("inline")),
        ("C dispatcher", lambda: c("dispatcher")),
        *map(python, PYTHON_CLIENTS),
    ]


def bench_deflate(bench: Bench) -> None:
    """JSON messages of 1 KiB with permessage-deflate, beside zlib alone on the same messages"""
    columns = [("cpu_us", "CPU µs/message", ",.2f"), ("ratio", "CPU, zlib = 1", ".2f")]
    for direction, verb in (("in", "received"), ("out", "sent")):
        for takeover, how in ((1, "takeover"), (0, "no takeover")):
            rows = list(medians(deflate_cases(bench, direction, takeover), 5))
            for _, figures in rows:
                figures["cpu_us"] = figures["cpu_ns"] / 1e3
            relate(rows, "zlib alone", ratio="cpu_us")
            sizes = [("payload_bytes", "compressed B", ",.0f")] if direction == "out" else []
            table(columns + sizes, rows, f"{verb}, {how}")


def bench_idle(bench: Bench) -> None:
    """Resident memory of the client process, 1,000 idle connections"""
    cases: list[Case] = [
        ("C, plain", lambda: bench.c("idle", f"{bench.plain}/hold", "1000", "")),
        ("C, TLS", lambda: bench.c("idle", f"{bench.secure}/hold", "1000", bench.ca_file)),
    ]
    table([("kib_per_connection", "KiB/connection", ",.2f")], medians(cases, 3))


def bench_engine(bench: Bench) -> None:
    """Presets: memory of 1,000 idle connections, and CPU time a message of 300 B, beside the same without a preset"""
    no_pings = "ping.interval=0"
    idle: list[Case] = [("no preset", lambda: bench.c("idle", f"{bench.plain}/hold", "1000", "", no_pings))]
    for preset in ("okx", "deribit", "kraken-v2"):
        measure = functools.partial(bench.c, "idle", f"{bench.plain}/hold", "1000", "", no_pings, f"preset={preset}")
        idle.append((preset, measure))
    rows = list(medians(idle, 5))
    difference(rows, "no preset", added_bytes="allocated_bytes")
    columns = [("kib_per_connection", "KiB resident", ",.2f"), ("allocated_bytes", "B allocated", ",.0f"),
               ("added_bytes", "B added", ",.0f")]  # fmt: skip
    table(columns, rows, "per idle connection")

    for kind, count, presets in (("ticker", 2_000_000, MARKET_PRESETS), ("request", 200_000, ("deribit",))):
        url = f"{bench.plain}/{kind}?n={count}"
        cases: list[Case] = [("no preset", functools.partial(bench.c, "recv", url, "inline", str(count), no_pings))]
        for preset in presets:
            cases.append((preset, functools.partial(bench.c, "recv", url, "inline", str(count), no_pings, f"preset={preset}")))
        rows = list(medians(cases, 5))
        difference(rows, "no preset", added_ns="cpu_ns")
        table([*RECEIVE_COLUMNS, ("added_ns", "ns added", ",.1f")], rows, f"{kind}s")


def answers(bench: Bench, mode: str, connections: int, client: str) -> Figures | None:
    """Has a server of its own ask the client, and joins what both measured."""
    command = [str(BUILT / "answer_server"), mode, str(connections), str(ANSWERS)]
    with subprocess.Popen(command, preexec_fn=pin_to(0), stdout=subprocess.PIPE, text=True) as server:
        port = int(server.stdout.readline())
        address = f"ws://127.0.0.1:{port}/" if client == "answer" else str(port)
        figures = bench.c(client, address, str(connections))
        if figures is None:
            server.kill()
            return None
        return json.loads(server.stdout.readline()) | figures


def bench_answer(bench: Bench) -> None:
    """From the send of a request to its answer, 100,000 times, idle and among 50,000 messages/s, beside raw sockets"""
    cases: list[Case] = []
    for mode in ("idle", "flood"):
        for connections in (1, 1000):
            for name, client in (("raw sockets", "raw_answer"), ("C", "answer")):
                measure = functools.partial(answers, bench, mode, connections, client)
                cases.append((f"{name}, {mode}, {connections:,}", measure))
    rows = list(medians(cases, 1))
    percentiles = ("median", "p99", "p999", "max")
    table([("messages_per_s", "messages/s", ",.0f"), *((f"{key}_us", f"{key} µs", ",.1f") for key in percentiles)], rows)
    own = [(name, figures) for name, figures in rows if "own_max_us" in figures]
    table([(f"own_{key}_us", f"{key} µs", ",.1f") for key in percentiles], own, "by the library itself")


def bench_beats(bench: Bench) -> None:
    """CPU time of 1,000 connections for 10 s: without beats, with a ping and with the beat of a rule each second"""
    rule = json.dumps({"beat": [{"every": "1s", "send": {"body": '{"op":"ping"}'}}]})
    arguments = (f"{bench.plain}/hold", "1000", "10")
    cases: list[Case] = [
        (name, lambda rule=rule, interval=interval: bench.c("beats", *arguments, rule, f"ping.interval={interval}"))
        for name, rule, interval in (("no beats", "", "0"), ("pings", "", "1s"), ("beat of a rule", rule, "0"))
    ]
    columns = [("cpu_percent", "CPU %", ",.2f"), ("beats_per_s", "beats/s", ",.0f"), ("cpu_us_per_beat", "CPU µs/beat", ",.2f")]
    table(columns, medians(cases, 1))


def bench_gil(bench: Bench) -> None:
    """Heartbeats while Python computes for 10 s and never waits: the server's 100 pings, and the client's own each 200 ms"""
    # Bound to one CPU, the heartbeats would wait for the kernel to take it from the busy thread: its scheduler would be measured.
    columns = [("sent", "pings", ",.0f"), ("answered", "answered", ",.0f"), ("mean_us", "mean answer µs", ",.0f"),
               ("max_us", "slowest µs", ",.0f"), ("own", "own pings", ",.0f"), ("own_gap_us", "longest gap µs", ",.0f")]  # fmt: skip
    table(columns, medians([("Python", lambda: bench.python("busy.py", f"{bench.plain}/beat?interval_ms=100&n=100", cpu=None))], 1))


BENCHMARKS = {
    "connect": bench_connect,
    "recv": bench_recv,
    "recv-python": bench_recv_python,
    "recv-peers": bench_recv_peers,
    "large": bench_large,
    "codec": bench_codec,
    "deflate": bench_deflate,
    "idle": bench_idle,
    "engine": bench_engine,
    "answer": bench_answer,
    "beats": bench_beats,
    "gil": bench_gil,
    "reconnect": bench_reconnect,
    "rotation": bench_rotation,
    "listener-idle": bench_listener_idle,
    "listener-broadcast": bench_listener_broadcast,
    "listener-handshakes": bench_listener_handshakes,
    "listener-echo": bench_listener_echo,
}


COMPILER = [os.environ.get("CC", "cc"), "-std=c11", "-O2", "-Wall", "-Wextra", "-pedantic", "-Werror"]


def build_program(program: str, *linked: str) -> None:
    subprocess.run([*COMPILER, str(HERE / f"{program}.c"), "-o", str(BUILT / program), *linked], check=True)


def build_programs(library: str) -> None:
    BUILT.mkdir(parents=True, exist_ok=True)
    folder = str(pathlib.Path(library).parent)
    for program in ("connect", "recv", "send", "idle", "answer", "beats", "reconnect", "rotation", "crowd_server"):
        build_program(program, f"-I{ROOT / 'include'}", f"-L{folder}", "-lheartwire", f"-Wl,-rpath,{folder}", "-lpthread")
    build_program("server", "-lssl", "-lcrypto", "-lz", "-lpthread")
    for server in ("answer_server", "restarting_server", "feed_server"):
        build_program(server, "-lssl", "-lcrypto", "-lpthread")
    for crowd in ("crowd_idle", "crowd_broadcast", "crowd_handshakes", "crowd_echo"):
        build_program(crowd)
    build_program("raw")
    build_program("raw_answer")
    build_program("zlib", "-lz")


def build_codec() -> None:
    """Compiles the library's sources with the flags that a release has in Package.swift."""
    release = ["-Osize", "-wmo", "-enable-experimental-feature", "Embedded", "-enforce-exclusivity=unchecked"]
    sources = [str(path) for path in [HERE / "codec.swift", *(ROOT / "Sources" / "WebSocket").rglob("*.swift")]]
    compiled = str(BUILT / "codec-swift.o")
    compiler = ["swiftc", *release, "-parse-as-library", "-package-name", "heartwire", "-module-name", "Codec"]
    subprocess.run([*compiler, "-c", *sources, "-o", compiled], check=True)
    build_program("codec", compiled, "-lm")


def main() -> None:
    parser = argparse.ArgumentParser(description=__doc__.splitlines()[0])
    parser.add_argument("--library", required=True, help="libheartwire.so")
    parser.add_argument("benchmark", nargs="?", choices=BENCHMARKS, help="the one to run; all if none is named")
    options = parser.parse_args()
    build_programs(options.library)
    texts.write_json(JSON_TEXTS)
    texts.write_large(LARGE_TEXT)

    signal.signal(signal.SIGTERM, lambda *_: sys.exit(1))
    authority = trustme.CA()
    certificate = authority.issue_cert("localhost", "127.0.0.1")
    with (
        authority.cert_pem.tempfile() as ca_file,
        certificate.private_key_and_cert_chain_pem.tempfile() as server_file,
        subprocess.Popen(
            [str(BUILT / "server"), server_file, str(JSON_TEXTS), str(texts.JSON_SIZE)],
            preexec_fn=pin_to(0), stdin=subprocess.PIPE, stdout=subprocess.PIPE,
        ) as server,  # fmt: skip
    ):
        bench = Bench(options.library, json.loads(server.stdout.readline()), ca_file)
        for name in [options.benchmark] if options.benchmark else BENCHMARKS:
            print(f"{name}: {BENCHMARKS[name].__doc__}", flush=True)
            BENCHMARKS[name](bench)
            print(flush=True)
        server.stdin.close()


if __name__ == "__main__":
    main()
