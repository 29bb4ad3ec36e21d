"""The graceful end of all connections of the process, at the latest when the interpreter exits."""

from __future__ import annotations

import atexit
import ctypes
from dataclasses import dataclass

from ._declarations import hw_shutdown_report
from ._errors import Status, error_from_status
from ._library import library
from ._lifetime import release_all
from ._logging import logger
from ._timeout import checked

# A server that does not answer must not keep the interpreter from exiting.
_EXIT_SECONDS_MAX = 2.0

# The library takes its milliseconds as a uint32, of which the highest is no limit.
_UNLIMITED_MS = 2**32 - 1


@dataclass(frozen=True)
class ShutdownReport:
    """What shutdown could not finish."""

    connections: int
    """Those that were open or being opened."""
    connections_cut: int
    """Of these: cut off, because the server had not answered the close frame in time."""
    connections_unsent: int
    """Of these: ended with messages that were not sent."""
    messages_unsent: int
    bytes_unsent: int


def shutdown(timeout: float | None = 5) -> ShutdownReport:
    """
    Closes all connections of the process gracefully with 1001 and waits until they have ended, at most timeout seconds (None: without
    limit); what has not ended by then is cut off. Blocks, also against Ctrl-C: in asyncio call it with asyncio.to_thread. At the exit
    of the interpreter it is called with 2 seconds.
    """
    seconds = checked(timeout, "timeout")
    milliseconds = _UNLIMITED_MS if seconds is None else min(max(0, round(seconds * 1000)), _UNLIMITED_MS)
    raw = hw_shutdown_report(struct_size=ctypes.sizeof(hw_shutdown_report))
    status = library.hw_shutdown(milliseconds, ctypes.byref(raw))
    if status not in (Status.OK, Status.TIMEOUT):
        raise error_from_status(status, "the connections were not shut down")
    return ShutdownReport(
        raw.connections, raw.connections_cut, raw.connections_unsent, raw.messages_unsent, raw.bytes_unsent
    )


def _end() -> None:
    try:
        report = shutdown(_EXIT_SECONDS_MAX)
        if report.messages_unsent:
            logger.warning("the interpreter ends with %d messages that were not sent", report.messages_unsent)
    finally:
        release_all()


atexit.register(_end)
