"""Drives a headless Chromium over the pipe of its DevTools protocol."""

from __future__ import annotations

import base64
import contextlib
import itertools
import json
import os
import pathlib
import select
import subprocess
import threading
import time
from collections.abc import Iterator
from typing import Any

PATIENCE_S = 60
OPTIONS = [
    "--headless=new", "--remote-debugging-pipe", "--no-first-run", "--disable-gpu", "--disable-dev-shm-usage", "--hide-scrollbars",
    "--disable-background-networking", "--disable-component-update", "--disable-default-apps", "--disable-sync", "--mute-audio",
    "--font-render-hinting=none", "--force-color-profile=srgb",
]  # fmt: skip
# What each of these keys sends beside its name: the code that Windows has for it, and its text.
KEYS = {
    "Tab": (9, ""), "Enter": (13, "\r"), "Escape": (27, ""), "End": (35, ""), "Home": (36, ""), "ArrowUp": (38, ""), "ArrowDown": (40, ""),
}  # fmt: skip


class Browser:
    """One Chromium; a page gets a context of its own, as if no other had ever been."""

    def __init__(self, profile: pathlib.Path) -> None:
        # The sandbox refuses to run for root, whom containers have.
        root_only = ["--no-sandbox"] if os.geteuid() == 0 else []
        inner_read, self._write = os.pipe()
        self._read, inner_write = os.pipe()
        # Chromium reads commands from descriptor 3 and answers on 4. Duplicates above both keep the one from overwriting the other.
        command = [
            "bash", "-c", f'exec 13<&{inner_read} 14>&{inner_write} 3<&13 4>&14 13<&- 14>&-; exec chromium "$@"', "chromium",
            *OPTIONS, *root_only, f"--user-data-dir={profile}", "about:blank",
        ]  # fmt: skip
        self._log = (profile / "log").open("wb")
        self._process = subprocess.Popen(
            command, pass_fds=(inner_read, inner_write), stdin=subprocess.DEVNULL, stdout=self._log, stderr=self._log
        )
        os.close(inner_read)
        os.close(inner_write)
        self._numbers = itertools.count(1)
        self._received = b""
        self._events: list[dict[str, Any]] = []

    def call(self, method: str, session: str | None = None, **parameters: Any) -> dict[str, Any]:
        number = next(self._numbers)
        request = {"id": number, "method": method, "params": parameters} | ({"sessionId": session} if session else {})
        os.write(self._write, json.dumps(request).encode() + b"\0")
        deadline = time.monotonic() + PATIENCE_S
        while True:
            message = self._next(deadline)
            if message.get("id") == number:
                if "error" in message:
                    raise RuntimeError(f"{method}: {message['error']['message']}")
                return dict(message["result"])
            if "method" in message:
                self._events.append(message)

    def _next(self, deadline: float) -> dict[str, Any]:
        while b"\0" not in self._received:
            if not select.select([self._read], [], [], max(0, deadline - time.monotonic()))[0]:
                raise TimeoutError("Chromium does not answer")
            block = os.read(self._read, 1 << 20)
            if not block:
                raise RuntimeError("Chromium has ended")
            self._received += block
        message, _, self._received = self._received.partition(b"\0")
        return dict(json.loads(message))

    def take_events(self, session: str) -> list[dict[str, Any]]:
        """The events of a page up to now."""
        self.call("Runtime.evaluate", session, expression="0")
        taken = [event for event in self._events if event.get("sessionId") == session]
        self._events = [event for event in self._events if event.get("sessionId") != session]
        return taken

    @contextlib.contextmanager
    def page(self) -> Iterator[Page]:
        context = self.call("Target.createBrowserContext")["browserContextId"]
        target = self.call("Target.createTarget", url="about:blank", browserContextId=context)["targetId"]
        session = self.call("Target.attachToTarget", targetId=target, flatten=True)["sessionId"]
        try:
            yield Page(self, session)
        finally:
            self.call("Target.disposeBrowserContext", browserContextId=context)

    def close(self) -> None:
        with contextlib.suppress(RuntimeError):
            self.call("Browser.close")
        self._process.wait(PATIENCE_S)
        os.close(self._read)
        os.close(self._write)
        self._log.close()


class Page:
    """One page, and what has happened in it."""

    def __init__(self, browser: Browser, session: str) -> None:
        self._browser = browser
        self._session = session
        self._seen: list[dict[str, Any]] = []
        for domain in ("Page", "Runtime", "Log", "Network"):
            self.call(f"{domain}.enable")
        self.resize(1280, 800)

    def call(self, method: str, **parameters: Any) -> dict[str, Any]:
        return self._browser.call(method, self._session, **parameters)

    def evaluate(self, expression: str) -> Any:
        """The value of a JavaScript expression, awaited if it is a promise."""
        answer = self.call("Runtime.evaluate", expression=expression, returnByValue=True, awaitPromise=True)
        if "exceptionDetails" in answer:
            raise RuntimeError(answer["exceptionDetails"]["exception"]["description"])
        return answer["result"].get("value")

    def wait_for(self, expression: str) -> Any:
        """The expression's first value that is true."""
        pause = threading.Event()
        for _ in range(PATIENCE_S * 20):
            if value := self.evaluate(expression):
                return value
            pause.wait(0.05)
        raise AssertionError(f"never true: {expression}; the page says: {self.evaluate('document.body.innerText')}")

    def open(self, url: str, before: str = "") -> None:
        """Opens a page, after running a script in it before its own."""
        if before:
            self.call("Page.addScriptToEvaluateOnNewDocument", source=before)
        self.call("Page.navigate", url=url)
        self.wait_for("document.readyState === 'complete' && location.protocol !== 'about:'")

    def resize(self, width: int, height: int, scale: float = 1) -> None:
        self.call("Emulation.setDeviceMetricsOverride", width=width, height=height, deviceScaleFactor=scale, mobile=width < 600)

    def prefer(self, **features: str) -> None:
        """Sets media features, such as prefers_color_scheme="dark"."""
        listed = [{"name": name.replace("_", "-"), "value": value} for name, value in features.items()]
        self.call("Emulation.setEmulatedMedia", features=listed)

    def press(self, key: str) -> None:
        code, text = KEYS[key]
        pressed = {"key": key, "code": key, "windowsVirtualKeyCode": code}
        self.call("Input.dispatchKeyEvent", type="keyDown", text=text, **pressed)
        self.call("Input.dispatchKeyEvent", type="keyUp", **pressed)

    def type(self, text: str) -> None:
        self.call("Input.insertText", text=text)

    def screenshot(self, path: pathlib.Path) -> None:
        path.parent.mkdir(parents=True, exist_ok=True)
        path.write_bytes(base64.b64decode(self.call("Page.captureScreenshot", format="png")["data"]))

    def _events(self, *methods: str) -> list[dict[str, Any]]:
        self._seen += self._browser.take_events(self._session)
        return [event["params"] for event in self._seen if event["method"] in methods]

    def requests(self) -> list[str]:
        """The address of each request so far."""
        plain = [event["request"]["url"] for event in self._events("Network.requestWillBeSent")]
        return plain + [event["url"] for event in self._events("Network.webSocketCreated")]

    def complaints(self) -> list[str]:
        """Uncaught exceptions, and the errors and warnings of the console."""
        thrown = [str(event["exceptionDetails"]) for event in self._events("Runtime.exceptionThrown")]
        said = [str(event["args"]) for event in self._events("Runtime.consoleAPICalled") if event["type"] in ("error", "warning", "assert")]
        logged = [event["entry"]["text"] for event in self._events("Log.entryAdded") if event["entry"]["level"] in ("error", "warning")]
        return thrown + said + logged
