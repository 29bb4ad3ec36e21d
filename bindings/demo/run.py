"""Runs the C, Python and Elixir exchange programs side by side against `heartwire serve --exchange`, and checks their counts by its books.

Usage: run.py --c PROGRAM --server HEARTWIRE --library LIBHEARTWIRE

Needs the PyPI package trustme, and the Python and Elixir packages of Heartwire built.
"""

import argparse
import asyncio
import contextlib
import json
import os
import pathlib
import signal
import sys
import tempfile
import time

import trustme

HERE = pathlib.Path(__file__).resolve().parent
BINDINGS = HERE.parent

# Trading ends before the programs do, so that nothing is under way when they leave and every count can be exact.
TRADING_SECONDS = 12
PROGRAM_SECONDS = 14
CUT_AFTER_SECONDS = 5
PATIENCE_SECONDS = 30

COLOURS = {"server": 33, "c": 36, "python": 32, "elixir": 35}


class Display:
    """Prints lines with the time since the start; colours the part that names the program if a person is looking."""

    def __init__(self) -> None:
        self.started = time.monotonic()
        self.colourful = sys.stdout.isatty() and "NO_COLOR" not in os.environ

    def line(self, program: str, text: str) -> None:
        prefix = f"{program:<8}|"
        rest = text.removeprefix(prefix)
        if self.colourful:
            prefix = f"\033[{COLOURS.get(program, 0)}m{prefix}\033[0m"
        print(f"{time.monotonic() - self.started:5.1f} s  {prefix}{rest if rest.startswith(' ') else ' ' + rest}", flush=True)


class Program:
    """A child process in a process group of its own, whose lines are shown as they come."""

    def __init__(self, name: str, command: list[str], folder: pathlib.Path, display: Display) -> None:
        self.name = name
        self.command = command
        self.folder = folder
        self.display = display
        self.result: dict | None = None
        """What the program said in its line "RESULT {json}"."""
        self.process: asyncio.subprocess.Process | None = None

    async def start(self, environment: dict[str, str]) -> None:
        self.process = await asyncio.create_subprocess_exec(
            *self.command, cwd=self.folder, env=environment, start_new_session=True,
            stdin=asyncio.subprocess.PIPE, stdout=asyncio.subprocess.PIPE, stderr=asyncio.subprocess.STDOUT,
        )  # fmt: skip

    async def follow(self) -> int:
        """Shows every line until the program ends; its exit status."""
        async for raw in self.process.stdout:
            self.take(raw.decode(errors="replace").rstrip())
        return await self.process.wait()

    def take(self, text: str) -> None:
        word, _, rest = text.partition(" ")
        if word == "RESULT":
            self.result = json.loads(rest)
        elif text:
            self.display.line(self.name, text)

    async def end(self) -> None:
        """Leaves nothing of the program behind, whatever state it is in."""
        if self.process is None:
            return
        with contextlib.suppress(ProcessLookupError):
            os.killpg(self.process.pid, signal.SIGKILL)
        await self.process.wait()


class Exchange(Program):
    """`heartwire serve --exchange`, which speaks JSON about its address and its books."""

    def __init__(self, heartwire: str, certificate: pathlib.Path, display: Display) -> None:
        arguments = ["serve", "--exchange", "--json", "--set", f"tls.certificate_file={certificate}", "wss://127.0.0.1:0"]
        super().__init__("server", [heartwire, *arguments], HERE, display)
        self.url: asyncio.Future[str] = asyncio.get_running_loop().create_future()
        self.books: dict[str, dict] = {}

    def take(self, text: str) -> None:
        if not text.startswith("{"):
            self.display.line(self.name, text.removeprefix("heartwire: "))
            return
        record = json.loads(text)
        if record["type"] == "listening":
            self.url.set_result(record["url"])
        elif record["type"] == "books":
            self.books[record["program"]] = record


def make_certificates(folder: pathlib.Path) -> tuple[pathlib.Path, pathlib.Path]:
    """A throwaway CA and a server certificate of its own: the paths of the CA's certificate, and of the server's key and chain."""
    authority = trustme.CA(organization_name="Heartwire demo")
    server = authority.issue_cert("localhost", "127.0.0.1")
    ca_file, server_file = folder / "ca.pem", folder / "server.pem"
    authority.cert_pem.write_to_path(ca_file)
    server.private_key_and_cert_chain_pem.write_to_path(server_file)
    return ca_file, server_file


def make_programs(c_program: str, url: str, ca_file: pathlib.Path, display: Display) -> list[Program]:
    def arguments(name: str) -> list[str]:
        query = f"program={name}&cut={CUT_AFTER_SECONDS}&seconds={TRADING_SECONDS}"
        return [f"{url}/?{query}", "--ca", str(ca_file), "--seconds", str(PROGRAM_SECONDS)]

    python, elixir = BINDINGS / "python", BINDINGS / "elixir"
    # Without the variable the Python package loads the library that it was installed with, as a user's would.
    installed_python = ["env", "-u", "HEARTWIRE_LIBRARY", sys.executable, "-u"]
    return [
        Program("c", [c_program, *arguments("c")], BINDINGS, display),
        Program("python", [*installed_python, str(python / "examples" / "exchange.py"), *arguments("python")], python, display),
        Program("elixir", ["mix", "run", "examples/exchange.exs", *arguments("elixir")], elixir, display),
    ]


def failed_checks(name: str, result: dict | None, books: dict | None, status: int) -> list[str]:
    """What a program's own counts and the exchange's books disagree on; empty if they agree."""
    if status != 0 or result is None:
        return [f"{name} ended with status {status} and {'no' if result is None else 'a'} result"]
    if books is None:
        return [f"{name} never reached the exchange"]
    sent, met_the_cut = books["messages_sent"], "and one at most may have met the cut"
    checks = [
        (abs(result["messages"] - sent) <= 1, f"received {result['messages']} messages; the exchange sent {sent}, {met_the_cut}"),
        (result["answers"] == books["answers"] > 0 and books["test_requests"] - books["answers"] <= 1,
         f"answered {result['answers']} test requests; the exchange sent {books['test_requests']} and got {books['answers']} answers"),
        (abs(result["pings"] - books["pings_received"]) <= 1 and result["pings"] > 0,
         f"sent {result['pings']} pings; the exchange got {books['pings_received']}, {met_the_cut}"),
        (result["reconnections"] == books["connections"] - 1 == books["cuts"] == 1,
         f"reconnected {result['reconnections']} times; the exchange made {books['cuts']} cuts and saw {books['connections']} connections"),
        (result["rtt_mean_us"] > 0, "measured no round trip"),
    ]  # fmt: skip
    return [f"{name} {text}" for passed, text in checks if not passed]


def print_summary(results: dict[str, dict], books: dict[str, dict], verdicts: dict[str, list[str]]) -> None:
    head = f"{'program':<8} {'messages':>8} {'sent to it':>10} {'requests':>8} {'answers':>7} {'slowest':>9} " \
        f"{'pings':>5} {'arrived':>7} {'cuts':>4} {'reconnected':>11} {'mean rtt':>9}  checks"
    print(f"\n{head}\n{'-' * len(head)}")
    empty = dict.fromkeys(
        "messages_sent test_requests answer_slowest_ns pings_received cuts messages answers pings reconnections rtt_mean_us".split(), 0
    )
    for name, failures in verdicts.items():
        row = empty | books.get(name, {}) | results.get(name, {})
        print(
            f"{name:<8} {row['messages']:>8} {row['messages_sent']:>10} {row['test_requests']:>8} "
            f"{row['answers']:>7} {row['answer_slowest_ns'] / 1e6:>6.2f} ms {row['pings']:>5} {row['pings_received']:>7} "
            f"{row['cuts']:>4} {row['reconnections']:>11} {row['rtt_mean_us'] / 1000:>6.2f} ms  {'FAILED' if failures else 'ok'}"
        )
    print("\nmessages, answers, pings, reconnected and mean rtt are the programs' own counts, the others the exchange's books.")


async def run_demo(options: argparse.Namespace, folder: pathlib.Path, running: list[Program]) -> bool:
    display = Display()
    environment = os.environ | {"HEARTWIRE_LIBRARY": options.library, "LC_ALL": "C.UTF-8"}
    ca_file, server_file = make_certificates(folder)
    exchange = Exchange(options.server, server_file, display)
    running.append(exchange)
    await exchange.start(environment)
    following = asyncio.create_task(exchange.follow())
    await asyncio.wait([exchange.url, following], return_when=asyncio.FIRST_COMPLETED)
    if not exchange.url.done():
        raise SystemExit("the exchange did not start")
    display.line("server", f"trades at {exchange.url.result()} for {TRADING_SECONDS} s a program")

    programs = make_programs(options.c, exchange.url.result(), ca_file, display)
    running.extend(programs)
    for program in programs:
        await program.start(environment)
    statuses = await asyncio.gather(*(program.follow() for program in programs))
    exchange.process.terminate()
    await following

    results = {program.name: program.result for program in programs if program.result is not None}
    verdicts = {
        program.name: failed_checks(program.name, program.result, exchange.books.get(program.name), status)
        for program, status in zip(programs, statuses, strict=True)
    }
    print_summary(results, exchange.books, verdicts)
    failures = [failure for failures in verdicts.values() for failure in failures]
    print("\n".join(f"FAILED: {failure}" for failure in failures) or "Every count agrees with the exchange's books.")
    return not failures


async def main() -> int:
    parser = argparse.ArgumentParser()
    parser.add_argument("--c", required=True, help="the built C program")
    parser.add_argument("--server", required=True, help="the built program heartwire")
    parser.add_argument("--library", required=True, help="libheartwire.so")
    options = parser.parse_args()

    task = asyncio.current_task()
    for number in (signal.SIGINT, signal.SIGTERM, signal.SIGHUP):
        asyncio.get_running_loop().add_signal_handler(number, task.cancel)
    running: list[Program] = []
    try:
        with tempfile.TemporaryDirectory(prefix="heartwire-demo-") as folder:
            return 0 if await asyncio.wait_for(run_demo(options, pathlib.Path(folder), running), PROGRAM_SECONDS + PATIENCE_SECONDS) else 1
    except TimeoutError:
        print("FAILED: the programs did not end in time")
        return 1
    except asyncio.CancelledError:
        print("\ninterrupted")
        return 130
    finally:
        await asyncio.gather(*(program.end() for program in running))


if __name__ == "__main__":
    sys.exit(asyncio.run(main()))
