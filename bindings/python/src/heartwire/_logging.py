"""What the package and the library tell the logger "heartwire" of the standard module logging."""

from __future__ import annotations

import atexit
import ctypes
import enum
import logging
import os

from ._declarations import log_callback
from ._errors import Status, error_from_status
from ._library import library

logger = logging.getLogger("heartwire")


class LogLevel(enum.IntEnum):
    """HW_LOG_... of the C interface."""

    OFF = 0
    ERROR = 1
    WARNING = 2
    INFO = 3
    DEBUG = 4


_LEVELS = {
    LogLevel.ERROR: logging.ERROR,
    LogLevel.WARNING: logging.WARNING,
    LogLevel.INFO: logging.INFO,
    LogLevel.DEBUG: logging.DEBUG,
}


class _Bridge:
    """
    Receives the library's lines on a thread of the library's, and takes itself away before the interpreter goes: a thread that
    entered it later would find nothing there.
    """

    def __init__(self) -> None:
        self._callback = log_callback(self._receive)
        self._level = LogLevel.OFF

    def open(self, level: LogLevel) -> None:
        self._level = level
        status = library.hw_log(level, self._callback, None)
        if status != Status.OK:
            raise error_from_status(status, "the library does not log")

    def close(self) -> None:
        """The library waits for the line that is being received; afterwards none comes."""
        self.open(LogLevel.OFF)

    def after_fork_in_child(self) -> None:
        """The child's library starts with nothing."""
        if self._level is not LogLevel.OFF:
            self.open(self._level)

    def _receive(self, level: int, line: int, size: int, context: object) -> None:
        logger.log(_LEVELS[LogLevel(level)], "%s", ctypes.string_at(line, size).decode("utf-8", "replace"))


_bridge = _Bridge()
atexit.register(_bridge.close)
os.register_at_fork(after_in_child=_bridge.after_fork_in_child)


def enable_logging(level: int | str = logging.INFO) -> None:
    """
    Has the library's log lines go to the logger "heartwire", whose level this sets; the handlers are those of logging, such as
    logging.basicConfig() makes. INFO tells of connections opened and closed and of their health, DEBUG of each heartbeat. The lines
    of all connections of the process come from a thread of the library, on which handlers run; of a flood that they cannot follow
    the oldest lines are dropped.
    """
    logger.setLevel(level)
    _bridge.open(max((ours for ours, theirs in _LEVELS.items() if theirs >= logger.level), default=LogLevel.OFF))


def disable_logging() -> None:
    """Ends what enable_logging began."""
    _bridge.close()
