"""Options: keyword arguments become properties by the library's own table."""

from __future__ import annotations

import ctypes
from datetime import timedelta
from pathlib import Path
from typing import Any

import pytest

import heartwire
from heartwire import ConfigurationError, Status
from heartwire._config import Config
from heartwire._library import library


def read_back(config: Config, name: str) -> bytes:
    size = ctypes.c_size_t()
    buffer = ctypes.create_string_buffer(4096)
    assert library.hw_config_get(config.handle, name.encode(), buffer, len(buffer), ctypes.byref(size)) == Status.OK
    return buffer.raw[: size.value]


@pytest.mark.parametrize(
    ("keyword", "value", "equivalent"),
    [
        ("ping_interval", "7s", "7s"),
        ("ping_interval", 7, "7s"),
        ("ping_interval", 0.25, "250ms"),
        ("ping_interval", timedelta(minutes=2), "2m"),
        ("ping_interval", 0, "0"),
        ("ping_interval", 0.0001, "1ms"),
        ("ping_missed_max", 3, "3"),
        ("message_bytes_max", 65536, "64KiB"),
        ("message_bytes_max", "1MiB", "1MiB"),
        ("reconnect_enabled", False, "false"),
        ("inbox_overflow", "drop_oldest", "drop_oldest"),
        ("subprotocols", ["chat", "echo"], "chat, echo"),
        ("tls_ca_file", Path("/etc/ca.pem"), "/etc/ca.pem"),
        ("tls_ca_pem", b"-----BEGIN CERTIFICATE-----", "-----BEGIN CERTIFICATE-----"),
        ("tls_pins", ["sha256/A", "sha256/B"], "sha256/A, sha256/B"),
        ("tls_verify", False, "false"),
        ("tls_version_min", 1.3, "1.3"),
        ("heartbeat_text", "beat", "beat"),
        ("preset_parameters", {"ping_interval": 18000, "url": "a=b", "factor": 1.5}, "ping_interval=18000, url=a=b, factor=1.5"),
    ],
)
def test_values(keyword: str, value: Any, equivalent: str) -> None:
    name = next(known.name for known in heartwire.properties() if known.keyword == keyword)
    with Config() as by_keyword, Config() as by_text:
        by_keyword.apply({keyword: value})
        by_text.set(name, equivalent)
        assert read_back(by_keyword, name) == read_back(by_text, name) != b""


def test_bytes_keep_every_byte() -> None:
    with Config() as config:
        config.apply({"heartbeat_binary": b"\x00beat\xff"})
        assert read_back(config, "heartbeat.binary") == b"\x00beat\xff"


def test_properties_by_their_own_names() -> None:
    with Config() as by_name, Config() as by_keyword:
        by_name.apply({}, {"ping.interval": 3})
        by_keyword.apply({"ping_interval": 3})
        assert read_back(by_name, "ping.interval") == read_back(by_keyword, "ping.interval")


def test_none_leaves_the_default() -> None:
    with Config() as config, Config() as untouched:
        config.apply({"ping_interval": None})
        assert read_back(config, "ping.interval") == read_back(untouched, "ping.interval")


def test_every_property_takes_its_default_as_an_option() -> None:
    for known in heartwire.properties():
        if known.name not in ("delivery", "detector.thread") and known.default:
            with Config() as config:
                config.apply({known.keyword: known.default})


@pytest.mark.parametrize(
    ("options", "status", "hint"),
    [
        ({"ping_intervall": 1}, Status.PROPERTY, "ping.interval"),
        ({"nonsense": 1}, Status.PROPERTY, "nonsense"),
        ({"ping_interval": "soon"}, Status.VALUE, "ping.interval"),
        ({"ping_interval": -1}, Status.VALUE, "ping.interval"),
        ({"ping_interval": float("nan")}, Status.VALUE, "ping.interval"),
        ({"ping_interval": float("inf")}, Status.VALUE, "ping.interval"),
        ({"ping_interval": 10**400}, Status.VALUE, "ping.interval"),
        ({"ping_missed_max": 1.5}, Status.VALUE, "ping.missed_max"),
        ({"inbox_overflow": "explode"}, Status.VALUE, "drop_oldest"),
        ({"heartbeat_interval": 1}, Status.CONFLICT, "heartbeat"),
        ({"heartbeat_text": "x", "heartbeat_binary": b"x", "heartbeat_interval": 1}, Status.CONFLICT, "heartbeat"),
        ({"delivery": "inline"}, Status.CONFLICT, "inbox"),
        ({"detector_thread": "inline"}, Status.CONFLICT, "where messages are received"),
        ({"preset": "deribitt"}, Status.PRESET, "deribit"),
        ({"preset": "kucoin"}, Status.CONFLICT, "ping_interval"),
        ({"preset": "deribit", "preset_parameters": {"intervall": 30}}, Status.VALUE, "intervall"),
        ({"preset": "deribit", "preset_parameters": {"interval": "30,counter=1"}}, Status.VALUE, "comma"),
        ({"rules": ["{}}"]}, Status.RULE, "JSON"),
        ({"rules": [{"reply": [{"on": {"eq": "a"}, "sent": {}}]}]}, Status.RULE, "/reply/0/sent"),
        ({"opening": ["{}"]}, Status.STEP, "send"),
        ({"headers": {"Host": "elsewhere"}}, Status.HEADER, "Host"),
        ({"headers": [("X-Injected", "a\r\nb: c")]}, Status.HEADER, "X-Injected"),
    ],
)
def test_refused_options(options: dict[str, Any], status: Status, hint: str) -> None:
    with pytest.raises(ConfigurationError, match=hint) as caught:
        heartwire.sync.connect("ws://localhost:1/", **options)
    assert caught.value.status is status
    assert isinstance(caught.value, ValueError)


@pytest.mark.parametrize("url", ["", "localhost", "http://localhost/", "ws://", "ws://localhost:99999/", "ws://local host/", "ws://[::1/"])
def test_refused_urls(url: str) -> None:
    with pytest.raises(ConfigurationError) as caught:
        heartwire.Client(url)
    assert caught.value.status is Status.URL


def test_embedded_nul_is_refused() -> None:
    for call in (
        lambda: heartwire.Client("ws://localhost:1/\0hidden"),
        lambda: heartwire.Client("ws://localhost:1/", ping_interval="1s\0hidden"),
        lambda: heartwire.Client("ws://localhost:1/", headers={"A": "b\0hidden"}),
    ):
        with pytest.raises(heartwire.ArgumentError, match="NUL"):
            call()


@pytest.mark.parametrize(
    ("arguments", "sentence"),
    [
        ({"url": None}, "the URL is str or bytes, not NoneType"),
        ({"ping_interval": object()}, "ping.interval is .*, not object"),
        ({"subprotocols": [1]}, "subprotocols is .* a sequence of str or a mapping, not list"),
        ({"properties": [("ping.interval", 1)]}, "properties is a mapping of names to values, not list"),
        ({"properties": {5: "1s"}}, "an option's name is str or bytes, not int"),
        ({"headers": {"X": 1}}, "the value of header X is str or bytes, not int"),
        ({"headers": {1: "x"}}, "a header's name is str or bytes, not int"),
        ({"headers": 5}, "headers is a mapping or .* pairs .*, not int"),
        ({"headers": "X: y"}, "headers is a mapping or .* pairs .*, not str"),
        ({"headers": ["ab"]}, r"headers\[0\] is not a pair"),
        ({"headers": [("X", "a"), ("X", "a", "b")]}, r"headers\[1\] is not a pair"),
        ({"headers": [5]}, r"headers\[0\] is not a pair"),
        ({"rules": {"reply": []}}, "rules is a sequence, .*, not dict"),
        ({"rules": '{"reply": []}'}, "rules is a sequence, .*, not str"),
        ({"rules": 5}, "rules is a sequence, .*, not int"),
        ({"rules": [{}, 5]}, r"rules\[1\] is a mapping or JSON text, not int"),
        ({"opening": {"send": {}}}, "opening is a sequence, .*, not dict"),
        ({"opening": [5]}, r"opening\[0\] is a mapping or JSON text, not int"),
        ({"before_connect": 5}, "before_connect is a function or None, not int"),
        ({"preset_parameters": {"interval": None}}, r"preset.parameters\['interval'\] is str or a number, not NoneType"),
        ({"preset_parameters": {"interval": True}}, r"preset.parameters\['interval'\] is str or a number, not bool"),
        ({"detector": 5}, "detector is a function or None, not int"),
        ({"on_event": 5}, "on_event is a function or None, not int"),
        ({"on_message": "f"}, "on_message is a function or None, not str"),
        ({"on_part": 5}, "on_part is a function or None, not int"),
    ],
)
def test_wrong_types(arguments: dict[str, Any], sentence: str) -> None:
    with pytest.raises(TypeError, match=sentence):
        heartwire.Client(**{"url": "ws://localhost:1/", **arguments})
