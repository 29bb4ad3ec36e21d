"""What the listeners for ordinary threads have in common: a thread that takes what comes for all clients."""

from __future__ import annotations

import inspect
from collections.abc import Callable
from types import TracebackType
from typing import Any, TypeVar

from ._accepting import BeforeAccept, Request, ask
from ._config import Settings
from ._connection import is_interruption
from ._errors import Status, TimeoutError
from ._events import Event
from ._lifetime import EXIT_SECONDS_MAX, CallbackThread, in_callback, join_at_exit
from ._listening import BaseListener
from ._logging import logger
from ._serving import Served
from ._timeout import checked

C = TypeVar("C", bound=Served)
L = TypeVar("L", bound="ThreadListener[Any]")


class ThreadListener(BaseListener[C]):
    """Lives until it is closed or the interpreter exits."""

    def __init__(
        self, url: str, on_event: Callable[[Any, Event], object] | None, before_accept: BeforeAccept | None, settings: Settings
    ) -> None:
        if inspect.iscoroutinefunction(before_accept):
            raise TypeError("before_accept is a coroutine function, which only the asyncio API can await")
        super().__init__(url, on_event, before_accept, settings)
        self._closing = False
        self._ending: BaseException | None = None
        # Threads that are not daemons are joined before atexit handlers run, which would keep a forgotten listener alive for ever.
        self._thread = CallbackThread(target=self._run, name=f"heartwire-listener-{self._calls.number}", daemon=True)
        try:
            self._thread.start()
        except RuntimeError:
            self.release()
            raise
        join_at_exit(self._thread)

    def __enter__(self: L) -> L:
        return self

    def __exit__(
        self, kind: type[BaseException] | None, error: BaseException | None, traceback: TracebackType | None
    ) -> None:
        if is_interruption(kind):
            self.release()
        else:
            self.close()

    def close(self) -> None:
        """
        Lets nobody in any more, closes the clients with 1001 and waits for their answers, at most close_timeout; in a callback it
        does not wait. Calling it again does nothing.
        """
        if not self._released:
            self._closing = True
            self._calls.close()
        if not in_callback():
            self._thread.join()

    def wait(self, timeout: float | None = None) -> None:
        """
        Blocks until the listener is closed. Raises what a callback raised to end the program, or TimeoutError after timeout
        seconds.
        """
        self._thread.join(checked(timeout, "timeout"))
        if self._thread.is_alive():
            raise TimeoutError("the listener was not closed in the given time", status=Status.TIMEOUT, retryable=True)
        if self._ending is not None:
            raise self._ending

    def _run(self) -> None:
        inbox = self._calls.inbox
        try:
            while not self._released:
                changes = inbox.changes
                if self._take():
                    continue
                if self._closing and not self._clients:
                    break
                inbox.poll(None, changes)
        except BaseException as ending:
            logger.exception("the thread of %r ends with an exception", self)
            self._ending = ending
        finally:
            self.release()

    def _decide(self, handle: int, event: Event, request: Request) -> None:
        if self._before_accept is None:
            self._accept(handle, event, None)
            return
        ask(self._before_accept, request, lambda verdict: self._accept(handle, event, verdict), self._report)

    def _report(self, error: Exception) -> None:
        logger.error("before_accept of %r raised an exception", self, exc_info=error)

    def _dispose(self) -> None:
        super()._dispose()
        if self._thread.is_alive() and not in_callback():
            self._thread.join(EXIT_SECONDS_MAX)
