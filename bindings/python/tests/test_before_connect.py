"""before_connect: the program gives each attempt its URL and headers, or refuses it."""

from __future__ import annotations

import asyncio
import itertools
import json
from collections.abc import Callable
from typing import Any

import pytest
from conftest import PATIENCE_SECONDS, Servers, eventually, run, wait_until

import heartwire
from heartwire import Attempt, Event, EventKind, Status

ONCE: dict[str, Any] = {"reconnect_attempts_max": 1}


def fresh_tokens() -> Callable[[str, int], Attempt]:
    tokens = itertools.count(1)

    def before_connect(url: str, attempt: int) -> Attempt:
        return Attempt(headers={"Authorization": f"Bearer {next(tokens)}"})

    return before_connect


def token(message: heartwire.Message) -> str:
    return str(json.loads(message)["authorization"])


@pytest.mark.parametrize("is_coroutine", [True, False])
def test_asyncio(servers: Servers, is_coroutine: bool) -> None:
    plain = fresh_tokens()

    async def coroutine(url: str, attempt: int) -> Attempt:
        await asyncio.sleep(0)
        return plain(url, attempt)

    async def main() -> None:
        hook = coroutine if is_coroutine else plain
        async with heartwire.connect(servers.url("ws", "/headers"), before_connect=hook) as ws:
            assert token(await ws.recv()) == "Bearer 1"
            ws.rotate()
            assert token(await ws.recv()) == "Bearer 2"

    run(main())


def test_synchronous(servers: Servers) -> None:
    with heartwire.sync.connect(servers.url("ws", "/headers"), before_connect=fresh_tokens()) as ws:
        assert token(ws.recv(PATIENCE_SECONDS)) == "Bearer 1"
        ws.rotate()
        assert token(ws.recv(PATIENCE_SECONDS)) == "Bearer 2"


def test_client(servers: Servers) -> None:
    """Configured fields of the same name give way, the others stay."""
    received: list[dict[str, str]] = []
    with heartwire.Client(
        servers.url("ws", "/headers"),
        before_connect=fresh_tokens(),
        headers={"Authorization": "Bearer 0", "X-Other": "kept"},
        on_message=lambda client, message: received.append(json.loads(message)),
    ) as client:
        wait_until(lambda: len(received) == 1)
        client.rotate()
        wait_until(lambda: len(received) == 2)
    assert [(fields["authorization"], fields["x-other"]) for fields in received] == [("Bearer 1", "kept"), ("Bearer 2", "kept")]


def test_url(servers: Servers) -> None:
    asked: list[tuple[str, int]] = []
    configured = servers.url("refused", "/configured")

    def before_connect(url: str, attempt: int) -> Attempt | None:
        asked.append((url, attempt))
        return Attempt(url=servers.url("ws", "/echo?token=1")) if attempt == 2 else None

    with heartwire.sync.connect(configured, before_connect=before_connect, reconnect_base=0.001) as ws:
        ws.send("hello")
        assert ws.recv(PATIENCE_SECONDS) == "hello"
    assert asked == [(configured, 1), (configured, 2)]


def test_exception_is_a_failed_attempt(servers: Servers) -> None:
    async def before_connect(url: str, attempt: int) -> None:
        raise LookupError("no token today")

    async def main() -> None:
        heard: list[dict[str, Any]] = []
        asyncio.get_running_loop().set_exception_handler(lambda loop, context: heard.append(context))
        events: list[Event] = []
        with pytest.raises(heartwire.ConnectError, match="LookupError: no token today") as caught:
            async with heartwire.connect(
                servers.url("ws"), before_connect=before_connect, on_event=lambda ws, event: events.append(event), **ONCE
            ):
                pass
        assert caught.value.status is Status.BEFORE_CONNECT
        assert [str(context["exception"]) for context in heard] == ["no token today"]
        kinds = [event.kind for event in events if event.kind in (EventKind.CONNECT_DUE, EventKind.ATTEMPT_FAILED)]
        assert kinds == [EventKind.CONNECT_DUE, EventKind.ATTEMPT_FAILED]

    run(main())


@pytest.mark.parametrize(
    ("answer", "sentence"),
    [
        ("ws://localhost/", "TypeError: before_connect returns an Attempt or None, not str"),
        (Attempt(url="http://localhost/"), "ConfigurationError: .*ws"),
        (Attempt(url="ws://localhost/\0"), "ArgumentError: the URL must not contain a NUL"),
        (Attempt(headers={"Host": "elsewhere"}), "ConfigurationError: .*Host"),
        (Attempt(headers={"X": "a\r\nb: c"}), "ConfigurationError: .*X"),
        (Attempt(headers=[("X", "1")] * 65), "LimitError|MessageTooLarge"),
    ],
)
def test_answers_that_are_no_good(servers: Servers, caplog: pytest.LogCaptureFixture, answer: Any, sentence: str) -> None:
    with pytest.raises(heartwire.ConnectError, match=sentence):
        heartwire.sync.connect(servers.url("ws"), before_connect=lambda url, attempt: answer, **ONCE)
    [record] = caplog.records
    assert record.name == "heartwire" and record.getMessage().startswith("before_connect of <")
    caplog.clear()


def test_no_answer_in_time(servers: Servers) -> None:
    async def main() -> None:
        heard: list[BaseException] = []
        asyncio.get_running_loop().set_exception_handler(lambda loop, context: heard.append(context["exception"]))

        async def before_connect(url: str, attempt: int) -> Attempt | None:
            if attempt == 1:
                await asyncio.Event().wait()
            return None

        async with heartwire.connect(
            servers.url("ws"), before_connect=before_connect, before_connect_timeout=0.5, reconnect_base=0.001
        ) as ws:
            assert ws.metrics().attempts_failed >= 1
            await eventually(lambda: heard != [])
        assert isinstance(heard[0], asyncio.TimeoutError)

    run(main())


def test_attempts_that_are_over_are_not_asked_about(servers: Servers) -> None:
    """Nobody receives while the first attempts of the rotation wait for their answers."""
    asked: list[int] = []
    due: list[Event] = []

    def on_event(ws: heartwire.sync.Connection, event: Event) -> None:
        if event.kind is EventKind.CONNECT_DUE:
            due.append(event)

    options: dict[str, Any] = {"before_connect_timeout": 0.25, "reconnect_base": 0.001, "reconnect_cap": 0.001}
    with heartwire.sync.connect(
        servers.url("ws", "/headers"), before_connect=lambda url, attempt: asked.append(attempt), on_event=on_event, **options
    ) as ws:
        ws.recv(PATIENCE_SECONDS)
        failed_before = ws.metrics().attempts_failed
        ws.rotate()
        wait_until(lambda: ws.metrics().attempts_failed > failed_before)
        ws.recv(PATIENCE_SECONDS)
    assert 2 <= len(asked) < len(due)


def test_release_cancels_the_question(servers: Servers) -> None:
    async def main() -> None:
        cancelled = asyncio.Event()

        async def before_connect(url: str, attempt: int) -> None:
            try:
                await asyncio.Event().wait()
            except asyncio.CancelledError:
                cancelled.set()
                raise

        with pytest.raises(heartwire.TimeoutError):
            await heartwire.connect(
                servers.url("ws"), before_connect=before_connect, before_connect_timeout="1h", open_timeout=1
            )
        await cancelled.wait()

    run(main())


def test_exception_that_ends_the_program(servers: Servers) -> None:
    def before_connect(url: str, attempt: int) -> None:
        raise SystemExit(3)

    client = heartwire.Client(servers.url("ws"), before_connect=before_connect)
    with pytest.raises(SystemExit):
        client.wait(PATIENCE_SECONDS)
    client.close()


def test_coroutine_functions_need_a_loop(servers: Servers) -> None:
    async def before_connect(url: str, attempt: int) -> None:
        raise AssertionError("nobody can await this")

    wrong: Any = before_connect
    for api in (heartwire.sync.connect, heartwire.Client):
        with pytest.raises(TypeError, match="coroutine function"):
            api(servers.url("ws"), before_connect=wrong)
