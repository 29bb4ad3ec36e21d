"""The servers to connect to, a listener that answers for the metrics of this process, and a Prometheus that reads them there."""

from __future__ import annotations

import contextlib
import json
import pathlib
import subprocess
import sys
import urllib.error
import urllib.parse
import urllib.request
from collections.abc import Iterator
from typing import Any

import pytest

import heartwire

ROOT = pathlib.Path(__file__).resolve().parents[2]
RULES = ROOT / "bindings" / "prometheus" / "heartwire.rules.yml"

sys.path.insert(0, str(ROOT / "Tests" / "Servers"))

import processes  # noqa: E402
from waiting import wait_until  # noqa: E402

PATIENCE_SECONDS = 60
LISTENER = "the listener"

CONFIGURATION = """
global: {{scrape_interval: 100ms, evaluation_interval: 100ms}}
rule_files: ["{rules}"]
scrape_configs:
  - {{job_name: test, static_configs: [{{targets: ["127.0.0.1:{port}"]}}]}}
"""


@pytest.fixture(scope="session")
def servers() -> Iterator[dict[str, Any]]:
    """What Tests/Servers/serve.py announces."""
    command = [sys.executable, str(ROOT / "Tests" / "Servers" / "serve.py")]
    with subprocess.Popen(command, stdin=subprocess.PIPE, stdout=subprocess.PIPE, text=True) as process:
        assert process.stdin is not None and process.stdout is not None
        yield json.loads(process.stdout.readline())
        process.stdin.close()


@pytest.fixture(scope="session")
def listener_port() -> Iterator[int]:
    """The port of a listener that answers for the metrics of this process."""
    with heartwire.sync.listen("ws://127.0.0.1:0", listener_metrics=True, listener_monitor=True, metrics_name=LISTENER) as listener:
        yield listener.port


class Prometheus:
    """Its HTTP API."""

    def __init__(self, port: int, log: pathlib.Path) -> None:
        self._port = port
        self.log = log

    @property
    def is_ready(self) -> bool:
        """False while it reads what it has stored."""
        try:
            with urllib.request.urlopen(f"http://127.0.0.1:{self._port}/-/ready", timeout=PATIENCE_SECONDS):
                return True
        except urllib.error.HTTPError:
            return False

    def api(self, path: str, **query: str) -> Any:
        address = f"http://127.0.0.1:{self._port}/api/v1/{path}?{urllib.parse.urlencode(query)}"
        with urllib.request.urlopen(address, timeout=PATIENCE_SECONDS) as answer:
            return json.load(answer)["data"]

    def value(self, expression: str) -> float | None:
        """Of the first series of the answer; None if there is none."""
        result = self.api("query", query=expression)["result"]
        return float(result[0]["value"][1]) if result else None


@pytest.fixture(scope="session")
def prometheus(listener_port: int, tmp_path_factory: pytest.TempPathFactory) -> Iterator[Prometheus]:
    folder = tmp_path_factory.mktemp("prometheus")
    configuration, log = folder / "prometheus.yml", folder / "log"
    configuration.write_text(CONFIGURATION.format(rules=RULES, port=listener_port))

    def command(port: int) -> list[str]:
        return [
            "prometheus", f"--config.file={configuration}", f"--storage.tsdb.path={folder / 'data'}",
            f"--web.listen-address=127.0.0.1:{port}",
        ]  # fmt: skip

    with processes.running(command, log) as port:
        prometheus = Prometheus(port, log)
        wait_until(lambda: prometheus.is_ready)
        yield prometheus


@pytest.hookimpl(wrapper=True)
def pytest_runtest_makereport(item: pytest.Item, call: pytest.CallInfo[Any]) -> Any:
    report = yield
    if report.failed:
        for name, value in getattr(item, "funcargs", {}).items():
            if isinstance(value, Prometheus):
                with contextlib.suppress(OSError):
                    report.sections.append((f"log of {name}", value.log.read_text(errors="replace")[-10_000:]))
    return report
