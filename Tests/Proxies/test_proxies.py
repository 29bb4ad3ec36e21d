"""Connections through real proxies."""

from __future__ import annotations

import json
import threading
from typing import Any

import pytest
from conftest import Proxies, Servers
from proxies import USER

import heartwire
from heartwire import Layer, Status

PATIENCE_S = 20
ALL = ["tinyproxy", "tinyproxy-auth", "squid", "squid-auth", "microsocks", "microsocks-auth"]
AUTHENTICATING = [name for name in ALL if name.endswith("-auth")]
SECRET = "wrong-secret"
ONCE: dict[str, Any] = {"reconnect_attempts_max": 1}


def failure(url: str, **options: Any) -> heartwire.HeartwireError:
    with pytest.raises(heartwire.HeartwireError) as caught:
        heartwire.sync.connect(url, **options).release()
    return caught.value


def check_echo(url: str, **options: Any) -> None:
    with heartwire.sync.connect(url, **options) as ws:
        ws.send("hello")
        assert ws.recv(PATIENCE_S) == "hello"
        ws.send(b"x" * 100_000)
        assert ws.recv(PATIENCE_S) == b"x" * 100_000


@pytest.mark.parametrize("server", ["ws", "wss"])
@pytest.mark.parametrize("name", ALL)
def test_tunnel(servers: Servers, proxies: Proxies, name: str, server: str) -> None:
    check_echo(servers.url(server), proxy=proxies.url(name), tls_ca_file=servers.ca_file)


@pytest.mark.parametrize("host", ["127.0.0.1", "localhost"])
def test_socks5h_and_addresses(servers: Servers, proxies: Proxies, host: str) -> None:
    check_echo(servers.url("ws", host=host), proxy=proxies.url("microsocks").replace("socks5:", "socks5h:"))


@pytest.mark.parametrize("name", AUTHENTICATING)
def test_credentials_are_for_the_proxy_alone(servers: Servers, proxies: Proxies, name: str) -> None:
    with heartwire.sync.connect(servers.url("ws", "/headers"), proxy=proxies.url(name)) as ws:
        fields = json.loads(ws.recv(PATIENCE_S))
    assert "upgrade" in fields
    assert not [name for name in fields if "proxy" in name or "authorization" in name]


@pytest.mark.parametrize("credentials", ["", f"{USER}:{SECRET}", f"nobody:{SECRET}"])
@pytest.mark.parametrize("name", AUTHENTICATING)
def test_credentials_refused(servers: Servers, proxies: Proxies, name: str, credentials: str) -> None:
    error = failure(servers.url("ws"), proxy=proxies[name].url(credentials))
    assert isinstance(error, heartwire.ProxyError)
    assert (error.status, error.layer, error.retryable) == (Status.PROXY, Layer.PROXY, False)
    # tinyproxy answers 401 to credentials that it does not know.
    expected = {"tinyproxy-auth": (401, 407), "squid-auth": (407,), "microsocks-auth": (0,)}[name]
    assert error.http_status in expected
    assert "the proxy '127.0.0.1'" in str(error)
    assert SECRET not in str(error) and USER not in str(error)


@pytest.mark.parametrize("name", ["tinyproxy", "squid", "microsocks"])
def test_target_refused(servers: Servers, proxies: Proxies, name: str) -> None:
    error = failure(servers.url("refused", host="127.0.0.1"), proxy=proxies.url(name), **ONCE)
    assert isinstance(error, heartwire.ProxyError)
    assert (error.layer, error.retryable) == (Layer.PROXY, True)
    if name == "microsocks":
        assert (error.native_code, error.http_status) == (5, 0)
    else:
        assert 500 <= error.http_status <= 599


@pytest.mark.parametrize("name", ["tinyproxy", "squid", "microsocks"])
def test_names_are_resolved_at_the_proxy(proxies: Proxies, name: str) -> None:
    error = failure("ws://heartwire.invalid/", proxy=proxies.url(name), **ONCE)
    assert isinstance(error, heartwire.ProxyError)
    assert error.layer == Layer.PROXY


@pytest.mark.parametrize("name", ["squid", "microsocks"])
def test_certificate_is_that_of_the_server(servers: Servers, proxies: Proxies, name: str) -> None:
    error = failure(servers.url("wss_wrong_host"), proxy=proxies.url(name), tls_ca_file=servers.ca_file)
    assert isinstance(error, heartwire.CertificateError)


@pytest.mark.parametrize("name", ["squid-auth", "microsocks-auth"])
def test_reconnection(servers: Servers, proxies: Proxies, name: str) -> None:
    url = servers.url("ws", f"/drop-once?key=proxy-{name}")
    with heartwire.sync.connect(url, proxy=proxies.url(name), reconnect_base="10ms") as ws:
        ws.send("dropped")
        pause = threading.Event()
        for _ in range(PATIENCE_S * 100):
            if ws.metrics().reconnections:
                break
            pause.wait(0.01)
        ws.send("hello")
        assert ws.recv(PATIENCE_S) == "hello"


@pytest.mark.parametrize("scheme", ["http", "socks5"])
def test_dead_proxy(servers: Servers, scheme: str) -> None:
    error = failure(servers.url("ws"), proxy=servers.url("refused", "").replace("ws:", f"{scheme}:"), **ONCE)
    assert isinstance(error, heartwire.ProxyError)
    assert (error.status, error.layer, error.native_code, error.retryable) == (Status.PROXY, Layer.TCP, 111, True)
    assert "the proxy 'localhost'" in str(error)


def test_unknown_proxy(servers: Servers) -> None:
    error = failure(servers.url("ws"), proxy=f"http://{USER}:{SECRET}@heartwire.invalid", **ONCE)
    assert isinstance(error, heartwire.ProxyError)
    assert error.layer == Layer.RESOLVER
    assert "heartwire.invalid" in str(error) and SECRET not in str(error)


@pytest.mark.parametrize("proxy", ["proxy:3128", "https://proxy", "socks4://proxy", f"http://u:{SECRET}@h:x", f"http://u:{SECRET}%0d%0a@h"])
def test_malformed_proxies(servers: Servers, proxy: str) -> None:
    error = failure(servers.url("ws"), proxy=proxy)
    assert isinstance(error, heartwire.ConfigurationError)
    assert error.status == Status.VALUE
    assert SECRET not in str(error)


def test_environment(servers: Servers, proxies: Proxies, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setenv("HTTPS_PROXY", proxies.url("squid-auth"))
    monkeypatch.setenv("ALL_PROXY", proxies.url("microsocks-auth"))
    check_echo(servers.url("wss"), proxy="env", tls_ca_file=servers.ca_file)
    check_echo(servers.url("ws"), proxy="env")


def test_environment_names_the_proxy_that_is_used(servers: Servers, monkeypatch: pytest.MonkeyPatch) -> None:
    dead = servers.url("refused", "").replace("ws:", "http:")
    monkeypatch.setenv("all_proxy", dead)
    check_echo(servers.url("ws"))
    assert isinstance(failure(servers.url("ws"), proxy="env", **ONCE), heartwire.ProxyError)
    monkeypatch.setenv("no_proxy", "example.org, localhost")
    check_echo(servers.url("ws"), proxy="env")
    assert isinstance(failure(servers.url("ws", host="127.0.0.1"), proxy="env", **ONCE), heartwire.ProxyError)
    monkeypatch.setenv("no_proxy", "127.0.0.0/8")
    check_echo(servers.url("ws", host="127.0.0.1"), proxy="env")


def test_malformed_environment(servers: Servers, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setenv("http_proxy", f"ftp://u:{SECRET}@h")
    error = failure(servers.url("ws"), proxy="env")
    assert error.status == Status.VALUE
    assert "http_proxy" in str(error) and SECRET not in str(error)
