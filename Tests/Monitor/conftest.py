"""A browser, a server with the page and data for it, and the page in the browser."""

from __future__ import annotations

from collections.abc import Callable, Iterator
from typing import Any

import pytest
from browser import Browser, Page
from feed import Feed


@pytest.fixture(scope="session")
def browser(tmp_path_factory: pytest.TempPathFactory) -> Iterator[Browser]:
    browser = Browser(tmp_path_factory.mktemp("chromium"))
    yield browser
    browser.close()


@pytest.fixture
def feed() -> Iterator[Feed]:
    feed = Feed()
    yield feed
    feed.stop()


@pytest.fixture
def page(browser: Browser, feed: Feed) -> Iterator[Page]:
    """A page to open. No test may leave a complaint in it, but that a link was lost: a browser always says so."""
    with browser.page() as page:
        yield page
        assert [text for text in page.complaints() if "WebSocket connection" not in text] == []


@pytest.fixture
def show(feed: Feed, page: Page) -> Callable[..., None]:
    """Shows connections, and waits until the page does; opens it first if it is not open."""

    def show(*connections: dict[str, Any]) -> None:
        time_ms = feed.show(*connections)
        if not page.requests():
            page.open(feed.url)
        page.wait_for(f"shown.time !== null && shown.time.getTime() === {time_ms}")

    return show
