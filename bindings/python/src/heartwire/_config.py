"""Turns keyword arguments into an hw_config, by the property table that the library itself hands out."""

from __future__ import annotations

import ctypes
import enum
import functools
import json
import math
import os
import re
from collections.abc import Callable, Iterable, Iterator, Mapping, Sequence
from dataclasses import dataclass
from datetime import timedelta
from typing import NamedTuple, Union

from ._declarations import handle, hw_error, hw_preset, hw_property
from ._errors import ArgumentError, ConfigurationError, Status, error_from_status, error_from_struct, new_error_struct
from ._library import library

Option = Union[
    str, bytes, bool, int, float, timedelta, "os.PathLike[str]", Sequence[str], Mapping[str, Union[str, int, float]], None
]
"""The value of an option: text as the library takes it, a number (of seconds for durations), a timedelta, bytes for payloads,
a path, a sequence of names, or a mapping of names to values. None leaves the property at its default."""

Headers = Union[Mapping[str, str], Iterable[tuple[str, str]]]

Rules = Iterable[Union[str, Mapping[str, object]]]
"""Heartbeat rules, each as JSON text or as the mapping that it stands for."""

Steps = Rules
"""Steps of the opening script, each as JSON text or as the mapping that it stands for."""

_FIXED = {
    "delivery": 'delivery cannot be set in Python: it is always "inbox"',
    "detector.thread": "detector.thread cannot be set in Python: a detector runs where messages are received",
}

_UNITS_NS = {"ms": 10**6, "s": 10**9, "m": 60 * 10**9, "h": 3600 * 10**9}
_UNITS_BYTES = {"": 1, "KiB": 1 << 10, "MiB": 1 << 20, "GiB": 1 << 30}


class PropertyType(enum.IntEnum):
    BOOLEAN = 1
    INTEGER = 2
    DURATION = 3
    SIZE = 4
    CHOICE = 5
    TEXT = 6
    BYTES = 7


@dataclass(frozen=True)
class Property:
    """One row of the library's property table."""

    name: str
    type: int
    default: str
    range: str
    unit: str
    since: str
    doc: str

    @property
    def keyword(self) -> str:
        """The name as a keyword argument: "ping.missed_max" is ping_missed_max."""
        return self.name.replace(".", "_")


@functools.lru_cache(maxsize=None)
def properties() -> tuple[Property, ...]:
    """Every property that the loaded library knows."""
    found: list[Property] = []
    raw = hw_property(struct_size=ctypes.sizeof(hw_property))
    while library.hw_config_describe(len(found), ctypes.byref(raw)) == Status.OK:
        texts = (raw.name, raw.default_value, raw.range, raw.unit, raw.since, raw.doc)
        name, default, range_, unit, since, doc = (text.decode() for text in texts)
        found.append(Property(name, raw.type, default, range_, unit, since, doc))
        raw.struct_size = ctypes.sizeof(hw_property)
    return tuple(found)


@dataclass(frozen=True)
class Preset:
    """How one service keeps its connections alive; the name is for the option preset."""

    name: str
    services: str
    """What it is for."""
    source: str
    """Where the service's behaviour was read."""
    rule: str
    """JSON, as the option rules takes it."""
    parameters: str
    """What preset_parameters can say, a line for each: its name, unit, whether it is required, and what it is."""


@functools.lru_cache(maxsize=None)
def presets() -> tuple[Preset, ...]:
    """Every preset that the loaded library has."""
    found: list[Preset] = []
    raw = hw_preset(struct_size=ctypes.sizeof(hw_preset))
    while library.hw_preset_describe(len(found), ctypes.byref(raw)) == Status.OK:
        texts = (raw.name, raw.services, raw.source, raw.rule, raw.parameters)
        found.append(Preset(*(text.decode() for text in texts)))
        raw.struct_size = ctypes.sizeof(hw_preset)
    return tuple(found)


class Settings(NamedTuple):
    """All that a connection is configured with."""

    options: Mapping[str, Option]
    properties: Mapping[str, Option] | None
    headers: Headers | None
    rules: Rules | None
    opening: Steps | None = None
    before_connect: Callable[..., object] | None = None


class Config:
    """Owns one hw_config; a context manager, since connections keep a copy of their own."""

    def __init__(self) -> None:
        out = handle()
        status = library.hw_config_new(ctypes.byref(out))
        if status != Status.OK:
            raise error_from_status(status, "no configuration could be made")
        self.handle = out.value

    def __enter__(self) -> Config:
        return self

    def __exit__(self, *exception: object) -> None:
        library.hw_config_free(self.handle)
        self.handle = None

    def apply(
        self,
        options: Mapping[str, Option],
        named: Mapping[str, Option] | None = None,
        headers: Headers | None = None,
        rules: Rules | None = None,
        opening: Steps | None = None,
        before_connect: Callable[..., object] | None = None,
    ) -> None:
        """Sets options by keyword and by property name, adds what comes in lists, and has attempts wait for before_connect."""
        by_keyword = {known.keyword: known.name for known in properties()}
        for keyword, value in options.items():
            self.set(by_keyword.get(keyword) or _likely_name(keyword), value)
        if named is not None and not isinstance(named, Mapping):
            raise TypeError(f"properties is a mapping of names to values, not {type(named).__name__}")
        for name, value in (named or {}).items():
            self.set(name, value)
        for field in header_fields(headers):
            self.add_header(*field)
        for rule in _json_texts(rules, "rules"):
            self._add_json(library.hw_config_add_rule, rule)
        for step in _json_texts(opening, "opening"):
            self._add_json(library.hw_config_add_step, step)
        if before_connect is not None:
            status = library.hw_config_before_connect(self.handle, None, None)
            if status != Status.OK:
                raise error_from_status(status, "attempts cannot wait for before_connect")

    def ask_before_accept(self) -> None:
        """Has every client of a listener wait for an answer."""
        status = library.hw_config_before_accept(self.handle, None, None)
        if status != Status.OK:
            raise error_from_status(status, "clients cannot wait to be let in")

    def set(self, name: str, value: Option) -> None:
        if value is None:
            return
        if name in _FIXED:
            raise ConfigurationError(_FIXED[name], status=Status.CONFLICT)
        kind = next((known.type for known in properties() if known.name == name), None)
        data = value if isinstance(value, bytes) else _as_text(name, value, kind).encode()
        error = new_error_struct()
        if kind in (PropertyType.TEXT, PropertyType.BYTES):
            status = library.hw_config_set_bytes(self.handle, c_text(name, "an option's name"), data, len(data), ctypes.byref(error))
        else:
            text = c_text(data, f"the value of {name}")
            status = library.hw_config_set(self.handle, c_text(name, "an option's name"), text, ctypes.byref(error))
        _check(status, error)

    def add_header(self, name: bytes, value: bytes) -> None:
        error = new_error_struct()
        _check(library.hw_config_add_header(self.handle, name, value, ctypes.byref(error)), error)

    def _add_json(self, function: Callable[..., int], text: bytes) -> None:
        error = new_error_struct()
        _check(function(self.handle, text, len(text), ctypes.byref(error)), error)

    def nanoseconds(self, name: str) -> int:
        """The value of a property that is a duration."""
        number, unit = self._number_and_unit(name)
        return number * _UNITS_NS[unit]

    def count(self, name: str) -> int:
        """The value of a property that is a number, of bytes or other things."""
        number, unit = self._number_and_unit(name)
        return number * _UNITS_BYTES[unit]

    def _number_and_unit(self, name: str) -> tuple[int, str]:
        value = ctypes.create_string_buffer(32)
        library.hw_config_get(self.handle, name.encode(), value, len(value), None)
        number, unit = re.fullmatch(r"(\d+)(\D*)", value.value.decode()).groups()  # type: ignore[union-attr]
        return int(number), unit


def c_text(text: str | bytes, what: str) -> bytes:
    """Encodes a NUL-terminated parameter; a NUL inside would cut it short without a word."""
    if not isinstance(text, (str, bytes)):
        raise TypeError(f"{what} is str or bytes, not {type(text).__name__}")
    encoded = text.encode() if isinstance(text, str) else text
    if b"\0" in encoded:
        raise ArgumentError(f"{what} must not contain a NUL character", status=Status.ARGUMENT)
    return encoded


def _likely_name(keyword: str) -> str:
    """Names start with a group and a dot, so the library can suggest "ping.interval" for ping_intervall."""
    return keyword.replace("_", ".", 1)


def header_fields(headers: Headers | None) -> Iterator[tuple[bytes, bytes]]:
    """Names and values as the library takes them."""
    if headers is None:
        return
    if isinstance(headers, (str, bytes)) or not isinstance(headers, Iterable):
        raise TypeError(f"headers is a mapping or a sequence of pairs of name and value, not {type(headers).__name__}")
    for index, field in enumerate(headers.items() if isinstance(headers, Mapping) else headers):
        if not isinstance(field, (tuple, list)) or len(field) != 2:
            raise TypeError(f"headers[{index}] is not a pair of name and value")
        name, value = field
        yield c_text(name, "a header's name"), c_text(value, f"the value of header {name}")


def _json_texts(items: Rules | Steps | None, name: str) -> Iterator[bytes]:
    """A lone rule or step would pass as an iterable of characters, or of member names."""
    if items is None:
        return
    if isinstance(items, (str, bytes, Mapping)) or not isinstance(items, Iterable):
        raise TypeError(f"{name} is a sequence, each item a mapping or JSON text, not {type(items).__name__}")
    for index, item in enumerate(items):
        if not isinstance(item, (str, Mapping)):
            raise TypeError(f"{name}[{index}] is a mapping or JSON text, not {type(item).__name__}")
        yield (item if isinstance(item, str) else json.dumps(item)).encode()


def _as_text(name: str, value: Option, kind: int | None) -> str:
    if isinstance(value, str):
        return value
    if isinstance(value, bool):
        return "true" if value else "false"
    if isinstance(value, timedelta):
        return _duration(value.total_seconds())
    if isinstance(value, (int, float)):
        return _duration(value) if kind == PropertyType.DURATION else str(value)
    if isinstance(value, os.PathLike):
        return os.fspath(value)
    if isinstance(value, Sequence) and all(isinstance(item, str) for item in value):
        return ", ".join(map(str, value))
    if isinstance(value, Mapping):
        return ", ".join(f"{key}={_item_text(name, key, item)}" for key, item in value.items())
    raise TypeError(
        f"{name} is str, bytes, a number, a timedelta, a path, a sequence of str or a mapping, not {type(value).__name__}"
    )


def _item_text(name: str, key: object, item: object) -> str:
    if not isinstance(item, (str, int, float)) or isinstance(item, bool):
        raise TypeError(f"{name}[{key!r}] is str or a number, not {type(item).__name__}")
    text = str(item)
    if "," in text:
        raise ConfigurationError(f"{name}[{key!r}] must not contain a comma, which would end it", status=Status.VALUE)
    return text


def _duration(seconds: float) -> str:
    """Seconds in the library's spelling, in whole milliseconds; a positive time too short for one must not become 0, "off"."""
    if seconds == 0:
        return "0"
    if not 0 <= seconds < math.inf:
        return f"{seconds}s"
    return f"{max(1, round(seconds * 1000))}ms"


def _check(status: int, error: hw_error) -> None:
    if status != Status.OK:
        raise error_from_struct(error)
