"""The alerts and the metrics, judged by Prometheus itself and by the format's own parser."""

from __future__ import annotations

import re
import subprocess
import sys
from collections.abc import Iterator
from typing import Any

import pytest
from conftest import LISTENER, RULES, Prometheus, wait_until
from prometheus_client.openmetrics.parser import text_string_to_metric_families
from prometheus_client.samples import Sample

import heartwire

NAME = 'a "fine" \\ feed'


def promtool(*arguments: str, text: str = "") -> None:
    done = subprocess.run(["promtool", *arguments], input=text, capture_output=True, text=True, cwd=RULES.parent)
    assert done.returncode == 0, done.stdout + done.stderr


@pytest.fixture(scope="module")
def feed(servers: dict[str, Any]) -> Iterator[heartwire.sync.Connection]:
    """A connection on which pings go both ways, and has been an answer to each."""
    url = f"ws://localhost:{servers['ws']}/ping?interval_ms=20"
    with heartwire.sync.connect(url, metrics_name=NAME, ping_interval="20ms") as connection:
        wait_until(lambda: connection.metrics().pongs_received >= 3 and connection.metrics().pongs_sent >= 3)
        yield connection


def test_rules_are_right() -> None:
    promtool("check", "rules", "--lint=all", "--lint-fatal", RULES.name)


def test_rules_alert_when_they_should() -> None:
    promtool("test", "rules", "heartwire.rules.test.yml")


def test_rules_name_no_metric_that_there_is_not(feed: heartwire.sync.Connection) -> None:
    told = set(re.findall(r"^(heartwire_\w+)", heartwire.metrics(), re.MULTILINE))
    families = set(re.findall(r"^# TYPE (heartwire_\w+)", heartwire.metrics(), re.MULTILINE))
    asked = set(re.findall(r"\bheartwire_\w+", RULES.read_text()))
    assert asked and asked <= told | families


def test_metrics_pass_promtool(feed: heartwire.sync.Connection) -> None:
    """promtool reads the older format, in which a counter's family has the name of its samples."""
    older = re.sub(r"^# TYPE (\w+) counter\n((?:# UNIT .*\n)?)# HELP \1 ", r"# TYPE \1_total counter\n\2# HELP \1_total ",
                   heartwire.metrics(), flags=re.MULTILINE)  # fmt: skip
    assert older.count("_total counter\n") == 27
    promtool("check", "metrics", text=older)


def samples() -> dict[str, list[Sample]]:
    """The samples of each family, as the reference parser reads them; it refuses what the format does not allow."""
    families = list(text_string_to_metric_families(heartwire.metrics()))
    assert all(family.documentation for family in families)
    assert {family.unit for family in families} == {"", "bytes", "seconds"}
    return {family.name: family.samples for family in families}


def test_metrics_are_openmetrics(feed: heartwire.sync.Connection) -> None:
    families = samples()
    [sent] = families["heartwire_beats_sent"]
    assert sent.name == "heartwire_beats_sent_total"
    assert sent.labels == {"connection": NAME}
    assert sent.value >= 3
    states = {sample.labels["state"]: sample.value for sample in families["heartwire_connections"]}
    assert states.pop("connected") == 1
    assert states == {"disconnected": 0, "connecting": 0, "reconnecting": 0, "closing": 0, "failed": 0}


def test_metrics_are_openmetrics_without_connections_too() -> None:
    program = "import heartwire; print(heartwire.metrics(), end='')"
    text = subprocess.run([sys.executable, "-c", program], capture_output=True, text=True, check=True).stdout
    families = list(text_string_to_metric_families(text))
    assert len(families) == 36
    assert not any(family.samples for family in families)


def test_prometheus_reads_the_metrics(feed: heartwire.sync.Connection, prometheus: Prometheus) -> None:
    feed_only = '{connection="a \\"fine\\" \\\\ feed"}'
    wait_until(lambda: (prometheus.value(f"heartwire_beats_acked_total{feed_only}") or 0) >= 3)
    [target] = prometheus.api("targets")["activeTargets"]
    assert (target["health"], target["lastError"]) == ("up", "")
    for name in ("heartwire_heartbeats_answered_total", "heartwire_round_trip_seconds_count", "heartwire_received_bytes_total"):
        assert (prometheus.value(f"{name}{feed_only}") or 0) >= 3, name
    assert prometheus.value('sum(heartwire_connections{state="connected"})') == 1
    quantile = "histogram_quantile(0.95, sum by (le) (rate(heartwire_round_trip_seconds_bucket[1m])))"
    wait_until(lambda: 0 < (prometheus.value(quantile) or 0) < 10)
    [described] = prometheus.api("metadata", metric="heartwire_sent_bytes")["heartwire_sent_bytes"]
    assert (described["type"], described["unit"]) == ("counter", "bytes")


def test_prometheus_sees_the_clients_of_a_listener(listener_port: int, prometheus: Prometheus) -> None:
    here = f'{{listener="{LISTENER}"}}'
    accepted, refused = f"heartwire_listener_accepted_total{here}", f"sum(heartwire_listener_refused_total{here})"
    wait_until(lambda: prometheus.value(refused) is not None)
    before = prometheus.value(accepted) or 0, prometheus.value(refused)
    with heartwire.sync.connect(f"ws://127.0.0.1:{listener_port}/", metrics_name="client"):
        wait_until(lambda: prometheus.value(f"heartwire_listener_clients{here}") == 1)
        assert prometheus.value(f'heartwire_connections{{connection="{LISTENER}",state="connected"}}') == 1
    wait_until(lambda: prometheus.value(f"heartwire_listener_clients{here}") == 0)
    # Prometheus itself comes by all the time, and is no client, nor a failure.
    assert (prometheus.value(accepted), prometheus.value(refused)) == (before[0] + 1, before[1])
    assert (prometheus.value(f'heartwire_errors_total{{connection="{LISTENER}"}}') or 0) == 0


def test_prometheus_takes_the_rules(feed: heartwire.sync.Connection, prometheus: Prometheus) -> None:
    def healths() -> list[str]:
        [group] = prometheus.api("rules")["groups"]
        return [rule["health"] for rule in group["rules"]]

    wait_until(lambda: healths() == ["ok"] * 4)


def test_prometheus_sees_a_connection_end(
    feed: heartwire.sync.Connection, servers: dict[str, Any], prometheus: Prometheus
) -> None:
    with heartwire.sync.connect(f"ws://localhost:{servers['ws']}/echo", metrics_name="short") as short:
        short.send("x")
        short.recv()
        wait_until(lambda: prometheus.value('heartwire_connections{connection="short",state="connected"}') == 1)
    wait_until(lambda: prometheus.value('heartwire_connections{connection="short",state="connected"}') is None)
    wait_until(lambda: prometheus.value('heartwire_messages_received_total{connection="short"}') == 1)
