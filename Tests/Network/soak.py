"""
Keeps a C client under random faults for a while: its memory, descriptors and threads must stay what they are, and its messages arrive.

Usage: soak.py --library LIBHEARTWIRE [--seconds SECONDS] [--seed SEED]
"""

from __future__ import annotations

import argparse
import collections
import dataclasses
import os
import pathlib
import random
import signal
import sys
import tempfile
import threading
import time
from collections.abc import Callable

from books import check_arrivals, wait_for_number
from client_program import Client
from faulty_proxy import FaultyProxy
from networks import Server
from settings import QUICK, beats

from heartwire import EventKind, Rotation

PROPERTIES = QUICK | beats(every="100ms", within="400ms") | {"heartbeat.failure_threshold": "2", "close.timeout": "200ms"}
INTERVAL_US = 5000
FAULT_S = (0.0, 1.0)
# What is allocated once, when a fault is met for the first time, does not count as growth, nor what the allocator does with its arenas.
GROWTH_KIB_MAX = 1024
REPORT_INTERVAL_S = 60


@dataclasses.dataclass
class Sample:
    """What the client holds of the system."""

    resident_kib: int
    threads: int
    descriptors: int


def sample(pid: int) -> Sample:
    status = dict(line.split(":", 1) for line in pathlib.Path(f"/proc/{pid}/status").read_text().splitlines())
    return Sample(int(status["VmRSS"].split()[0]), int(status["Threads"]), len(os.listdir(f"/proc/{pid}/fd")))


class Soak:
    """The client, what stands between it and the server, and the dice."""

    def __init__(self, network: FaultyProxy, server: Server, client: Client, dice: random.Random) -> None:
        self._network, self._server, self._client, self._dice = network, server, client, dice
        self._pause = threading.Event()
        self.faults: collections.Counter[str] = collections.Counter()

    def meet_fault(self) -> None:
        """Has one thing go wrong for a while; when it is over, waits until what is sent then is answered."""
        faults: list[Callable[[], None]] = [
            self._delay, self._lose, self._crumble, self._network.swallow, self._network.reset, self._reset_often, self._restart,
            self._vanish, self._rotate,
        ]  # fmt: skip
        fault = self._dice.choice(faults)
        self.faults[fault.__name__.lstrip("_")] += 1
        fault()
        self._pause.wait(self._dice.uniform(*FAULT_S))
        self._network.heal()
        self._client.wait_for_answers(20)

    def _delay(self) -> None:
        self._network.delay(self._dice.uniform(0.01, 0.3))

    def _lose(self) -> None:
        self._network.lose(self._dice.uniform(0.01, 0.2))

    def _crumble(self) -> None:
        self._network.crumble(self._dice.randrange(1, 40))

    def _reset_often(self) -> None:
        for _ in range(self._dice.randrange(20)):
            self._network.reset()
            self._pause.wait(self._dice.uniform(0, 0.03))

    def _restart(self) -> None:
        self._server.kill()
        self._pause.wait(self._dice.uniform(*FAULT_S))
        self._server.start()

    def _rotate(self) -> None:
        before = self._client.count()
        self._client.rotate()
        self._client.event(EventKind.ROTATION, after=before, level=Rotation.FINISHED)

    def _vanish(self) -> None:
        self._network.swallow()
        self._restart()


def judge(samples: list[Sample]) -> list[str]:
    """What the later half holds more than the earlier one, whose first part is for warming up."""
    quarter = max(len(samples) // 4, 1)
    earlier, later = samples[quarter : 2 * quarter], samples[-quarter:]
    problems = []
    for name, allowance in (("resident_kib", GROWTH_KIB_MAX), ("threads", 0), ("descriptors", 0)):
        before, after = (max(getattr(one, name) for one in half) for half in (earlier, later))
        if after > before + allowance:
            problems.append(f"{name} grew from {before} to {after}")
    return problems


def soak(client: Client, soaking: Soak, seconds: int) -> list[Sample]:
    """The samples that were taken each time the connection was well again."""
    samples: list[Sample] = []
    started = reported = time.monotonic()
    while time.monotonic() < started + seconds:
        soaking.meet_fault()
        samples.append(sample(client.pid))
        if time.monotonic() > reported + REPORT_INTERVAL_S:
            reported = time.monotonic()
            print(f"{reported - started:6.0f} s  {samples[-1]}, {len(client.of_kind(EventKind.OPENED))} connections", flush=True)
    return samples


def main() -> int:
    parser = argparse.ArgumentParser(description=__doc__.strip().splitlines()[0])
    parser.add_argument("--library", required=True, help="libheartwire.so")
    parser.add_argument("--seconds", type=int, default=300)
    parser.add_argument("--seed", type=int, default=int(time.time()))
    options = parser.parse_args()
    signal.signal(signal.SIGTERM, lambda *_: sys.exit(1))
    os.environ["HEARTWIRE_LIBRARY"] = options.library
    print(f"seed {options.seed}, {options.seconds} s", flush=True)
    with tempfile.TemporaryDirectory(prefix="heartwire-soak-") as folder:
        book = pathlib.Path(folder) / "book"
        network = FaultyProxy(options.seed)
        server = Server("websockets", network, book)
        try:
            with Client("c", network, PROPERTIES) as client:
                client.start(INTERVAL_US)
                soaking = Soak(network, server, client, random.Random(options.seed))
                samples = soak(client, soaking, options.seconds)
                last = client.stop()
                wait_for_number(book, last)
                check_arrivals(book, client, last)
                client.release()
        finally:
            server.kill()
            network.close()
    print(f"{last} messages, {len(client.of_kind(EventKind.OPENED))} connections, faults: {dict(soaking.faults)}")
    print(f"at first {samples[len(samples) // 4]}, at last {samples[-1]}")
    problems = judge(samples)
    print("\n".join(problems) or "nothing grew")
    return 1 if problems else 0


if __name__ == "__main__":
    sys.exit(main())
