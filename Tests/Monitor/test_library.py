"""The page as the library itself serves it, with what the library says of its connections."""

from __future__ import annotations

import pytest
from browser import Page

import heartwire

TOKEN = "0123456789abcdef-._~"
ROWS = "[...document.querySelectorAll('tbody')].map((row) => row.innerText).join('\\n')"


@pytest.mark.parametrize("token", ["", TOKEN])
def test_the_page_shows_the_connections_of_the_process(page: Page, token: str) -> None:
    options = {"listener_monitor": True, "listener_monitor_token": token, "ping_interval": "50ms"}
    with heartwire.sync.listen("ws://127.0.0.1:0", **options) as listener:
        origin = f"http://127.0.0.1:{listener.port}"
        with heartwire.sync.connect(f"ws://127.0.0.1:{listener.port}/chat?key=secret", metrics_name="<i>feed</i>"):
            page.open(f"{origin}/monitor" + (f"?token={token}" if token else ""))
            # Those that are pinged are seen to beat.
            page.wait_for("shown.fleet !== null && shown.fleet.healthy === 2 && shown.fleet.latency_worst_ms !== null")
            shown = page.evaluate(ROWS)
            assert "<i>feed</i>" in shown
            assert f"127.0.0.1:{listener.port}/chat" in shown
            assert "key=secret" not in page.evaluate("document.documentElement.outerHTML")
        page.wait_for("shown.fleet.connections === 0")
        assert [url for url in page.requests() if not url.startswith((origin, origin.replace("http", "ws"), "data:"))] == []
