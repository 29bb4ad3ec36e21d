"""A listener and a browser's own WebSocket: headless Chromium."""

from __future__ import annotations

import asyncio
import os
import signal
import sys
import threading
from collections.abc import Iterator
from contextlib import contextmanager
from http.server import BaseHTTPRequestHandler, ThreadingHTTPServer
from typing import Any

import pytest
from conftest import PATIENCE_SECONDS, ROOT, wait_until
from listening import ANYWHERE, NAMED, address

import heartwire
from heartwire import EventKind

sys.path.append(str(ROOT / "Tests" / "Monitor"))

from browser import Browser, Page  # noqa: E402

SWEEP: dict[str, Any] = {"ping_interval": "100ms", "ping_timeout": "100ms", "close_timeout": "100ms"}

CONNECT = """
new Promise(resolve => {{
    globalThis.received = [];
    globalThis.ws = new WebSocket('{url}', {protocols});
    ws.binaryType = 'arraybuffer';
    ws.onopen = () => resolve('open');
    ws.onmessage = event => received.push(typeof event.data === 'string' ? event.data : event.data.byteLength);
    ws.onclose = event => {{ globalThis.ending = [event.code, event.reason, event.wasClean]; resolve('closed'); }};
}})
"""


@pytest.fixture(scope="module")
def browser(tmp_path_factory: pytest.TempPathFactory) -> Iterator[Browser]:
    browser = Browser(tmp_path_factory.mktemp("chromium"))
    yield browser
    browser.close()


@pytest.fixture
def page(browser: Browser) -> Iterator[Page]:
    with browser.page() as page:
        yield page


class Server(heartwire.Server):
    """Echoes, and remembers how clients ended."""

    def __init__(self, **options: Any) -> None:
        self.ends: list[heartwire.Event] = []
        super().__init__(ANYWHERE, **NAMED, on_message=lambda client, message: client.send(message), on_event=self._remember, **options)

    def _remember(self, client: heartwire.ServedClient, event: heartwire.Event) -> None:
        if event.kind is EventKind.CLOSED:
            self.ends.append(event)


def client_of(server: Server) -> heartwire.ServedClient:
    """The page may know of the connection before this program does."""
    wait_until(lambda: len(server.clients) == 1)
    return server.clients[0]


def end_at(server: Server) -> heartwire.Event:
    wait_until(lambda: server.clients == () and len(server.ends) == 1)
    return server.ends[0]


def connect(page: Page, server: Server, protocols: str = "[]") -> str:
    outcome: str = page.evaluate(CONNECT.format(url=address(server, "/tab"), protocols=protocols))
    return outcome


def test_messages_go_both_ways(page: Page) -> None:
    with Server(subprotocols="b, c", compression="on") as server:
        assert connect(page, server, "['a', 'c']") == "open"
        assert page.evaluate("[ws.protocol, ws.extensions]") == ["c", "permessage-deflate"]
        page.evaluate("ws.send('grüße 🎺'); ws.send(new Uint8Array(100000)); ws.send('x'.repeat(300000))")
        page.wait_for("received.length === 3")
        assert page.evaluate("received") == ["grüße 🎺", 100000, "x" * 300000]
        assert "Chrome" in (client_of(server).request.header("User-Agent") or "")
        assert server.broadcast("to all tabs") == 1
        page.wait_for("received[3] === 'to all tabs'")
        page.evaluate("ws.close(4001, 'enough')")
        page.wait_for("globalThis.ending")
        assert page.evaluate("ending") == [4001, "", True]
        end = end_at(server)
        assert (end.close_code, end.text) == (4001, "enough")


def test_the_browser_answers_pings_by_itself(page: Page) -> None:
    with Server(ping_interval="20ms") as server:
        assert connect(page, server) == "open"
        client = client_of(server)
        # A page that is busy, and would not get round to it.
        page.evaluate("for (const end = performance.now() + 500; performance.now() < end;);")
        wait_until(lambda: client.metrics().pongs_received >= 10)
        metrics = client.metrics()
        assert metrics.beats_missed == 0 and metrics.rtt_last_ns > 0
        assert client.health().health is heartwire.Health.HEALTHY


def processes(browser: Browser, *kinds: str) -> list[int]:
    listed = browser.call("SystemInfo.getProcessInfo")["processInfo"]
    return [process["id"] for process in listed if not kinds or process["type"] in kinds]


@contextmanager
def stopped(pids: list[int]) -> Iterator[None]:
    for pid in pids:
        os.kill(pid, signal.SIGSTOP)
    try:
        yield
    finally:
        for pid in pids:
            os.kill(pid, signal.SIGCONT)


def test_stale_tab_is_closed(browser: Browser, page: Page) -> None:
    """The whole browser stands still, as on a computer that was put to sleep."""
    with Server(**SWEEP) as server:
        assert connect(page, server) == "open"
        client = client_of(server)
        wait_until(lambda: client.metrics().pongs_received >= 1)
        with stopped(processes(browser)):
            end = end_at(server)
            assert (end.close_code, end.status) == (1001, heartwire.Status.HEARTBEAT)
            assert server.broadcast("anybody there?") == 0
            with pytest.raises(heartwire.StateError):
                client.send("too late")
        # The browser answers the pings that have waited, and the reset that this meets may overtake the close frame.
        page.wait_for("globalThis.ending")
        assert page.evaluate("ending[0]") in (1001, 1006)


def test_page_that_takes_no_messages_is_closed(browser: Browser, page: Page) -> None:
    """Its process stands still; Chromium's network process answers pings for it, until there is no room for what it does not take."""
    with Server(queue_bytes_max="1MiB", **SWEEP) as server:
        assert connect(page, server) == "open"
        client = client_of(server)
        with stopped(processes(browser, "renderer")):
            pongs = client.metrics().pongs_received
            wait_until(lambda: client.metrics().pongs_received >= pongs + 3)
            wait_until(lambda: server.broadcast(bytes(65536)) == 0 and server.clients == ())
            end = end_at(server)
            assert (end.close_code, end.status) == (1001, heartwire.Status.HEARTBEAT)


@contextmanager
def website() -> Iterator[str]:
    class Handler(BaseHTTPRequestHandler):
        def do_GET(self) -> None:
            self.send_response(200)
            self.end_headers()

        def log_message(self, *arguments: Any) -> None:
            pass

    with ThreadingHTTPServer(("127.0.0.1", 0), Handler) as server:
        thread = threading.Thread(target=server.serve_forever)
        thread.start()
        yield f"http://127.0.0.1:{server.server_address[1]}"
        server.shutdown()
        thread.join(PATIENCE_SECONDS)


def test_only_pages_of_known_origins_connect(page: Page) -> None:
    with website() as ours, website() as theirs, Server(listener_origins=[ours]) as server:
        page.open(ours)
        assert connect(page, server) == "open"
        page.open(theirs)
        assert connect(page, server) == "closed"
        assert page.evaluate("ending[0]") == 1006


def test_refusal(page: Page) -> None:
    with Server(before_accept=lambda request: heartwire.Refusal(403, "not you")) as server:
        assert connect(page, server) == "closed"
        assert any("403" in text for text in page.complaints())
