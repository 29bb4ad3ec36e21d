"""Real services keep a client that has their preset, and cut one that has not."""

from __future__ import annotations

from typing import Any

from heartwire import EventKind
from recorder import Recorder
from services import Service

# Nothing but what is tested may keep the silent client alive.
SILENT: dict[str, Any] = {"ping_interval": 0}
# How often the service must have cut a silent client in the time that the other one lives.
CUTS = 3


def check_kept(kept: Recorder, silent: Recorder, sign: EventKind) -> None:
    """The service cuts the silent client; the other one lives on, with signs of life until it is several times as old, and no failure."""
    kept.wait_for_age(CUTS * silent.lifetime_ns(), sign)
    assert kept.client.metrics().reconnections == 0
    assert not kept.of_kind(
        EventKind.CLOSED, EventKind.BEAT_MISSED, EventKind.HEARTBEAT_TIMEOUT, EventKind.HEARTBEAT_FAILURE, EventKind.WARNING
    )


def mqtt_connect(name: bytes, keep_alive_s: int) -> bytes:
    """A CONNECT packet of MQTT 3.1.1 for a clean session."""
    body = b"\x00\x04MQTT\x04\x02" + keep_alive_s.to_bytes(2, "big") + len(name).to_bytes(2, "big") + name
    return b"\x10" + bytes([len(body)]) + body


def test_mosquitto(mosquitto: Service) -> None:
    url, mqtt = mosquitto.url("/mqtt"), {"subprotocols": "mqtt"}
    with (
        Recorder(url, mqtt_connect(b"kept", 2), preset="mqtt", preset_parameters="keepalive=2", **mqtt) as kept,
        Recorder(url, mqtt_connect(b"silent", 2), **SILENT, **mqtt) as silent,
    ):
        check_kept(kept, silent, EventKind.BEAT_ACKED)
        assert kept.client.subprotocol == "mqtt"
        assert kept.messages[:2] == [b"\x20\x02\x00\x00", b"\xd0\x00"]


def test_engineio(engineio: Service) -> None:
    url = engineio.url("/socket.io/?EIO=4&transport=websocket")
    with Recorder(url, preset="engineio-v4") as kept, Recorder(url, **SILENT) as silent:
        check_kept(kept, silent, EventKind.HEARTBEAT_RESPONDED)
        assert '"pingInterval":1000' in kept.messages[0]
        # One answer for each "2" that came, up to those of this moment.
        answered = kept.client.metrics().heartbeats_responded
        assert answered >= CUTS
        kept.wait_for(lambda: kept.messages.count("2") >= answered)
