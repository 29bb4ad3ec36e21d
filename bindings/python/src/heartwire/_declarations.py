"""The C interface as ctypes sees it: the structs and one table of function signatures, checked against heartwire.h by a test."""

from __future__ import annotations

import ctypes
from ctypes import c_char, c_char_p, c_int, c_int32, c_int64, c_size_t, c_uint16, c_uint32, c_uint64, c_void_p
from typing import Any

HW_VERSION = 0x00010000

TEXT = 1
BINARY = 2

MESSAGE_MORE = 1
MESSAGE_CONTINUED = 2

SEND_MORE = 1
SEND_NOW = 2
SEND_REPORT = 4

DETECT_FAILED = -1
DETECT_NONE = 0
DETECT_ANSWER = 1
DETECT_SEEN = 2

# Handles are tokens, so they travel as plain integers and are never dereferenced.
handle = c_void_p
status = c_int32


class hw_error(ctypes.Structure):
    _fields_ = [
        ("struct_size", c_uint32),
        ("status", c_int32),
        ("layer", c_int32),
        ("native_code", c_int32),
        ("http_status", c_int32),
        ("close_code", c_int32),
        ("retryable", c_int32),
        ("message", c_char * 256),
    ]


class hw_message(ctypes.Structure):
    _fields_ = [
        ("kind", c_uint32),
        ("flags", c_uint32),
        ("data", c_void_p),
        ("size", c_size_t),
        ("received_ns", c_uint64),
        ("epoch", c_uint64),
    ]


class hw_event(ctypes.Structure):
    _fields_ = [
        ("struct_size", c_uint32),
        ("kind", c_int32),
        ("time_ns", c_uint64),
        ("epoch", c_uint64),
        ("state", c_int32),
        ("previous_state", c_int32),
        ("status", c_int32),
        ("layer", c_int32),
        ("native_code", c_int32),
        ("http_status", c_int32),
        ("close_code", c_int32),
        ("retryable", c_int32),
        ("by_peer", c_int32),
        ("attempt", c_uint32),
        ("delay_ms", c_uint64),
        ("count", c_uint64),
        ("text", c_void_p),
        ("text_size", c_size_t),
        ("body", c_void_p),
        ("body_size", c_size_t),
        ("compressed", c_int32),
        ("resumed", c_int32),
        ("retry_after_ms", c_uint64),
        ("latency_ns", c_uint64),
        ("level", c_int32),
        ("previous_level", c_int32),
        ("late", c_int32),
        ("rule", c_int32),
        ("message_id", c_uint64),
        ("attempt_id", c_uint64),
        ("began_ns", c_uint64),
        ("last_message_ns", c_uint64),
    ]


class hw_property(ctypes.Structure):
    _fields_ = [
        ("struct_size", c_uint32),
        ("type", c_int32),
        ("name", c_char_p),
        ("default_value", c_char_p),
        ("range", c_char_p),
        ("unit", c_char_p),
        ("since", c_char_p),
        ("doc", c_char_p),
    ]


class hw_preset(ctypes.Structure):
    _fields_ = [
        ("struct_size", c_uint32),
        ("name", c_char_p),
        ("services", c_char_p),
        ("source", c_char_p),
        ("rule", c_char_p),
        ("parameters", c_char_p),
    ]


class hw_metrics(ctypes.Structure):
    _fields_ = [
        ("struct_size", c_uint32),
        ("state", c_int32),
        ("messages_received", c_uint64),
        ("messages_sent", c_uint64),
        ("bytes_received", c_uint64),
        ("bytes_sent", c_uint64),
        ("beats_sent", c_uint64),
        ("beats_missed", c_uint64),
        ("pings_received", c_uint64),
        ("pongs_sent", c_uint64),
        ("pongs_received", c_uint64),
        ("reconnections", c_uint64),
        ("attempts_failed", c_uint64),
        ("errors", c_uint64),
        ("messages_dropped", c_uint64),
        ("queue_messages", c_uint64),
        ("queue_bytes", c_uint64),
        ("uptime_ms", c_uint64),
        ("last_message_ns", c_uint64),
        ("rtt_last_ns", c_uint64),
        ("rtt_mean_ns", c_uint64),
        ("epoch", c_uint64),
        ("attempts", c_uint64),
        ("rotations", c_uint64),
        ("duplicates_dropped", c_uint64),
        ("queue_expired", c_uint64),
        ("queue_dropped", c_uint64),
        ("queue_cancelled", c_uint64),
        ("kept_messages", c_uint64),
    ]


class hw_health(ctypes.Structure):
    _fields_ = [
        ("struct_size", c_uint32),
        ("health", c_int32),
        ("quality", c_int32),
        ("response_level", c_int32),
        ("failures_in_a_row", c_uint32),
        ("responses", c_uint32),
        ("response_last_ns", c_uint64),
        ("response_min_ns", c_uint64),
        ("response_mean_ns", c_uint64),
        ("response_median_ns", c_uint64),
        ("response_p99_ns", c_uint64),
        ("response_max_ns", c_uint64),
        ("responses_total", c_uint64),
        ("responses_median_ns", c_uint64),
        ("responses_p99_ns", c_uint64),
        ("responses_p999_ns", c_uint64),
        ("responses_max_ns", c_uint64),
        ("round_trips", c_uint32),
        ("round_trip_variance_ms2", c_uint32),
        ("round_trip_last_ns", c_uint64),
        ("round_trip_mean_ns", c_uint64),
        ("round_trip_min_ns", c_uint64),
        ("round_trip_max_ns", c_uint64),
        ("timestamps", c_uint64),
        ("one_way_raw_ns", c_int64),
        ("one_way_ns", c_int64),
        ("clock_offset_ns", c_int64),
        ("silent_ns", c_uint64),
        ("data_silent_ns", c_uint64),
        ("heartbeats_received", c_uint64),
        ("heartbeats_answered", c_uint64),
        ("heartbeats_failed", c_uint64),
        ("beats_acked", c_uint64),
        ("beats_late", c_uint64),
        ("ping_interval_ns", c_uint64),
    ]


class hw_send_options(ctypes.Structure):
    _fields_ = [
        ("struct_size", c_uint32),
        ("flags", c_uint32),
        ("message_id", c_uint64),
        ("ttl_ms", c_uint64),
    ]


class hw_attempt(ctypes.Structure):
    _fields_ = [
        ("struct_size", c_uint32),
        ("header_count", c_uint32),
        ("url", c_char_p),
        ("header_names", ctypes.POINTER(c_char_p)),
        ("header_values", ctypes.POINTER(c_char_p)),
        ("failure", c_char_p),
    ]


class hw_reply(ctypes.Structure):
    _fields_ = [
        ("struct_size", c_uint32),
        ("kind", c_uint32),
        ("data", c_char_p),
        ("size", c_size_t),
        ("received_ns", c_uint64),
        ("deadline_ns", c_uint64),
        ("epoch", c_uint64),
    ]


class hw_delivery(ctypes.Structure):
    _fields_ = [
        ("connection", handle),
        ("context", c_void_p),
        ("message", hw_message),
        ("event", c_void_p),
    ]


class hw_shutdown_report(ctypes.Structure):
    _fields_ = [
        ("struct_size", c_uint32),
        ("connections", c_uint32),
        ("connections_cut", c_uint32),
        ("connections_unsent", c_uint32),
        ("messages_unsent", c_uint64),
        ("bytes_unsent", c_uint64),
    ]


_error_out = ctypes.POINTER(hw_error)
_handle_out = ctypes.POINTER(handle)
_size_out = ctypes.POINTER(c_size_t)

# Receives one line of the log: its level, address and size, and a context.
log_callback = ctypes.CFUNCTYPE(None, c_int32, c_void_p, c_size_t, c_void_p)

# Name: (result, parameters). The callbacks of the C interface, but for the log's, are pointers here, for this package never passes
# one: a thread of the library that enters Python costs microseconds a call and may outlive the interpreter.
FUNCTIONS: dict[str, tuple[Any, list[Any]]] = {
    "hw_version": (c_uint32, []),
    "hw_status_name": (c_char_p, [status]),
    "hw_config_new": (status, [_handle_out]),
    "hw_config_copy": (status, [handle, _handle_out]),
    "hw_config_free": (None, [handle]),
    "hw_config_set": (status, [handle, c_char_p, c_char_p, _error_out]),
    "hw_config_set_bytes": (status, [handle, c_char_p, c_char_p, c_size_t, _error_out]),
    "hw_config_get": (status, [handle, c_char_p, c_char_p, c_size_t, _size_out]),
    "hw_config_describe": (status, [c_size_t, ctypes.POINTER(hw_property)]),
    "hw_preset_describe": (status, [c_size_t, ctypes.POINTER(hw_preset)]),
    "hw_config_add_header": (status, [handle, c_char_p, c_char_p, _error_out]),
    "hw_config_on_messages": (status, [handle, c_void_p, c_void_p]),
    "hw_config_on_event": (status, [handle, c_void_p, c_void_p]),
    "hw_config_on_detect": (status, [handle, c_void_p, c_void_p]),
    "hw_config_add_rule": (status, [handle, c_char_p, c_size_t, _error_out]),
    "hw_config_add_step": (status, [handle, c_char_p, c_size_t, _error_out]),
    "hw_config_before_connect": (status, [handle, c_void_p, c_void_p]),
    "hw_config_before_accept": (status, [handle, c_void_p, c_void_p]),
    "hw_config_set_inbox": (status, [handle, handle, c_void_p]),
    "hw_connection_open": (status, [handle, c_char_p, _handle_out, _error_out]),
    "hw_connection_wait": (status, [handle, c_int32, c_uint32, _error_out]),
    "hw_connection_send": (
        status, [handle, c_uint32, c_char_p, c_size_t, ctypes.POINTER(hw_send_options), ctypes.POINTER(c_uint64)],
    ),
    "hw_connection_outcome": (status, [handle, c_uint64, ctypes.POINTER(c_int32)]),
    "hw_connection_cancel": (status, [handle, c_uint64]),
    "hw_connection_keep": (status, [handle, c_char_p, c_uint32, c_char_p, c_size_t]),
    "hw_connection_rotate": (status, [handle]),
    "hw_connection_proceed": (status, [handle, c_uint64, ctypes.POINTER(hw_attempt), _error_out]),
    "hw_connection_respond": (status, [handle, c_int32, ctypes.POINTER(hw_reply)]),
    "hw_connection_close": (status, [handle, c_uint16, c_char_p]),
    "hw_connection_release": (None, [handle]),
    "hw_connection_state": (c_int32, [handle]),
    "hw_connection_peer_address": (status, [handle, c_char_p, c_size_t, _size_out]),
    "hw_connection_metrics": (status, [handle, ctypes.POINTER(hw_metrics)]),
    "hw_connection_health": (status, [handle, ctypes.POINTER(hw_health)]),
    "hw_inbox_new": (status, [handle, _handle_out]),
    "hw_inbox_take": (status, [handle, ctypes.POINTER(hw_delivery), c_size_t, _size_out, c_uint32]),
    "hw_inbox_fd": (c_int, [handle]),
    "hw_inbox_release": (None, [handle]),
    "hw_listener_open": (status, [handle, c_char_p, _handle_out, _error_out]),
    "hw_listener_port": (status, [handle, ctypes.POINTER(c_uint16)]),
    "hw_connection_accept": (status, [handle, c_uint64, c_uint16, c_char_p]),
    "hw_listener_join": (status, [handle, handle, c_char_p]),
    "hw_listener_leave": (status, [handle, handle, c_char_p]),
    "hw_listener_broadcast": (status, [handle, c_char_p, c_uint32, c_char_p, c_size_t, ctypes.POINTER(c_uint64)]),
    "hw_listener_close": (None, [handle]),
    "hw_shutdown": (status, [c_uint32, ctypes.POINTER(hw_shutdown_report)]),
    "hw_metrics_write": (status, [c_char_p, c_size_t, _size_out]),
    "hw_log": (status, [c_int32, log_callback, c_void_p]),
}
