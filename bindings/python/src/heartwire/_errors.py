"""The library's statuses as a hierarchy of exceptions, one class for each band and for each status a program tells apart."""

from __future__ import annotations

import builtins
import ctypes
import enum
from typing import Any

from ._declarations import hw_error


class OpenIntEnum(enum.IntEnum):
    """An IntEnum that takes numbers it has no name for, since a later library may know more of them."""

    @classmethod
    def _missing_(cls, value: object) -> Any:
        if not isinstance(value, int):
            return None
        member = int.__new__(cls, value)
        member._name_ = f"UNKNOWN_{value}"
        member._value_ = value
        return member


class Status(OpenIntEnum):
    """HW_OK and HW_E_... of the C interface."""

    OK = 0
    ARGUMENT = -1
    HANDLE = -2
    FORKED = -3
    RANGE = -4
    BUFFER = -5
    STATE = -20
    TIMEOUT = -21
    IN_CALLBACK = -22
    SEND_FORBIDDEN = -23
    NOT_CONNECTED = -24
    FULL = -40
    TOO_LARGE = -41
    PROPERTY = -60
    VALUE = -61
    CONFLICT = -62
    URL = -63
    HEADER = -64
    RULE = -65
    PRESET = -66
    STEP = -67
    RESOLVE = -80
    CONNECT = -81
    CONNECT_TIMEOUT = -82
    CONNECTION_LOST = -83
    PROXY = -84
    BEFORE_CONNECT = -85
    TLS = -100
    CERTIFICATE = -101
    TRUST_STORE = -102
    HANDSHAKE = -120
    HTTP_STATUS = -121
    SCRIPT = -122
    PROTOCOL = -140
    UTF8 = -141
    MESSAGE_TOO_LARGE = -142
    CLOSED_BY_PEER = -143
    HEARTBEAT = -160
    SLOW_CONSUMER = -170
    SYSTEM = -180


class Layer(OpenIntEnum):
    """Where an error arose."""

    NONE = 0
    CONFIGURATION = 1
    RESOLVER = 2
    TCP = 3
    TLS = 4
    HTTP = 5
    WEBSOCKET = 6
    HEARTBEAT = 7
    DELIVERY = 8
    SYSTEM = 9
    PROXY = 10


class HeartwireError(Exception):
    """The base of all errors of this package; str() is a sentence that says what happened."""

    def __init__(
        self,
        message: str = "",
        *,
        status: Status = Status.OK,
        layer: Layer = Layer.NONE,
        native_code: int = 0,
        http_status: int = 0,
        close_code: int = 0,
        retryable: bool = False,
        body: bytes = b"",
    ) -> None:
        super().__init__(message)
        self.status = status
        self.layer = layer
        self.native_code = native_code
        self.http_status = http_status
        self.close_code = close_code
        self.retryable = retryable
        self.body = body
        """The first bytes of an HTTP answer that refused the connection."""


class ArgumentError(HeartwireError, ValueError):
    """An argument is out of its range, or a handle is not live."""


class ForkedError(HeartwireError, RuntimeError):
    """The object was made before os.fork(), in the parent process."""


class StateError(HeartwireError, RuntimeError):
    """The connection is closing, closed or failed."""


class NotConnected(StateError):
    """The message was to be sent now or not at all, and there is no connection that takes it."""


class SendForbidden(StateError):
    """The heartbeat rules say that this service closes the connection when anything is sent to it."""


class TimeoutError(HeartwireError, builtins.TimeoutError):
    """The time given to this call ran out."""


class LimitError(HeartwireError):
    """A limit was reached."""


class QueueFull(LimitError):
    """The outbound queue is full; an EventKind.WRITABLE will follow."""


class MessageTooLarge(LimitError, ValueError):
    """The message can never fit into the outbound queue."""


class ConfigurationError(HeartwireError, ValueError):
    """An option, URL or header field is unknown, malformed or contradicts another."""


class RuleError(ConfigurationError):
    """A heartbeat rule is malformed; the text names the member and says what would be right."""


class StepError(ConfigurationError):
    """A step of the opening script is malformed; the text names the member and says what would be right."""


class PresetError(ConfigurationError):
    """No preset has this name; the text suggests the nearest."""


class ConnectError(HeartwireError, ConnectionError):
    """The server could not be reached, or the connection was lost."""


class MessageCutOff(ConnectError):
    """The connection ended inside a message that was received in parts. The next message begins anew."""


class ResolveError(ConnectError):
    """The host name could not be resolved."""


class ConnectTimeout(ConnectError, builtins.TimeoutError):
    """One attempt took longer than connect_timeout."""


class ProxyError(ConnectError):
    """The proxy could not be reached or refused; http_status is its HTTP answer, if it sent one."""


class TLSError(HeartwireError, ConnectionError):
    """TLS failed."""


class CertificateError(TLSError):
    """The server's certificate did not pass verification."""


class HandshakeError(HeartwireError, ConnectionError):
    """The server refused or spoiled the opening handshake; http_status and body are its HTTP answer, if it sent one."""


class ScriptError(HandshakeError):
    """What the opening script expects did not come in time, or the server refused; the text names the step."""


class ProtocolError(HeartwireError, ConnectionError):
    """The server broke RFC 6455, or sent more than message_bytes_max."""


class ClosedByPeer(ProtocolError):
    """The server closed the connection; close_code and the text say why."""


class HeartbeatError(HeartwireError, ConnectionError):
    """Heartbeats failed: pings or beats unanswered, answers late, or the server silent; the text says which."""


class SlowConsumer(HeartwireError):
    """The program did not keep up, and inbox_overflow is "close"."""


class ResourceError(HeartwireError, OSError):
    """The operating system refused something; native_code is the errno."""


_BY_STATUS: dict[int, type[HeartwireError]] = {
    Status.FORKED: ForkedError,
    Status.TIMEOUT: TimeoutError,
    Status.SEND_FORBIDDEN: SendForbidden,
    Status.NOT_CONNECTED: NotConnected,
    Status.FULL: QueueFull,
    Status.TOO_LARGE: MessageTooLarge,
    Status.RULE: RuleError,
    Status.PRESET: PresetError,
    Status.STEP: StepError,
    Status.RESOLVE: ResolveError,
    Status.CONNECT_TIMEOUT: ConnectTimeout,
    Status.PROXY: ProxyError,
    Status.CERTIFICATE: CertificateError,
    Status.SCRIPT: ScriptError,
    Status.CLOSED_BY_PEER: ClosedByPeer,
}

# The bands are 20 statuses wide, so that a status of a later library still finds the class of its band.
_BY_BAND: dict[int, type[HeartwireError]] = {
    0: ArgumentError,
    1: StateError,
    2: LimitError,
    3: ConfigurationError,
    4: ConnectError,
    5: TLSError,
    6: HandshakeError,
    7: ProtocolError,
    8: HeartbeatError,
    9: ResourceError,
}


def error_class(status: int) -> type[HeartwireError]:
    # The delivery band, from -170, is the one that starts in the middle of another.
    if -180 < status <= -170:
        return SlowConsumer
    return _BY_STATUS.get(status) or _BY_BAND.get(-status // 20, HeartwireError)


def new_error_struct() -> hw_error:
    return hw_error(struct_size=ctypes.sizeof(hw_error))


def error_from_struct(error: hw_error) -> HeartwireError:
    return error_class(error.status)(
        error.message.decode("utf-8", "replace"),
        status=Status(error.status),
        layer=Layer(error.layer),
        native_code=error.native_code,
        http_status=error.http_status,
        close_code=error.close_code,
        retryable=bool(error.retryable),
    )


def error_from_status(status: int, message: str) -> HeartwireError:
    """For the functions without an hw_error parameter."""
    return error_class(status)(message, status=Status(status), retryable=status in (Status.FULL, Status.TIMEOUT, Status.NOT_CONNECTED))
