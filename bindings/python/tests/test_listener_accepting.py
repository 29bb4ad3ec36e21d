"""Whom the asyncio listener lets in, and what it tells those whom it does not."""

from __future__ import annotations

import asyncio
from typing import Any

import pytest
from conftest import run
from listening import ANYWHERE, NAMED, address, connected

import heartwire
from heartwire import Refusal, Request


def test_request_and_subprotocol() -> None:
    async def main() -> None:
        async with heartwire.listen("ws://localhost:0", subprotocols=["b", "c"]) as listener:
            url = f"ws://localhost:{listener.port}/chat?room=1"
            async with heartwire.connect(url, **NAMED, headers={"X-Token": "one: two "}, subprotocols=["a", "c", "b"]) as client:
                ws = await listener.accept()
                assert ws.request.path == "/chat?room=1"
                assert (ws.request.header("x-token"), ws.request.header("x-other")) == ("one: two", None)
                assert ws.request.header("Host") == f"localhost:{listener.port}"
                assert client.subprotocol == ws.subprotocol == "c"

    run(main())


def refuses(verdict: Any) -> Any:
    def before_accept(request: Request) -> Any:
        if isinstance(verdict, BaseException):
            raise verdict
        return verdict

    return before_accept


def refuses_later(verdict: Any) -> Any:
    async def before_accept(request: Request) -> Any:
        await asyncio.sleep(0)
        return refuses(verdict)(request)

    return before_accept


@pytest.mark.parametrize("hook", [refuses, refuses_later])
@pytest.mark.parametrize(
    ("verdict", "status", "body", "problem"),
    [
        (Refusal(), 403, b"\n", None),
        (Refusal(429, "later, grüße"), 429, "later, grüße\n".encode(), None),
        (Refusal(503, "x" + "ü" * 2000), 503, ("x" + "ü" * 511).encode() + b"\n", None),
        (ZeroDivisionError("secret"), 500, b"The server cannot decide.\n", ZeroDivisionError),
        (False, 500, b"The server cannot decide.\n", TypeError),
    ],
    ids=["default", "with a reason", "with a long reason", "failing", "slip"],
)
def test_refusal(hook: Any, verdict: Any, status: int, body: bytes, problem: Any) -> None:
    async def main() -> None:
        problems: list[Any] = []
        asyncio.get_running_loop().set_exception_handler(lambda loop, context: problems.append(type(context["exception"])))
        async with heartwire.listen(ANYWHERE, **NAMED, before_accept=hook(verdict)) as listener:
            with pytest.raises(heartwire.HandshakeError) as caught:
                await heartwire.connect(address(listener), **NAMED, reconnect_enabled=False)
            assert (caught.value.http_status, caught.value.body) == (status, body)
            assert listener.clients == ()
        assert problems == ([problem] if problem else [])

    run(main())


def test_those_who_are_let_in_after_a_while() -> None:
    async def main() -> None:
        deciding = asyncio.Event()
        decided = asyncio.Event()

        async def before_accept(request: Request) -> Refusal | None:
            deciding.set()
            await decided.wait()
            return None if request.header("Authorization") == "Bearer good" else Refusal(401, "who are you?")

        async with heartwire.listen(ANYWHERE, **NAMED, before_accept=before_accept) as listener:
            opening = asyncio.create_task(connected(address(listener), headers={"Authorization": "Bearer good"}))
            await deciding.wait()
            assert listener.clients == () and not opening.done()
            decided.set()
            client = await opening
            assert len(listener.clients) == 1
            await client.close()
            with pytest.raises(heartwire.HandshakeError, match="401"):
                await connected(address(listener))

    run(main())


def test_decision_about_a_client_that_has_gone_is_cancelled() -> None:
    async def main() -> None:
        deciding, cancelled = asyncio.Event(), asyncio.Event()

        async def before_accept(request: Request) -> None:
            deciding.set()
            try:
                await asyncio.Event().wait()
            finally:
                cancelled.set()

        async with heartwire.listen(ANYWHERE, **NAMED, before_accept=before_accept) as listener:
            opening = asyncio.create_task(connected(address(listener)))
            await deciding.wait()
            opening.cancel()
            await cancelled.wait()
            assert listener.clients == ()

    run(main())


def test_undecided_client_is_cut_off_in_time() -> None:
    async def main() -> None:
        problems: list[Any] = []
        asyncio.get_running_loop().set_exception_handler(lambda loop, context: problems.append(context["exception"]))

        async def before_accept(request: Request) -> None:
            await asyncio.Event().wait()

        async with heartwire.listen(ANYWHERE, **NAMED, before_accept=before_accept, connect_timeout=0.05) as listener:
            with pytest.raises(heartwire.HeartwireError):
                await connected(address(listener))

    run(main())


@pytest.mark.parametrize(
    ("origin", "status"), [("https://a.example", 0), (None, 0), ("https://b.example", 403), ("http://a.example", 403)]
)
def test_origins(origin: str | None, status: int) -> None:
    async def main() -> None:
        asked: list[Request] = []
        async with heartwire.listen(ANYWHERE, **NAMED, listener_origins=["https://a.example"], before_accept=asked.append) as listener:
            headers = {"Origin": origin} if origin else {}
            if status == 0:
                await (await connected(address(listener), headers=headers)).close()
            else:
                with pytest.raises(heartwire.HandshakeError) as caught:
                    await connected(address(listener), headers=headers)
                assert caught.value.http_status == status
            assert len(asked) == (1 if status == 0 else 0)

    run(main())
