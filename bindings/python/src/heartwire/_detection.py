"""Shows what arrives to the program's own detector of heartbeats, and carries out its answers."""

from __future__ import annotations

import enum
from collections import deque
from collections.abc import Callable
from typing import TYPE_CHECKING, Any, NamedTuple, Union

from ._declarations import DETECT_ANSWER, DETECT_FAILED, DETECT_SEEN

if TYPE_CHECKING:
    from ._calls import ConnectionCalls


class Detection(enum.Enum):
    """What a detector returns instead of an answer."""

    SEEN = DETECT_SEEN
    """The message is the server's heartbeat and needs no answer."""


Detector = Callable[[Any, int], Union[str, bytes, bytearray, memoryview, Detection, None]]
"""
Called as detector(message, deadline_ns) with every whole message (str or bytes), before the program gets it. Returns the answer to
a heartbeat request, text or bytes; Detection.SEEN for a heartbeat that needs none; None for everything else. deadline_ns, by
time.monotonic_ns(), is the end of response_timeout: a later answer counts as a failure.
"""


class Arrival(NamedTuple):
    """A message that the detector has yet to see; when it arrived, and by which connection."""

    message: str | bytes
    received_ns: int
    epoch: int


class Inspection:
    """What the detector has yet to see, oldest first."""

    def __init__(self, detector: Detector) -> None:
        self._detector = detector
        self.response_timeout_ns = 0
        self.arrivals: deque[Arrival] = deque()

    def run(self, channel: ConnectionCalls, report: Callable[[Exception], object]) -> None:
        """Shows the detector what has arrived. The library counts its exceptions as failed heartbeats; report hears of them."""
        while (arrival := self._next()) is not None:
            try:
                self._inspect(arrival, channel)
            except BaseException as error:
                channel.respond(DETECT_FAILED, arrival)
                if not isinstance(error, Exception):
                    raise
                report(error)

    def _next(self) -> Arrival | None:
        """Another thread may take the last one after any look at the queue."""
        try:
            return self.arrivals.popleft()
        except IndexError:
            return None

    def _inspect(self, arrival: Arrival, channel: ConnectionCalls) -> None:
        answer = self._detector(arrival.message, arrival.received_ns + self.response_timeout_ns)
        if answer is None:
            return
        if answer is Detection.SEEN:
            channel.respond(DETECT_SEEN, arrival)
        elif isinstance(answer, (str, bytes, bytearray, memoryview)):
            channel.respond(DETECT_ANSWER, arrival, answer)
        else:
            raise TypeError(f"a detector returns str or bytes to answer with, Detection.SEEN or None, not {type(answer).__name__}")
