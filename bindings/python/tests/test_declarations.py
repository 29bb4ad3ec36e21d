"""The declarations against heartwire.h: a signature or number that drifts apart would corrupt memory without a word."""

from __future__ import annotations

import ctypes
import enum
import re

import pytest
from conftest import ROOT
from heartwire import Circuit, EventKind, Health, Layer, Outcome, Quality, ResponseLevel, Rotation, State, Status, _declarations
from heartwire._config import PropertyType
from heartwire._logging import LogLevel

HEADER = re.sub(r"/\*.*?\*/", "", (ROOT / "include" / "heartwire.h").read_text(), flags=re.DOTALL)


def declared_functions() -> dict[str, list[str]]:
    found = re.findall(r"^[\w ]+[ *](hw_\w+)\(([^)]*)\);", HEADER, re.MULTILINE)
    return {name: [] if parameters.strip() == "void" else parameters.split(",") for name, parameters in found}


def declared_fields(struct: str) -> list[str]:
    body = re.search(rf"typedef struct {struct} \{{(.*?)\}} {struct};", HEADER, re.DOTALL)
    assert body is not None
    return re.findall(r"(\w+)(?:\[\d+\])?;", body.group(1))


def declared_constants(prefix: str) -> dict[str, int]:
    return {name: int(value) for name, value in re.findall(rf"\b{prefix}(\w+) = (-?\d+)", HEADER)}


def test_every_function_is_declared() -> None:
    assert set(_declarations.FUNCTIONS) == set(declared_functions())


@pytest.mark.parametrize("name", _declarations.FUNCTIONS)
def test_parameters(name: str) -> None:
    expected = declared_functions()[name]
    _, parameters = _declarations.FUNCTIONS[name]
    assert len(parameters) == len(expected)
    for ours, theirs in zip(parameters, expected):
        is_pointer = "*" in theirs or "callback" in theirs
        size = {"uint16_t": 2, "size_t": 8, "uint64_t": 8}.get(theirs.split()[-2], 4)
        assert ctypes.sizeof(ours) == (8 if is_pointer else size), theirs


@pytest.mark.parametrize(
    "struct",
    [
        "hw_error", "hw_message", "hw_event", "hw_property", "hw_preset", "hw_send_options", "hw_attempt", "hw_metrics", "hw_health",
        "hw_reply", "hw_delivery", "hw_shutdown_report",
    ],
)
def test_struct_fields(struct: str) -> None:
    assert [field[0] for field in getattr(_declarations, struct)._fields_] == declared_fields(struct)


@pytest.mark.parametrize(
    ("prefix", "ours"),
    [
        ("HW_STATE_", State),
        ("HW_EVENT_", EventKind),
        ("HW_LAYER_", Layer),
        ("HW_PROPERTY_", PropertyType),
        ("HW_E_", Status),
        ("HW_HEALTH_", Health),
        ("HW_QUALITY_", Quality),
        ("HW_RESPONSE_", ResponseLevel),
        ("HW_LOG_", LogLevel),
        ("HW_ROTATION_", Rotation),
        ("HW_CIRCUIT_", Circuit),
        ("HW_OUTCOME_", Outcome),
    ],
)
def test_constants(prefix: str, ours: type[enum.IntEnum]) -> None:
    named = {member.name: int(member) for member in ours if member is not Status.OK}
    assert named == declared_constants(prefix)


def test_version_kinds_and_flags() -> None:
    match = re.search(r"#define HW_VERSION (0x[0-9a-f]+)u", HEADER)
    assert match is not None and int(match.group(1), 16) == _declarations.HW_VERSION
    for prefix in ("HW_(?=TEXT|BINARY)", "HW_(?=MESSAGE_)", "HW_(?=SEND_)", "HW_(?=DETECT_)"):
        constants = declared_constants(prefix)
        assert constants == {name: getattr(_declarations, name) for name in constants} != {}


def test_sizes_on_this_platform() -> None:
    """Batches are unpacked by offsets that are only right for this layout."""
    assert ctypes.sizeof(_declarations.hw_delivery) == 64
    assert ctypes.sizeof(_declarations.hw_send_options) == 24
    assert ctypes.sizeof(_declarations.hw_attempt) == 40
    assert ctypes.sizeof(_declarations.hw_shutdown_report) == 32
    assert ctypes.sizeof(_declarations.hw_reply) == 48
    assert ctypes.sizeof(_declarations.hw_health) == 248
    assert _declarations.hw_delivery.message.offset == 16


def test_library_names_the_statuses_alike() -> None:
    from heartwire._library import library

    for status in Status:
        expected = "HW_OK" if status is Status.OK else f"HW_E_{status.name}"
        assert library.hw_status_name(status).decode() == expected
