"""The runner itself: it is content with a client that does what a transcript shows, and names each fault of one that does not."""

from __future__ import annotations

import asyncio
from collections.abc import Callable

import pytest
from conftest import FACTOR
from reference_client import Fault, reference_client
from runner import play_all
from samples import sample
from transcript import Transcript


def conversation(kind: str = "positive") -> Transcript:
    """A beat of the client and its acknowledgement, after a message that asks for nothing."""
    steps = [("server", "text", "news", 300), ("client", "text", "beat", 1000), ("server", "text", "ack", 1020)]
    return sample(steps, [(1020, "ack")], 2000, kind)


def check(played: Transcript, fault: Fault, holds: Callable[[list[str]], bool]) -> None:
    """What the runner finds wrong with a client that has this fault. As for the services, time may be short on a busy machine."""
    found: list[str] = []
    for factor in (FACTOR, 1):
        found = asyncio.run(play_all([played], reference_client(fault), factor))[played.id].problems
        if holds(found):
            return
    raise AssertionError(found)


def is_content(found: list[str]) -> bool:
    return found == []


def names(finding: str) -> Callable[[list[str]], bool]:
    return lambda found: any(finding in problem for problem in found)


def test_is_content_with_what_the_transcript_shows() -> None:
    check(conversation(), Fault.NONE, is_content)


@pytest.mark.parametrize(
    ("fault", "finding"),
    [
        (Fault.WRONG_BYTE, "expected text 'beat', got text 'bea!'"),
        (Fault.NOT_SENT, "at 1000 ms: not sent: text 'beat'"),
        (Fault.SENT_TWICE, "not to be sent: text 'beat'"),
        (Fault.LATE, "late by"),
        (Fault.EARLY, "early by"),
        (Fault.CONNECTION_ENDED, "the client ended the connection"),
        (Fault.EVENT_LOST, "at 1020 ms: no event ack"),
        (Fault.EVENT_LATE, "at 1020 ms: no event ack, but at"),
        (Fault.MESSAGE_CHANGED, "message 1 of 2 sent was not delivered as it was: text 'news '"),
    ],
)
def test_names_the_fault(fault: Fault, finding: str) -> None:
    check(conversation(), fault, names(finding))


def test_an_answer_to_what_is_no_request_counts_only_in_a_negative_transcript() -> None:
    check(conversation(), Fault.EVENT_TOO_MANY, is_content)
    check(conversation("negative"), Fault.EVENT_TOO_MANY, names("event answered"))
