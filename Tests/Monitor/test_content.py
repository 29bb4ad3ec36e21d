"""What the page says about the connections, and how it keeps up with them."""

from __future__ import annotations

from collections.abc import Callable
from typing import Any

import pytest
from browser import Page
from feed import HEALTHY, SLOW, TROUBLE, Feed, connection, fleet

Show = Callable[..., None]
NAMES = "[...document.querySelectorAll('tbody:not([hidden]) [data-field=name]')].map((node) => node.textContent)"
# Notes each animation that the page starts.
NOTE_ANIMATIONS = """
window.animations = [];
const animate = Element.prototype.animate;
Element.prototype.animate = function (keyframes, options) {
  animations.push({ name: this.closest("tbody").querySelector("[data-field=name]").textContent, keyframes, options });
  return animate.call(this, keyframes, options);
};
"""


def name(number: int) -> str:
    return str(connection(number)["name"])


def field(which: str) -> str:
    """JavaScript for the element of the first row with this field."""
    return f"document.querySelector('tbody:not([hidden]) [data-field={which}]')"


def read(page: Page, *fields: str) -> list[str]:
    return [page.evaluate(f"{field(which)}.textContent") for which in fields]


def text(page: Page, selector: str) -> str:
    return str(page.evaluate(f"document.querySelector({selector!r}).innerText"))


@pytest.mark.parametrize(
    ("connections", "verdict"),
    [
        (fleet(), "No connections"),
        (fleet(healthy=1), "The connection is healthy"),
        (fleet(healthy=3), "All 3 connections are healthy"),
        (fleet(healthy=1, warning=1), "1 with a warning, of 2 connections"),
        (fleet(healthy=5, warning=2, error=1), "1 in error, 2 with a warning, of 8 connections"),
        (fleet(healthy=1200, error=1), "1 in error, of 1,201 connections"),
    ],
)
def test_one_sentence_says_how_the_fleet_fares(page: Page, show: Show, connections: list[dict[str, Any]], verdict: str) -> None:
    show(*connections)
    assert text(page, "#verdict") == verdict
    assert page.evaluate("document.title") == f"{verdict} · Heartwire"


def test_the_figures_of_the_fleet(page: Page, show: Show) -> None:
    show(*fleet(healthy=5, warning=2, error=1))
    figures = page.evaluate("[...document.querySelectorAll('#fleet div')].map((figure) => figure.innerText.replace('\\n', ' '))")
    assert figures == ["in error 1", "with a warning 2", "healthy 5", "worst latency 640 ms", "missed beats 2", "connections 8"]
    assert text(page, "#version") == "1.2.3"


def test_a_row_says_everything_about_a_connection(page: Page, show: Show) -> None:
    show(connection(1, **TROUBLE))
    assert read(page, "status", "name", "state", "reason") == [
        "error", name(1), "client, reconnecting", "no answer to the last 2 beats",
    ]  # fmt: skip
    assert read(page, "latency", "mean", "quality", "missed", "queue", "bytes", "reconnections") == [
        "24 ms", "mean 26 ms", "–", "2", "231", "88.2 KB", "4",
    ]  # fmt: skip
    page.evaluate(f"{field('name')}.click()")
    more = page.evaluate("[...document.querySelectorAll('.more dl div')].map((entry) => entry.innerText.replace('\\n', ': '))")
    assert more[:7] == [
        "Identifier: 1", "Uptime: –", "Beat interval: 20 s", "Beats sent: 12", "Beats received: 12", "Beats answered: 0",
        "Messages dropped: 0",
    ]  # fmt: skip
    assert more[7].startswith("Last beats: 5 s ago: 24 ms, 25 s ago: 24 ms, 45 s ago: 24 ms")


@pytest.mark.parametrize(
    ("latency_ms", "said"), [(None, "–"), (0, "0.00 ms"), (0.126, "0.13 ms"), (4.44, "4.4 ms"), (412.3, "412 ms"), (1234, "1.23 s")]
)
def test_a_latency_reads_well_at_any_size(page: Page, show: Show, latency_ms: float | None, said: str) -> None:
    show(connection(1, latency_ms=latency_ms))
    assert read(page, "latency") == [said]
    assert text(page, "#worst") == said


def test_status_is_told_by_shape_and_word(page: Page, show: Show) -> None:
    show(*fleet(healthy=1, warning=1, error=1))
    shapes = page.evaluate("[...document.querySelectorAll('tbody [data-field=shape]')].map((path) => path.getAttribute('d'))")
    assert len(set(shapes)) == 3
    assert page.evaluate("[...document.querySelectorAll('tbody [data-field=status]')].map((node) => node.textContent)") == [
        "error", "warning", "healthy",
    ]  # fmt: skip


def test_connections_come_and_go(page: Page, show: Show) -> None:
    show(connection(1), connection(2))
    show(connection(2), connection(3))
    assert page.evaluate(NAMES) == [name(2), name(3)]
    show()
    assert page.evaluate(NAMES) == []
    assert text(page, "#verdict") == "No connections"
    assert text(page, "#empty") == "Connections of this process appear here as they open."


def test_what_is_not_listed_is_said(page: Page, show: Show) -> None:
    show(*fleet(healthy=250, error=2))
    assert text(page, "#note") == "the 200 worst of 252 are listed"
    assert len(page.evaluate(NAMES)) == 200


def test_a_beat_pulses_on_its_own_row(page: Page, feed: Feed, show: Show) -> None:
    page.open(feed.url, before=NOTE_ANIMATIONS)
    show(connection(1), connection(2))
    show(connection(1, last_beat_age_ms=6000, beats=[[6000, 24.4]]), connection(2, last_beat_age_ms=300, beats=[[6000, 24.4], [300, 20.0]]))
    pulses = page.evaluate("animations")
    assert [pulse["name"] for pulse in pulses] == [name(2)]
    # One interval of messages after the beat.
    assert pulses[0]["options"]["delay"] == 700
    assert "transform" in pulses[0]["keyframes"][0]


def test_beats_are_told_by_the_counters_where_the_server_lists_none(page: Page, feed: Feed, show: Show) -> None:
    page.open(feed.url, before=NOTE_ANIMATIONS)
    show(connection(1, beats=[], beats_received=5, beats_answered=5))
    show(connection(1, beats=[], beats_received=5, beats_answered=6, last_beat_age_ms=100, latency_ms=45.0))
    # One of the peer's own: it has no round trip.
    show(connection(1, beats=[], beats_received=6, beats_answered=6, last_beat_age_ms=300, latency_ms=45.0))
    show(connection(1, beats=[], beats_received=6, beats_answered=6, last_beat_age_ms=1300, latency_ms=45.0))
    assert [pulse["options"]["delay"] for pulse in page.evaluate("animations")] == [900, 700]
    (first, answered), (second, unanswered) = bars(page)
    assert (first, second) == (2.1, 1.3)
    assert answered > unanswered == 3


def test_a_pulse_keeps_still_for_whoever_wants_no_motion(page: Page, feed: Feed, show: Show) -> None:
    page.prefer(prefers_reduced_motion="reduce")
    page.open(feed.url, before=NOTE_ANIMATIONS)
    show(connection(1))
    show(connection(1, beats=[[6000, 24.4], [300, 20.0]]))
    assert [list(keyframe) for keyframe in page.evaluate("animations")[0]["keyframes"]] == [["opacity"], ["opacity"]]


def test_the_ring_fills_between_two_messages(page: Page, show: Show) -> None:
    show(connection(1, next_beat_in_ms=1500, interval_ms=2000))
    page.wait_for(f"Number({field('ring')}.style.strokeDashoffset) < 65")
    page.wait_for(f"{field('next')}.textContent === 'next is due'")
    assert page.evaluate(f"Number({field('ring')}.style.strokeDashoffset)") == 0


def test_the_ring_is_empty_when_no_beat_is_expected(page: Page, show: Show) -> None:
    show(connection(1, next_beat_in_ms=None, interval_ms=None, last_beat_age_ms=None, beats=[]))
    assert page.evaluate(f"Number({field('ring')}.style.strokeDashoffset)") == 100
    assert read(page, "last", "next") == ["no beat yet", ""]


def test_the_ages_of_beats_go_on(page: Page, show: Show) -> None:
    show(connection(1, last_beat_age_ms=61_500, next_beat_in_ms=9500))
    assert read(page, "last")[0] == "last 1 min ago"
    page.wait_for(f"['next in 8 s', 'next in 7 s'].includes({field('next')}.textContent)")


def bars(page: Page) -> list[tuple[float, float]]:
    """The bars of the first timeline: seconds ago, and height."""
    drawn = page.evaluate(f"{field('bars')}.getAttribute('d')").split("M")[1:]
    return [(round(300 - float(bar.split()[0]), 1), float(bar.partition("v-")[2])) for bar in drawn]


def test_the_timeline_shows_beats_by_age_and_latency(page: Page, show: Show) -> None:
    show(connection(1, beats=[[250_000, 1.0], [120_000, 2000.0], [60_000, None], [1500, 45.0]]))
    (oldest, low), (_, high), (_, mark), (newest, middle) = bars(page)
    assert (oldest, newest) == (250, 1.5)
    assert mark < low < middle < high
    label = page.evaluate(f"{field('timeline')}.getAttribute('aria-label')")
    assert label == "4 beats in the last 5 minutes, 0 missed"


def test_the_timeline_keeps_what_the_page_has_seen(page: Page, show: Show) -> None:
    show(connection(1, beats=[[299_500, 9.0], [200_000, 9.0], [100_000, 9.0]]))
    # A second later the server tells the last two beats only, and an age is rounded the other way.
    show(connection(1, beats=[[100_999, 9.0], [500, 9.0]]))
    assert [age for age, _ in bars(page)] == [201.0, 101.0, 0.5]


def test_a_missed_beat_is_a_line_of_another_kind(page: Page, show: Show) -> None:
    show(connection(1))
    assert page.evaluate(f"{field('gaps')}.getAttribute('d')") in (None, "")
    show(connection(1, beats_missed=1))
    show(connection(1, beats_missed=1))
    assert page.evaluate(f"{field('gaps')}.getAttribute('d')") == "M299.0 30V0"
    assert page.evaluate(f"getComputedStyle({field('gaps')}).strokeDasharray") != "none"


def test_the_worst_come_first(page: Page, show: Show) -> None:
    show(connection(1), connection(2, **SLOW), connection(3, **TROUBLE), connection(10), connection(4))
    assert page.evaluate(NAMES) == [name(number) for number in (3, 2, 1, 4, 10)]


@pytest.mark.parametrize(
    ("column", "first", "again"),
    [
        ("name", [1, 2, 3], [3, 2, 1]),
        ("latency", [2, 1, 3], [1, 2, 3]),
        ("queue", [3, 1, 2], [1, 2, 3]),
        ("quality", [2, 1, 3], [1, 2, 3]),
        ("reconnections", [3, 2, 1], [1, 2, 3]),
        ("missed", [3, 1, 2], [1, 2, 3]),
    ],
)
def test_each_column_sorts(page: Page, show: Show, column: str, first: list[int], again: list[int]) -> None:
    # What has no value comes last both ways.
    show(connection(1), connection(2, **SLOW), connection(3, **TROUBLE | {"latency_ms": None}))
    for expected in (first, again):
        page.evaluate(f"document.querySelector('[data-sort={column}]').click()")
        assert page.evaluate(NAMES) == [name(number) for number in expected]
    sorted_headers = page.evaluate("[...document.querySelectorAll('[aria-sort]')].map((header) => header.firstElementChild.dataset.sort)")
    assert sorted_headers == [column]


def test_rows_keep_their_place_under_a_pointer(page: Page, show: Show) -> None:
    show(connection(1), connection(2))
    top = page.evaluate("document.querySelector('tbody').getBoundingClientRect().y")
    page.call("Input.dispatchMouseEvent", type="mouseMoved", x=300, y=top + 5)
    page.wait_for("performance.now() < order.heldUntil")
    page.evaluate("order.heldUntil = Infinity")
    show(connection(1), connection(2, **TROUBLE), connection(3, **TROUBLE))
    assert page.evaluate(NAMES) == [name(number) for number in (1, 2, 3)]
    page.evaluate("order.heldUntil = 0")
    show(connection(1), connection(2, **TROUBLE), connection(3, **TROUBLE))
    assert page.evaluate(NAMES) == [name(number) for number in (2, 3, 1)]


def test_the_filter_leaves_what_matches(page: Page, show: Show) -> None:
    show(*fleet(healthy=3, warning=1, error=1))
    page.evaluate("filter.focus()")
    page.type("RECONNECTING client")
    assert page.evaluate(NAMES) == [name(1)]
    assert text(page, "#note") == "1 of 5 match"
    page.type(" nonsense")
    assert page.evaluate(NAMES) == []
    assert text(page, "#empty") == "No connection matches “RECONNECTING client nonsense”."
    page.press("Escape")
    assert len(page.evaluate(NAMES)) == 5
    assert text(page, "#note") == ""


HOSTILE = [
    "<img src=x onerror=harm()><script>harm()</script>",
    "\"' onmouseover=harm() x=",
    "javascript:harm()",
    "wss://a/\u202egnp.exe",
    "${harm()} </bdi></button>",
    "\x00\x1b[31m\U0001f600",
]


@pytest.mark.parametrize("hostile", HOSTILE)
def test_what_a_peer_calls_itself_stays_text(page: Page, feed: Feed, show: Show, hostile: str) -> None:
    page.open(feed.url, before="window.harmed = 0; window.harm = () => { harmed += 1; };")
    before = page.evaluate("document.querySelectorAll('*').length")
    show(connection(1, **HEALTHY | {"name": hostile, "reason": hostile, "state": hostile, "role": hostile, "peer_address": hostile}))
    page.evaluate(f"{field('name')}.click()")
    assert read(page, "name", "reason", "state") == [hostile, hostile, f"{hostile}, {hostile}, {hostile}"]
    assert page.evaluate("harmed") == 0
    grown = page.evaluate("document.querySelectorAll('*').length")
    show(connection(1, **HEALTHY))
    page.evaluate(f"{field('name')}.click()")
    assert page.evaluate("document.querySelectorAll('*').length") == grown > before
    assert page.evaluate("document.querySelectorAll('tbody script, tbody img').length") == 0


def test_two_hundred_rows_are_updated_in_place(page: Page, show: Show, capsys: pytest.CaptureFixture[str]) -> None:
    ages = range(0, 20_000, 100)

    def moment(second: int) -> list[dict[str, Any]]:
        fed = []
        for number, age in enumerate(ages, 1):
            age += 1000 * second
            beats = [[age % 20_000 + 20_000 * back, 24.0 + second] for back in range(14, -1, -1)]
            fed.append(connection(number, beats=beats, last_beat_age_ms=beats[-1][0], beats_received=12 + age // 20_000, beats_sent=second))
        return fed

    show(*moment(0))
    page.call("Performance.enable")
    page.evaluate("""{
      window.added = 0;
      new MutationObserver((records) => {
        for (const { addedNodes } of records) added += [...addedNodes].filter((node) => node.nodeType === Node.ELEMENT_NODE).length;
      }).observe(document.body, { childList: true, subtree: true });
    }""")
    before = spent(page)
    for second in range(1, 11):
        show(*moment(second))
    thread, script, layout = ((after - earlier) * 100 for after, earlier in zip(spent(page), before, strict=True))
    with capsys.disabled():
        print(f"\nmeasured a message with 200 rows: {thread:.0f} ms of the page's thread; scripts {script:.0f}, layout {layout:.0f}")
    assert page.evaluate("added") == 0
    assert len(page.evaluate(NAMES)) == 200


def spent(page: Page) -> list[float]:
    """Seconds of the page's main thread up to now: in all, in scripts, in style and layout."""
    values = {metric["name"]: metric["value"] for metric in page.call("Performance.getMetrics")["metrics"]}
    return [values["ThreadTime"], values["ScriptDuration"], values["LayoutDuration"] + values["RecalcStyleDuration"]]


def test_rows_out_of_sight_keep_still_and_are_right_when_seen(page: Page, show: Show) -> None:
    last = f"[...document.querySelectorAll('tbody')].find((body) => body.row.data.name === '{name(100)}')"
    gap = f"{last}.querySelector('[data-field=gaps]')"
    show(*fleet(healthy=100))
    page.wait_for(f"!{last}.row.isInView")
    show(*(connection(number, beats_missed=1) for number in range(1, 101)))
    assert page.evaluate(f"{gap}.getAttribute('d')") == ""
    assert page.evaluate(f"{last}.querySelector('[data-field=missed]').textContent") == "1"
    page.evaluate(f"{last}.scrollIntoView()")
    page.wait_for(f"{gap}.getAttribute('d') === 'M300.0 30V0'")
