"""The latency one way, from the timestamps that a Django Channels application broadcasts."""

from __future__ import annotations

from recorder import Recorder
from services import Service

STAMP = {"stamp": [{"on": {"type": {"/ts": "string"}}, "path": "/ts", "unit": "iso8601"}]}
AGE_S = 0.25
# Anything beyond is a mistake with units or time zones.
LATENCY_S_MAX = 60


def test_timestamps_alone(clock: Service) -> None:
    with Recorder(clock.url(f"/?age={AGE_S}"), rules=[STAMP], ping_interval=0) as recorder:
        recorder.wait_for(lambda: len(recorder.messages) >= 3)
        seen = recorder.client.health()
    assert seen.timestamps >= 3
    assert AGE_S * 1e9 <= seen.one_way_raw_ns < LATENCY_S_MAX * 1e9
    assert (seen.clock_offset_ns, seen.one_way_ns) == (0, seen.one_way_raw_ns)


def test_timestamps_and_round_trips(clock: Service) -> None:
    """A timestamp that is always old looks like a clock that is behind, which the round trips tell."""
    with Recorder(clock.url(f"/?age={AGE_S}"), rules=[STAMP], ping_interval=0.1) as recorder:
        recorder.wait_for(lambda: recorder.client.health().round_trips >= 3)
        before = len(recorder.messages)
        recorder.wait_for(lambda: len(recorder.messages) > before)
        seen = recorder.client.health()
    assert seen.one_way_ns == seen.one_way_raw_ns - seen.clock_offset_ns
    assert 0 <= seen.one_way_ns < seen.one_way_raw_ns
    assert AGE_S * 1e9 <= seen.one_way_raw_ns < LATENCY_S_MAX * 1e9
