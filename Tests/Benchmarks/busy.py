"""Computes in pure Python and never waits, while the server watches the heartbeats of a connection; prints the server's report.

Usage: busy.py URL
"""

import sys
import time

import heartwire.sync

BUSY_SECONDS = 10


def main() -> None:
    with heartwire.sync.connect(sys.argv[1], ping_interval="200ms") as connection:
        ends_at = time.monotonic() + BUSY_SECONDS
        number = 0
        while time.monotonic() < ends_at:
            number = (number * 31 + 7) % 1_000_003
        print(connection.recv(timeout=20))


if __name__ == "__main__":
    main()
