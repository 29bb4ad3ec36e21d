"""One hw_listener and its hw_inbox as plain calls on the library."""

from __future__ import annotations

import ctypes
import os
from collections.abc import Iterable
from itertools import groupby
from typing import Any

from ._accepting import Verdict
from ._calls import Outgoing, encoded, numbers
from ._config import Config, Settings, c_text
from ._declarations import handle
from ._delivery import Batch, Item
from ._errors import ForkedError, StateError, Status, error_from_status, error_from_struct, new_error_struct
from ._inbox import Inbox
from ._library import library

_REASON_BYTES_MAX = 1024

_GROUP_FAILURES = {
    Status.ARGUMENT: "a group's name is 1 to 255 bytes of UTF-8",
    Status.UTF8: "a group's name is 1 to 255 bytes of UTF-8",
    Status.STATE: "the connection is no client of this listener, or has gone",
    Status.HANDLE: "the client has gone",
}


class ListenerCalls:
    """Any thread may call anything, and so may a signal handler."""

    def __init__(self, url: str, settings: Settings) -> None:
        self.number = next(numbers)
        self.url = url
        self._pid = os.getpid()
        self._listener: int | None = None
        self._closed = False
        with Config() as config:
            config.apply(*settings)
            config.ask_before_accept()
            self.messages_max = config.count("inbox.messages_max")
            self.bytes_max = config.count("inbox.bytes_max")
            self.inbox = Inbox(config)
            try:
                self.inbox.attach(config, self.number, self.close)
                self._listener = _open(config, url)
                self.port = _port(self._listener)
            except BaseException:
                self.inbox.release()
                raise

    def take(self) -> list[tuple[int, list[Item]]] | None:
        """What waits in the inbox, at most one batch of it, by the client that it came for or from. None if nothing was there."""
        return self.inbox.take(_by_client)

    def accept(self, client: int, attempt_id: int, verdict: Verdict) -> None:
        """Lets a client in, or turns it away. Nothing is left to do for one that has gone."""
        http_status, reason = (0, "") if verdict is None else (verdict.status, verdict.reason)
        text = reason.encode("utf-8", "replace").replace(b"\0", b" ")[:_REASON_BYTES_MAX].decode("utf-8", "ignore").encode()
        status = library.hw_connection_accept(client, attempt_id, http_status, text)
        if status not in (Status.OK, Status.STATE, Status.HANDLE):
            self._fail(status, "the client was neither let in nor turned away")

    def join(self, client: int | None, group: str) -> None:
        self._change_group(library.hw_listener_join, client, group)

    def leave(self, client: int | None, group: str) -> None:
        self._change_group(library.hw_listener_leave, client, group)

    def _change_group(self, function: Any, client: int | None, group: str) -> None:
        self._require_open()
        status = function(self._listener, client, c_text(group, "a group"))
        if status != Status.OK:
            self._fail(status, _GROUP_FAILURES.get(status, "the group stays as it is"))

    def broadcast(self, message: Outgoing, group: str | None) -> int:
        self._require_open()
        kind, data = encoded(message)
        reached = ctypes.c_uint64()
        name = None if group is None else c_text(group, "a group")
        status = library.hw_listener_broadcast(self._listener, name, kind, data, len(data), ctypes.byref(reached))
        if status == Status.HANDLE:
            raise closed_listener()
        if status != Status.OK:
            self._fail(status, _GROUP_FAILURES.get(status, "the message was not sent"))
        return reached.value

    def close(self) -> None:
        """Says goodbye to the clients, whose deliveries still come, and lets nobody in any more."""
        self._closed = True
        library.hw_listener_close(self._listener)
        self.inbox.announce()

    def release(self) -> None:
        """Never blocks."""
        self._closed = True
        self.inbox.release()

    def after_fork_in_child(self) -> None:
        self.inbox.after_fork_in_child()

    def require_own_process(self) -> None:
        if os.getpid() != self._pid:
            raise ForkedError("the listener belongs to the process that opened it, the parent of this one", status=Status.FORKED)

    def _require_open(self) -> None:
        self.require_own_process()
        if self._closed:
            raise closed_listener()

    def _fail(self, status: int, message: str) -> None:
        """A handle that is not live belongs to a client that has gone, which is no wrong argument but the way of clients."""
        if status == Status.HANDLE:
            raise StateError(message, status=Status.STATE)
        raise error_from_status(status, message)


def _by_client(batch: Batch) -> list[tuple[int, list[Item]]]:
    items, _ = batch.copy()
    owned: Iterable[tuple[int, Item]] = zip(batch.connections(), items)
    return [(client, [item for _, item in group]) for client, group in groupby(owned, key=_client)]


def _client(owned: tuple[int, Item]) -> int:
    return owned[0]


def closed_listener() -> StateError:
    return StateError("the listener is closed", status=Status.STATE)


def _open(config: Config, url: str) -> int | None:
    out, error = handle(), new_error_struct()
    status = library.hw_listener_open(config.handle, c_text(url, "the URL"), ctypes.byref(out), ctypes.byref(error))
    if status != Status.OK:
        raise error_from_struct(error)
    return out.value


def _port(listener: int | None) -> int:
    out = ctypes.c_uint16()
    status = library.hw_listener_port(listener, ctypes.byref(out))
    if status != Status.OK:
        raise error_from_status(status, "the listener has no port")
    return out.value
