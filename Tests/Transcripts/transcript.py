"""The transcripts of heartbeats.json: what each side sends and when, and what the client should make of it."""

from __future__ import annotations

import dataclasses
import json
import pathlib
from typing import Any

HEARTBEATS = pathlib.Path(__file__).with_name("heartbeats.json")


@dataclasses.dataclass(frozen=True)
class Frame:
    """A whole message or a control frame."""

    kind: str
    """text, binary, ping, pong or close."""
    payload: bytes

    def __str__(self) -> str:
        shown = self.payload if len(self.payload) <= 200 else self.payload[:200] + b"..."
        return f"{self.kind} {shown.decode()!r}" if self.payload.isascii() else f"{self.kind} {shown.hex()}"


@dataclasses.dataclass(eq=False)
class Step:
    """One frame of a transcript. Two that look alike are still two."""

    is_client: bool
    frame: Frame
    at_ms: float
    by_app: bool = False
    """The client's program sends it; any other client step is the library's own work."""
    fragments: list[bytes] = dataclasses.field(default_factory=list)
    """The pieces to send the message in; empty if it goes in one."""

    @staticmethod
    def parse(source: dict[str, Any]) -> Step:
        payload = bytes.fromhex(source["payload_hex"]) if "payload_hex" in source else source["payload"].encode()
        return Step(
            source["from"] == "client", Frame(source["frame"], payload), source["at_ms"], source.get("by") == "app",
            [piece.encode() for piece in source.get("fragments", [])],
        )  # fmt: skip


@dataclasses.dataclass
class Transcript:
    """A conversation from the moment that the connection is open."""

    id: str
    entry: str
    kind: str
    steps: list[Step]
    events: list[tuple[float, str]]
    """What must be reported, and when."""
    end_ms: float
    rule: dict[str, Any]
    parameters: dict[str, str]

    @staticmethod
    def parse(source: dict[str, Any]) -> Transcript:
        environment = source["env"]
        parameters = dict(environment["params"])
        if environment["counter_start"] != 1:
            parameters["counter"] = str(environment["counter_start"])
        return Transcript(
            source["id"], source["entry"], source["kind"], [Step.parse(step) for step in source["steps"]],
            [(at_ms, name) for at_ms, name in source["expect_events"]], source["end_ms"], source["rule"], parameters,
        )  # fmt: skip

    @property
    def may_send(self) -> bool:
        """False for a service that closes the connection if the client says anything."""
        return self.rule.get("send") != "forbidden"

    @property
    def has_own_pings(self) -> bool:
        """True if the rule would not notice a dead server, so that the library's own pings stay on beside it."""
        return self.may_send and "watch" not in self.rule and not any("ack" in beat for beat in self.rule.get("beat", []))

    @property
    def answers_pings(self) -> bool:
        """True if nothing depends on pongs, which such a transcript leaves out; every server that lives sends them."""
        shows_pongs = any(step.frame.kind == "pong" and not step.is_client for step in self.steps)
        return not shows_pongs and not any(name in ("silence", "ack_timeout") for _, name in self.events)

    @property
    def closes_on_miss(self) -> bool:
        """True if a beat without acknowledgement ends the connection by itself."""
        return any(beat.get("on_miss", "").startswith("close") for beat in self.rule.get("beat", []))


def read_transcripts(path: pathlib.Path = HEARTBEATS) -> list[Transcript]:
    """All transcripts for which a preset exists: rule is null where the rule language cannot express a service."""
    return [Transcript.parse(source) for source in json.loads(path.read_text()) if source["rule"] is not None]
