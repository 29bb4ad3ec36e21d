"""What the benchmarks share: running the client programs, and tables of medians."""

import collections
import json
import os
import pathlib
import statistics
import subprocess
import sys
from collections.abc import Callable, Iterable, Iterator

HERE = pathlib.Path(__file__).resolve().parent
ROOT = HERE.parent.parent
BUILT = ROOT / ".build" / "benchmarks"
CLIENT_TIMEOUT_S = 180

Figures = dict[str, float]


def pin_to(cpu: int | None) -> Callable[[], None] | None:
    return (lambda: os.sched_setaffinity(0, {cpu})) if cpu is not None and (os.cpu_count() or 1) > 1 else None


class Bench:
    """The running server, the built client programs, and how to run one of them."""

    def __init__(self, library: str, ports: dict[str, int], ca_file: str) -> None:
        self.environment = os.environ | {"HEARTWIRE_LIBRARY": library}
        self.ports = ports
        self.plain = f"ws://127.0.0.1:{ports['ws']}"
        self.secure = f"wss://127.0.0.1:{ports['wss']}"
        self.ca_file = ca_file

    def client(self, *command: str, cpu: int | None = 1) -> Figures | None:
        """Runs a client program, on one CPU or (None) on all, and reads its figures; None if it could not run."""
        done = subprocess.run(
            command, env=self.environment, preexec_fn=pin_to(cpu), timeout=CLIENT_TIMEOUT_S,
            stdin=subprocess.DEVNULL, stdout=subprocess.PIPE, stderr=subprocess.PIPE, text=True,
        )  # fmt: skip
        if done.returncode != 0:
            print(f"{pathlib.Path(command[0]).name} failed: {done.stderr.strip()[-300:]}", file=sys.stderr)
            return None
        return json.loads(done.stdout)

    def c(self, program: str, *arguments: str) -> Figures | None:
        return self.client(str(BUILT / program), *arguments)

    def python(self, program: str, *arguments: str, cpu: int | None = 1) -> Figures | None:
        return self.client(sys.executable, str(HERE / program), *arguments, cpu=cpu)


Case = tuple[str, Callable[[], Figures | None]]


def medians(cases: list[Case], rounds: int) -> Iterator[tuple[str, Figures]]:
    """The median of each figure of each case. The rounds are interleaved, so that a slow minute of the machine meets all alike."""
    figures: dict[str, list[Figures]] = collections.defaultdict(list)
    for _ in range(rounds):
        for name, measure in cases:
            if (measured := measure()) is not None:
                figures[name].append(measured)
    for name, _ in cases:
        if of_case := figures[name]:
            yield name, {key: statistics.median(one[key] for one in of_case) for key in of_case[0]}


def relate(rows: list[tuple[str, Figures]], basis: str, **ratios: str) -> None:
    """Adds to every row, under the name of each ratio, the figure of that key as a multiple of the same in the row `basis`."""
    base = dict(rows).get(basis)
    for _, figures in rows:
        figures.update({name: figures[key] / base[key] if base else float("nan") for name, key in ratios.items()})


def difference(rows: list[tuple[str, Figures]], basis: str, **differences: str) -> None:
    """Adds to every row, under the name of each difference, how much the figure of that key is above the one in the row `basis`."""
    base = dict(rows).get(basis)
    for _, figures in rows:
        figures.update({name: figures[key] - base[key] if base else float("nan") for name, key in differences.items()})


def table(columns: list[tuple[str, str, str]], rows: Iterable[tuple[str, Figures]], title: str = "") -> None:
    """Prints rows of figures. A column is the figure's key, its head and its format."""
    print(f"  {title:<24}" + "".join(f"{head:>20}" for _, head, _ in columns))
    for name, figures in rows:
        print(f"  {name:<24}" + "".join(f"{figures[key]:>20{form}}" for key, _, form in columns), flush=True)
