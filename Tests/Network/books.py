"""Reads what the server wrote down, and judges it."""

from __future__ import annotations

import dataclasses
import pathlib
import threading
from collections import Counter
from collections.abc import Callable

from client_program import PATIENCE_S, Client

from heartwire import EventKind, Outcome

LOOK_AGAIN_S = 0.02


@dataclasses.dataclass
class Run:
    """What one connection brought, in order."""

    numbers: list[int] = dataclasses.field(default_factory=list)
    sizes: set[int] = dataclasses.field(default_factory=set)
    texts: list[str] = dataclasses.field(default_factory=list)
    texts_before_numbers: int = 0


def read_runs(book: pathlib.Path) -> list[Run]:
    """The connections, in the order in which they were opened. A line that is being written is left out."""
    runs: dict[str, Run] = {}
    complete, _, _ = book.read_text().rpartition("\n")
    for line in complete.splitlines():
        connection, word, *rest = line.split(maxsplit=2)
        if word == "open":
            runs[connection] = Run()
        elif word.isdecimal():
            runs[connection].numbers.append(int(word))
            runs[connection].sizes.add(int(rest[0]))
        else:
            runs[connection].texts.append(" ".join([word, *rest]))
            runs[connection].texts_before_numbers += not runs[connection].numbers
    return list(runs.values())


def numbers_of(book: pathlib.Path) -> list[int]:
    """All numbers that came, in order of connections."""
    return [number for run in read_runs(book) for number in run.numbers]


def wait_for_number(book: pathlib.Path, number: int) -> None:
    """Waits until the server has written down this number or a later one."""
    wait_for(book, lambda runs: any(run.numbers and run.numbers[-1] >= number for run in runs))


def wait_for(book: pathlib.Path, condition: Callable[[list[Run]], bool]) -> None:
    """Waits until this is so of what the server has written down."""
    pause = threading.Event()
    for _ in range(round(PATIENCE_S / LOOK_AGAIN_S)):
        if condition(runs := read_runs(book)):
            return
        pause.wait(LOOK_AGAIN_S)
    raise AssertionError(f"never came; the connections ended with {[(run.numbers[-1:], len(run.texts)) for run in runs]}")


def check_arrivals(book: pathlib.Path, client: Client, last: int) -> set[int]:
    """
    Of the messages up to `last`, all of which came to an outcome, those that were sent arrived, once and in order, and no other; but for
    so many as the client was told are in doubt. Returns those that were sent.
    """
    outcomes = client.wait_for(lambda: all_outcomes(client, last))
    sent = {number for number, outcome in outcomes.items() if outcome is Outcome.SENT}
    arrived = numbers_of(book)
    # Messages that an old connection had still in its buffers may come after the first ones of the next.
    for run in read_runs(book):
        assert run.numbers == sorted(run.numbers), f"out of order within a connection: {run.numbers}"
        assert len(run.sizes) <= 1, f"messages of several sizes: {run.sizes}"
    assert len(arrived) == len(set(arrived)), f"came twice: {[number for number, count in Counter(arrived).items() if count > 1]}"
    assert not (odd := set(arrived) - sent), f"came, but were not sent: {odd}"
    missing, in_doubt = sent - set(arrived), sum(gap.count for gap in client.of_kind(EventKind.GAP))
    assert len(missing) <= in_doubt, f"{sorted(missing)} never came, though only {in_doubt} were in doubt"
    return sent


def all_outcomes(client: Client, last: int) -> dict[int, Outcome] | None:
    """The outcomes of the messages up to `last`, once they are known."""
    outcomes = client.outcomes()
    return outcomes if outcomes.keys() == set(range(1, last + 1)) else None
