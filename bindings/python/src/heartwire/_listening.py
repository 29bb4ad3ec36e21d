"""What the listeners of all APIs have in common: clients that come, are told what comes for them, and go."""

from __future__ import annotations

from collections.abc import Callable
from typing import Any, Generic, TypeVar

from ._accepting import Request, Verdict, request_of
from ._calls import Outgoing
from ._config import Settings
from ._connection import BaseConnection, require_callable
from ._delivery import Item
from ._events import Event, EventKind
from ._intake import Intake
from ._lifetime import Managed
from ._listener_calls import ListenerCalls
from ._serving import Served, ServedChannel

C = TypeVar("C", bound=Served)


class BaseListener(Managed, Generic[C]):
    """
    Takes from the inbox of all clients and passes on what is for each. Subclasses say how they are told, and when this is done.
    """

    def __init__(
        self, url: str, on_event: Callable[[Any, Event], object] | None, before_accept: Callable[..., object] | None, settings: Settings
    ) -> None:
        require_callable(on_event, "on_event")
        require_callable(before_accept, "before_accept")
        self._on_event = on_event
        self._before_accept: Any = before_accept
        self._clients: dict[int, C] = {}
        self._requests: dict[int, Request] = {}
        self._calls = ListenerCalls(url, settings)
        super().__init__()

    @property
    def port(self) -> int:
        """The port that clients connect to, also if the URL's was 0."""
        return self._calls.port

    @property
    def clients(self) -> tuple[C, ...]:
        """Those that are connected now."""
        return tuple(self._clients.copy().values())

    def join(self, client: C, group: str) -> None:
        """
        Puts a client into a group, for broadcast; twice is once. It leaves its groups when it goes. A group needs no making, and its
        name is 1 to 255 bytes of UTF-8. StateError: the client has gone.
        """
        self._calls.join(_handle_of(client), group)

    def leave(self, client: C, group: str) -> None:
        """Takes a client out of a group; one that is not in it stays so. StateError: the client has gone."""
        self._calls.leave(_handle_of(client), group)

    def broadcast(self, message: Outgoing, group: str | None = None) -> int:
        """
        Sends text (str) or binary (bytes) to every client of a group, or to all. Returns how many took it: one whose queue is full
        makes room or is left out, as queue_overflow says. Never blocks, and may be called from any thread. StateError: the listener
        is closed.
        """
        return self._calls.broadcast(message, group)

    def _take(self) -> bool:
        """Passes on one batch; False if nothing was there."""
        deliveries = self._calls.take()
        told: dict[int, C] = {}
        for handle, items in deliveries or ():
            if any(type(item) is Event and item.kind in _CHANGES for item in items):
                for item in items:
                    self._pass_on(handle, item, told)
            elif handle in self._clients:
                self._clients[handle]._channel.add(items)
                told[handle] = self._clients[handle]
        for client in told.values():
            self._has_more(client)
        return deliveries is not None

    def _pass_on(self, handle: int, item: Item, told: dict[int, C]) -> None:
        """One item among which the client comes or goes."""
        kind = item.kind if type(item) is Event else None
        if type(item) is Event and kind is EventKind.ACCEPT_DUE:
            self._requests[handle] = request_of(item)
            self._decide(handle, item, self._requests[handle])
            return
        if kind is EventKind.OPENED and handle in self._requests:
            self._clients[handle] = self._welcome(self._channel_of(handle))
            self._has_come(self._clients[handle])
        client = self._clients.get(handle)
        if client is not None:
            client._channel.add([item])
            told[handle] = client
        if kind is EventKind.RELEASED:
            self._requests.pop(handle, None)
            self._clients.pop(handle, None)
            self._has_gone(handle)

    def _channel_of(self, handle: int) -> ServedChannel:
        calls = self._calls
        return ServedChannel(calls.url, handle, self._requests.pop(handle), Intake(calls.messages_max, calls.bytes_max))

    def _accept(self, handle: int, event: Event, verdict: Verdict) -> None:
        self._calls.accept(handle, event.attempt_id, verdict)

    def _decide(self, handle: int, event: Event, request: Request) -> None:
        """Has before_accept decide, and passes its verdict to _accept."""
        raise NotImplementedError

    def _welcome(self, channel: ServedChannel) -> C:
        """The connection to a client that has been let in."""
        raise NotImplementedError

    def _has_come(self, client: C) -> None:
        """The program is to be told of a new client."""
        raise NotImplementedError

    def _has_more(self, client: C) -> None:
        """Something waits in the client's intake."""

    def _has_gone(self, handle: int) -> None:
        """The client's handle is stale."""

    def _require_open(self) -> None:
        self._calls.require_own_process()

    def _dispose(self) -> None:
        self._calls.release()
        self._release_clients()

    def _release_clients(self) -> None:
        for client in self.clients:
            client.release()

    def _after_fork_in_child(self) -> None:
        super()._after_fork_in_child()
        self._calls.after_fork_in_child()

    def __repr__(self) -> str:
        state = "closed" if self._released else f"port {self.port}"
        return f"<{type(self).__module__}.{type(self).__qualname__} {self._calls.number} {state}>"


_CHANGES = (EventKind.ACCEPT_DUE, EventKind.OPENED, EventKind.RELEASED)


def _handle_of(client: object) -> int | None:
    if not isinstance(client, BaseConnection):
        raise TypeError(f"a client is a connection that this listener has given, not {type(client).__name__}")
    return client._channel.handle
