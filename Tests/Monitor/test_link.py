"""The page's link to its server: where it goes, what it does with the token, and what is shown when no data come."""

from __future__ import annotations

from collections.abc import Callable

import pytest
from browser import Page
from feed import Feed, connection

Show = Callable[..., None]
LINK = "document.querySelector('#link').textContent"
VERDICT = "document.querySelector('#verdict').innerText"
ANNOUNCED = "document.querySelector('#announcer').textContent"


def test_the_page_talks_to_its_server_only(page: Page, feed: Feed, show: Show) -> None:
    show(connection(1))
    page.evaluate("document.querySelector('tbody button').click()")
    outside = [url for url in page.requests() if not url.startswith((f"{feed.origin}/", "data:"))]
    assert outside == [f"{feed.origin.replace('http', 'ws')}/monitor/live"]
    assert feed.targets == ["/monitor", "/monitor/live"]


@pytest.mark.parametrize("token", ["s3cret", "a+b%20&c=%C3%A9"])
def test_the_token_is_passed_on_and_hidden(page: Page, feed: Feed, token: str) -> None:
    feed.show(connection(1))
    page.open(f"{feed.url}?token={token.replace('+', '%2B').replace('&', '%26')}")
    page.wait_for("shown.time !== null")
    assert page.evaluate("location.href") == feed.url
    assert page.evaluate("new URL(address).searchParams.get('token')") == page.evaluate("token")
    page_target, live_target = feed.targets
    assert live_target == page.evaluate("`/monitor/live?token=${encodeURIComponent(token)}`")
    assert page.evaluate("document.documentElement.outerHTML").count(token) == 0


def test_before_the_first_data_the_page_waits(page: Page, feed: Feed) -> None:
    page.open(feed.url)
    page.wait_for(f"{LINK} === 'Connecting'")
    assert page.evaluate(VERDICT) == "Waiting for the first data"


def test_stale_data_are_called_so(page: Page, show: Show) -> None:
    show(connection(1))
    page.wait_for(f"{LINK} === 'Live'")
    assert not page.evaluate("document.body.classList.contains('stale')")

    page.wait_for("document.body.classList.contains('stale')")
    moment = page.evaluate("shown.time.toLocaleTimeString('en-GB')")
    seconds = page.evaluate(VERDICT).removeprefix("No data for ").partition(" ")[0]
    assert int(seconds) >= 3
    assert page.evaluate(VERDICT) == f"No data for {seconds} s: what you see is from {moment}"
    assert page.evaluate(LINK) == "No data"
    assert page.evaluate("document.title") == "No data · Heartwire"
    assert page.evaluate(ANNOUNCED) == "No data: the values are out of date"
    # The ages stand still with the values beside them.
    ring = page.evaluate("document.querySelector('[data-field=ring]').style.strokeDashoffset")
    page.wait_for(f"{VERDICT}.startsWith('No data for {int(seconds) + 2} s')")
    assert page.evaluate("document.querySelector('[data-field=ring]').style.strokeDashoffset") == ring

    show(connection(1))
    page.wait_for(f"{LINK} === 'Live'")
    assert page.evaluate(VERDICT) == "The connection is healthy"


def test_a_lost_link_is_made_again(page: Page, feed: Feed, show: Show) -> None:
    show(connection(1))
    feed.stop()
    page.wait_for(f"{LINK}.startsWith('Disconnected, next try in ')")
    page.wait_for("link.failures >= 2")
    feed.start()
    show(connection(1, status="error", reason="no answer"))
    page.wait_for(f"{LINK} === 'Live'")
    assert page.evaluate(VERDICT) == "1 in error, of 1 connection"
    assert page.evaluate("link.failures") == 0


def test_the_pauses_between_attempts_grow_up_to_a_limit(page: Page, feed: Feed, show: Show) -> None:
    show(connection(1))
    pauses = page.evaluate("""(() => {
      const pauses = [];
      for (let attempt = 0; attempt < 20; attempt += 1) {
        link.socket ??= { close() {} };
        retryLater();
        pauses.push(link.nextTryAt - performance.now());
      }
      return pauses;
    })()""")
    assert 200 < pauses[0] <= 500
    assert all(7400 < pause <= 15_000 for pause in pauses[6:])


def test_a_link_that_died_silently_is_made_anew(page: Page, feed: Feed, show: Show) -> None:
    show(connection(1))
    started = page.evaluate("link.startedAt")
    page.wait_for(f"link.startedAt > {started}")
    show(connection(1))
    page.wait_for(f"{LINK} === 'Live'")
    assert feed.targets == ["/monitor", "/monitor/live", "/monitor/live"]


def test_a_page_that_is_looked_at_again_connects_at_once(page: Page, feed: Feed, show: Show) -> None:
    show(connection(1))
    feed.stop()
    page.wait_for("link.socket === null")
    page.evaluate("link.nextTryAt = Infinity")
    feed.start()
    page.evaluate("document.dispatchEvent(new Event('visibilitychange'))")
    show(connection(1), connection(2))
    page.wait_for(f"{LINK} === 'Live'")
