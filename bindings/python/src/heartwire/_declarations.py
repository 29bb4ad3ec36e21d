"""The C interface as ctypes sees it: the structs and one table of function signatures, checked against heartwire.h by a test."""

from __future__ import annotations

import ctypes
from ctypes import c_char, c_char_p, c_int, c_int32, c_size_t, c_uint16, c_uint32, c_uint64, c_void_p
from typing import Any

HW_VERSION = 0x00010000

TEXT = 1
BINARY = 2

MESSAGE_MORE = 1
MESSAGE_CONTINUED = 2

SEND_MORE = 1

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
    ]


class hw_send_options(ctypes.Structure):
    _fields_ = [
        ("struct_size", c_uint32),
        ("flags", c_uint32),
        ("message_id", c_uint64),
    ]


class hw_delivery(ctypes.Structure):
    _fields_ = [
        ("connection", handle),
        ("context", c_void_p),
        ("message", hw_message),
        ("event", c_void_p),
    ]


_error_out = ctypes.POINTER(hw_error)
_handle_out = ctypes.POINTER(handle)
_size_out = ctypes.POINTER(c_size_t)

# Name: (result, parameters). The callbacks of the C interface are pointers here, for this package never passes one: a thread of
# the library that enters Python costs microseconds a call and may outlive the interpreter.
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
    "hw_config_set_inbox": (status, [handle, handle, c_void_p]),
    "hw_connection_open": (status, [handle, c_char_p, _handle_out, _error_out]),
    "hw_connection_wait": (status, [handle, c_int32, c_uint32, _error_out]),
    "hw_connection_send": (
        status, [handle, c_uint32, c_char_p, c_size_t, ctypes.POINTER(hw_send_options), ctypes.POINTER(c_uint64)],
    ),
    "hw_connection_close": (status, [handle, c_uint16, c_char_p]),
    "hw_connection_release": (None, [handle]),
    "hw_connection_state": (c_int32, [handle]),
    "hw_connection_metrics": (status, [handle, ctypes.POINTER(hw_metrics)]),
    "hw_inbox_new": (status, [handle, _handle_out]),
    "hw_inbox_take": (status, [handle, ctypes.POINTER(hw_delivery), c_size_t, _size_out, c_uint32]),
    "hw_inbox_fd": (c_int, [handle]),
    "hw_inbox_release": (None, [handle]),
}
