"""The callback API: a Client whose one thread drains the inbox and calls on_message and on_event."""

from __future__ import annotations

import threading
from collections.abc import Callable, Mapping
from types import TracebackType
from typing import Any

from ._calls import ConnectionCalls
from ._config import Headers, Option, Rules, Settings, Steps
from ._connection import Origin, ThreadConnection, is_interruption, require_callable
from ._delivery import Message, Part
from ._detection import Detector
from ._errors import Status, TimeoutError
from ._events import Event
from ._lifetime import EXIT_SECONDS_MAX, CallbackThread, in_callback, join_at_exit
from ._logging import logger
from ._preparing import BeforeConnect
from ._timeout import checked

OnMessage = Callable[["Client", Message], object]
OnPart = Callable[["Client", Part], object]
OnEvent = Callable[["Client", Event], object]

class CallbackConnection(ThreadConnection):
    """Hands over what comes by calling."""

    def __init__(
        self,
        origin: Origin | ConnectionCalls,
        on_message: Callable[[Any, Message], object] | None,
        on_part: Callable[[Any, Part], object] | None,
        on_event: Callable[[Any, Event], object] | None,
    ) -> None:
        require_callable(on_message, "on_message")
        require_callable(on_part, "on_part")
        self._on_message = on_message
        self._on_part = on_part
        super().__init__(origin, on_event)

    def _call_back(self) -> None:
        """The end of the connection still has its callbacks; a release cuts them off."""
        pending = self._pending
        while pending and (self._final is not None or not self._released):
            item = pending.popleft()
            try:
                if type(item) is Event:
                    self._tell(item)
                elif type(item) is not Part:
                    self._call_back_with_message(item)
                elif self._on_part is not None:
                    self._on_part(self, item)
                else:
                    self._call_back_with_message(self._join(item))
            except Exception:
                logger.exception("a callback of %r raised an exception", self)

    def _call_back_with_message(self, message: Message | None) -> None:
        if message is not None and self._on_message is not None:
            self._on_message(self, message)


class Client(CallbackConnection):
    """
    A managed connection that calls on_message(client, message) and on_event(client, event), in order, one at a time, on a thread
    of its own. Connecting goes on in the background; send may be called at once, for it queues.

    Every method may be called from any thread and from the callbacks. The client lives until it is closed, fails for good or the
    interpreter exits. An exception in a callback is logged by the logger "heartwire", and the next callback follows; one that is
    to end the program, such as that of sys.exit, is logged too, ends the client, and is raised again by wait.

    Options as for heartwire.connect. detector runs on the same thread, before the messages that have arrived by then are handed to
    the callbacks, and so does before_connect; their exceptions are logged too.

    With on_part, messages larger than message_part_bytes come to on_part(client, part) part by part as they arrive, with part.data,
    part.is_first and part.is_last; without it they come to on_message whole. If the connection ends inside a message, which on_event
    hears of (EventKind.CLOSED), no further part of it follows.
    """

    def __init__(
        self,
        url: str,
        *,
        on_message: OnMessage | None = None,
        on_part: OnPart | None = None,
        on_event: OnEvent | None = None,
        detector: Detector | None = None,
        before_connect: BeforeConnect | None = None,
        opening: Steps | None = None,
        headers: Headers | None = None,
        rules: Rules | None = None,
        properties: Mapping[str, Option] | None = None,
        **options: Option,
    ) -> None:
        settings = Settings(options, properties, headers, rules, opening, before_connect)
        super().__init__(Origin(url, detector, settings), on_message, on_part, on_event)
        self._ending: BaseException | None = None
        # Threads that are not daemons are joined before atexit handlers run, which would keep a forgotten client alive for ever.
        self._thread = CallbackThread(target=self._run, name=f"heartwire-{self._channel.number}", daemon=True)
        try:
            self._thread.start()
        except RuntimeError:
            self.release()
            raise
        join_at_exit(self._thread)

    def __enter__(self) -> Client:
        return self

    def __exit__(
        self, kind: type[BaseException] | None, error: BaseException | None, traceback: TracebackType | None
    ) -> None:
        if is_interruption(kind):
            self.release()
        else:
            self.close()

    def close(self, code: int = 1000, reason: str = "") -> None:
        """
        Closes gracefully. Returns when the last callback has run, at once if called from a callback of any client. Calling it
        again does nothing.
        """
        if not self._released:
            self._channel.close(code, reason)
        if not in_callback():
            self._thread.join()

    def wait(self, timeout: float | None = None) -> None:
        """
        Blocks until the connection has ended. Raises the reason if it failed, what a callback raised to end the program, or
        TimeoutError after timeout seconds.
        """
        self._thread.join(checked(timeout, "timeout"))
        if self._thread.is_alive():
            raise TimeoutError("the connection has not ended in the given time", status=Status.TIMEOUT, retryable=True)
        if self._ending is not None:
            raise self._ending
        self._ended()

    def _run(self) -> None:
        inbox = self._channel.inbox
        try:
            while not self._released:
                changes = inbox.changes
                self._call_back()
                if not self._take():
                    inbox.poll(None, changes)
            self._call_back()
        except BaseException as ending:
            logger.exception("the callback thread of %r ends with an exception", self)
            self._ending = ending
        finally:
            self.release()

    def _dispose(self) -> None:
        super()._dispose()
        if self._thread.is_alive() and not in_callback():
            self._thread.join(EXIT_SECONDS_MAX)
