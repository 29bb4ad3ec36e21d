"""The health of a connection's heartbeats as Python values."""

from __future__ import annotations

from dataclasses import dataclass
from typing import final

from ._errors import OpenIntEnum


class Health(OpenIntEnum):
    """Whether what is expected from the server comes. The order is that of merit."""

    UNKNOWN = 0
    ERROR = 1
    WARNING = 2
    HEALTHY = 3


class Quality(OpenIntEnum):
    """What the last round trips say; UNKNOWN before the third."""

    UNKNOWN = 0
    POOR = 1
    FAIR = 2
    GOOD = 3
    EXCELLENT = 4


class ResponseLevel(OpenIntEnum):
    """How long an answer to the server took, from its request's arrival to the kernel, by the properties response.target and so on."""

    ON_TARGET = 0
    SLOW = 1
    WARNING = 2
    CRITICAL = 3
    OVERDUE = 4


@final
@dataclass(frozen=True)
class HealthReport:
    """
    A snapshot of a connection's heartbeats, the fields of hw_health: times in nanoseconds, of the present connection where
    heartwire.h does not say otherwise.
    """

    health: Health
    quality: Quality
    response_level: ResponseLevel
    failures_in_a_row: int
    responses: int
    response_last_ns: int
    response_min_ns: int
    response_mean_ns: int
    response_median_ns: int
    response_p99_ns: int
    response_max_ns: int
    responses_total: int
    responses_median_ns: int
    responses_p99_ns: int
    responses_p999_ns: int
    responses_max_ns: int
    round_trips: int
    round_trip_variance_ms2: int
    round_trip_last_ns: int
    round_trip_mean_ns: int
    round_trip_min_ns: int
    round_trip_max_ns: int
    timestamps: int
    one_way_raw_ns: int
    one_way_ns: int
    clock_offset_ns: int
    silent_ns: int
    data_silent_ns: int
    heartbeats_received: int
    heartbeats_answered: int
    heartbeats_failed: int
    beats_acked: int
    beats_late: int
    ping_interval_ns: int
