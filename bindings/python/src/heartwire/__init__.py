"""
WebSocket connections that stay alive by themselves: heartbeats, reconnection and a queue on native threads, whatever Python does.

    async with heartwire.connect("wss://example.org/feed") as ws:
        ws.send("hello")
        async for message in ws:
            ...

heartwire.sync.connect is the same for ordinary threads, heartwire.Client calls back.
"""

from . import aio, callbacks, sync
from ._config import Property, properties
from ._delivery import Message, Part
from ._errors import (
    ArgumentError,
    CertificateError,
    ClosedByPeer,
    ConfigurationError,
    ConnectError,
    ConnectTimeout,
    ForkedError,
    HandshakeError,
    HeartbeatError,
    HeartwireError,
    Layer,
    LimitError,
    MessageCutOff,
    MessageTooLarge,
    ProtocolError,
    ProxyError,
    QueueFull,
    ResolveError,
    ResourceError,
    SlowConsumer,
    StateError,
    Status,
    TimeoutError,
    TLSError,
)
from ._events import Event, EventKind, Metrics, State
from .aio import Connection, connect
from .callbacks import Client

__all__ = [
    "ArgumentError",
    "CertificateError",
    "Client",
    "ClosedByPeer",
    "ConfigurationError",
    "ConnectError",
    "ConnectTimeout",
    "Connection",
    "Event",
    "EventKind",
    "ForkedError",
    "HandshakeError",
    "HeartbeatError",
    "HeartwireError",
    "Layer",
    "LimitError",
    "Message",
    "MessageCutOff",
    "MessageTooLarge",
    "Metrics",
    "Part",
    "Property",
    "ProtocolError",
    "ProxyError",
    "QueueFull",
    "ResolveError",
    "ResourceError",
    "SlowConsumer",
    "State",
    "StateError",
    "Status",
    "TLSError",
    "TimeoutError",
    "aio",
    "callbacks",
    "connect",
    "properties",
    "sync",
]
