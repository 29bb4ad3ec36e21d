"""What these tests use of the C interface and the Python package does not have: heartbeat events, rules and health."""

from __future__ import annotations

import contextlib
import ctypes
import enum
import re
import pathlib
from collections.abc import Iterator, Sequence
from types import SimpleNamespace
from unittest import mock

import heartwire
from heartwire._config import Config
from heartwire._errors import error_from_struct, new_error_struct
from heartwire._library import library

HEADER = pathlib.Path(__file__).resolve().parents[2] / "include" / "heartwire.h"
C_TYPES = {"int32_t": ctypes.c_int32, "uint32_t": ctypes.c_uint32, "int64_t": ctypes.c_int64, "uint64_t": ctypes.c_uint64}


class Kind(enum.IntEnum):
    CLOSED = 3
    BEAT_MISSED = 5
    HEARTBEAT_RECEIVED = 10
    HEARTBEAT_RESPONDED = 11
    HEARTBEAT_TIMEOUT = 12
    HEARTBEAT_FAILURE = 13
    BEAT_SENT = 14
    BEAT_ACKED = 15
    ENGINE_STARTED = 16


@contextlib.contextmanager
def adding(rules: Sequence[str]) -> Iterator[None]:
    """Connections that are opened meanwhile get the rules."""
    apply = Config.apply

    def apply_with_rules(config: Config, *arguments: object) -> None:
        apply(config, *arguments)
        for rule in rules:
            data, error = rule.encode(), new_error_struct()
            if library.hw_config_add_rule(ctypes.c_void_p(config.handle), data, ctypes.c_size_t(len(data)), ctypes.byref(error)) != 0:
                raise error_from_struct(error)

    with mock.patch.object(Config, "apply", apply_with_rules):
        yield


def health_fields() -> list[tuple[str, type]]:
    body = re.search(r"typedef struct hw_health \{(.*?)\} hw_health;", HEADER.read_text(), re.DOTALL)
    assert body is not None
    fields = re.findall(r"^\s*(\w+) (\w+);", body[1], re.MULTILINE)
    return [(name, C_TYPES.get(kind, ctypes.c_int32)) for kind, name in fields]


class Health(ctypes.Structure):
    _fields_ = health_fields()


def health(client: heartwire.Client) -> SimpleNamespace:
    raw = Health(struct_size=ctypes.sizeof(Health))
    status = library.hw_connection_health(ctypes.c_void_p(client._channel._connection), ctypes.byref(raw))
    assert status == 0, status
    return SimpleNamespace(**{name: getattr(raw, name) for name, _ in Health._fields_})
