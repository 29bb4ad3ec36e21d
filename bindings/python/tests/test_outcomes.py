"""What becomes of a message: sent, expired, dropped or cancelled."""

from __future__ import annotations

import math
from collections.abc import Callable, Iterator
from typing import Any

import pytest
from conftest import Servers, eventually, run, wait_until

import heartwire
from heartwire import Event, EventKind, Outcome, Status


class Story:
    """The outcomes that a connection has told of: the first message's number, how many, and what became of them."""

    def __init__(self) -> None:
        self.outcomes: list[tuple[int, int, object]] = []

    def on_event(self, connection: object, event: Event) -> None:
        if event.kind is EventKind.OUTCOME:
            assert event.previous_level is None
            self.outcomes.append((event.message_id, event.count, event.level))


@pytest.fixture
def story() -> Story:
    return Story()


@pytest.fixture
def offline(servers: Servers, story: Story) -> Iterator[Callable[..., heartwire.Client]]:
    """Makes clients that never connect."""
    clients: list[heartwire.Client] = []

    def make(**options: Any) -> heartwire.Client:
        clients.append(heartwire.Client(servers.url("refused"), on_event=story.on_event, **options))
        return clients[-1]

    yield make
    for client in clients:
        client.release()


def test_reported(servers: Servers, story: Story) -> None:
    with heartwire.Client(servers.url("ws"), on_event=story.on_event) as client:
        client.send("in silence")
        number = client.send("with a report", report=True)
        wait_until(lambda: story.outcomes != [])
        assert client.outcome(number) is Outcome.SENT
    assert story.outcomes == [(number, 1, Outcome.SENT)]


def test_streaming_is_reported(servers: Servers, story: Story) -> None:
    async def main() -> None:
        async with heartwire.connect(servers.url("ws"), on_event=story.on_event) as ws:
            number = await ws.send_streaming(["one ", "message"], report=True)
            assert await ws.recv() == "one message"
            await eventually(lambda: story.outcomes == [(number, 1, Outcome.SENT)])

    run(main())


def test_now(servers: Servers) -> None:
    with heartwire.sync.connect(servers.url("ws")) as ws:
        ws.send("order", now=True)
        assert ws.recv() == "order"


def test_now_without_a_connection(offline: Callable[..., heartwire.Client]) -> None:
    client = offline()
    with pytest.raises(heartwire.NotConnected) as caught:
        client.send("order", now=True)
    assert isinstance(caught.value, heartwire.StateError)
    assert (caught.value.status, caught.value.retryable) == (Status.NOT_CONNECTED, True)
    assert client.metrics().queue_messages == 0


def test_expired(offline: Callable[..., heartwire.Client], story: Story) -> None:
    client = offline()
    lasting = client.send("lasting", ttl=math.inf)
    number = client.send("short-lived", ttl=0.001)
    parts = client.send_streaming([b"short", b"lived"], ttl=0.001)
    wait_until(lambda: client.metrics().queue_expired == 2)
    assert [client.outcome(each) for each in (lasting, number, parts)] == [Outcome.PENDING, Outcome.EXPIRED, Outcome.EXPIRED]
    wait_until(lambda: sum(count for _, count, _ in story.outcomes) == 2)
    assert {level for _, _, level in story.outcomes} == {Outcome.EXPIRED}


def test_expired_between_its_parts(offline: Callable[..., heartwire.Client]) -> None:
    client = offline()

    def parts() -> Iterator[str]:
        yield "short"
        wait_until(lambda: client.metrics().queue_expired == 1)
        yield "lived"

    assert client.outcome(client.send_streaming(parts(), ttl=0.001)) is Outcome.EXPIRED
    assert client.outcome(client.send("still open")) is Outcome.PENDING


def test_dropped(offline: Callable[..., heartwire.Client], story: Story) -> None:
    client = offline(queue_messages_max=2, queue_overflow="drop_oldest")
    numbers = [client.send(str(each)) for each in range(3)]
    assert [client.outcome(number) for number in numbers] == [Outcome.DROPPED, Outcome.PENDING, Outcome.PENDING]
    wait_until(lambda: story.outcomes == [(numbers[0], 1, Outcome.DROPPED)])
    assert client.metrics().queue_dropped == 1


def test_cancelled(offline: Callable[..., heartwire.Client], story: Story) -> None:
    client = offline()
    number = client.send("taken back")
    assert client.cancel(number)
    assert not client.cancel(number)
    assert client.outcome(number) is Outcome.CANCELLED
    wait_until(lambda: story.outcomes == [(number, 1, Outcome.CANCELLED)])
    assert (client.metrics().queue_messages, client.metrics().queue_cancelled) == (0, 1)


def test_the_end_cancels_what_waits(offline: Callable[..., heartwire.Client], story: Story) -> None:
    client = offline()
    client.send("a")
    client.send("b")
    client.close()
    assert story.outcomes == [(1, 2, Outcome.CANCELLED)]


@pytest.mark.parametrize("number", [0, 2, -1, 2**64])
def test_no_such_message(offline: Callable[..., heartwire.Client], number: int) -> None:
    client = offline()
    client.send("the only one")
    for call in (client.outcome, client.cancel):
        with pytest.raises(heartwire.ArgumentError, match=f"no message .* {number}") as caught:
            call(number)
        assert caught.value.status is Status.RANGE


def test_after_the_end(servers: Servers) -> None:
    with heartwire.sync.connect(servers.url("ws")) as ws:
        number = ws.send("hello")
    for call in (lambda: ws.outcome(number), lambda: ws.cancel(number), lambda: ws.send("late", now=True)):
        with pytest.raises(heartwire.StateError, match="closed"):
            call()


@pytest.mark.parametrize("ttl", [0, -1, math.nan])
def test_ttl_out_of_range(offline: Callable[..., heartwire.Client], ttl: float) -> None:
    with pytest.raises(ValueError, match="more than 0"):
        offline().send("hello", ttl=ttl)


def test_ttl_of_a_wrong_type(offline: Callable[..., heartwire.Client]) -> None:
    wrong: Any = "5s"
    with pytest.raises(TypeError, match="ttl is a number of seconds or None, not str"):
        offline().send("hello", ttl=wrong)
