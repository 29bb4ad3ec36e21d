"""Runs the test suites one after the other and sums them up.

Usage: run.py --library LIBHEARTWIRE [--stuck-seconds SECONDS] [SUITE ...]

Prints how each suite fares, what it has measured, the output of those that fail, a table, and as last line "N passed, N failed".
"""

import argparse
import contextlib
import dataclasses
import os
import pathlib
import re
import signal
import subprocess
import sys
import tempfile
import time
from collections.abc import Callable
from typing import IO

TESTS = pathlib.Path(__file__).resolve().parent
ROOT = TESTS.parent
PROGRESS_INTERVAL_S = 10


@dataclasses.dataclass
class Counts:
    passed: int
    failed: int


@dataclasses.dataclass
class Suite:
    name: str
    command: list[str]
    folder: pathlib.Path
    count: Callable[[str], Counts | None]
    """Reads the counts from the suite's output; None if it says none."""
    timeout_s: int


@dataclasses.dataclass
class Result:
    suite: Suite
    counts: Counts
    seconds: float


def numbers(pattern: str, output: str) -> int | None:
    """The sum of the numbers that the pattern captures anywhere in the output; None if it captures none."""
    found = re.findall(pattern, output, re.MULTILINE)
    return sum(map(int, found)) if found else None


def count_swift(output: str) -> Counts | None:
    total = numbers(r"Test run with (\d+) tests?\b", output)
    failed = len(re.findall(r"^\S+ +Test (?!run |case ).+ failed after", output, re.MULTILINE))
    return None if total is None else Counts(total - failed, failed)


def count_summary(output: str) -> Counts | None:
    """Counts of pytest and of the project's own runners: their last line with "N passed" or "N failed" in it."""
    lines = [line for line in output.splitlines() if re.search(r"\b\d+ (passed|failed|errors?)\b", line)]
    if not lines:
        return None
    return Counts(numbers(r"(\d+) passed", lines[-1]) or 0, numbers(r"(\d+) (?:failed|errors?)\b", lines[-1]) or 0)


def count_exunit(output: str) -> Counts | None:
    total = numbers(r"\b(\d+) (?:tests?|doctests?|properties|property)(?=,)", output)
    failed = numbers(r", (\d+) failures?\b", output)
    return None if total is None or failed is None else Counts(total - failed, failed)


def make_suites(library: str, stuck_seconds: int) -> list[Suite]:
    python = sys.executable
    return [
        Suite("swift", ["swift", "test"], ROOT, count_swift, timeout_s=1200),
        Suite("abi", [python, "Tests/ABI/check.py"], ROOT, count_summary, timeout_s=300),
        Suite("c", [python, "Tests/C/run.py", "--library", library], ROOT, count_summary, timeout_s=600),
        Suite("cli", [python, "-m", "pytest", "-q", "-p", "no:cacheprovider", "Tests/CLI"], ROOT, count_summary, timeout_s=300),
        Suite(
            "conformance", [python, "Tests/Conformance/run.py", "--library", library, "--without-compression"],
            ROOT, count_summary, timeout_s=300,
        ),  # fmt: skip
        Suite("python", [python, "-m", "pytest", "-q", "-p", "no:cacheprovider", "bindings/python"], ROOT, count_summary, timeout_s=600),
        Suite("proxies", [python, "-m", "pytest", "-q", "-p", "no:cacheprovider", "Tests/Proxies"], ROOT, count_summary, timeout_s=300),
        Suite(
            "transcripts", [python, "-m", "pytest", "-q", "-p", "no:cacheprovider", "Tests/Transcripts"],
            ROOT, count_summary, timeout_s=300,
        ),  # fmt: skip
        Suite("services", [python, "-m", "pytest", "-q", "-p", "no:cacheprovider", "Tests/Services"], ROOT, count_summary, timeout_s=300),
        Suite(
            "prometheus", [python, "-m", "pytest", "-q", "-p", "no:cacheprovider", "Tests/Prometheus"],
            ROOT, count_summary, timeout_s=300,
        ),  # fmt: skip
        Suite("monitor", [python, "-m", "pytest", "-q", "-p", "no:cacheprovider", "Tests/Monitor"], ROOT, count_summary, timeout_s=600),
        Suite("network", [python, "-m", "pytest", "-q", "-p", "no:cacheprovider", "Tests/Network"], ROOT, count_summary, timeout_s=900),
        Suite(
            "stuck", [python, "Tests/Stuck/run.py", "--library", library, "--seconds", str(stuck_seconds)],
            ROOT, count_summary, timeout_s=300 + stuck_seconds,
        ),  # fmt: skip
        Suite("elixir", ["mix", "test", "--no-color"], ROOT / "bindings" / "elixir", count_exunit, timeout_s=600),
    ]


def last_line(log: IO[str]) -> str:
    log.seek(0)
    lines = [line for line in log.read().splitlines() if line.strip()]
    return lines[-1][:110] if lines else ""


def wait_with_progress(process: subprocess.Popen[bytes], suite: Suite, log: IO[str]) -> bool:
    """Waits for the suite, showing where it is; False if it ran out of time."""
    started = time.monotonic()
    while (elapsed := time.monotonic() - started) < suite.timeout_s:
        try:
            process.wait(min(PROGRESS_INTERVAL_S, suite.timeout_s - elapsed))
            return True
        except subprocess.TimeoutExpired:
            print(f"{suite.name:<11} {time.monotonic() - started:5.0f} s  {last_line(log)}", flush=True)
    return False


def end_group(process: subprocess.Popen[bytes]) -> None:
    """Kills what the suite started and left behind, and the suite itself if it still runs."""
    with contextlib.suppress(ProcessLookupError):
        os.killpg(process.pid, signal.SIGKILL)
    process.wait()


def run_suite(suite: Suite, environment: dict[str, str]) -> Result:
    print(f"{suite.name:<11} runs {' '.join(suite.command)}", flush=True)
    started = time.monotonic()
    # A file takes the output: the end of a pipe would wait for every process that a suite might leave behind.
    with tempfile.TemporaryFile("w+", encoding="utf-8", errors="replace") as log:
        process = subprocess.Popen(
            suite.command, cwd=suite.folder, env=environment, start_new_session=True,
            stdin=subprocess.DEVNULL, stdout=log, stderr=subprocess.STDOUT,
        )  # fmt: skip
        try:
            in_time = wait_with_progress(process, suite, log)
        finally:
            end_group(process)
        log.seek(0)
        output = log.read()
    counts = suite.count(output) or Counts(0, 0)
    # A suite that fails without naming a failed test, by a crash or a broken build, counts as one failure.
    if (process.returncode != 0 or not in_time or counts.passed == 0) and counts.failed == 0:
        counts.failed = 1
    if counts.failed:
        reason = f"ended with status {process.returncode}" if in_time else f"took longer than {suite.timeout_s} s"
        print(f"{output.rstrip()}\n{suite.name:<11} {reason}")
    else:
        print("".join(f"{suite.name:<11} {line}\n" for line in re.findall(r"^measured (.*)", output, re.MULTILINE)), end="")
    seconds = time.monotonic() - started
    print(f"{suite.name:<11} {counts.passed} passed, {counts.failed} failed in {seconds:.0f} s\n", flush=True)
    return Result(suite, counts, seconds)


def print_table(results: list[Result]) -> None:
    print(f"{'suite':<11} {'tests':>6} {'passed':>7} {'failed':>7} {'seconds':>8}")
    for result in results:
        counts = result.counts
        print(f"{result.suite.name:<11} {counts.passed + counts.failed:>6} {counts.passed:>7} {counts.failed:>7} {result.seconds:>8.1f}")


def main() -> int:
    parser = argparse.ArgumentParser(description=__doc__.splitlines()[0])
    parser.add_argument("--library", required=True, help="libheartwire.so")
    parser.add_argument("--stuck-seconds", type=int, default=8, help="how long the suite \"stuck\" keeps its hosts stuck")
    parser.add_argument("suites", nargs="*", metavar="SUITE", help="the suites to run; all if none is named")
    options = parser.parse_args()
    suites = make_suites(options.library, options.stuck_seconds)
    if unknown := set(options.suites) - {suite.name for suite in suites}:
        parser.error(f"no suite {', '.join(unknown)}; there are {', '.join(suite.name for suite in suites)}")

    environment = os.environ | {
        "HEARTWIRE_LIBRARY": options.library,
        "HEARTWIRE_TEST_PYTHON": sys.executable,
        "LC_ALL": "C.UTF-8",
        "SWIFT_BACKTRACE": "enable=no",
    }
    # Whoever ends this program by a signal ends the running suite with it: the signal becomes an exception that unwinds run_suite.
    for number in (signal.SIGTERM, signal.SIGHUP):
        signal.signal(number, lambda *_: sys.exit(1))
    results = [run_suite(suite, environment) for suite in suites if not options.suites or suite.name in options.suites]
    print_table(results)
    failed = sum(result.counts.failed for result in results)
    print(f"\n{sum(result.counts.passed for result in results)} passed, {failed} failed")
    return 1 if failed else 0


if __name__ == "__main__":
    try:
        sys.exit(main())
    except KeyboardInterrupt:
        sys.exit(130)
