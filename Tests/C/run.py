"""
Compiles the C tests and the examples against the header and the library, and runs each in a process of its own.

Usage: run.py --library LIBHEARTWIRE [--sanitize address|thread | --valgrind] [TEST ...]

Prints one line a test, and as last line "N passed, N failed", and how many were skipped if any were.
"""

import argparse
import concurrent.futures
import contextlib
import dataclasses
import functools
import json
import os
import pathlib
import signal
import subprocess
import sys
import time
from collections.abc import Callable, Iterator

import examples
import sanitizers

FOLDER = pathlib.Path(__file__).resolve().parent
ROOT = FOLDER.parents[1]
BUILD = ROOT / ".build" / "c-tests"
EXAMPLE_SOURCES = ROOT / "bindings" / "c" / "examples"
SERVERS = ROOT / "Tests" / "Servers" / "serve.py"

STRICT = ["-std=c11", "-Wall", "-Wextra", "-pedantic", "-Werror"]
# Optimized Swift tests an enum's tag together with bytes that not every case sets, so memcheck's reports of undefined values are noise.
VALGRIND = ["valgrind", "--quiet", "--error-exitcode=99", "--leak-check=no", "--undef-value-errors=no", "--fair-sched=yes"]
# Tests wait up to 20 s for a condition and then fail by themselves; this ends only those that hang.
TEST_TIMEOUT_S = 60
SKIPPED_STATUS = 77


class Skipped(Exception):
    """The machine does not allow what the test needs."""


@dataclasses.dataclass
class Test:
    """One test; `run` takes the servers' facts and returns what went wrong, None if nothing did."""

    group: str
    name: str
    run: Callable[[dict[str, str]], str | None]


def compile_all(library: pathlib.Path, sanitizer: str | None) -> list[pathlib.Path]:
    """Builds one program for each *_test.c and each example; returns the test programs."""
    BUILD.mkdir(parents=True, exist_ok=True)
    # Programs look for the soname, which the library's file need not be called.
    for name in ("libheartwire.so", "libheartwire.so.0"):
        link = BUILD / name
        link.unlink(missing_ok=True)
        link.symlink_to(library)
    compiler = sanitizers.compiler(sanitizer) if sanitizer else ["gcc"]
    common = [*compiler, *STRICT, "-g", "-O1", "-I", ROOT / "include"]
    linking = ["-L", BUILD, "-lheartwire", f"-Wl,-rpath,{BUILD}", *(sanitizers.linker_flags() if sanitizer else [])]
    for_tests = ["-D_GNU_SOURCE", "-pthread"]

    objects = []
    for name in ("test", "client", "group", "rotation", "tls_server", "tls_client", "listener"):
        objects.append(BUILD / f"{name}.o")
        run_compiler([*common, *for_tests, "-c", FOLDER / f"{name}.c", "-o", objects[-1]])
    programs = []
    for source in sorted(FOLDER.glob("*_test.c")):
        programs.append(BUILD / source.stem)
        run_compiler([*common, *for_tests, source, *objects, "-o", programs[-1], *linking, "-Wl,--as-needed", "-lssl", "-lcrypto"])
    for name in examples.EXAMPLES:
        run_compiler([*common, EXAMPLE_SOURCES / f"{name}.c", "-o", BUILD / name, *linking])
    return programs


def run_compiler(command: list[object]) -> None:
    """Runs the compiler, and ends the program where it fails."""
    result = subprocess.run([str(part) for part in command], capture_output=True, text=True)
    if result.returncode != 0:
        sys.exit(result.stderr)


@contextlib.contextmanager
def servers() -> Iterator[dict[str, str]]:
    """Runs the test servers and gives the facts about them."""
    process = subprocess.Popen([sys.executable, SERVERS], stdin=subprocess.PIPE, stdout=subprocess.PIPE, text=True)
    try:
        yield {key: str(value) for key, value in json.loads(process.stdout.readline()).items()}
    finally:
        process.communicate()


def run_program(program: pathlib.Path, name: str, prefix: list[str], facts: dict[str, str]) -> str | None:
    """Runs one test of a test program."""
    process = subprocess.Popen(
        [*prefix, program, name],
        env=os.environ | {f"HEARTWIRE_TEST_{key.upper()}": value for key, value in facts.items()},
        stdin=subprocess.DEVNULL,
        stdout=subprocess.PIPE,
        stderr=subprocess.STDOUT,
        text=True,
        errors="replace",
        start_new_session=True,
    )
    try:
        output, _ = process.communicate(timeout=TEST_TIMEOUT_S)
    except subprocess.TimeoutExpired:
        # A test may have forked: its children hold the pipe, so the whole group has to go.
        os.killpg(process.pid, signal.SIGKILL)
        output, _ = process.communicate()
        return f"{output}still running after {TEST_TIMEOUT_S} s"
    if process.returncode == 0:
        return None
    if process.returncode == SKIPPED_STATUS:
        raise Skipped(output)
    ended = f"ended by signal {-process.returncode}" if process.returncode < 0 else f"exit status {process.returncode}"
    return f"{output}{ended}"


def find_tests(programs: list[pathlib.Path], prefix: list[str]) -> list[Test]:
    """Asks the test programs for their tests, and adds the examples."""
    tests = []
    for program in programs:
        for name in subprocess.run([program], check=True, capture_output=True, text=True).stdout.split():
            tests.append(Test(program.stem, name, functools.partial(run_program, program, name, prefix)))
    for name, run in examples.EXAMPLES.items():
        tests.append(Test("examples", name, functools.partial(run, BUILD)))
    return tests


def run_tests(tests: list[Test]) -> tuple[int, int]:
    """Runs the tests, a few at a time, prints how each fares, and returns how many failed and how many were skipped."""
    failed = skipped = 0
    with servers() as facts, concurrent.futures.ThreadPoolExecutor(max_workers=4) as pool:

        def run(test: Test) -> tuple[str, str, float]:
            started = time.monotonic()
            verdict, text = "ok", ""
            try:
                problem = test.run(facts)
                if problem is not None:
                    verdict, text = "FAILED", problem
            except (OSError, subprocess.SubprocessError) as error:
                verdict, text = "FAILED", str(error)
            except Skipped as reason:
                verdict, text = "skipped", str(reason)
            return verdict, text, time.monotonic() - started

        for test, (verdict, text, seconds) in zip(tests, pool.map(run, tests)):
            failed += verdict == "FAILED"
            skipped += verdict == "skipped"
            print(f"{verdict:<7} {test.group:<14} {test.name} ({seconds:.1f} s)", flush=True)
            if text:
                print("    " + text.strip().replace("\n", "\n    "), flush=True)
    return failed, skipped


def main() -> int:
    """Builds and runs the tests."""
    parser = argparse.ArgumentParser(description=__doc__.strip().splitlines()[0])
    parser.add_argument("--library", required=True, type=pathlib.Path, help="libheartwire.so")
    parser.add_argument("--sanitize", choices=sanitizers.NAMES, help="what the library, a debug build, was built to be sanitized with")
    parser.add_argument("--valgrind", action="store_true", help="run the tests under valgrind's memcheck")
    parser.add_argument("tests", nargs="*", metavar="TEST", help="the tests to run; all if none is named")
    options = parser.parse_args()

    if options.sanitize:
        os.environ.update(sanitizers.environment())
    programs = compile_all(options.library.resolve(), options.sanitize)
    tests = find_tests(programs, VALGRIND if options.valgrind else [])
    if unknown := set(options.tests) - {test.name for test in tests}:
        parser.error(f"no test {', '.join(sorted(unknown))}")
    chosen = [test for test in tests if not options.tests or test.name in options.tests]
    failed, skipped = run_tests(chosen)
    print(f"{len(chosen) - failed - skipped} passed, {failed} failed" + (f", {skipped} skipped" if skipped else ""))
    return 1 if failed else 0


if __name__ == "__main__":
    sys.exit(main())
