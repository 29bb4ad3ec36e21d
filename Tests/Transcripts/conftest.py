"""Plays the transcripts that are to be tested, all at once, before the first test asks how its own went."""

from __future__ import annotations

import asyncio
import contextlib
import os
import pathlib
import subprocess

import pytest
from client_program import program_client
from runner import Outcome, play_all
from transcript import Transcript, read_transcripts

FACTOR = 30
SLOWER = 3
"""By what factor less in the second chance."""

PRIORITY = -10
"""Of this process and the client's, where that is allowed: both only wait most of the time, but what they do is then urgent."""

NOTES_MAX = 20
NOTES = pytest.StashKey[list[str]]()


def pytest_addoption(parser: pytest.Parser) -> None:
    parser.addoption("--library", default=os.environ.get("HEARTWIRE_LIBRARY"), help="libheartwire.so; by default $HEARTWIRE_LIBRARY")
    parser.addoption("--factor", type=int, default=FACTOR, help=f"how much faster time passes, {FACTOR} by default")


def pytest_terminal_summary(terminalreporter: pytest.TerminalReporter, config: pytest.Config) -> None:
    for note in config.stash.get(NOTES, []):
        terminalreporter.write_line(note)


def selected_transcripts(session: pytest.Session) -> list[Transcript]:
    """The transcripts whose tests are to run."""
    ids = {item.callspec.id for item in session.items if isinstance(item, pytest.Function) and hasattr(item, "callspec")}
    return [transcript for transcript in read_transcripts() if transcript.id in ids]


@pytest.fixture(scope="session")
def outcomes(request: pytest.FixtureRequest) -> dict[str, Outcome]:
    """
    How the transcripts of all selected tests went. Those that failed are played again, slower, and that counts: time may have been
    short on a busy machine, and some beats come at random times, which may be unlucky ones.
    """
    library, factor = request.config.getoption("--library"), request.config.getoption("--factor")
    if library is None:
        pytest.exit("--library or $HEARTWIRE_LIBRARY must name libheartwire.so", returncode=2)
    transcripts = selected_transcripts(request.session)
    try:
        make_client = program_client(pathlib.Path(library).resolve())
    except (RuntimeError, subprocess.CalledProcessError) as error:
        pytest.exit(f"the client could not be built: {error}", returncode=1)
    with contextlib.suppress(PermissionError):
        os.setpriority(os.PRIO_PROCESS, 0, PRIORITY)
    played = asyncio.run(play_all(transcripts, make_client, factor))
    notes = [f"\nlatest expected frame: {max(outcome.latest_real_ms for outcome in played.values()):.1f} ms after its time"]
    if failed := [transcript for transcript in transcripts if played[transcript.id].problems]:
        notes += [f"played again: {transcript.id}: {played[transcript.id].problems[0]}" for transcript in failed[:NOTES_MAX]]
        played |= asyncio.run(play_all(failed, make_client, max(factor // SLOWER, 1)))
    request.config.stash[NOTES] = notes
    return played
