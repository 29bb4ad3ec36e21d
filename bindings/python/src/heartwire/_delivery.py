"""Copies one batch of borrowed deliveries into Python strings, bytes and events."""

from __future__ import annotations

import ctypes
import struct
import sys
from collections.abc import Iterator
from typing import Any, NamedTuple, Union, final

from ._declarations import BINARY, MESSAGE_CONTINUED, MESSAGE_MORE, TEXT, hw_delivery, hw_message
from ._detection import Arrival
from ._events import Event, event_at

Message = Union[str, bytes]


@final
class Part(NamedTuple):
    """A part of a message that is larger than message_part_bytes."""

    data: Message
    is_first: bool
    is_last: bool


Item = Union[str, bytes, Part, Event]

CAPACITY = 256

_SIZE = ctypes.sizeof(hw_delivery)

# One unpack of what every message needs; reading it as ctypes attributes takes several times as long. The kind and the flags come
# as one number, so that a whole message is recognised by one comparison.
_OFFSET = hw_delivery.message.offset
_unpack = struct.Struct(f"@{_OFFSET}xQPN{_SIZE - _OFFSET - 24}x").iter_unpack
_unpack_owner = struct.Struct(f"@P{_SIZE - ctypes.sizeof(ctypes.c_void_p)}x").iter_unpack
_ARRIVAL_OFFSET = _OFFSET + hw_message.received_ns.offset
_unpack_arrival = struct.Struct(f"@{_ARRIVAL_OFFSET}xQQ{_SIZE - _ARRIVAL_OFFSET - 16}x").iter_unpack
_kind_and_flags = struct.Struct("@II")
_as_one_number = struct.Struct("@Q")
(_WHOLE_TEXT,) = _as_one_number.unpack(_kind_and_flags.pack(TEXT, 0))
(_WHOLE_BINARY,) = _as_one_number.unpack(_kind_and_flags.pack(BINARY, 0))

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
        for form, data, size in _unpack(self._bytes[: self.count.value * _SIZE]):
            if form == _WHOLE_TEXT:
                append(memory[data : data + size].decode())
            elif form == _WHOLE_BINARY:
                append(memory[data : data + size])
            elif form:
                append(_part(form, memory[data : data + size]))
            else:
                event = event_at(self.deliveries[len(items)].event)
                events.append(event)
                append(event)
        return items, events

    def connections(self) -> Iterator[int]:
        """The handles that the items of the last take belong to."""
        return (owner for (owner,) in _unpack_owner(self._bytes[: self.count.value * _SIZE]))

    def arrivals(self, items: list[Item]) -> list[Arrival]:
        """When and how the whole messages among the items of the last take came."""
        times = _unpack_arrival(self._bytes[: self.count.value * _SIZE])
        return [Arrival(item, *time) for item, time in zip(items, times) if type(item) is str or type(item) is bytes]


def _part(form: int, data: bytes) -> Part:
    kind, flags = _kind_and_flags.unpack(_as_one_number.pack(form))
    return Part(data.decode() if kind == TEXT else data, not flags & MESSAGE_CONTINUED, not flags & MESSAGE_MORE)
