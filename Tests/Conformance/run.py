"""Runs the Autobahn cases, with kosoku as the fuzzing server, against a client of the library, and prints the verdicts.

Usage: run.py --library LIBHEARTWIRE [--without-compression]

A case passes if its behavior and its close are OK or INFORMATIONAL. Prints those that fail with the page that explains each, a table
of the verdicts, and as last line "N passed, N failed". The reports are left in .build/conformance/reports, index.html first.
"""

import argparse
import collections
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
COMPRESSION_CASES = ["12.*", "13.*"]
RUN_TIMEOUT_S = 1200
# Without the compression cases the slowest only wait. Those compute all the time, and the server gives each 20 s: no more of them at a
# time than there are CPUs.
WORKERS_WITHOUT_COMPRESSION = 8
WORKERS_FOR_ALL = min(os.cpu_count() or 1, WORKERS_WITHOUT_COMPRESSION)


def build_client(library: pathlib.Path) -> pathlib.Path:
    BUILD.mkdir(parents=True, exist_ok=True)
    client = BUILD / "client"
    command = [os.environ.get("CC", "cc"), "-std=c11", "-O2", "-Wall", "-Wextra", "-pedantic", "-Werror", "-pthread"]
    linked = [f"-I{ROOT / 'include'}", f"-L{library.parent}", "-lheartwire", f"-Wl,-rpath,{library.parent}"]
    subprocess.run([*command, str(HERE / "client.c"), "-o", str(client), *linked], check=True)
    return client


def run_cases(client: pathlib.Path, excluded: list[str], workers: int) -> int:
    """Has the server examine the client, some cases at a time, and write its reports; returns the number of cases."""
    shutil.rmtree(REPORTS, ignore_errors=True)
    kosoku = pathlib.Path(sysconfig.get_path("scripts")) / "kosoku"
    command = [str(kosoku), "-m", "fuzzingserver", "127.0.0.1:0", "-o", str(REPORTS)]
    for pattern in excluded:
        command += ["-x", pattern]
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
    return int(done.stdout)


def print_verdicts(count: int) -> int:
    """Prints what the reports say of so many cases, and returns how many failed."""
    cases = json.loads((REPORTS / "index.json").read_text())[AGENT]
    verdicts = collections.Counter((case["behavior"], case["behaviorClose"]) for case in cases.values())
    failed = {name: case for name, case in cases.items() if not {case["behavior"], case["behaviorClose"]} <= PASSING}
    for name, case in failed.items():
        page = (REPORTS / case["reportfile"]).with_suffix(".html").relative_to(ROOT)
        print(f"FAILED {name:<8} {case['behavior']}, close {case['behaviorClose']}: {page}")
    print(f"\n{'behavior':<14} {'close':<18} {'cases':>5}")
    for (behavior, close), number in verdicts.most_common():
        print(f"{behavior:<14} {close:<18} {number:>5}")
    if missing := count - len(cases):
        print(f"{'no report':<33} {missing:>5}")
    return len(failed) + missing


def main() -> int:
    parser = argparse.ArgumentParser(description=__doc__.splitlines()[0])
    parser.add_argument("--library", required=True, type=pathlib.Path, help="libheartwire.so")
    parser.add_argument("--without-compression", action="store_true", help="leave out the cases of permessage-deflate, 12.* and 13.*")
    options = parser.parse_args()
    # Whoever ends this program by a signal ends the server with it: the signal becomes an exception.
    signal.signal(signal.SIGTERM, lambda *_: sys.exit(1))

    client = build_client(options.library.resolve())
    started = time.monotonic()
    if options.without_compression:
        count = run_cases(client, COMPRESSION_CASES, WORKERS_WITHOUT_COMPRESSION)
    else:
        count = run_cases(client, [], WORKERS_FOR_ALL)
    seconds = time.monotonic() - started
    failed = print_verdicts(count)
    print(f"\n{count} cases in {seconds:.1f} s; reports in {REPORTS.relative_to(ROOT)}")
    print(f"{count - failed} passed, {failed} failed")
    return 1 if failed else 0


if __name__ == "__main__":
    sys.exit(main())
