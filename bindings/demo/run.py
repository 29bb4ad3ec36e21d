"""Runs the C, Python and Elixir exchange programs side by side against one exchange, and checks their counts against its books.

Usage: run.py --c PROGRAM --library LIBHEARTWIRE

Needs the PyPI packages websockets and trustme, and the Python and Elixir packages of Heartwire built.
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
        self.reports: dict[str, dict] = {}
        """What the program said in lines such as "RESULT {json}", by their first word."""
        self.reported = asyncio.Event()
        self.process: asyncio.subprocess.Process | None = None

    async def start(self, environment: dict[str, str]) -> None:
        self.process = await asyncio.create_subprocess_exec(
            *self.command, cwd=self.folder, env=environment, start_new_session=True,
            stdin=asyncio.subprocess.PIPE, stdout=asyncio.subprocess.PIPE, stderr=asyncio.subprocess.STDOUT,
        )  # fmt: skip

    async def follow(self) -> int:
        """Shows every line until the program ends; its exit status."""
        async for raw in self.process.stdout:
            text = raw.decode(errors="replace").rstrip()
            word, _, rest = text.partition(" ")
            if word in ("READY", "RESULT", "COUNTS"):
                self.reports[word] = json.loads(rest)
                self.reported.set()
            elif text:
                self.display.line(self.name, text)
        self.reported.set()
        return await self.process.wait()

    async def end(self) -> None:
        """Leaves nothing of the program behind, whatever state it is in."""
        if self.process is None:
            return
        with contextlib.suppress(ProcessLookupError):
            os.killpg(self.process.pid, signal.SIGKILL)
        await self.process.wait()


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
        return [f"{url}/?program={name}", "--ca", str(ca_file), "--seconds", str(PROGRAM_SECONDS)]

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
    sent, in_flight = books["messages_sent"], books["in_flight_at_cut"]
    checks = [
        (sent - in_flight <= result["messages"] <= sent,
         f"received {result['messages']} messages; the exchange sent {sent}, of which {in_flight} were in flight at the cut"),
        (result["answers"] == books["answers_received"] == books["test_requests"] > 0,
         f"answered {result['answers']} test requests; the exchange sent {books['test_requests']} and got {books['answers_received']} answers"),
        (abs(result["pings"] - books["pings_received"]) <= 1 and result["pings"] > 0,
         f"sent {result['pings']} pings; the exchange got {books['pings_received']}, and one at most may have met the cut"),
        (result["reconnections"] == books["connections"] - 1 == books["cuts"] == 1,
         f"reconnected {result['reconnections']} times; the exchange made {books['cuts']} cuts and saw {books['connections']} connections"),
        (result["rtt_mean_us"] > 0, "measured no round trip"),
    ]  # fmt: skip
    return [f"{name} {text}" for passed, text in checks if not passed]


def print_summary(results: dict[str, dict], counts: dict[str, dict], verdicts: dict[str, list[str]]) -> None:
    head = f"{'program':<8} {'messages':>8} {'sent to it':>10} {'in flight':>9} {'requests':>8} {'answers':>7} {'slowest':>9} " \
        f"{'pings':>5} {'arrived':>7} {'cuts':>4} {'reconnected':>11} {'mean rtt':>9}  checks"
    print(f"\n{head}\n{'-' * len(head)}")
    empty = dict.fromkeys(
        "messages_sent in_flight_at_cut test_requests answer_slowest_ms pings_received cuts "
        "messages answers pings reconnections rtt_mean_us".split(), 0)  # fmt: skip
    for name, failures in verdicts.items():
        row = empty | counts.get(name, {}) | results.get(name, {})
        print(
            f"{name:<8} {row['messages']:>8} {row['messages_sent']:>10} {row['in_flight_at_cut']:>9} {row['test_requests']:>8} "
            f"{row['answers']:>7} {row['answer_slowest_ms']:>6.2f} ms {row['pings']:>5} {row['pings_received']:>7} "
            f"{row['cuts']:>4} {row['reconnections']:>11} {row['rtt_mean_us'] / 1000:>6.2f} ms  {'FAILED' if failures else 'ok'}"
        )
    print("\nmessages, answers, pings, reconnected and mean rtt are the programs' own counts, the others the exchange's books.")


async def run_demo(options: argparse.Namespace, folder: pathlib.Path, running: list[Program]) -> bool:
    display = Display()
    environment = os.environ | {"HEARTWIRE_LIBRARY": options.library, "LC_ALL": "C.UTF-8"}
    ca_file, server_file = make_certificates(folder)
    server = Program("server", [sys.executable, "-u", str(HERE / "exchange_server.py"), "--certificate", str(server_file),
                                "--trading-seconds", str(TRADING_SECONDS)], HERE, display)  # fmt: skip
    running.append(server)
    await server.start(environment)
    server_task = asyncio.create_task(server.follow())
    await server.reported.wait()
    if "READY" not in server.reports:
        raise SystemExit("the exchange did not start")
    url = f"wss://127.0.0.1:{server.reports['READY']['port']}"
    display.line("server", f"trades at {url} for {TRADING_SECONDS} s a program")

    programs = make_programs(options.c, url, ca_file, display)
    running.extend(programs)
    for program in programs:
        await program.start(environment)
    statuses = await asyncio.gather(*(program.follow() for program in programs))
    server.process.stdin.close()
    await server_task

    results = {program.name: program.reports["RESULT"] for program in programs if "RESULT" in program.reports}
    counts = server.reports.get("COUNTS", {})
    verdicts = {
        program.name: failed_checks(program.name, results.get(program.name), counts.get(program.name), status)
        for program, status in zip(programs, statuses, strict=True)
    }
    print_summary(results, counts, verdicts)
    failures = [failure for failures in verdicts.values() for failure in failures]
    print("\n".join(f"FAILED: {failure}" for failure in failures) or "Every count agrees with the exchange's books.")
    return not failures


async def main() -> int:
    parser = argparse.ArgumentParser()
    parser.add_argument("--c", required=True, help="the built C program")
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
