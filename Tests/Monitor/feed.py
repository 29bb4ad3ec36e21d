"""Serves the monitor page with data that a test makes up, in the form that the library's listener gives."""

from __future__ import annotations

import base64
import contextlib
import datetime
import hashlib
import http
import json
import pathlib
import threading
from typing import Any

from websockets.datastructures import Headers
from websockets.exceptions import ConnectionClosed
from websockets.http11 import Request, Response
from websockets.sync.server import ServerConnection, serve

PAGE = pathlib.Path(__file__).resolve().parents[2] / "Sources" / "Heartwire" / "Monitor" / "monitor.html"
LISTED_MAX = 200
SEVERITIES = ("error", "warning", "healthy")
# A connection that is pinged every 20 s and was 5 s ago, and what is different when it does not do well.
HEALTHY: dict[str, Any] = {
    "role": "client", "state": "connected", "status": "healthy", "reason": "", "quality": 96, "latency_ms": 24.4, "latency_mean_ms": 25.6,
    "beats_sent": 12, "beats_received": 12, "beats_answered": 0, "beats_missed": 0, "last_beat_age_ms": 5000, "next_beat_in_ms": 15_000,
    "interval_ms": 20_000, "queue_messages": 0, "queue_bytes": 0, "reconnections": 0, "dropped": 0, "uptime_ms": 250_000,
    "beats": [[5000 + 20_000 * age, 24.4] for age in range(11, -1, -1)],
}  # fmt: skip
SLOW: dict[str, Any] = {
    "status": "warning", "reason": "quality fair", "quality": 58, "latency_ms": 640.0, "latency_mean_ms": 612.0, "reconnections": 1,
}  # fmt: skip
TROUBLE: dict[str, Any] = {
    "status": "error", "state": "reconnecting", "peer_address": None, "reason": "no answer to the last 2 beats", "quality": None,
    "beats_missed": 2, "next_beat_in_ms": None, "uptime_ms": None, "queue_messages": 231, "queue_bytes": 88_211, "reconnections": 4,
}  # fmt: skip


def connection(number: int, **changes: Any) -> dict[str, Any]:
    place = {"name": f"wss://exchange-{number}.example/stream", "peer_address": f"192.0.2.{number}:443"}
    return {"id": number} | place | HEALTHY | changes


def fleet(*, healthy: int = 0, warning: int = 0, error: int = 0) -> list[dict[str, Any]]:
    """Connections numbered from 1, the worst first."""
    changes = [TROUBLE] * error + [SLOW] * warning + [{}] * healthy
    return [connection(number, **change) for number, change in enumerate(changes, 1)]


def policy(page: bytes) -> str:
    """What the page may do, as the listener says it: run its own script and style, and talk to its own server."""
    sources = {}
    for tag in ("script", "style"):
        text = page.partition(f"<{tag}>".encode())[2].partition(f"</{tag}>".encode())[0]
        sources[tag] = f"'sha256-{base64.b64encode(hashlib.sha256(text).digest()).decode()}'"
    return (
        "default-src 'none'; connect-src 'self'; img-src data:; base-uri 'none'; form-action 'none'; frame-ancestors 'none'; "
        f"script-src {sources['script']}; style-src {sources['style']}"
    )


def message(connections: list[dict[str, Any]], time: datetime.datetime) -> str:
    listed = sorted(connections, key=lambda data: SEVERITIES.index(data["status"]))[:LISTED_MAX]
    latencies = [data["latency_ms"] for data in connections if data["latency_ms"] is not None]
    fleet = {status: sum(data["status"] == status for data in connections) for status in SEVERITIES}
    fleet |= {
        "connections": len(connections), "latency_worst_ms": max(latencies, default=None),
        "beats_missed": sum(data["beats_missed"] for data in connections), "shown": len(listed),
    }  # fmt: skip
    stamp = time.isoformat(timespec="milliseconds").replace("+00:00", "Z")
    return json.dumps({"time": stamp, "version": "1.2.3", "fleet": fleet, "connections": listed})


class Feed:
    """The page at /monitor, and beside it the socket that sends what the test shows."""

    def __init__(self) -> None:
        self._port = 0
        self._pages: set[ServerConnection] = set()
        self._last: str | None = None
        self._time = datetime.datetime(2030, 1, 1, tzinfo=datetime.timezone.utc)
        self.targets: list[str] = []
        """The paths of the requests, with their queries."""
        self.start()

    def start(self) -> None:
        self._server = serve(self._handle, "127.0.0.1", self._port, process_request=self._answer, compression=None)
        self._port = self._server.socket.getsockname()[1]
        self._thread = threading.Thread(target=self._server.serve_forever)
        self._thread.start()

    def stop(self) -> None:
        """Ends as a process that is killed would."""
        self._server.shutdown()
        self._thread.join()
        self._last = None
        for page in list(self._pages):
            with contextlib.suppress(OSError):
                page.socket.shutdown(2)

    def _answer(self, _: ServerConnection, request: Request) -> Response | None:
        self.targets.append(request.path)
        path = request.path.partition("?")[0]
        if path == "/monitor/live":
            return None
        if path != "/monitor":
            return Response(404, "Not Found", Headers(Content_Length="0"))
        page = PAGE.read_bytes()
        headers = Headers([
            ("Content-Type", "text/html; charset=utf-8"), ("Content-Length", str(len(page))), ("Connection", "close"),
            ("Content-Security-Policy", policy(page)), ("X-Content-Type-Options", "nosniff"), ("Referrer-Policy", "no-referrer"),
        ])  # fmt: skip
        return Response(http.HTTPStatus.OK, "OK", headers, page)

    def _handle(self, page: ServerConnection) -> None:
        self._pages.add(page)
        if self._last is not None:
            page.send(self._last)
        with contextlib.suppress(ConnectionClosed):
            for _ in page:
                raise AssertionError("the page has nothing to say")
        self._pages.discard(page)

    def show(self, *connections: dict[str, Any]) -> int:
        """
        Sends a message with these connections to each page, also to one that comes later.

        Returns its time in milliseconds. The clock is the test's own, one second a message: the data say what has happened since.
        """
        self._time += datetime.timedelta(seconds=1)
        self._last = message(list(connections), self._time)
        for page in list(self._pages):
            with contextlib.suppress(ConnectionClosed):
                page.send(self._last)
        return round(self._time.timestamp() * 1000)

    @property
    def origin(self) -> str:
        return f"http://127.0.0.1:{self._port}"

    @property
    def url(self) -> str:
        return f"{self.origin}/monitor"
