"""Plays the transcripts that are to be tested, all at once, before the first test asks how its own went."""

from __future__ import annotations

import asyncio
import os
import pathlib
import subprocess

import pytest
from client_program import program_client
from runner import ClientMaker, Outcome, play_all
from transcript import Transcript, read_transcripts

FACTOR = 30
TOLERANCE_REAL_MS = 25
"""How late what is expected may come on a busy machine."""

AGAIN_MAX = 10
"""How many transcripts get a second chance."""

NOTES = pytest.StashKey[list[str]]()


def pytest_addoption(parser: pytest.Parser) -> None:
    parser.addoption("--library", default=os.environ.get("HEARTWIRE_LIBRARY"), help="libheartwire.so; by default $HEARTWIRE_LIBRARY")
    parser.addoption("--factor", type=int, default=FACTOR, help=f"how much faster time passes, {FACTOR} by default")


def pytest_terminal_summary(terminalreporter: pytest.TerminalReporter, config: pytest.Config) -> None:
    for note in config.stash.get(NOTES, []):
        terminalreporter.write_line(note)


def play(transcripts: list[Transcript], make_client: ClientMaker, factor: int) -> dict[str, Outcome]:
    """Plays the transcripts at this speed."""
    return asyncio.run(play_all(transcripts, make_client, factor, TOLERANCE_REAL_MS * factor))


def selected_transcripts(session: pytest.Session) -> list[Transcript]:
    """The transcripts whose tests are to run."""
    ids = {item.callspec.id for item in session.items if isinstance(item, pytest.Function) and hasattr(item, "callspec")}
    return [transcript for transcript in read_transcripts() if transcript.id in ids]


@pytest.fixture(scope="session")
def outcomes(request: pytest.FixtureRequest) -> dict[str, Outcome]:
    """
    How the transcripts of all selected tests went. If few failed, they are played again at half the speed, and that counts: time may
    have been short on a busy machine, and some beats come at random times, which may be unlucky ones.
    """
    library, factor = request.config.getoption("--library"), request.config.getoption("--factor")
    if library is None:
        pytest.exit("--library or $HEARTWIRE_LIBRARY must name libheartwire.so", returncode=2)
    transcripts = selected_transcripts(request.session)
    try:
        make_client = program_client(pathlib.Path(library).resolve())
    except (RuntimeError, subprocess.CalledProcessError) as error:
        pytest.exit(f"the client could not be built: {error}", returncode=1)
    played = play(transcripts, make_client, factor)
    notes = [f"\nlatest expected frame: {max(outcome.latest_real_ms for outcome in played.values()):.1f} ms after its time"]
    failed = [transcript for transcript in transcripts if played[transcript.id].problems]
    if 0 < len(failed) <= AGAIN_MAX:
        notes += [f"played again: {transcript.id}: {played[transcript.id].problems[0]}" for transcript in failed]
        played |= play(failed, make_client, max(factor // 2, 1))
    request.config.stash[NOTES] = notes
    return played
