"""
WebSocket connections that stay alive by themselves: heartbeats, reconnection and a queue on native threads, whatever Python does.

    async with heartwire.connect("wss://example.org/feed") as ws:
        ws.send("hello")
        async for message in ws:
            ...

heartwire.sync.connect is the same for ordinary threads, heartwire.Client calls back. The other end, which keeps its clients alive:

    async with heartwire.listen("ws://0.0.0.0:8080") as listener:
        await listener.serve(handle)

heartwire.sync.listen and heartwire.Server are the same for ordinary threads and with callbacks.
"""

from . import aio, callbacks, sync
from ._accepting import Refusal, Request
from ._aio_listener import Listener, ServedConnection, listen
from ._config import Preset, Property, presets, properties
from ._delivery import Message, Part
from ._detection import Detection
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
    NotConnected,
    PresetError,
    ProtocolError,
    ProxyError,
    QueueFull,
    ResolveError,
    ResourceError,
    RuleError,
    ScriptError,
    SendForbidden,
    SlowConsumer,
    StateError,
    Status,
    StepError,
    TimeoutError,
    TLSError,
)
from ._events import Event, EventKind, Metrics, State
from ._health import Health, HealthReport, Quality, ResponseLevel
from ._life import Circuit, Outcome, Rotation
from ._logging import disable_logging, enable_logging
from ._metrics import metrics
from ._preparing import Attempt
from ._server import ServedClient, Server
from ._shutdown import ShutdownReport, shutdown
from .aio import Connection, connect
from .callbacks import Client

__all__ = [
    "ArgumentError",
    "Attempt",
    "CertificateError",
    "Circuit",
    "Client",
    "ClosedByPeer",
    "ConfigurationError",
    "ConnectError",
    "ConnectTimeout",
    "Connection",
    "Detection",
    "Event",
    "EventKind",
    "ForkedError",
    "HandshakeError",
    "Health",
    "HealthReport",
    "HeartbeatError",
    "HeartwireError",
    "Layer",
    "LimitError",
    "Listener",
    "Message",
    "MessageCutOff",
    "MessageTooLarge",
    "Metrics",
    "NotConnected",
    "Outcome",
    "Part",
    "Preset",
    "PresetError",
    "Property",
    "ProtocolError",
    "ProxyError",
    "Quality",
    "QueueFull",
    "Refusal",
    "Request",
    "ResolveError",
    "ResourceError",
    "ResponseLevel",
    "Rotation",
    "RuleError",
    "ScriptError",
    "SendForbidden",
    "ServedClient",
    "ServedConnection",
    "Server",
    "ShutdownReport",
    "SlowConsumer",
    "State",
    "StateError",
    "Status",
    "StepError",
    "TLSError",
    "TimeoutError",
    "aio",
    "callbacks",
    "connect",
    "disable_logging",
    "enable_logging",
    "listen",
    "metrics",
    "presets",
    "properties",
    "shutdown",
    "sync",
]
