"""The callback API's listener: a Server whose one thread calls back for all clients."""

from __future__ import annotations

from collections.abc import Callable, Mapping

from ._accepting import BeforeAccept
from ._config import Option, Rules, Settings
from ._connection import require_callable
from ._delivery import Message, Part
from ._events import Event
from ._serving import Served, ServedChannel
from ._thread_listener import ThreadListener
from .callbacks import CallbackConnection

OnMessage = Callable[["ServedClient", Message], object]
OnPart = Callable[["ServedClient", Part], object]
OnEvent = Callable[["ServedClient", Event], object]


class ServedClient(Served, CallbackConnection):
    """A client of a Server."""

    def close(self, code: int = 1000, reason: str = "") -> None:
        """Sends what is queued and closes gracefully, in the background. Calling it again does nothing."""
        if not self._released:
            self._channel.close(code, reason)


class Server(ThreadListener[ServedClient]):
    """
    Listens for clients and calls on_message(client, message) and on_event(client, event), in order for each client, one at a time for
    all, on a thread of its own; so a callback that blocks keeps the messages of all clients waiting, but no heartbeat.

        with heartwire.Server("ws://0.0.0.0:8080", on_message=lambda client, message: client.send(message)) as server:
            server.wait()

    on_event hears of a new client by EventKind.OPENED and of its end by EventKind.CLOSED. before_accept runs on the same thread; what
    takes time returns a concurrent.futures.Future of its verdict. Other options as for heartwire.listen, and on_part and exceptions
    as for heartwire.Client. Every method may be called from any thread and from the callbacks.
    """

    def __init__(
        self,
        url: str,
        *,
        on_message: OnMessage | None = None,
        on_part: OnPart | None = None,
        on_event: OnEvent | None = None,
        before_accept: BeforeAccept | None = None,
        rules: Rules | None = None,
        properties: Mapping[str, Option] | None = None,
        **options: Option,
    ) -> None:
        require_callable(on_message, "on_message")
        require_callable(on_part, "on_part")
        self._on_message = on_message
        self._on_part = on_part
        super().__init__(url, on_event, before_accept, Settings(options, properties, None, rules))

    def _welcome(self, channel: ServedChannel) -> ServedClient:
        return ServedClient(channel, self._on_message, self._on_part, self._on_event)

    def _has_come(self, client: ServedClient) -> None:
        """on_event hears of it."""

    def _has_more(self, client: ServedClient) -> None:
        while client._take():
            client._call_back()
