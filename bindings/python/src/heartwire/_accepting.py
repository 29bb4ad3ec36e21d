"""Asks the program about each client that wants to be let in, and hands its answer to the library."""

from __future__ import annotations

import asyncio
from collections.abc import Awaitable, Callable
from concurrent.futures import Future
from dataclasses import dataclass
from typing import Union, final

from ._events import Event


@final
@dataclass(frozen=True)
class Request:
    """What a client asks for."""

    path: str
    """With the query, as the client wrote it."""
    headers: tuple[tuple[str, str], ...]
    """Names and values of the request's header fields, in their order."""

    def header(self, name: str) -> str | None:
        """The value of the first field of this name, in whatever case; None if there is none."""
        return next((value for known, value in self.headers if known.lower() == name.lower()), None)


@final
@dataclass(frozen=True)
class Refusal:
    """Why a client is not let in: the status of the HTTP answer, 400 to 599, and its body, of which at most 1,024 bytes are sent."""

    status: int = 403
    reason: str = ""

    def __post_init__(self) -> None:
        if not isinstance(self.status, int) or not 400 <= self.status <= 599:
            raise ValueError(f"a refusal's status is 400 to 599, not {self.status!r}")
        if not isinstance(self.reason, str):
            raise TypeError(f"a refusal's reason is str, not {type(self.reason).__name__}")


Verdict = Union[Refusal, None]

BeforeAccept = Callable[[Request], Union[Verdict, "Future[Verdict]"]]
"""
Called as before_accept(request) for every client. Returns None to let it in, a Refusal to turn it away, or a Future of either to decide
later. An exception turns it away with 500.
"""

AsyncBeforeAccept = Callable[[Request], Union[Verdict, Awaitable[Verdict]]]
"""The same for asyncio, where it may be a coroutine function."""

FAILED = Refusal(500, "The server cannot decide.")


def request_of(event: Event) -> Request:
    """From an EventKind.ACCEPT_DUE. Header fields are bytes, of which every one is a character of Latin-1."""
    lines = event.body.decode("latin-1").split("\r\n")
    fields = (line.partition(":") for line in lines if line)
    return Request(event.text, tuple((name, value.strip()) for name, _, value in fields))


def checked_verdict(verdict: object) -> Verdict:
    """False would be a natural slip, and must not let anybody in."""
    if verdict is None or isinstance(verdict, Refusal):
        return verdict
    raise TypeError(f"before_accept returns None, a Refusal, or something that gives one later, not {type(verdict).__name__}")


def ask(
    hook: BeforeAccept, request: Request, answer: Callable[[Verdict], object], report: Callable[[Exception], object]
) -> None:
    """Passes the hook's verdict to answer, perhaps later and in another thread. report hears of what the hook raises."""

    def conclude(get: Callable[[], object]) -> None:
        verdict: Verdict = FAILED
        try:
            verdict = checked_verdict(get())
        except Exception as error:
            report(error)
        finally:
            answer(verdict)

    try:
        given = hook(request)
    except Exception as error:
        report(error)
        answer(FAILED)
        return
    if isinstance(given, Future):
        given.add_done_callback(lambda future: conclude(future.result))
    else:
        conclude(lambda: given)


async def ask_later(
    hook: AsyncBeforeAccept,
    request: Request,
    seconds: float,
    answer: Callable[[Verdict], object],
    report: Callable[[Exception], object],
) -> None:
    """The same for a hook that may be a coroutine function, which is cancelled after these seconds: the client has gone by then."""
    verdict: Verdict = FAILED
    try:
        given = hook(request)
        if isinstance(given, Awaitable):
            given = await asyncio.wait_for(given, seconds)
        verdict = checked_verdict(given)
    except Exception as error:
        report(error)
    finally:
        answer(verdict)
