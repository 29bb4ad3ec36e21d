"""Asks the program before each attempt to connect, and hands its answer to the library."""

from __future__ import annotations

import asyncio
import contextlib
import time
from collections.abc import Awaitable, Callable, Iterator
from dataclasses import dataclass
from typing import TYPE_CHECKING, Union, final

from ._config import Headers
from ._events import Event

if TYPE_CHECKING:
    from ._calls import ConnectionCalls


@final
@dataclass(frozen=True)
class Attempt:
    """What one attempt to connect goes by instead of what is configured."""

    url: str | None = None
    """None: the URL as it is."""
    headers: Headers | None = None
    """They replace configured ones of the same name."""


BeforeConnect = Callable[[str, int], Union[Attempt, None]]
"""
Called as before_connect(url, attempt) before every attempt, 1 being the first since the last connection. Returns an Attempt with a
fresh URL or headers, or None to go on as configured. An exception is a failed attempt.
"""

AsyncBeforeConnect = Callable[[str, int], Union[Attempt, None, Awaitable[Union[Attempt, None]]]]
"""The same for asyncio, where it may be a coroutine function."""


def prepare(channel: ConnectionCalls, event: Event, hook: BeforeConnect, report: Callable[[Exception], object]) -> None:
    """Answers an EventKind.CONNECT_DUE. The attempt fails with what the hook raises; report hears of it."""
    if seconds_left(event) > 0:
        with _refusing(channel, event, report):
            _proceed(channel, event, hook(event.text, event.attempt))


async def prepare_later(channel: ConnectionCalls, event: Event, hook: AsyncBeforeConnect, report: Callable[[Exception], object]) -> None:
    """The same for a hook that may be a coroutine function, which is cancelled when its answer would be too late."""
    if seconds_left(event) > 0:
        with _refusing(channel, event, report):
            answer = hook(event.text, event.attempt)
            if isinstance(answer, Awaitable):
                answer = await asyncio.wait_for(answer, seconds_left(event))
            _proceed(channel, event, answer)


def seconds_left(event: Event) -> float:
    """An event may have waited for the program, and its attempt be over."""
    return event.delay_ms / 1000 - (time.monotonic_ns() - event.time_ns) / 1e9


@contextlib.contextmanager
def _refusing(channel: ConnectionCalls, event: Event, report: Callable[[Exception], object]) -> Iterator[None]:
    try:
        yield
    except BaseException as error:
        channel.refuse(event.attempt_id, f"before_connect: {type(error).__name__}: {error}")
        if not isinstance(error, Exception):
            raise
        report(error)


def _proceed(channel: ConnectionCalls, event: Event, answer: object) -> None:
    if answer is None:
        answer = Attempt()
    if not isinstance(answer, Attempt):
        raise TypeError(f"before_connect returns an Attempt or None, not {type(answer).__name__}")
    channel.proceed(event.attempt_id, answer.url, answer.headers)
