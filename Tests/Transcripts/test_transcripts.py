"""Every transcript, played over a socket to a client that sets nothing but the preset's name."""

from __future__ import annotations

import pytest
from runner import Outcome
from transcript import Transcript, read_transcripts


@pytest.mark.parametrize("transcript", read_transcripts(), ids=lambda transcript: transcript.id)
def test_transcript(transcript: Transcript, outcomes: dict[str, Outcome]) -> None:
    problems = outcomes[transcript.id].problems
    if problems:
        pytest.fail("\n".join(problems), pytrace=False)
