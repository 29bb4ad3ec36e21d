"""Copies one batch of borrowed deliveries into Python strings, bytes and events."""

from __future__ import annotations

import ctypes
import struct
import sys
from typing import Any, Union

from ._declarations import TEXT, hw_delivery
from ._events import Event, event_at

Message = Union[str, bytes]
Item = Union[str, bytes, Event]

CAPACITY = 256

_SIZE = ctypes.sizeof(hw_delivery)

# One unpack of the three fields that every message needs; reading them as ctypes attributes takes several times as long.
_OFFSET = hw_delivery.message.offset
_unpack = struct.Struct(f"@{_OFFSET}xI4xPN{_SIZE - _OFFSET - 24}x").iter_unpack

# The whole address space as one array of bytes: slicing it at a message's address copies exactly that message, at a fraction of
# the cost of ctypes.string_at. Nothing is read before a slice is taken.
_memory: Any = (ctypes.c_char * sys.maxsize).from_address(0)


class Batch:
    """A reusable array of hw_delivery for hw_inbox_take."""

    def __init__(self) -> None:
        self.deliveries = (hw_delivery * CAPACITY)()
        self.count = ctypes.c_size_t()
        self._bytes = memoryview(self.deliveries).cast("B")

    def copy(self) -> tuple[list[Item], list[Event]]:
        """Everything of the last take in order, and the events in it once more. To be called before the next take."""
        items: list[Item] = []
        events: list[Event] = []
        append = items.append
        memory = _memory
        for kind, data, size in _unpack(self._bytes[: self.count.value * _SIZE]):
            if kind == TEXT:
                append(memory[data : data + size].decode())
            elif kind:
                append(memory[data : data + size])
            else:
                event = event_at(self.deliveries[len(items)].event)
                events.append(event)
                append(event)
        return items, events
