"""A program that holds Python's interpreter lock, inside C code or in a loop; prints how often its connection was lost, as JSON.

Usage: host.py c|loop URL SECONDS [PRESET]
"""

import ctypes
import json
import sys
import time

import heartwire.sync


def hold_in_c(seconds: int) -> None:
    """A library loaded as PyDLL keeps the lock during a call."""
    ctypes.PyDLL(None).sleep(seconds)


def hold_in_loop(seconds: int) -> None:
    ends_at = time.monotonic() + seconds
    number = 0
    while time.monotonic() < ends_at:
        number = (number * 31 + 7) % 1_000_003


def main() -> None:
    hold = {"c": hold_in_c, "loop": hold_in_loop}[sys.argv[1]]
    preset = sys.argv[4] if len(sys.argv) > 4 else None
    with heartwire.sync.connect(sys.argv[2], preset=preset) as connection:
        connection.recv()
        hold(int(sys.argv[3]))
        print(json.dumps({"reconnections": connection.metrics().reconnections}))


if __name__ == "__main__":
    main()
