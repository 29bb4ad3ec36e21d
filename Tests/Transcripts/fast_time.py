"""Time that passes faster than real time, on the same line for the server here and for a client under fast_clock.c."""

from __future__ import annotations

import asyncio
import dataclasses
import time


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
        while (left_ms := at_ms - self.now_ms()) > 0:
            await asyncio.sleep(left_ms / self.factor / 1000)

    def environment(self) -> dict[str, str]:
        """What fast_clock.c reads."""
        return {
            "FAST_CLOCK_FACTOR": str(self.factor),
            "FAST_CLOCK_ORIGIN_NS": str(self.origin_ns),
            "FAST_CLOCK_UNIX_MS": str(self.unix_ms),
        }
