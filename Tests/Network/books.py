"""Reads what the server wrote down, and judges it."""

from __future__ import annotations

import dataclasses
import pathlib
import threading

from client_program import PATIENCE_S, Client

from heartwire import EventKind

LOOK_AGAIN_S = 0.02


@dataclasses.dataclass
class Run:
    """What one connection brought, in order."""

    numbers: list[int] = dataclasses.field(default_factory=list)
    sizes: set[int] = dataclasses.field(default_factory=set)
    texts: list[str] = dataclasses.field(default_factory=list)


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
    return list(runs.values())


def wait_for_number(book: pathlib.Path, number: int) -> None:
    """Waits until the server has written down this number or a later one."""
    pause = threading.Event()
    for _ in range(round(PATIENCE_S / LOOK_AGAIN_S)):
        if any(run.numbers and run.numbers[-1] >= number for run in read_runs(book)):
            return
        pause.wait(LOOK_AGAIN_S)
    raise AssertionError(f"{number} never came; the connections ended with {[run.numbers[-1:] for run in read_runs(book)]}")


def holes(book: pathlib.Path, last: int) -> list[range]:
    """
    The stretches that never came of the numbers from 1 to `last`. Each connection must have brought its numbers without a gap, and none
    may have come twice: so a stretch is missing only between connections.
    """
    missing: list[range] = []
    expected = 1
    for run in sorted((run for run in read_runs(book) if run.numbers), key=lambda run: run.numbers[0]):
        first, final = run.numbers[0], run.numbers[-1]
        assert run.numbers == list(range(first, final + 1)), f"out of order within a connection: {run.numbers}"
        assert first >= expected, f"{first} came twice, the connection before went as far as {expected - 1}"
        assert len(run.sizes) == 1, f"messages of several sizes: {run.sizes}"
        if first > expected:
            missing.append(range(expected, first))
        expected = final + 1
    assert expected == last + 1, f"the last number that came is {expected - 1} instead of {last}"
    return missing


def check_arrivals(book: pathlib.Path, client: Client, last: int) -> None:
    """
    What is missing was sent before its connection was known to be lost, and so may have been lost with it. A number that is just being
    accepted counts as sent before, though the event does not tell of it yet.
    """
    losses = client.of_kind(EventKind.CLOSED)
    for hole in holes(book, last):
        assert any(hole[-1] <= loss.accepted + 1 for loss in losses), f"{hole} never came, and was lost with none of {losses}"
