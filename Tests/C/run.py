"""
Compiles the C tests against the header and the library, and runs each in a process of its own.

Usage: run.py --library LIBHEARTWIRE [--sanitize | --valgrind] [TEST ...]

Prints one line a test, and as last line "N passed, N failed".
"""

import argparse
import concurrent.futures
import contextlib
import json
import os
import pathlib
import signal
import subprocess
import sys
import time
from collections.abc import Iterator

FOLDER = pathlib.Path(__file__).resolve().parent
ROOT = FOLDER.parents[1]
BUILD = ROOT / ".build" / "c-tests"
SERVERS = ROOT / "Tests" / "Servers" / "serve.py"

STRICT = ["-std=c11", "-Wall", "-Wextra", "-pedantic", "-Werror"]
SANITIZE = ["-fsanitize=address,undefined", "-fno-sanitize-recover=all"]
VALGRIND = ["valgrind", "--quiet", "--error-exitcode=99", "--leak-check=no", "--fair-sched=yes"]
# Tests wait up to 20 s for a condition and then fail by themselves; this ends only those that hang.
TEST_TIMEOUT_S = 60


def compile_tests(library: pathlib.Path, flags: list[str]) -> list[pathlib.Path]:
    """Builds one program for each *_test.c, and the examples; returns the test programs."""
    BUILD.mkdir(parents=True, exist_ok=True)
    # Programs look for the soname, which the library's file need not be called.
    for name in ("libheartwire.so", "libheartwire.so.0"):
        link = BUILD / name
        link.unlink(missing_ok=True)
        link.symlink_to(library)
    common = ["gcc", *STRICT, "-g", "-O1", "-D_GNU_SOURCE", "-pthread", "-I", ROOT / "include"]
    linking = ["-L", BUILD, "-lheartwire", f"-Wl,-rpath,{BUILD}"]

    objects = []
    for name in ("test", "client"):
        objects.append(BUILD / f"{name}.o")
        run_compiler([*common, *flags, "-c", FOLDER / f"{name}.c", "-o", objects[-1]])
    programs = []
    for source in sorted(FOLDER.glob("*_test.c")):
        programs.append(BUILD / source.stem)
        run_compiler([*common, *flags, source, *objects, "-o", programs[-1], *linking])
    return programs


def run_compiler(command: list[object]) -> None:
    """Runs gcc, and ends the program where it fails."""
    result = subprocess.run([str(part) for part in command], capture_output=True, text=True)
    if result.returncode != 0:
        sys.exit(result.stderr)


@contextlib.contextmanager
def servers() -> Iterator[dict[str, str]]:
    """Runs the test servers and gives the environment that tells the tests where they listen."""
    process = subprocess.Popen([sys.executable, SERVERS], stdin=subprocess.PIPE, stdout=subprocess.PIPE, text=True)
    try:
        facts = json.loads(process.stdout.readline())
        yield {f"HEARTWIRE_TEST_{key.upper()}": str(value) for key, value in facts.items()}
    finally:
        process.communicate()


def test_names(program: pathlib.Path) -> list[str]:
    """Asks a test program for its tests."""
    return subprocess.run([program], check=True, capture_output=True, text=True).stdout.split()


def run_test(program: pathlib.Path, name: str, prefix: list[str], environment: dict[str, str]) -> str | None:
    """Runs one test; returns what went wrong, None if nothing did."""
    process = subprocess.Popen(
        [*prefix, program, name],
        env=os.environ | environment,
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
    ended = f"ended by signal {-process.returncode}" if process.returncode < 0 else f"exit status {process.returncode}"
    return f"{output}{ended}"


def main() -> int:
    """Builds and runs the tests."""
    parser = argparse.ArgumentParser(description=__doc__.strip().splitlines()[0])
    parser.add_argument("--library", required=True, type=pathlib.Path, help="libheartwire.so")
    parser.add_argument("--sanitize", action="store_true", help="build the tests with AddressSanitizer and UBSan")
    parser.add_argument("--valgrind", action="store_true", help="run the tests under valgrind's memcheck")
    parser.add_argument("tests", nargs="*", metavar="TEST", help="the tests to run; all if none is named")
    options = parser.parse_args()

    programs = compile_tests(options.library.resolve(), SANITIZE if options.sanitize else [])
    chosen = [(program, name) for program in programs for name in test_names(program)]
    if options.tests:
        chosen = [(program, name) for program, name in chosen if name in options.tests]
    prefix = VALGRIND if options.valgrind else []
    failed = 0
    with servers() as environment, concurrent.futures.ThreadPoolExecutor(max_workers=4) as pool:

        def run(test: tuple[pathlib.Path, str]) -> tuple[str | None, float]:
            started = time.monotonic()
            return run_test(*test, prefix, environment), time.monotonic() - started

        for (program, name), (problem, seconds) in zip(chosen, pool.map(run, chosen)):
            print(f"{'ok    ' if problem is None else 'FAILED'} {program.stem:<15} {name} ({seconds:.1f} s)", flush=True)
            if problem is not None:
                failed += 1
                print("    " + problem.strip().replace("\n", "\n    "), flush=True)
    print(f"{len(chosen) - failed} passed, {failed} failed")
    return 1 if failed or not chosen else 0


if __name__ == "__main__":
    sys.exit(main())
