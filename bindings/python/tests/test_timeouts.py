"""The timeouts of calls that wait: what they take, and what they make of the impossible."""

from __future__ import annotations

import threading
import time
from typing import Any

import pytest
from conftest import PATIENCE_SECONDS, Servers, run

import heartwire
from heartwire import _inbox

# More than poll(2), a lock or a float of seconds can count.
ENDLESS = [float("inf"), 30 * 86400, 1e300, 10**400, None]

NOT_TIMEOUTS = [("5", TypeError, "seconds.*, not str"), ([], TypeError, "seconds.*, not list"), (float("nan"), ValueError, "nan")]


@pytest.mark.parametrize("timeout", ENDLESS, ids=lambda timeout: str(timeout)[:8])
def test_endless(servers: Servers, timeout: float | None) -> None:
    async def main() -> None:
        async with heartwire.connect(servers.url("ws"), open_timeout=timeout) as ws:
            ws.send("asyncio")
            assert await ws.recv() == "asyncio"

    run(main())
    with heartwire.sync.connect(servers.url("ws"), open_timeout=timeout) as ws:
        ws.send("sync")
        assert ws.recv(timeout) == "sync"
    client = heartwire.Client(servers.url("ws"))
    threading.Thread(target=client.close).start()
    client.wait(timeout)


@pytest.mark.parametrize(("timeout", "error", "sentence"), NOT_TIMEOUTS)
def test_not_a_timeout(servers: Servers, timeout: Any, error: type[Exception], sentence: str) -> None:
    with pytest.raises(error, match=f"open_timeout .*{sentence}"):
        heartwire.connect(servers.url("ws"), open_timeout=timeout)
    with pytest.raises(error, match=f"open_timeout .*{sentence}"):
        heartwire.sync.connect(servers.url("ws"), open_timeout=timeout)
    with heartwire.sync.connect(servers.url("ws")) as ws:
        with pytest.raises(error, match=f"timeout .*{sentence}"):
            ws.recv(timeout)
    with heartwire.Client(servers.url("ws")) as client:
        with pytest.raises(error, match=f"timeout .*{sentence}"):
            client.wait(timeout)


def test_longer_than_one_poll(servers: Servers, monkeypatch: pytest.MonkeyPatch) -> None:
    with heartwire.sync.connect(servers.url("ws")) as ws:
        monkeypatch.setattr(_inbox, "POLL_SECONDS_MAX", 0.001)
        started = time.monotonic()
        with pytest.raises(heartwire.TimeoutError):
            ws.recv(0.05)
        assert time.monotonic() - started >= 0.05
        ws.send("later")
        assert ws.recv(PATIENCE_SECONDS) == "later"
