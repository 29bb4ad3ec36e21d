"""Transcripts of no service, to test the runner with."""

from __future__ import annotations

from typing import Any

from transcript import Transcript

RULE = {"reply": [{"on": {"eq": "ask"}, "send": {"body": "answer"}}], "beat": [{"every": "1s", "send": {"body": "beat"}, "ack": {}}]}


def sample(
    steps: list[tuple[str, str, str, int]], events: list[tuple[int, str]], end_ms: int, kind: str = "positive", rule: dict[str, Any] = RULE
) -> Transcript:
    """A transcript of these steps: sender, frame, payload and time."""
    return Transcript.parse({
        "id": "sample/1", "entry": "sample", "kind": kind, "rule": rule, "expect_events": events, "end_ms": end_ms,
        "steps": [{"from": sender, "frame": frame, "payload": payload, "at_ms": at_ms} for sender, frame, payload, at_ms in steps],
        "env": {"params": {}, "counter_start": 1},
    })  # fmt: skip
