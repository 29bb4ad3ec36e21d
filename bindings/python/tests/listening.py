"""Listeners to test, and clients of our own."""

from __future__ import annotations

import contextlib
from collections.abc import AsyncIterator
from typing import Any

import heartwire
from heartwire import Listener, ServedConnection

ANYWHERE = "ws://127.0.0.1:0"

# The metrics of a process tell a hundred names apart, and each listener's port would be another.
NAMED: dict[str, Any] = {"metrics_name": "test of listeners"}


def address(listener: Any, target: str = "/") -> str:
    return f"ws://127.0.0.1:{listener.port}{target}"


@contextlib.asynccontextmanager
async def pair(listener: Listener, **options: Any) -> AsyncIterator[tuple[heartwire.Connection, ServedConnection]]:
    """A client, and the listener's end of it."""
    async with heartwire.connect(address(listener), **NAMED, reconnect_enabled=False, **options) as client:
        yield client, await listener.accept()


async def connected(url: str, **options: Any) -> heartwire.Connection:
    return await heartwire.connect(url, **NAMED, reconnect_enabled=False, **options)
