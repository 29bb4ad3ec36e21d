"""Times in the arguments of a call: the timeout of one that waits, the time to live of a message."""

from __future__ import annotations

import numbers
import threading


WEEK_SECONDS = 7 * 86400.0


def checked(timeout: float | None, name: str) -> float | None:
    """None for no limit. More seconds than the platform can count, infinity among them, are no limit either."""
    if timeout is None:
        return None
    if not isinstance(timeout, numbers.Real):
        raise TypeError(f"{name} is a number of seconds or None, not {type(timeout).__name__}")
    if timeout != timeout:
        raise ValueError(f"{name} cannot be nan")
    return None if timeout > threading.TIMEOUT_MAX else float(timeout)


def ttl_milliseconds(ttl: float | None) -> int:
    """As the library takes it: 0 stands for the property, and more than a week is a week."""
    if ttl is None:
        return 0
    if not isinstance(ttl, numbers.Real):
        raise TypeError(f"ttl is a number of seconds or None, not {type(ttl).__name__}")
    if not ttl > 0:
        raise ValueError("ttl is more than 0 seconds; now=True is for a message that is not to wait")
    return max(1, round(min(ttl, WEEK_SECONDS) * 1000))
