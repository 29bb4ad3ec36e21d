"""The pages of a listener, asked for with curl."""

from __future__ import annotations

import base64
import hashlib
import re
import subprocess

import pytest
from conftest import ROOT
from prometheus_client.openmetrics.parser import text_string_to_metric_families


def curl(*arguments: str) -> str:
    command = ["curl", "--silent", "--show-error", "--max-time", "60", *arguments]
    return subprocess.run(command, check=True, capture_output=True).stdout.decode()


@pytest.fixture
def page(listener_port: int) -> str:
    return f"http://127.0.0.1:{listener_port}"


@pytest.mark.parametrize("options", [[], ["--http1.0"], ["--request-target", "/healthz?verbose=1"]])
def test_health(page: str, options: list[str]) -> None:
    assert curl("--fail", *options, f"{page}/healthz") == "ok\n"


def test_health_head(page: str) -> None:
    head = curl("--fail", "--head", f"{page}/healthz")
    assert head.startswith("HTTP/1.1 200 OK\r\n")
    assert "\r\nContent-Length: 3\r\n" in head


def test_metrics(page: str) -> None:
    text = curl("--fail", "--include", f"{page}/metrics")
    head, body = text.split("\r\n\r\n", 1)
    assert "Content-Type: application/openmetrics-text; version=1.0.0; charset=utf-8" in head
    assert {family.name for family in text_string_to_metric_families(body)} >= {"heartwire_connections", "heartwire_listener_clients"}


def test_many_at_once(page: str) -> None:
    assert curl("--fail", "--parallel", "--parallel-immediate", "--parallel-max", "50", *[f"{page}/healthz"] * 200) == "ok\n" * 200


@pytest.mark.parametrize(("arguments", "status"), [
    (["--request", "POST"], "405"), (["--data", "x" * 5000], "405"), (["--request", "DELETE"], "405"), (["--header", "Host:"], "400"),
])  # fmt: skip
def test_refusals(page: str, arguments: list[str], status: str) -> None:
    assert curl("--output", "/dev/null", "--write-out", "%{http_code}", *arguments, f"{page}/metrics") == status


def test_other_paths(page: str) -> None:
    assert curl("--output", "/dev/null", "--write-out", "%{http_code}", f"{page}/other") == "426"


def test_monitor(page: str) -> None:
    """The page comes as it was written, and may run what is in it alone."""
    written = (ROOT / "Sources" / "Heartwire" / "Monitor" / "monitor.html").read_text()
    head, body = curl("--fail", "--include", "--compressed", f"{page}/monitor").split("\r\n\r\n", 1)
    assert body == written
    for tag in ("script", "style"):
        [source] = re.findall(f"{tag}-src 'sha256-(.*?)'", head)
        [text] = re.findall(f"<{tag}>(.*?)</{tag}>", written, re.DOTALL)
        assert source == base64.b64encode(hashlib.sha256(text.encode()).digest()).decode()
