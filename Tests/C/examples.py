"""Runs the example programs as a user would; each function returns what went wrong, None if nothing did."""

import pathlib
import subprocess
import threading

PATIENCE_S = 30


def try_minimal(folder: pathlib.Path, facts: dict[str, str]) -> str | None:
    """The minimal client says hello, prints the echo and ends."""
    url = f"ws://localhost:{facts['ws']}/echo"
    result = subprocess.run([folder / "minimal", url], capture_output=True, text=True, timeout=PATIENCE_S)
    if result.returncode != 0 or "message: hello\n" not in result.stdout:
        return f"{result.stdout}{result.stderr}exit status {result.returncode}"
    return None


def try_poll_loop(folder: pathlib.Path, facts: dict[str, str]) -> str | None:
    """The terminal chat echoes each line typed, and ends with its input."""
    url = f"ws://localhost:{facts['ws']}/echo"
    process = subprocess.Popen([folder / "poll_loop", url], stdin=subprocess.PIPE, stdout=subprocess.PIPE, text=True)
    watch = threading.Timer(PATIENCE_S, process.kill)
    watch.start()
    try:
        process.stdin.write("one\ntwo\n")
        process.stdin.flush()
        answers = process.stdout.readline() + process.stdout.readline()
        rest, _ = process.communicate()
    finally:
        watch.cancel()
        process.kill()
        process.wait()
    if answers + rest != "< one\n< two\n" or process.returncode != 0:
        return f"{answers}{rest}exit status {process.returncode}"
    return None


EXAMPLES = {"minimal": try_minimal, "poll_loop": try_poll_loop}
