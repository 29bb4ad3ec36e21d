"""
Keeps host programs stuck side by side, while a server asks each connection for a sign of life every second and cuts at 1.5 s.

Usage: run.py --library LIBHEARTWIRE [--seconds SECONDS]

Prints how each host fared, what was measured, and as last line "N passed, N failed".
"""

import argparse
import contextlib
import dataclasses
import json
import os
import pathlib
import signal
import subprocess
import sys
from collections.abc import Iterator

HERE = pathlib.Path(__file__).resolve().parent
ROOT = HERE.parents[1]
BUILD = ROOT / ".build" / "stuck"
BENCHMARKS = ROOT / "Tests" / "Benchmarks"
ELIXIR = ROOT / "bindings" / "elixir"

COMPILER = [os.environ.get("CC", "cc"), "-std=c11", "-O2", "-Wall", "-Wextra", "-pedantic", "-Werror", f"-I{BENCHMARKS}"]
# For starting, closing and a busy machine; nothing is measured by it.
PATIENCE_S = 120
PRESET = "deribit"

Book = dict[str, float]


@dataclasses.dataclass
class Host:
    """A program that gets stuck for some seconds with connections to the URL."""

    name: str
    command: list[str]
    """URL and SECONDS stand for what is known only later."""
    connections: int = 1
    folder: pathlib.Path = ROOT
    is_cut: bool = False
    """Without a preset a host is cut, which shows that the server means it."""

    def arguments(self, url: str, seconds: int) -> list[str]:
        return [{"URL": url, "SECONDS": str(seconds)}.get(part, part) for part in self.command]


def make_hosts() -> list[Host]:
    def c(connections: int) -> Host:
        name = f"C callback sleeps, {connections:,} connection{'s' if connections > 1 else ''}"
        return Host(name, [str(BUILD / "host"), "URL", str(connections), "SECONDS"], connections)

    def python(name: str, how: str, *preset: str) -> Host:
        return Host(name, [sys.executable, str(HERE / "host.py"), how, "URL", "SECONDS", *preset], is_cut=not preset)

    return [
        c(1),
        c(1000),
        python("Python locked in C code", "c", PRESET),
        python("Python in a loop", "loop", PRESET),
        Host("Elixir, schedulers busy", ["mix", "run", str(HERE / "host.exs"), "URL", "SECONDS"], folder=ELIXIR),
        python("Python without preset", "c"),
    ]


def build(library: pathlib.Path) -> None:
    BUILD.mkdir(parents=True, exist_ok=True)
    # Programs look for the soname, which the library's file need not be called.
    for name in ("libheartwire.so", "libheartwire.so.0"):
        link = BUILD / name
        link.unlink(missing_ok=True)
        link.symlink_to(library)
    linking = [f"-I{ROOT / 'include'}", f"-L{BUILD}", "-lheartwire", f"-Wl,-rpath,{BUILD}"]
    for program, linked in (("server", ["-lssl", "-lcrypto"]), ("host", linking)):
        subprocess.run([*COMPILER, str(HERE / f"{program}.c"), "-o", str(BUILD / program), *linked, "-lpthread"], check=True)


@contextlib.contextmanager
def running(host: Host, url: str, seconds: int) -> Iterator["subprocess.Popen[str]"]:
    """Runs a host in a process group of its own, of which nothing is left."""
    process = subprocess.Popen(
        host.arguments(url, seconds), cwd=host.folder, start_new_session=True,
        stdin=subprocess.DEVNULL, stdout=subprocess.PIPE, stderr=subprocess.PIPE, text=True, errors="replace",
    )  # fmt: skip
    try:
        yield process
    finally:
        with contextlib.suppress(ProcessLookupError):
            os.killpg(process.pid, signal.SIGKILL)
        process.communicate()


def run_hosts(hosts: list[Host], seconds: int) -> tuple[list[str | None], list[Book]]:
    """Gets all hosts stuck at once. What went wrong with each, None if it ended well, and the book on each: the server's and its own."""
    problems: list[str | None] = []
    own_books: list[Book] = []
    with subprocess.Popen([str(BUILD / "server"), str(len(hosts))], stdin=subprocess.PIPE, stdout=subprocess.PIPE, text=True) as server:
        port = int(server.stdout.readline())
        with contextlib.ExitStack() as stack:
            urls = [f"ws://127.0.0.1:{port}/?book={number}" for number in range(len(hosts))]
            processes = [stack.enter_context(running(host, url, seconds)) for host, url in zip(hosts, urls, strict=True)]
            for process in processes:
                problem, own_book = finish(process, seconds)
                problems.append(problem)
                own_books.append(own_book)
        # Printing its books, the server ends.
        books, _ = server.communicate(timeout=PATIENCE_S)
    return problems, [book | own_book for book, own_book in zip(json.loads(books), own_books, strict=True)]


def finish(process: "subprocess.Popen[str]", seconds: int) -> tuple[str | None, Book]:
    try:
        output, errors = process.communicate(timeout=seconds + PATIENCE_S)
    except subprocess.TimeoutExpired:
        return f"still running {PATIENCE_S} s after it should have ended", {}
    if process.returncode != 0:
        return f"exit status {process.returncode}: {output}{errors}", {}
    return None, json.loads(output)


def judge(host: Host, book: Book, seconds: int) -> str | None:
    """What the book says against the host; None if nothing."""
    if host.is_cut:
        return None if book["missed"] > 0 else "was not cut, so the server proves nothing"
    expected = {"connections": host.connections, "reconnections": 0, "missed": 0, "lost": 0}
    for key, value in expected.items():
        if book[key] != value:
            return f"{key} {book[key]} instead of {value}: {book}"
    # The first request, a second after the opening, is what the host gets stuck on.
    if book["answers"] < host.connections * seconds:
        return f"asked too seldom: {book}"
    return None


def describe(book: Book) -> str:
    counts = f"{book['answers']:,.0f} answers to {book['requests']:,.0f} requests, {book['missed']:.0f} missed"
    return f"{counts}, slowest {book['slowest_ms']:.2f} ms (server late by up to {book['own_delay_ms']:.2f} ms)"


def main() -> int:
    parser = argparse.ArgumentParser(description=__doc__.strip().splitlines()[0])
    parser.add_argument("--library", required=True, type=pathlib.Path, help="libheartwire.so")
    parser.add_argument("--seconds", type=int, default=8, help="how long the hosts are stuck")
    options = parser.parse_args()
    signal.signal(signal.SIGTERM, lambda *_: sys.exit(1))
    build(options.library.resolve())
    hosts = make_hosts()
    problems, books = run_hosts(hosts, options.seconds)
    failed = 0
    for host, problem, book in zip(hosts, problems, books, strict=True):
        problem = problem or judge(host, book, options.seconds)
        failed += problem is not None
        print(f"{'ok    ' if problem is None else 'FAILED'} {host.name}")
        print(f"measured {host.name}: {describe(book)}, stuck {options.seconds} s")
        if problem is not None:
            print("    " + problem.strip().replace("\n", "\n    "))
    print(f"{len(hosts) - failed} passed, {failed} failed")
    return 1 if failed else 0


if __name__ == "__main__":
    sys.exit(main())
