"""Real services keep a client that has their preset, and cut one that has not."""

from __future__ import annotations

import json
from typing import Any

from conftest import IDLE_SECONDS
from recorder import Recorder
from services import Service

from heartwire import EventKind

# Nothing but what is tested may keep the silent client alive.
SILENT: dict[str, Any] = {"ping_interval": 0}
FAILURES = (EventKind.CLOSED, EventKind.BEAT_MISSED, EventKind.HEARTBEAT_TIMEOUT, EventKind.HEARTBEAT_FAILURE)


def check_kept(kept: Recorder, silent: Recorder, sign: EventKind, lifetimes: int) -> None:
    """The service cuts the silent client; the other one lives on, with signs of life until it is several times as old, and no failure."""
    kept.wait_for_age(lifetimes * silent.lifetime_ns(), sign)
    assert kept.client.metrics().reconnections == 0
    assert not kept.of_kind(*FAILURES)
    assert len(kept.of_kind(EventKind.ENGINE_STARTED)) == 1


def mqtt_connect(name: bytes, keep_alive_s: int) -> bytes:
    """A CONNECT packet of MQTT 3.1.1 for a clean session."""
    body = b"\x00\x04MQTT\x04\x02" + keep_alive_s.to_bytes(2, "big") + len(name).to_bytes(2, "big") + name
    return b"\x10" + bytes([len(body)]) + body


def test_mosquitto(mosquitto: Service) -> None:
    url, mqtt = mosquitto.url("/mqtt"), {"subprotocols": "mqtt"}
    with (
        Recorder(url, mqtt_connect(b"kept", 2), preset="mqtt", preset_parameters={"keepalive": 2}, **mqtt) as kept,
        Recorder(url, mqtt_connect(b"silent", 2), **SILENT, **mqtt) as silent,
    ):
        check_kept(kept, silent, EventKind.BEAT_ACKED, lifetimes=3)
        assert kept.client.subprotocol == "mqtt"
        assert kept.messages[:2] == [b"\x20\x02\x00\x00", b"\xd0\x00"]


def test_engineio(engineio: Service) -> None:
    url = engineio.url("/socket.io/?EIO=4&transport=websocket")
    with Recorder(url, preset="engineio-v4") as kept, Recorder(url, **SILENT) as silent:
        check_kept(kept, silent, EventKind.HEARTBEAT_RESPONDED, lifetimes=3)
        assert '"pingInterval":1000' in kept.messages[0]
        answered = len(kept.of_kind(EventKind.HEARTBEAT_RESPONDED))
        kept.wait_for(lambda: kept.messages.count("2") >= answered)


STOMP = {"subprotocols": "v12.stomp"}


def stomp_connect(heart_beat_ms: int) -> str:
    beats = f"heart-beat:{heart_beat_ms},{heart_beat_ms}"
    return f"CONNECT\naccept-version:1.2\nhost:/\nlogin:guest\npasscode:guest\n{beats}\n\n\0"


def test_rabbitmq(rabbitmq: Service) -> None:
    """The preset beats every 10 s, so this takes as long as the broker waits for three of them."""
    url = rabbitmq.url("/ws")
    with (
        Recorder(url, stomp_connect(10_000), preset="stomp", **STOMP) as kept,
        Recorder(url, stomp_connect(10_000), **SILENT, **STOMP) as silent,
    ):
        check_kept(kept, silent, EventKind.BEAT_SENT, lifetimes=1)
        assert kept.messages[0].startswith("CONNECTED\n") and "\nheart-beat:10000,10000\n" in kept.messages[0]


def test_rabbitmq_with_a_beat_of_ones_own(rabbitmq: Service) -> None:
    """As often as the program itself has announced, which the rule learns from what it sends."""
    announced = {"after": "heart-beat:", "until": "\n", "sep": ",", "index": 0}
    rule = {
        "replace": ["beat"],
        "learn": [{"on": {"prefix": "CONNECT\n"}, "dir": "out", "path": announced, "var": "cx"}],
        "beat": [{"start": {"prefix": "CONNECTED"}, "every": {"var": "cx", "unit": "ms"}, "when": "idle_tx", "send": {"body": "\n"}}],
    }
    url = rabbitmq.url("/ws")
    with (
        Recorder(url, stomp_connect(1000), preset="stomp", rules=[rule], **STOMP) as kept,
        Recorder(url, stomp_connect(1000), preset="stomp", **STOMP) as too_slow,
    ):
        check_kept(kept, too_slow, EventKind.BEAT_SENT, lifetimes=3)


def test_graphql_behind_what_cuts_idle_connections(graphql: Service, idle_cutter: Service) -> None:
    """The server itself never cuts: it neither asks for signs of life nor misses any. What stands before it does."""
    beat = {
        "every": f"{IDLE_SECONDS * 1000 // 4}ms",
        "start": {"json": {"/type": "connection_ack"}},
        "send": {"body": '{"type":"ping"}'},
        "ack": {"on": {"json": {"/type": "pong"}}, "within": f"{IDLE_SECONDS}s"},
    }
    rule = {"replace": ["beat"], "beat": [beat]}
    url, opening = graphql.url("/"), '{"type":"connection_init"}'
    options = {"subprotocols": "graphql-transport-ws"}
    through = {"proxy": f"http://127.0.0.1:{idle_cutter.port}", **options}
    with (
        Recorder(url, opening, preset="graphql-transport-ws", rules=[rule], **through) as kept,
        Recorder(url, opening, **SILENT, **through) as silent,
        Recorder(url, opening, **SILENT, **options) as direct,
    ):
        check_kept(kept, silent, EventKind.BEAT_ACKED, lifetimes=3)
        assert json.loads(kept.messages[0]) == {"type": "connection_ack"}
        assert json.loads(kept.messages[1]) == {"type": "pong"}
        assert direct.client.metrics().reconnections == 0
