"""The page for everybody: by keyboard, by screen reader, in light and dark, on a phone."""

from __future__ import annotations

import pathlib
from collections.abc import Callable

import pytest
from browser import Page
from feed import SLOW, TROUBLE, Feed, connection, fleet

Show = Callable[..., None]
SCREENSHOTS = pathlib.Path(__file__).resolve().parents[2] / ".build" / "monitor"
FOCUSED = "document.activeElement.textContent || document.activeElement.id"
LONG_NAME = "wss://gateway.exchange.example/session/" + "marketdata" * 12
# The contrast of each text with what is behind it, and of each mark that means something; answers what is too faint.
FAINT = """(() => {
  const canvas = new OffscreenCanvas(1, 1).getContext("2d", { willReadFrequently: true });
  const channels = (colour) => {
    canvas.clearRect(0, 0, 1, 1);
    canvas.fillStyle = colour;
    canvas.fillRect(0, 0, 1, 1);
    return canvas.getImageData(0, 0, 1, 1).data;
  };
  const luminance = (colour) => {
    const [r, g, b] = [...channels(colour)].slice(0, 3).map((value) => {
      const part = value / 255;
      return part <= 0.04045 ? part / 12.92 : ((part + 0.055) / 1.055) ** 2.4;
    });
    return 0.2126 * r + 0.7152 * g + 0.0722 * b;
  };
  const behind = (element) => {
    for (let at = element; at; at = at.parentElement) {
      const colour = getComputedStyle(at).backgroundColor;
      if (channels(colour)[3] === 255) return colour;
    }
    return "white";
  };
  const contrast = (element, colour) => {
    const [light, dark] = [luminance(colour), luminance(behind(element))].sort((a, b) => b - a);
    return (light + 0.05) / (dark + 0.05);
  };
  const faint = [];
  let judged = 0;
  for (const element of document.querySelectorAll("body *")) {
    if (!element.checkVisibility() || element.closest("script, style, .unseen")) continue;
    const style = getComputedStyle(element);
    const hasText = [...element.childNodes].some((node) => node.nodeType === Node.TEXT_NODE && node.data.trim() !== "");
    const checks = hasText ? [[style.color, 4.5]] : [];
    if (element.matches(".glyph")) checks.push([style.fill, 3]);
    if (element.matches(".ring, .beat, .missed")) checks.push([style.stroke, 3]);
    if (element.matches("input")) {
      checks.push([style.color, 4.5], [getComputedStyle(element, "::placeholder").color, 4.5], [style.borderColor, 3]);
    }
    for (const [colour, least] of checks) {
      judged += 1;
      const value = contrast(element.matches("input") && least === 3 ? element.parentElement : element, colour);
      if (value < least) faint.push(`${element.tagName} ${element.className} ${element.textContent.trim()}: ${value.toFixed(2)}`);
    }
  }
  return { judged, faint };
})()"""


def test_the_keyboard_reaches_everything(page: Page, show: Show) -> None:
    show(connection(1), connection(2), connection(3))
    walked = []
    for _ in range(10):
        page.press("Tab")
        walked.append(page.evaluate(FOCUSED))
        assert page.evaluate("getComputedStyle(document.activeElement).outline").endswith("solid 2px")
    # The rows are one stop; the arrow keys walk through them.
    assert walked == [
        "filter", "Status", "Connection", "Last beats", "Latency", "Quality", "Missed", "Queue", "Reconnects", connection(1)["name"],
    ]  # fmt: skip
    for key, row in (("ArrowDown", 2), ("ArrowDown", 3), ("ArrowDown", 3), ("Home", 1), ("ArrowUp", 1), ("End", 3), ("ArrowUp", 2)):
        page.press(key)
        assert page.evaluate(FOCUSED) == connection(row)["name"], key
    assert page.evaluate("document.querySelectorAll('tbody button[tabindex=\"0\"]').length") == 1


def test_the_keyboard_opens_a_row_and_sorts(page: Page, show: Show) -> None:
    show(connection(1), connection(2))
    page.evaluate("document.querySelector('tbody button').focus()")
    assert not page.evaluate("document.querySelector('.more').checkVisibility()")
    page.press("Enter")
    assert page.evaluate("document.activeElement.getAttribute('aria-expanded')") == "true"
    assert page.evaluate("document.querySelector('.more').checkVisibility()")
    page.press("Enter")
    assert page.evaluate("document.activeElement.getAttribute('aria-expanded')") == "false"
    page.evaluate("document.querySelector('[data-sort=name]').focus()")
    page.press("Enter")
    page.press("Enter")
    assert page.evaluate("document.querySelector('[data-sort=name]').parentElement.getAttribute('aria-sort')") == "descending"
    assert page.evaluate("document.querySelector('tbody [data-field=name]').textContent") == connection(2)["name"]


def test_the_focus_stays_on_a_row_that_moves(page: Page, show: Show) -> None:
    show(connection(1), connection(2), connection(3))
    page.evaluate("document.querySelectorAll('tbody button')[2].focus()")
    show(connection(1), connection(2), connection(3, **TROUBLE))
    assert page.evaluate("document.querySelector('tbody').contains(document.activeElement)")
    assert page.evaluate(FOCUSED) == connection(3)["name"]


def test_a_stop_for_the_tab_key_remains_when_its_row_goes(page: Page, show: Show) -> None:
    show(connection(1), connection(2))
    show(connection(2))
    assert page.evaluate("document.querySelector('tbody button').tabIndex") == 0


@pytest.mark.parametrize("width", [1280, 800, 360])
def test_it_is_a_table_at_every_width(page: Page, show: Show, width: int) -> None:
    page.resize(width, 800)
    show(*fleet(healthy=2, error=1))
    nodes = page.call("Accessibility.getFullAXTree")["nodes"]
    roles = [node["role"]["value"] for node in nodes if not node["ignored"]]
    assert {role: roles.count(role) for role in ("table", "row", "columnheader", "rowheader", "cell")} == {
        "table": 1, "row": 4, "columnheader": 8, "rowheader": 3, "cell": 21,
    }  # fmt: skip
    named = {(node["role"]["value"], node.get("name", {}).get("value")) for node in nodes if not node["ignored"]}
    assert ("table", "Connections") in named
    assert ("searchbox", "Filter connections by name, state or status") in named
    assert any(role == "image" and name and "beats in the last 5 minutes" in name for role, name in named)


def test_only_news_are_announced(page: Page, feed: Feed, show: Show) -> None:
    announcer = "document.querySelector('#announcer').textContent"
    page.open(feed.url)
    page.evaluate("""{
      window.announced = [];
      const announcer = document.querySelector("#announcer");
      new MutationObserver(() => announced.push(announcer.textContent)).observe(announcer, { childList: true });
    }""")
    show(connection(1))
    for latency in range(5):
        show(connection(1, latency_ms=float(latency)))
    assert page.evaluate("announced") == ["The connection is healthy"]
    # Soon after one announcement the next one waits, and then says how things are by then.
    page.evaluate("shown.announcedAt = Infinity")
    show(connection(1, **SLOW))
    show(connection(1, **TROUBLE))
    assert page.evaluate(announcer) == "The connection is healthy"
    page.evaluate("shown.announcedAt = -Infinity")
    page.wait_for(f"{announcer} === '1 in error, of 1 connection'")
    assert page.evaluate("announced") == ["The connection is healthy", "1 in error, of 1 connection"]
    assert page.evaluate("document.querySelector('#announcer').getAttribute('role')") == "status"


@pytest.mark.parametrize("scheme", ["light", "dark"])
@pytest.mark.parametrize("width", [1280, 360])
def test_everything_stands_out_from_what_is_behind_it(page: Page, show: Show, scheme: str, width: int) -> None:
    page.resize(width, 800)
    page.prefer(prefers_color_scheme=scheme)
    show(*fleet(healthy=2, warning=1, error=1))
    page.evaluate("document.querySelectorAll('tbody button').forEach((button) => button.click())")
    fresh = page.evaluate(FAINT)
    assert fresh["judged"] > 100
    assert fresh["faint"] == []
    page.wait_for("document.body.classList.contains('stale')")
    assert page.evaluate(FAINT)["faint"] == []


def test_it_follows_the_colour_scheme(page: Page, show: Show) -> None:
    show(connection(1))
    grounds = []
    for scheme in ("light", "dark"):
        page.prefer(prefers_color_scheme=scheme)
        grounds.append(page.evaluate("getComputedStyle(document.body).backgroundColor"))
    assert grounds == ["rgb(246, 247, 249)", "rgb(14, 19, 24)"]


@pytest.mark.parametrize("width", [320, 360, 412, 768, 1024, 1081, 1280, 2560])
def test_nothing_sticks_out_sideways(page: Page, show: Show, width: int) -> None:
    page.resize(width, 800)
    large = {"queue_messages": 12_345_678, "queue_bytes": 999_000_000, "latency_ms": 59_999.0, "latency_mean_ms": 59_999.0}
    large |= {"beats_missed": 123_456, "reconnections": 99_999}
    show(connection(1, **TROUBLE | large | {"name": LONG_NAME, "reason": LONG_NAME}), connection(2, **SLOW), connection(3, name="x"))
    page.evaluate("document.querySelector('tbody button').click()")
    assert page.evaluate("document.documentElement.scrollWidth") <= width
    # No text reaches into another cell, or out of its row.
    assert page.evaluate("""[...document.querySelectorAll('.row')].flatMap((row) => {
      const texts = [...row.children].map((cell) => {
        const range = document.createRange();
        range.selectNodeContents(cell);
        return { cell, box: range.getBoundingClientRect() };
      });
      // What is cut off with an ellipsis reaches further than it is seen to.
      texts.forEach((text) => { if (text.cell.matches(".name")) text.box = text.cell.getBoundingClientRect(); });
      const overlap = (a, b) => a.left < b.right - 1 && b.left < a.right - 1 && a.top < b.bottom - 1 && b.top < a.bottom - 1;
      const right = row.getBoundingClientRect().right + 1;
      return texts.filter((text, index) => text.box.right > right || texts.slice(0, index).some((other) => overlap(text.box, other.box)));
    }).map(({ cell }) => cell.textContent.trim())""") == []


@pytest.mark.parametrize(
    ("name", "width", "height", "scheme", "connections"),
    [
        ("light", 1280, 800, "light", fleet(healthy=6, warning=1, error=1)),
        ("dark", 1280, 800, "dark", fleet(healthy=6, warning=1, error=1)),
        ("phone", 360, 780, "light", fleet(healthy=3, warning=1)),
        ("phone-dark", 360, 780, "dark", fleet(healthy=3, error=1)),
        ("many", 1280, 800, "light", fleet(healthy=188, warning=9, error=3)),
        ("empty", 1280, 500, "light", []),
    ],
)
def test_a_screenshot_is_taken_to_look_at(
    page: Page, show: Show, name: str, width: int, height: int, scheme: str, connections: list[dict[str, object]]
) -> None:
    page.resize(width, height, scale=2 if width < 600 else 1)
    page.prefer(prefers_color_scheme=scheme)
    show(*connections)
    page.wait_for("document.body.classList.contains('live')")
    page.screenshot(SCREENSHOTS / f"{name}.png")
    if name == "light":
        page.wait_for("document.body.classList.contains('stale')")
        page.screenshot(SCREENSHOTS / "stale.png")
