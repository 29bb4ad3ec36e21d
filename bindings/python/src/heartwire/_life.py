"""How far the changes in a connection's life are that events tell of by their level."""

from __future__ import annotations

from ._errors import OpenIntEnum


class Rotation(OpenIntEnum):
    """How far a rotation is."""

    STARTED = 1
    SWITCHED = 2
    FINISHED = 3
    FAILED = 4


class Circuit(OpenIntEnum):
    """Whether attempts to a host are made."""

    CLOSED = 0
    OPEN = 1
    HALF_OPEN = 2


class Outcome(OpenIntEnum):
    """What became of a message."""

    PENDING = 0
    SENT = 1
    EXPIRED = 2
    DROPPED = 3
    CANCELLED = 4
