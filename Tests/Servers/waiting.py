"""Waits for what happens in another thread or process."""

from __future__ import annotations

import threading
from collections.abc import Callable

PATIENCE_S = 60


def wait_until(condition: Callable[[], bool]) -> None:
    pause = threading.Event()
    for _ in range(PATIENCE_S * 1000):
        if condition():
            return
        pause.wait(0.001)
    raise AssertionError("the condition never came true")
