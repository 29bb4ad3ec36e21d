"""The services, each started when a test first asks for it, and what they logged when a test fails."""

from __future__ import annotations

import contextlib
import pathlib
import tempfile
from collections.abc import Iterator
from typing import Any

import pytest
import services
from services import Service

IDLE_SECONDS = 2


@contextlib.contextmanager
def folder() -> Iterator[pathlib.Path]:
    with tempfile.TemporaryDirectory(prefix="heartwire-services-") as name:
        yield pathlib.Path(name)


@pytest.fixture(scope="session")
def mosquitto() -> Iterator[Service]:
    with folder() as files, services.mosquitto(files) as service:
        yield service


@pytest.fixture(scope="session")
def rabbitmq() -> Iterator[Service]:
    with folder() as files, services.rabbitmq(files) as service:
        yield service


@pytest.fixture(scope="session")
def engineio() -> Iterator[Service]:
    with folder() as files, services.application("engineio_app", files) as service:
        yield service


@pytest.fixture(scope="session")
def graphql() -> Iterator[Service]:
    with folder() as files, services.application("graphql_app", files) as service:
        yield service


@pytest.fixture(scope="session")
def clock() -> Iterator[Service]:
    with folder() as files, services.application("channels_app", files) as service:
        yield service


@pytest.fixture(scope="session")
def idle_cutter() -> Iterator[Service]:
    with folder() as files, services.idle_cutter(files, IDLE_SECONDS) as service:
        yield service


@pytest.hookimpl(wrapper=True)
def pytest_runtest_makereport(item: pytest.Item, call: pytest.CallInfo[Any]) -> Any:
    report = yield
    if report.failed:
        for name, value in getattr(item, "funcargs", {}).items():
            if isinstance(value, Service):
                report.sections.append((f"log of {name}", value.log.read_text(errors="replace")[-10_000:]))
    return report
