"""The timeout of a call that waits: a number of seconds, or None for no limit."""

from __future__ import annotations

import numbers
import threading


def checked(timeout: float | None, name: str) -> float | None:
    """More seconds than the platform can count, infinity among them, are no limit either."""
    if timeout is None:
        return None
    if not isinstance(timeout, numbers.Real):
        raise TypeError(f"{name} is a number of seconds or None, not {type(timeout).__name__}")
    if timeout != timeout:
        raise ValueError(f"{name} cannot be nan")
    return None if timeout > threading.TIMEOUT_MAX else float(timeout)
