"""Every way a connection fails becomes the right exception, with its details."""

from __future__ import annotations

import dataclasses
import pickle
from typing import Any

import pytest
from conftest import PATIENCE_SECONDS, Servers, run

import heartwire
from heartwire import Layer, Status
from heartwire._errors import error_class

ONCE: dict[str, Any] = {"reconnect_attempts_max": 1}
NEVER_AGAIN: dict[str, Any] = {"reconnect_enabled": False}


async def fail_to_connect(url: str, **options: Any) -> heartwire.HeartwireError:
    with pytest.raises(heartwire.HeartwireError) as caught:
        async with heartwire.connect(url, **options):
            pass
    return caught.value


def test_refused_port(servers: Servers) -> None:
    error = run(fail_to_connect(servers.url("refused"), **ONCE))
    assert isinstance(error, heartwire.ConnectError)
    assert isinstance(error, ConnectionError)
    assert (error.status, error.layer, error.native_code) == (Status.CONNECT, Layer.TCP, 111)
    assert str(error)


def test_unknown_host() -> None:
    error = run(fail_to_connect("ws://heartwire.invalid/", **ONCE))
    assert isinstance(error, heartwire.ResolveError)
    assert (error.status, error.layer) == (Status.RESOLVE, Layer.RESOLVER)
    assert error.native_code != 0


def test_wrong_accept(servers: Servers) -> None:
    error = run(fail_to_connect(servers.url("raw", "/wrong-accept")))
    assert isinstance(error, heartwire.HandshakeError)
    assert (error.status, error.retryable) == (Status.HANDSHAKE, False)


@pytest.mark.parametrize(("server", "native_code"), [("wss_expired", 10), ("wss_wrong_host", 62)])
def test_certificate(servers: Servers, server: str, native_code: int) -> None:
    error = run(fail_to_connect(servers.url(server), tls_ca_file=servers.ca_file))
    assert isinstance(error, heartwire.CertificateError)
    assert isinstance(error, heartwire.TLSError)
    assert (error.layer, error.native_code, error.retryable) == (Layer.TLS, native_code, False)


def test_unknown_authority(servers: Servers) -> None:
    error = run(fail_to_connect(servers.url("wss"), **NEVER_AGAIN))
    assert isinstance(error, heartwire.TLSError)


@pytest.mark.parametrize("server", ["ws", "aiohttp"])
@pytest.mark.parametrize("code", [200, 301, 403])
def test_http_refusal(servers: Servers, server: str, code: int) -> None:
    error = run(fail_to_connect(servers.url(server, f"/status?code={code}")))
    assert isinstance(error, heartwire.HandshakeError)
    assert (error.status, error.http_status, error.retryable) == (Status.HTTP_STATUS, code, False)
    assert error.body == f"refused with {code}\n".encode()


def test_body_is_taken_from_the_failed_attempt(servers: Servers) -> None:
    client = heartwire.Client(servers.url("ws", "/status?code=403"))
    with pytest.raises(heartwire.HandshakeError):
        client.wait(PATIENCE_SECONDS)
    assert client._final is not None
    client._final = dataclasses.replace(client._final, body=b"")
    with pytest.raises(heartwire.HandshakeError) as caught:
        client.wait()
    assert caught.value.body == b"refused with 403\n"


def test_retry_after(servers: Servers) -> None:
    events: list[heartwire.Event] = []
    client = heartwire.Client(servers.url("ws", "/status?code=503&retry_after=120"), on_event=lambda _, event: events.append(event), **ONCE)
    with pytest.raises(heartwire.HandshakeError, match="asks to wait 120 s"):
        client.wait(PATIENCE_SECONDS)
    client.release()
    failed = next(event for event in events if event.kind is heartwire.EventKind.ATTEMPT_FAILED)
    assert failed.retry_after_ms == 120_000


def test_credentials_stand_in_no_error(servers: Servers) -> None:
    with pytest.raises(heartwire.ConfigurationError) as caught:
        heartwire.Client(servers.url("ws"), basic_auth="hunter2")
    assert "hunter2" not in str(caught.value)


def test_no_answer(servers: Servers) -> None:
    error = run(fail_to_connect(servers.url("raw", "/no-answer"), connect_timeout=0.05, **ONCE))
    assert isinstance(error, heartwire.ConnectTimeout)
    assert isinstance(error, TimeoutError)


@pytest.mark.parametrize(
    ("target", "status", "options"),
    [
        ("/garbage", Status.PROTOCOL, {}),
        ("/masked", Status.PROTOCOL, {}),
        ("/bad-utf8", Status.UTF8, {}),
        ("/close-1-byte", Status.PROTOCOL, {}),
        ("/oversize?size=100000", Status.MESSAGE_TOO_LARGE, {"message_bytes_max": "1KiB"}),
    ],
)
def test_server_that_breaks_the_protocol(servers: Servers, target: str, status: Status, options: dict[str, Any]) -> None:
    async def main() -> None:
        async with heartwire.connect(servers.url("raw", target), **options, **NEVER_AGAIN) as ws:
            with pytest.raises(heartwire.ProtocolError) as caught:
                async for _ in ws:
                    pytest.fail("nothing should be delivered")
            assert caught.value.status is status
            with pytest.raises(heartwire.ProtocolError):
                await ws.recv()
            assert ws.state is heartwire.State.FAILED

    run(main())


def test_close_that_forbids_coming_back(servers: Servers) -> None:
    async def main() -> None:
        async with heartwire.connect(servers.url("ws", "/close?code=1008&reason=banned")) as ws:
            with pytest.raises(heartwire.ClosedByPeer, match="banned") as caught:
                await ws.recv()
            assert caught.value.close_code == 1008

    run(main())


def test_open_timeout_tells_the_last_failure(servers: Servers) -> None:
    async def main() -> None:
        url = servers.url("refused")
        with pytest.raises(heartwire.TimeoutError) as caught:
            async with heartwire.connect(url, open_timeout=2, reconnect_base=0.01):
                pass
        assert isinstance(caught.value, TimeoutError)
        assert isinstance(caught.value.__cause__, heartwire.ConnectError)

    run(main())


def test_silent_server_misses_its_beats(servers: Servers) -> None:
    async def main() -> None:
        options: dict[str, Any] = {"ping_interval": 0.02, "ping_timeout": 0.02, "ping_missed_max": 2, **NEVER_AGAIN}
        missed: list[int] = []

        def on_event(ws: heartwire.Connection, event: heartwire.Event) -> None:
            if event.kind is heartwire.EventKind.BEAT_MISSED:
                missed.append(event.count)

        async with heartwire.connect(servers.url("raw", "/silent"), on_event=on_event, **options) as ws:
            with pytest.raises(heartwire.HeartbeatError):
                await ws.recv()
        # After a pause of the machine the next ping's time may be over as well.
        assert missed[:2] == [1, 2]

    run(main())


def test_queue_limits(servers: Servers) -> None:
    options: dict[str, Any] = {"queue_messages_max": 2, "queue_bytes_max": 100}
    with heartwire.Client(servers.url("refused"), **options) as client:
        client.send("one")
        client.send(b"two")
        with pytest.raises(heartwire.QueueFull) as full:
            client.send("three")
        assert full.value.retryable
        with pytest.raises(heartwire.MessageTooLarge):
            client.send("x" * 1000)
        client.release()


@pytest.mark.parametrize(
    ("status", "expected"),
    [
        (-4, heartwire.ArgumentError),
        (-3, heartwire.ForkedError),
        (-22, heartwire.StateError),
        (-23, heartwire.SendForbidden),
        (-41, heartwire.MessageTooLarge),
        (-64, heartwire.ConfigurationError),
        (-83, heartwire.ConnectError),
        (-102, heartwire.TLSError),
        (-121, heartwire.HandshakeError),
        (-143, heartwire.ClosedByPeer),
        (-160, heartwire.HeartbeatError),
        (-170, heartwire.SlowConsumer),
        (-180, heartwire.ResourceError),
        (-65, heartwire.RuleError),
        (-66, heartwire.PresetError),
        (-67, heartwire.StepError),
        (-68, heartwire.ConfigurationError),
        (-24, heartwire.NotConnected),
        (-122, heartwire.ScriptError),
        (-171, heartwire.SlowConsumer),
        (-9999, heartwire.HeartwireError),
    ],
)
def test_class_of_status(status: int, expected: type[heartwire.HeartwireError]) -> None:
    assert error_class(status) is expected


def test_statuses_of_a_later_library_are_taken() -> None:
    assert Status(-68) == -68
    assert Status(-68).name == "UNKNOWN_-68"


def test_errors_survive_pickling() -> None:
    error = heartwire.HandshakeError("no", status=Status.HTTP_STATUS, http_status=403, body=b"x")
    copy = pickle.loads(pickle.dumps(error))
    assert (str(copy), copy.status, copy.http_status, copy.body) == ("no", Status.HTTP_STATUS, 403, b"x")
