"""Events, states and metrics as Python values, copied out of the library's structs."""

from __future__ import annotations

import ctypes
from dataclasses import dataclass
from typing import Union, final

from ._declarations import hw_event
from ._errors import HeartwireError, Layer, OpenIntEnum, Status, error_class
from ._health import Health, Quality, ResponseLevel
from ._life import Circuit, Outcome, Rotation

Level = Union[Health, Quality, ResponseLevel, Rotation, Circuit, Outcome, None]


class State(OpenIntEnum):
    """The state of a managed connection."""

    DISCONNECTED = 0
    CONNECTING = 1
    CONNECTED = 2
    RECONNECTING = 3
    CLOSING = 4
    FAILED = 5


class EventKind(OpenIntEnum):
    """What an Event reports; heartwire.h says which of its fields mean something."""

    STATE = 1
    OPENED = 2
    CLOSED = 3
    ATTEMPT_FAILED = 4
    BEAT_MISSED = 5
    WRITABLE = 6
    SLOW_CONSUMER = 7
    RELEASED = 8
    WARNING = 9
    HEARTBEAT_RECEIVED = 10
    HEARTBEAT_RESPONDED = 11
    HEARTBEAT_TIMEOUT = 12
    HEARTBEAT_FAILURE = 13
    BEAT_SENT = 14
    BEAT_ACKED = 15
    ENGINE_STARTED = 16
    ENGINE_STOPPED = 17
    HEALTH = 18
    QUALITY = 19
    RESPONSE_LEVEL = 20
    RECONNECT_ADVISED = 21
    GAP = 22
    ROTATION = 23
    CIRCUIT = 24
    OUTCOME = 25
    CONNECT_DUE = 26
    ATTEMPT_HELD = 27
    ACCEPT_DUE = 28


_LEVELS: dict[EventKind, type[Health | Quality | ResponseLevel | Rotation | Circuit | Outcome]] = {
    EventKind.HEARTBEAT_RESPONDED: ResponseLevel,
    EventKind.HEALTH: Health,
    EventKind.QUALITY: Quality,
    EventKind.RESPONSE_LEVEL: ResponseLevel,
    EventKind.ROTATION: Rotation,
    EventKind.CIRCUIT: Circuit,
    EventKind.OUTCOME: Outcome,
    EventKind.ATTEMPT_HELD: Circuit,
}
# Their level is not the end of a change.
_WITHOUT_PREVIOUS = (EventKind.HEARTBEAT_RESPONDED, EventKind.ROTATION, EventKind.OUTCOME, EventKind.ATTEMPT_HELD)


@final
@dataclass(frozen=True)
class Event:
    """
    One event of a connection; fields that mean nothing for its kind are 0, False or empty, levels None, and rule is -1. A
    heartbeat's text names its rule, and its body is the evidence: the first bytes of the message.
    """

    kind: EventKind
    time_ns: int
    epoch: int
    state: State
    previous_state: State
    status: Status
    layer: Layer
    native_code: int
    http_status: int
    close_code: int
    retryable: bool
    by_peer: bool
    attempt: int
    delay_ms: int
    count: int
    text: str
    body: bytes
    compressed: bool
    resumed: bool
    retry_after_ms: int
    latency_ns: int
    level: Level
    previous_level: Level
    late: bool
    rule: int
    message_id: int
    attempt_id: int
    began_ns: int
    last_message_ns: int

    @property
    def error(self) -> HeartwireError | None:
        """What the event reports as an exception, or None if nothing went wrong."""
        if self.status == Status.OK:
            return None
        return error_class(self.status)(
            self.text,
            status=self.status,
            layer=self.layer,
            native_code=self.native_code,
            http_status=self.http_status,
            close_code=self.close_code,
            retryable=self.retryable,
            body=self.body,
        )


def event_at(address: int) -> Event:
    """Copies the borrowed hw_event at this address."""
    raw = hw_event.from_address(address)
    kind = EventKind(raw.kind)
    levels = _LEVELS.get(kind)
    return Event(
        kind=kind,
        time_ns=raw.time_ns,
        epoch=raw.epoch,
        state=State(raw.state),
        previous_state=State(raw.previous_state),
        status=Status(raw.status),
        layer=Layer(raw.layer),
        native_code=raw.native_code,
        http_status=raw.http_status,
        close_code=raw.close_code,
        retryable=bool(raw.retryable),
        by_peer=bool(raw.by_peer),
        attempt=raw.attempt,
        delay_ms=raw.delay_ms,
        count=raw.count,
        text=ctypes.string_at(raw.text, raw.text_size).decode("utf-8", "replace") if raw.text_size else "",
        body=ctypes.string_at(raw.body, raw.body_size) if raw.body_size else b"",
        compressed=bool(raw.compressed),
        resumed=bool(raw.resumed),
        retry_after_ms=raw.retry_after_ms,
        latency_ns=raw.latency_ns,
        level=levels(raw.level) if levels else None,
        previous_level=levels(raw.previous_level) if levels and kind not in _WITHOUT_PREVIOUS else None,
        late=bool(raw.late),
        rule=raw.rule,
        message_id=raw.message_id,
        attempt_id=raw.attempt_id,
        began_ns=raw.began_ns,
        last_message_ns=raw.last_message_ns,
    )


@dataclass(frozen=True)
class Metrics:
    """Counters since the connection was opened, the fields of hw_metrics."""

    state: State
    messages_received: int
    messages_sent: int
    bytes_received: int
    bytes_sent: int
    beats_sent: int
    beats_missed: int
    pings_received: int
    pongs_sent: int
    pongs_received: int
    reconnections: int
    attempts_failed: int
    errors: int
    messages_dropped: int
    queue_messages: int
    queue_bytes: int
    uptime_ms: int
    last_message_ns: int
    rtt_last_ns: int
    rtt_mean_ns: int
    epoch: int
    attempts: int
    rotations: int
    duplicates_dropped: int
    queue_expired: int
    queue_dropped: int
    queue_cancelled: int
    kept_messages: int
