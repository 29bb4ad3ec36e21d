"""Heartbeats by presets and rules, and what is told of them."""

from __future__ import annotations

import dataclasses
import json
import threading
from typing import Any

import pytest
from conftest import AS_DERIBIT, DERIBIT, PATIENCE_SECONDS, TEST_REQUEST, Servers, eventually, run, wait_until

import heartwire
from heartwire import Event, EventKind, Health, Quality, ResponseLevel
from heartwire._config import Config

ECHO_RULE: dict[str, Any] = {
    "reply": [{"on": {"json": {"/op": "ask"}}, "take": {"n": "/n"}, "send": {"body": '{"answer":${n},"text":"é"}'}}]
}


# Whatever the machine is busy with, answers are on target.
PATIENT = {f"response_{limit}": "1h" for limit in ("target", "warning", "critical", "timeout")}


class Kept:
    """The events of one connection."""

    def __init__(self) -> None:
        self.events: list[Event] = []

    def __call__(self, connection: object, event: Event) -> None:
        self.events.append(event)

    def of(self, kind: EventKind) -> list[Event]:
        return [event for event in self.events if event.kind is kind]


def test_preset_asyncio(servers: Servers) -> None:
    async def main() -> None:
        kept = Kept()
        async with heartwire.connect(servers.url("ws", DERIBIT), on_event=kept, **AS_DERIBIT, **PATIENT) as ws:
            await eventually(lambda: ws.health().heartbeats_answered >= 3)
            ws.send("count")
            async for message in ws:
                counted = json.loads(message)
                if "answered" in counted:
                    assert counted["answered"] >= 3
                    break
        told = kept.of(EventKind.HEARTBEAT_RESPONDED)[0]
        assert (told.text, told.rule, told.level, told.previous_level) == ("reply 0", 0, ResponseLevel.ON_TARGET, None)
        assert told.latency_ns > 0
        received = kept.of(EventKind.HEARTBEAT_RECEIVED)[0]
        assert (received.text, received.rule, received.level) == ("reply 0", 0, None)
        assert json.loads(received.body) == TEST_REQUEST
        assert [event.text for event in kept.of(EventKind.ENGINE_STARTED)] == ["deribit"]

    run(main())


def test_preset_answers_while_nobody_receives(servers: Servers) -> None:
    with heartwire.sync.connect(servers.url("wss", DERIBIT), **AS_DERIBIT, **servers.options("wss")) as ws:
        wait_until(lambda: ws.health().heartbeats_answered >= 20)
        health = ws.health()
    assert health.responses >= 20
    assert 0 < health.response_min_ns <= health.response_median_ns <= health.response_p99_ns <= health.response_max_ns
    assert health.heartbeats_received >= health.heartbeats_answered
    assert (health.heartbeats_failed, health.failures_in_a_row) == (0, 0)


def test_preset_client(servers: Servers) -> None:
    counts: list[dict[str, Any]] = []
    counted = threading.Event()

    def on_message(client: heartwire.Client, message: heartwire.Message) -> None:
        content = json.loads(message)
        if "answered" in content:
            counts.append(content)
            counted.set()

    with heartwire.Client(servers.url("ws", DERIBIT), on_message=on_message, **AS_DERIBIT) as client:
        wait_until(lambda: client.health().heartbeats_answered >= 3)
        client.send("count")
        assert counted.wait(PATIENCE_SECONDS)
    assert counts[0]["answered"] >= 3


@pytest.mark.parametrize("rule", [ECHO_RULE, json.dumps(ECHO_RULE), json.dumps(ECHO_RULE, ensure_ascii=False)])
def test_rules_of_ones_own(servers: Servers, rule: Any) -> None:
    with heartwire.sync.connect(servers.url("ws"), rules=[rule]) as ws:
        ws.send('{"op":"ask","n":1.50}')
        assert ws.recv(PATIENCE_SECONDS) == '{"op":"ask","n":1.50}'
        assert ws.recv(PATIENCE_SECONDS) == '{"answer":1.50,"text":"é"}'


def test_consumed_heartbeats_are_not_received(servers: Servers) -> None:
    with heartwire.sync.connect(servers.url("ws"), rules=[ECHO_RULE], heartbeat_consume=True) as ws:
        ws.send('{"op":"ask","n":null}')
        assert ws.recv(PATIENCE_SECONDS) == '{"answer":null,"text":"é"}'


def test_sending_where_the_rules_forbid_it(servers: Servers) -> None:
    with heartwire.sync.connect(servers.url("ws"), rules=[{"send": "forbidden"}]) as ws:
        with pytest.raises(heartwire.SendForbidden, match="heartbeat rules") as caught:
            ws.send("hello")
        assert isinstance(caught.value, heartwire.StateError)


def test_rule_and_preset_errors() -> None:
    with pytest.raises(heartwire.RuleError, match="/beat/0/every") as refused:
        heartwire.Client("ws://localhost:1/", rules=[{"beat": [{"every": "soon", "send": {"body": "x"}}]}])
    assert isinstance(refused.value, heartwire.ConfigurationError)
    with pytest.raises(heartwire.PresetError, match="did you mean 'deribit'") as unknown:
        heartwire.Client("ws://localhost:1/", preset="derbit")
    assert isinstance(unknown.value, heartwire.ConfigurationError)


def test_numbers_that_json_cannot_say_are_refused() -> None:
    with pytest.raises(heartwire.RuleError):
        heartwire.Client("ws://localhost:1/", rules=[{"reply": [{"on": {"json": {"/n": float("nan")}}, "send": {"body": "x"}}]}])


def test_presets_are_listed() -> None:
    presets = heartwire.presets()
    assert len(presets) > 100
    assert len({preset.name for preset in presets}) == len(presets)
    kucoin = next(preset for preset in presets if preset.name == "kucoin")
    assert kucoin.parameters.startswith("ping_interval (ms, required)")
    assert kucoin.services and kucoin.source
    for preset in presets:
        assert isinstance(json.loads(preset.rule), dict)


@pytest.mark.parametrize("name", ["deribit", "kucoin", "engineio-v4"])
def test_a_presets_rule_is_a_rule(name: str) -> None:
    preset = next(preset for preset in heartwire.presets() if preset.name == name)
    with Config() as config:
        config.apply({}, rules=[preset.rule, json.loads(preset.rule)])


def test_own_beats_are_told_and_measured(servers: Servers) -> None:
    kept = Kept()
    beat = {"every": "5ms", "send": {"body": "beat ${counter}"}, "ack": {"on": {"word": "beat"}, "within": "30s"}}
    with heartwire.Client(servers.url("ws"), on_event=kept, rules=[{"beat": [beat]}], ping_interval="5ms") as client:
        wait_until(lambda: bool(kept.of(EventKind.QUALITY)) and bool(kept.of(EventKind.HEALTH)))
        wait_until(lambda: {event.rule for event in kept.of(EventKind.BEAT_ACKED)} == {-1, 0})
        health = client.health()
    assert health.round_trips >= 3
    assert 0 < health.round_trip_min_ns <= health.round_trip_mean_ns <= health.round_trip_max_ns
    assert health.beats_acked >= 3
    sent = {(event.text, event.rule): event.body for event in reversed(kept.of(EventKind.BEAT_SENT))}
    assert sent == {("ping", -1): b"", ("beat 0", 0): b"beat 1"}
    acked = kept.of(EventKind.BEAT_ACKED)[0]
    assert acked.latency_ns > 0 and acked.late is False
    better = kept.of(EventKind.QUALITY)[0]
    assert better.previous_level is Quality.UNKNOWN
    assert isinstance(better.level, Quality)
    well = kept.of(EventKind.HEALTH)[0]
    assert (well.previous_level, well.level) == (Health.UNKNOWN, Health.HEALTHY)


def test_silence_is_told(servers: Servers) -> None:
    kept = Kept()
    watch = {"on": {"eq": "news"}, "within": "20ms"}
    options: dict[str, Any] = {"rules": [{"watch": [watch]}], "watch_on_silence": "report", "ping_interval": 0}
    with heartwire.Client(servers.url("ws"), on_event=kept, **options) as client:
        client.send("news")
        wait_until(lambda: client.health().health is Health.ERROR)
        wait_until(lambda: len(kept.of(EventKind.HEARTBEAT_TIMEOUT)) >= 2)
    first, second = kept.of(EventKind.HEARTBEAT_TIMEOUT)[-2:]
    assert (first.text, first.rule) == ("watch 0", 0)
    assert second.count > first.count >= 1
    assert kept.of(EventKind.HEALTH)[-1].level is Health.ERROR


@pytest.mark.parametrize("ending", ["close", "release"])
def test_health_of_a_connection_that_has_ended(servers: Servers, ending: str) -> None:
    ws = heartwire.sync.connect(servers.url("ws", DERIBIT), **AS_DERIBIT)
    wait_until(lambda: ws.health().heartbeats_answered >= 1)
    getattr(ws, ending)()
    last = ws.health()
    assert last.heartbeats_answered >= 1
    assert ws.health() is last
    with pytest.raises(dataclasses.FrozenInstanceError):
        last.responses = 5  # type: ignore[misc]
