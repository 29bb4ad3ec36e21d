"""Runs the Autobahn cases, with kosoku as the fuzzing server and client, against a client and a server of the library, and prints the verdicts.

Usage: run.py --library LIBHEARTWIRE [--without-compression]

A case passes if its behavior and its close are OK or INFORMATIONAL. One that did not end in time runs again, and that counts.
Prints those that fail with the page that explains each, a table of the verdicts, and as last line "N passed, N failed". The reports are
left in .build/conformance/reports.
"""

import argparse
import collections
import collections.abc
import dataclasses
import json
import os
import pathlib
import shutil
import signal
import subprocess
import sys
import sysconfig
import time

HERE = pathlib.Path(__file__).resolve().parent
ROOT = HERE.parents[1]
BUILD = ROOT / ".build" / "conformance"
REPORTS = BUILD / "reports"
AGENT = "heartwire"
PASSING = {"OK", "INFORMATIONAL"}
RUN_TIMEOUT_S = 2400
WORKERS = 8
KOSOKU = pathlib.Path(sysconfig.get_path("scripts")) / "kosoku"


@dataclasses.dataclass
class Case:
    behavior: str
    close: str
    result: str
    page: pathlib.Path

    @property
    def is_late(self) -> bool:
        """True if the server's patience was over: on a busy machine that says nothing about the client."""
        return self.result.startswith("Case did not finish within")


Examiner = collections.abc.Callable[[pathlib.Path, list[str], int, pathlib.Path], dict[str, Case]]


def build(name: str, library: pathlib.Path) -> pathlib.Path:
    BUILD.mkdir(parents=True, exist_ok=True)
    program = BUILD / name
    command = [os.environ.get("CC", "cc"), "-std=c11", "-O2", "-Wall", "-Wextra", "-pedantic", "-Werror", "-pthread"]
    linked = [f"-I{ROOT / 'include'}", f"-L{library.parent}", "-lheartwire", f"-Wl,-rpath,{library.parent}"]
    subprocess.run([*command, str(HERE / f"{name}.c"), "-o", str(program), *linked], check=True)
    return program


def examine_server(server: pathlib.Path, selection: list[str], workers: int, reports: pathlib.Path) -> dict[str, Case]:
    """Has kosoku examine the server, some cases at a time, and write its reports; returns what they say."""
    running = subprocess.Popen([server], stdin=subprocess.PIPE, stdout=subprocess.PIPE, text=True)
    try:
        address = f"127.0.0.1:{int(running.stdout.readline())}"
        command = [str(KOSOKU), "-m", "fuzzingclient", "-p", str(workers), "-o", str(reports), *selection, address]
        # The exit status says whether all is well by kosoku's own, milder rule.
        subprocess.run(command, stdout=subprocess.DEVNULL, stderr=subprocess.DEVNULL, timeout=RUN_TIMEOUT_S)
        running.communicate(timeout=60)
        if running.returncode != 0:
            sys.exit(f"the server ended with status {running.returncode}")
    finally:
        running.kill()
        running.wait()
    (index,) = json.loads((reports / "index.json").read_text()).values()
    return {name: read_report(reports / case["reportfile"]) for name, case in index.items()}


def examine_client(client: pathlib.Path, selection: list[str], workers: int, reports: pathlib.Path) -> dict[str, Case]:
    """Has kosoku examine the client, some cases at a time, and write its reports; returns what they say."""
    command = [str(KOSOKU), "-m", "fuzzingserver", "127.0.0.1:0", "-o", str(reports), *selection]
    server = subprocess.Popen(command, stdout=subprocess.DEVNULL, stderr=subprocess.PIPE, text=True)
    try:
        url = server.stderr.readline().rpartition(" ")[2].strip()
        done = subprocess.run([client, url, AGENT, str(workers)], stdout=subprocess.PIPE, text=True, timeout=RUN_TIMEOUT_S)
        if done.returncode != 0:
            sys.exit(f"the client ended with status {done.returncode}")
        # The exit status says whether all is well by the server's own, milder rule.
        server.communicate(timeout=RUN_TIMEOUT_S)
    finally:
        server.kill()
        server.wait()
    index = json.loads((reports / "index.json").read_text())[AGENT]
    if len(index) != int(done.stdout):
        sys.exit(f"{done.stdout.strip()} cases, but reports about {len(index)}")
    return {name: read_report(reports / case["reportfile"]) for name, case in index.items()}


def read_report(path: pathlib.Path) -> Case:
    report = json.loads(path.read_text())
    return Case(report["behavior"], report["behaviorClose"], report["result"], path.with_suffix(".html"))


def print_verdicts(cases: dict[str, Case]) -> int:
    """Prints the cases that failed and how many there are of each verdict; returns how many failed."""
    failed = {name: case for name, case in cases.items() if not {case.behavior, case.close} <= PASSING}
    for name, case in failed.items():
        print(f"FAILED {name:<8} {case.behavior}, close {case.close}: {case.page.relative_to(ROOT)}")
    print(f"\n{'behavior':<14} {'close':<18} {'cases':>5}")
    for (behavior, close), number in collections.Counter((case.behavior, case.close) for case in cases.values()).most_common():
        print(f"{behavior:<14} {close:<18} {number:>5}")
    return len(failed)


def run_role(program: pathlib.Path, examine: Examiner, reports: pathlib.Path, without_compression: bool) -> dict[str, Case]:
    # The slowest of these only wait.
    cases = examine(program, ["-x", "12.*", "-x", "13.*"], WORKERS, reports / "protocol")
    if not without_compression:
        # These compute all the time, and kosoku gives each 20 s, of which the longest need half on a CPU of their own.
        cases |= examine(program, ["-i", "12.*", "-i", "13.*"], 1, reports / "compression")
    if late := [name for name, case in cases.items() if case.is_late]:
        print(f"{len(late)} cases did not end in time; they run again")
        cases |= examine(program, [part for name in late for part in ("-i", name)], 1, reports / "again")
    return cases


def main() -> int:
    parser = argparse.ArgumentParser(description=__doc__.splitlines()[0])
    parser.add_argument("--library", required=True, type=pathlib.Path, help="libheartwire.so")
    parser.add_argument("--without-compression", action="store_true", help="leave out the cases of permessage-deflate, 12.* and 13.*")
    options = parser.parse_args()
    # Whoever ends this program by a signal ends the server with it: the signal becomes an exception.
    signal.signal(signal.SIGTERM, lambda *_: sys.exit(1))

    shutil.rmtree(REPORTS, ignore_errors=True)
    count = failed = 0
    for role, examine in {"client": examine_client, "server": examine_server}.items():
        started = time.monotonic()
        cases = run_role(build(role, options.library.resolve()), examine, REPORTS / role, options.without_compression)
        print(f"\nthe library as {role}: {len(cases)} cases in {time.monotonic() - started:.1f} s; reports in {REPORTS.relative_to(ROOT)}")
        failed += print_verdicts(cases)
        count += len(cases)
    print(f"{count - failed} passed, {failed} failed")
    return 1 if failed else 0


if __name__ == "__main__":
    sys.exit(main())
