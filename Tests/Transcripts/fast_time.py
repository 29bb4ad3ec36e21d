"""Time that passes faster than real time, on the same line for the server here and for a client under fast_clock.c."""

from __future__ import annotations

import asyncio
import dataclasses
import time

LAST_PART_S = 0.05
"""Longer waits are made in ever shorter parts."""


@dataclasses.dataclass(frozen=True)
class FastTime:
    """A clock that runs ahead of CLOCK_MONOTONIC from an origin that both share."""

    factor: int
    origin_ns: int
    unix_ms: int
    """What the wall clock shows at the origin."""

    @staticmethod
    def start(factor: int, unix_ms: int) -> FastTime:
        return FastTime(factor, time.monotonic_ns(), unix_ms)

    def now_ms(self) -> float:
        """The fast time since the origin."""
        return (time.monotonic_ns() - self.origin_ns) * self.factor / 1e6

    def from_clock_ms(self, fast_ns: int) -> float:
        """A client's CLOCK_MONOTONIC reading as time since the origin."""
        return (fast_ns - self.origin_ns) / 1e6

    async def sleep_until(self, at_ms: float) -> None:
        """Waits until the fast time since the origin has reached `at_ms`."""
        while (left_s := (at_ms - self.now_ms()) / self.factor / 1000) > 0:
            # The kernel lets a wait take up to half a percent longer than asked, which in fast time is much.
            await asyncio.sleep(left_s if left_s <= LAST_PART_S else left_s * 7 / 8)

    def environment(self) -> dict[str, str]:
        """What fast_clock.c reads."""
        return {
            "FAST_CLOCK_FACTOR": str(self.factor),
            "FAST_CLOCK_ORIGIN_NS": str(self.origin_ns),
            "FAST_CLOCK_UNIX_MS": str(self.unix_ms),
        }
