"""The metrics of all connections of the process, for monitoring systems."""

from __future__ import annotations

import ctypes

from ._errors import Status, error_from_status
from ._library import library

# Room for connections that are opened between asking for the size and for the text.
_SPARE_BYTES = 16_384


def metrics() -> str:
    """
    The metrics of all connections of the process as OpenMetrics 1.0 text, for Prometheus and others. Serve it, encoded as UTF-8, with
    the content type "application/openmetrics-text; version=1.0.0; charset=utf-8". The property metrics.name (metrics_name) is what a
    connection is called in it.
    """
    size = ctypes.c_size_t()
    capacity = 0
    while True:
        buffer = ctypes.create_string_buffer(max(capacity, 1))
        status = library.hw_metrics_write(buffer, capacity, ctypes.byref(size))
        if status != Status.BUFFER:
            break
        capacity = size.value + _SPARE_BYTES
    if status != Status.OK:
        raise error_from_status(status, "the metrics were not written")
    return buffer.raw[: size.value].decode()
