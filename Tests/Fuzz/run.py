"""Fuzzes the parts that read what others wrote, each with libFuzzer under AddressSanitizer.

Usage: run.py [--seconds N] [TARGET ...]

A target is a file in Targets. It fails on a trap, a sanitizer's report, a broken promise of the target's own, an input that takes 10 s,
or memory over the caps below. What the fuzzer finds worth keeping goes to .build/fuzz/corpus, from which the next run goes on.
"""

import argparse
import concurrent.futures
import dataclasses
import os
import pathlib
import re
import shlex
import subprocess
import sys

import seeds

HERE = pathlib.Path(__file__).resolve().parent
ROOT = HERE.parents[1]
BUILD = ROOT / ".build" / "fuzz"
SWIFTC = ["swiftc", "-O", "-wmo", "-g", "-parse-as-library", "-package-name", "heartwire", "-sanitize=fuzzer,address", "-use-ld=lld"]
# Each may use those before it.
MODULES = ["WebSocket", "Heartbeat", "Session"]
LIMITS = ["-max_len=1024", "-timeout=10", "-rss_limit_mb=512", "-malloc_limit_mb=16"]
# Looking for symbols in a dying process can take minutes, as can Swift's own backtrace.
ENVIRONMENT = {"SWIFT_BACKTRACE": "enable=no", "ASAN_OPTIONS": "symbolize=0:quarantine_size_mb=16"}
WORKERS = os.cpu_count() or 1
TARGETS = sorted(path.stem for path in (HERE / "Targets").glob("*.swift"))


@dataclasses.dataclass
class Result:
    target: str
    executions: int
    per_second: int
    edges: int
    rss_mb: int
    problem: str | None


def run_compiler(*arguments: str | pathlib.Path) -> None:
    done = subprocess.run([*SWIFTC, *map(str, arguments)], cwd=BUILD, stdout=subprocess.PIPE, stderr=subprocess.STDOUT, text=True)
    if done.returncode != 0:
        raise SystemExit(done.stdout)


def build_modules() -> None:
    BUILD.mkdir(parents=True, exist_ok=True)
    for name in MODULES:
        sources = (ROOT / "Sources" / name).rglob("*.swift")
        module = ["-module-name", name, "-emit-module", "-emit-module-path", f"{name}.swiftmodule"]
        run_compiler(*module, "-I", BUILD, "-c", *sources, "-o", f"{name}.o")


def build_target(target: str) -> None:
    compression = (ROOT / "Sources" / "Heartwire" / "Compression").glob("*.swift")
    sources = [*(HERE / "Shared").glob("*.swift"), *compression, HERE / "Targets" / f"{target}.swift"]
    include = ["-I", BUILD, "-I", ROOT / "Sources" / "CSystem"]
    run_compiler("-module-name", "Fuzz", *include, *sources, *(f"{name}.o" for name in MODULES), "-o", target)


def fuzz(target: str, seconds: int) -> Result:
    corpus, begin, found = BUILD / "corpus" / target, BUILD / "seeds" / target, BUILD / "found"
    for folder in (corpus, found):
        folder.mkdir(parents=True, exist_ok=True)
    seeds.write_seeds(target, begin)
    control = [f"-max_total_time={seconds}", f"-artifact_prefix={found}/{target}-", "-print_final_stats=1"]
    if seeds.write_words(target, words := BUILD / "seeds" / f"{target}.dict"):
        control.append(f"-dict={words}")
    done = subprocess.run(
        [BUILD / target, *LIMITS, *control, corpus, begin], env=os.environ | ENVIRONMENT,
        stdin=subprocess.DEVNULL, stdout=subprocess.PIPE, stderr=subprocess.STDOUT,
    )  # fmt: skip
    log = done.stdout.decode(errors="replace")
    problem = None if done.returncode == 0 else describe(target, log, done.returncode)
    return Result(
        target, number(r"number_of_executed_units: (\d+)", log), number(r"average_exec_per_sec: +(\d+)", log), number(r"cov: (\d+)", log),
        number(r"peak_rss_mb: +(\d+)", log), problem,
    )  # fmt: skip


def number(pattern: str, log: str) -> int:
    """The last number that the fuzzer printed in this place."""
    found = re.findall(pattern, log)
    return int(found[-1]) if found else 0


def describe(target: str, log: str, status: int) -> str:
    """What went wrong, the input that did it, and how to see it again."""
    reasons = [line for line in log.splitlines() if re.search(r"Fatal error|ERROR:|SUMMARY:", line)]
    lines = [f"FAILED {target}: status {status}", *(reasons or log.splitlines()[-20:])]
    if written := re.search(r"Test unit written to (\S+)", log):
        environment = [f"{name}={value}" for name, value in ENVIRONMENT.items()]
        lines += [f"input:  {written[1]}", "replay: " + shlex.join([*environment, str(BUILD / target), *LIMITS, written[1]])]
    return "\n".join(lines)


def main() -> int:
    parser = argparse.ArgumentParser(description=__doc__.splitlines()[0])
    parser.add_argument("--seconds", type=int, default=30, help="how long to run each target (default: 30)")
    parser.add_argument("targets", nargs="*", metavar="TARGET", help=f"of {', '.join(TARGETS)}; all if none is named")
    options = parser.parse_args()
    if unknown := set(options.targets) - set(TARGETS):
        parser.error(f"no target {', '.join(sorted(unknown))}")
    targets = options.targets or TARGETS

    build_modules()
    with concurrent.futures.ThreadPoolExecutor(WORKERS) as pool:
        list(pool.map(build_target, targets))
        results = list(pool.map(fuzz, targets, [options.seconds] * len(targets)))
    for result in results:
        if result.problem:
            print(result.problem, end="\n\n")
    print(f"{'target':<20} {'executions':>10} {'per second':>10} {'edges':>6} {'RSS MiB':>8}")
    for result in results:
        print(f"{result.target:<20} {result.executions:>10,} {result.per_second:>10,} {result.edges:>6} {result.rss_mb:>8}")
    failed = sum(result.problem is not None for result in results)
    print(f"{len(results) - failed} passed, {failed} failed")
    return 1 if failed else 0


if __name__ == "__main__":
    sys.exit(main())
