"""Proxies that do what no proxy should: each attempt ends with an error that says so."""

from __future__ import annotations

import socket
import threading
from typing import Any

import pytest
from conftest import Servers
from proxies import Conversation, misbehaving
from test_proxies import failure

import heartwire
from heartwire import Layer, Status

ONCE: dict[str, Any] = {"reconnect_attempts_max": 1}
HTTP_OK = b"HTTP/1.1 200 OK\r\n\r\n"
SOCKS_OK = b"\x05\x00" + b"\x05\x00\x00\x01\x00\x00\x00\x00\x00\x00"
BUSY = b"HTTP/1.1 503 Busy\r\nContent-Length: 0\r\n\r\n"


def say(*parts: bytes) -> Conversation:
    """Answers each message with the next part."""

    def talk(connection: socket.socket) -> None:
        for part in parts:
            connection.recv(4096)
            connection.sendall(part)

    return talk


def repeat(start: bytes, part: bytes) -> Conversation:
    """Never ends."""

    def talk(connection: socket.socket) -> None:
        connection.recv(4096)
        connection.sendall(start)
        while True:
            connection.sendall(part)

    return talk


def stay(*parts: bytes) -> Conversation:
    """Says this much, and then nothing until the client leaves."""

    def talk(connection: socket.socket) -> None:
        say(*parts)(connection)
        while connection.recv(4096):
            continue

    return talk


def trickle(answer: bytes) -> Conversation:
    """One byte at a time, over and over."""

    def talk(connection: socket.socket) -> None:
        pause = threading.Event()
        while True:
            for byte in answer:
                connection.sendall(bytes([byte]))
                pause.wait(0.005)

    return talk


@pytest.mark.parametrize(
    ("scheme", "talk", "retryable"),
    [
        ("http", say(b"\x00\xff garbage"), False),
        ("http", say(b"SSH-2.0-OpenSSH\r\n"), False),
        ("http", say(SOCKS_OK), False),
        ("http", say(b"HTTP/1.1 200 OK\r\nno colon\r\n\r\n"), False),
        ("http", repeat(b"HTTP/1.1 200 OK\r\n", b"X: y\r\n"), False),
        ("http", repeat(b"HTTP/1.1 200 OK\r\nX: ", b"y" * 1000), False),
        ("http", repeat(b"", b"HTTP/1.1 100 Continue\r\n\r\n"), False),
        ("http", say(), True),
        ("http", say(b"HTTP/1.1 200 OK\r\n"), True),
        ("socks5", say(b"\x00\xff garbage"), False),
        ("socks5", say(HTTP_OK), False),
        ("socks5", say(b"\x05\xff"), False),
        ("socks5", repeat(b"\x05\x00", b"\x05\x01"), True),
        ("socks5", say(b"\x05\x00", b"\x05\x02"), False),
        ("socks5", say(b"\x05\x00", b"\x05\x00\x00\x02\x00"), False),
        ("socks5", say(), True),
        ("socks5", say(b"\x05"), True),
        ("socks5", say(b"\x05\x00", b"\x05\x00\x00"), True),
    ],
)
def test_refusals(servers: Servers, scheme: str, talk: Conversation, retryable: bool) -> None:
    with misbehaving(scheme, talk) as proxy:
        error = failure(servers.url("ws"), proxy=proxy.url(), **ONCE)
    assert isinstance(error, heartwire.ProxyError)
    assert (error.status, error.layer, error.retryable) == (Status.PROXY, Layer.PROXY, retryable)
    assert str(error).startswith("the proxy '127.0.0.1' ")


@pytest.mark.parametrize(
    ("scheme", "talk"),
    [
        ("http", stay()),
        ("http", stay(b"HTTP/1.1 200 OK\r\n")),
        ("http", trickle(b"HTTP/1.1 100 Continue\r\n\r\n")),
        ("socks5", stay()),
        ("socks5", stay(b"\x05\x00")),
        ("socks5", stay(b"\x05\x00", b"\x05\x00\x00\x03\xff")),
    ],
)
def test_silence_runs_into_the_timeout(servers: Servers, scheme: str, talk: Conversation) -> None:
    with misbehaving(scheme, talk) as proxy:
        error = failure(servers.url("ws"), proxy=proxy.url(), connect_timeout="200ms", **ONCE)
    assert isinstance(error, heartwire.ConnectTimeout)
    assert "the proxy '127.0.0.1'" in str(error)


@pytest.mark.parametrize(("scheme", "answers"), [("http", [HTTP_OK + BUSY]), ("socks5", [b"\x05\x00", SOCKS_OK[2:] + BUSY])])
def test_what_follows_the_answer_is_the_servers(servers: Servers, scheme: str, answers: list[bytes]) -> None:
    with misbehaving(scheme, stay(*answers)) as proxy:
        error = failure(servers.url("ws"), proxy=proxy.url(), **ONCE)
    assert isinstance(error, heartwire.HandshakeError)
    assert error.http_status == 503


def relay(answers: list[bytes], port: int) -> Conversation:
    """A proxy that answers byte by byte and then does its work."""

    def copy(source: socket.socket, target: socket.socket) -> None:
        while data := source.recv(65536):
            target.sendall(data)
        target.shutdown(socket.SHUT_WR)

    def talk(connection: socket.socket) -> None:
        connection.setsockopt(socket.IPPROTO_TCP, socket.TCP_NODELAY, 1)
        for answer in answers:
            connection.recv(4096)
            for byte in answer:
                connection.sendall(bytes([byte]))
        with socket.create_connection(("127.0.0.1", port)) as server:
            back = threading.Thread(target=copy, args=(server, connection), daemon=True)
            back.start()
            copy(connection, server)
            back.join()

    return talk


@pytest.mark.parametrize("server", ["ws", "wss"])
@pytest.mark.parametrize(("scheme", "answers"), [("http", [HTTP_OK]), ("socks5", [b"\x05\x00", SOCKS_OK[2:]])])
def test_answers_in_pieces(servers: Servers, server: str, scheme: str, answers: list[bytes]) -> None:
    url = servers.url(server)
    port = int(url.rpartition(":")[2].partition("/")[0])
    with misbehaving(scheme, relay(answers, port)) as proxy:
        with heartwire.sync.connect(url, proxy=proxy.url(), tls_ca_file=servers.ca_file) as ws:
            ws.send("hello")
            assert ws.recv(20) == "hello"
