"""Simulates whole connections in virtual time: the very Session, Heartbeat and WebSocket that ship, optimised, against a faulty world.

Usage: run.py [--seed N] [--runs N] [--seconds N]      simulates the seeds from N on, until the runs or the seconds are over
       run.py --storm                                  measures a thousand connections in an outage, and rotations under load
       run.py --bugs [NAME ...]                        plants the bugs of the folder Bugs one at a time; each must be caught

A seed whose world breaks a promise fails: its replay command and the end of its story are printed. At the end stands a table of what was
covered, with a count each. What is compiled and written goes to .build/sim.
"""

import argparse
import collections
import concurrent.futures
import dataclasses
import os
import pathlib
import re
import shutil
import subprocess
import sys

import build

HERE = pathlib.Path(__file__).resolve().parent
BUGS = HERE / "Bugs"
WORKERS = os.cpu_count() or 1
STORY_LINES = 40
FAILURES_SHOWN = 5
# The order in which a set is walked must not depend on the process.
ENVIRONMENT = os.environ | {"SWIFT_DETERMINISTIC_HASHING": "1", "SWIFT_BACKTRACE": "enable=no"}
# A bug that is not caught by then is not caught.
BUG_SEEDS = 4000


@dataclasses.dataclass
class Violation:
    seed: int
    checker: str
    time: str
    text: str


@dataclasses.dataclass
class Report:
    runs: int = 0
    simulated_s: float = 0.0
    real_s: float = 0.0
    violations: list[Violation] = dataclasses.field(default_factory=list)
    covered: collections.Counter[str] = dataclasses.field(default_factory=collections.Counter)


def simulate(program: pathlib.Path, seed: int, step: int, runs: int, seconds: int, mode: str = "") -> Report:
    command = [program, *map(str, (seed, step, runs, seconds)), *([mode] if mode else [])]
    done = subprocess.run(command, env=ENVIRONMENT, stdin=subprocess.DEVNULL, stdout=subprocess.PIPE, stderr=subprocess.STDOUT)
    report = Report()
    for line in done.stdout.decode(errors="replace").splitlines():
        match line.split("\t"):
            case ["violation", found, checker, time, text]:
                report.violations.append(Violation(int(found), checker, time, text))
            case ["runs", count, _, simulated, real]:
                report.runs, report.simulated_s, report.real_s = int(count), float(simulated), float(real)
            case ["covered", what, count]:
                report.covered[what] += int(count)
            case _ if done.returncode != 0:
                print(line)
    if done.returncode != 0:
        raise SystemExit(f"{' '.join(map(str, command))} ended with status {done.returncode}")
    return report


def simulate_all(program: pathlib.Path, seed: int, runs: int, seconds: int) -> Report:
    """Every worker takes the seeds of one remainder, so that a limit in seconds leaves no range out."""
    workers = min(WORKERS, runs or WORKERS)
    with concurrent.futures.ThreadPoolExecutor(workers) as pool:
        shares = [(runs - index + workers - 1) // workers if runs else 0 for index in range(workers)]
        jobs = [pool.submit(simulate, program, seed + index, workers, shares[index], seconds) for index in range(workers)]
        parts = [job.result() for job in jobs]
    whole = Report(real_s=max(part.real_s for part in parts))
    for part in parts:
        whole.runs += part.runs
        whole.simulated_s += part.simulated_s
        whole.violations += part.violations
        whole.covered += part.covered
    whole.violations.sort(key=lambda violation: violation.seed)
    return whole


def tell(program: pathlib.Path, violation: Violation) -> None:
    """How to see it again, and the end of the story."""
    story = build.BUILD / f"seed-{violation.seed}.txt"
    with open(story, "wb") as file:
        command = [program, str(violation.seed), "1", "1", "0", "trace"]
        subprocess.run(command, env=ENVIRONMENT, stdin=subprocess.DEVNULL, stdout=file, check=True)
    lines = story.read_text(errors="replace").splitlines()
    end = next((index for index, line in enumerate(lines) if "  BROKEN " in line), len(lines))
    print(f"FAILED seed {violation.seed}: {violation.checker} at {violation.time} s: {violation.text}")
    print("\n".join(f"    {line[:180]}" for line in lines[max(0, end - STORY_LINES) : end + 1]))
    print(f"replay: make sim SEED={violation.seed} RUNS=1\nstory:  {story}\n")


def print_table(covered: collections.Counter[str]) -> None:
    print(f"\n{'covered':<58} {'times':>12}")
    for what, count in sorted(covered.items()):
        print(f"{what[:58]:<58} {count:>12,}")


def run_seeds(seed: int, runs: int, seconds: int) -> int:
    program = build.program()
    report = simulate_all(program, seed, runs, seconds)
    for violation in report.violations[:FAILURES_SHOWN]:
        tell(program, violation)
    for violation in report.violations[FAILURES_SHOWN:]:
        print(f"FAILED seed {violation.seed}: {violation.checker} at {violation.time} s: {violation.text}")
    print_table(report.covered)
    print(f"\nmeasured {report.runs:,} seeds from {seed} on, {report.simulated_s / 3600:,.0f} simulated hours in {report.real_s:.0f} s")
    print(f"measured {report.simulated_s / max(report.real_s, 0.001):,.0f} simulated seconds per second, with {WORKERS} workers")
    print(f"{report.runs - len(report.violations)} passed, {len(report.violations)} failed")
    return 1 if report.violations else 0


@dataclasses.dataclass
class Bug:
    name: str
    patch: pathlib.Path
    what: str
    checkers: list[str]


def read_bug(patch: pathlib.Path) -> Bug:
    text = patch.read_text()
    what, checkers = re.search(r"^What: (.*)$", text, re.MULTILINE), re.search(r"^Caught by: (.*)$", text, re.MULTILINE)
    if not what or not checkers:
        raise SystemExit(f"{patch}: begins without the lines 'What: ...' and 'Caught by: ...'")
    return Bug(patch.stem, patch, what[1], re.split(r",\s*", checkers[1]))


def plant(bug: Bug, seed: int) -> tuple[bool, str]:
    """Whether the bug was caught by a checker that is meant to, and a line about it."""
    try:
        program = build.program_with(bug.name, bug.patch)
    except SystemExit as error:
        return False, f"{error}".strip()
    report = simulate(program, seed, 1, BUG_SEEDS, 0, "first")
    shutil.rmtree(program.parent)
    if not report.violations:
        return False, f"not caught by {report.runs:,} seeds"
    violation = report.violations[0]
    where = f"seed {violation.seed} ({report.runs:,} tried): {violation.checker}: {violation.text}"
    return violation.checker in bug.checkers, where


def run_bugs(names: list[str], seed: int) -> int:
    bugs = [read_bug(patch) for patch in sorted(BUGS.glob("*.patch")) if not names or patch.stem in names]
    build.program()
    failed = 0
    with concurrent.futures.ThreadPoolExecutor(WORKERS) as pool:
        for bug, (is_caught, where) in zip(bugs, pool.map(lambda bug: plant(bug, seed), bugs)):
            failed += not is_caught
            print(f"{'caught' if is_caught else 'FAILED'}  {bug.name}: {bug.what}\n        {where[:300]}", flush=True)
    print(f"{len(bugs) - failed} passed, {failed} failed")
    return 1 if failed or not bugs else 0


def measure(seed: int) -> int:
    """Prints how a thousand connections live through an outage, and what rotations lose."""
    done = subprocess.run(
        [build.program(), str(seed), "1", "1", "0", "measure"], env=ENVIRONMENT, stdin=subprocess.DEVNULL, stdout=subprocess.PIPE, text=True
    )
    lines = [line.split("\t") for line in done.stdout.splitlines()]
    storms = [line[1:] for line in lines if line[0] == "storm"]
    print("Attempts of 1,000 connections in each minute; the host is down from minute 2 to minute 7. The budget is 600 in a minute.\n")
    print(f"{'minute':>8}" + "".join(f"{name:>10}" for name, *_ in storms))
    for minute, counts in enumerate(zip(*(counts for _, *counts in storms))):
        print(f"{minute:>8}" + "".join(f"{int(count):>10,}" for count in counts))
    print("\nOne connection, rotated under 20,000 messages a second each way for 20 s:\n")
    print(f"{'duplicates':<12}{'rotations':>10}{'sent':>10}{'lost':>8}{'received':>10}{'lost':>8}{'doubled':>9}")
    for _, is_dropped, *counts in (line for line in lines if line[0] == "rush"):
        name = "dropped" if is_dropped == "true" else "kept"
        print(f"{name:<12}" + "".join(f"{int(count):>{width},}" for count, width in zip(counts, (10, 10, 8, 10, 8, 9))))
    broken = [line for line in lines if line[0] == "violation"]
    for _, _, checker, time, text in broken:
        print(f"FAILED: {checker} at {time} s: {text}")
    return 1 if broken or done.returncode != 0 else 0


def main() -> int:
    parser = argparse.ArgumentParser(description=__doc__.splitlines()[0])
    parser.add_argument("--seed", type=int, default=1, help="the first seed (default: 1)")
    parser.add_argument("--runs", type=int, default=0, help="how many seeds (default: as many as the seconds allow)")
    parser.add_argument("--seconds", type=int, default=0, help="how long at most (default: as long as the runs take, or 60)")
    parser.add_argument("--bugs", nargs="*", metavar="NAME", help="plant bugs, all or those named")
    parser.add_argument("--storm", action="store_true", help="measure an outage under a thousand connections, and rotations under load")
    options = parser.parse_args()
    if options.storm:
        return measure(options.seed)
    if options.bugs is not None:
        return run_bugs(options.bugs, options.seed)
    return run_seeds(options.seed, options.runs, options.seconds or (0 if options.runs else 60))


if __name__ == "__main__":
    sys.exit(main())
