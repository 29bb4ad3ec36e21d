"""What the runner lets pass and what it does not, without sockets: times are given."""

from __future__ import annotations

import pytest
from judge import Judge
from samples import sample
from transcript import Frame, Transcript

TOLERANCE_MS = 500
UNIX_MS = 1_700_000_000_000
VERSION_4 = "0f8fad5b-d9cb-469f-a165-70867728950e"


def problems(transcript: Transcript, sent: list[tuple[str, str, float]]) -> list[str]:
    """What is wrong with these frames: kind, payload and time."""
    judge = Judge(transcript, TOLERANCE_MS)
    for kind, payload, at_ms in sent:
        judge.receive(Frame(kind, payload.encode("latin-1")), at_ms, UNIX_MS + at_ms)
    return judge.finish([(at_ms, name, "") for at_ms, name in transcript.events], [], [])


def one_beat(body: str, shown: str, **beat: object) -> Transcript:
    """A beat with this template at 1,000 ms, shown as it is sent in the transcript."""
    return sample([("client", "text", shown, 1000)], [], 2000, rule={"beat": [{"every": "1s", "send": {"body": body}, "ack": {}} | beat]})


def test_steps_at_the_same_moment_may_come_in_any_order() -> None:
    transcript = sample([("client", "text", "answer", 1000), ("client", "text", "beat", 1000)], [], 1000)
    assert problems(transcript, [("text", "beat", 1000), ("text", "answer", 1001)]) == []


def test_steps_at_different_moments_may_not() -> None:
    transcript = sample([("client", "text", "answer", 1000), ("client", "text", "beat", 1100)], [], 2000)
    assert len(problems(transcript, [("text", "beat", 1100), ("text", "answer", 1101)])) > 0


def test_a_message_as_text_is_not_the_same_as_binary() -> None:
    assert len(problems(one_beat("beat", "beat"), [("binary", "beat", 1000)])) == 2


def test_right_after_the_end_a_beat_may_follow_but_no_answer() -> None:
    transcript = sample([], [], 1000)
    assert problems(transcript, [("text", "beat", 1001)]) == []
    assert problems(transcript, [("text", "answer", 1001)]) == ["at 1001 ms: not to be sent: text 'answer'"]


def test_a_server_may_be_probed_only_once_it_is_silent() -> None:
    transcript = sample([], [(5000, "silence")], 6000)
    assert problems(transcript, [("ping", "", 5001)]) == []
    assert problems(transcript, [("ping", "", 4900)]) == ["at 4900 ms: not to be sent: ping ''"]
    assert len(problems(transcript, [("text", "ping", 5001)])) == 1


def test_a_service_that_forbids_sending_may_not_be_probed() -> None:
    transcript = sample([], [(5000, "silence")], 6000, rule={"send": "forbidden", "watch": [{}]})
    assert len(problems(transcript, [("ping", "", 5001)])) == 1


def test_a_dead_server_may_be_left_only_where_the_rule_says_so() -> None:
    unmistakable, polite = "\x0b\xc0", "\x03\xe9"
    beat = {"every": "4s", "send": {"body": "beat"}, "ack": {}}
    closing, staying = ({"beat": [beat | extra]} for extra in ({"on_miss": "close code != 1000,1001"}, {}))
    missed = [(5000, "ack_timeout")]
    assert problems(sample([], missed, 6000, rule=closing), [("close", unmistakable, 5001)]) == []
    assert len(problems(sample([], missed, 6000, rule=staying), [("close", unmistakable, 5001)])) == 1
    assert len(problems(sample([], missed, 6000, rule=closing), [("close", unmistakable, 4900)])) == 1
    assert len(problems(sample([], missed, 6000, rule=closing), [("close", polite, 5001)])) == 1


def test_a_server_that_lives_answers_pings_where_the_transcript_leaves_it_out() -> None:
    beat = {"beat": [{"every": "1s", "send": {"op": "ping", "body": ""}, "ack": {"on": "pong_frame"}}]}
    ping = ("client", "ping", "", 1000)
    for steps, events, answers in (
        ([ping], [], True), ([ping, ("server", "pong", "", 1010)], [], False), ([ping], [(1500, "ack_timeout")], False),
    ):  # fmt: skip
        assert Judge(sample(steps, events, 2000, rule=beat), TOLERANCE_MS).receive(Frame("ping", b""), 1000, UNIX_MS) is answers


def test_own_pings_go_on_beside_a_rule_that_would_not_notice_a_dead_server() -> None:
    assert problems(sample([], [], 60000, rule={"beat": [{"send": {"body": "beat"}}]}), [("ping", "", 20000)]) == []
    assert len(problems(sample([], [], 60000, rule={"watch": [{}]}), [("ping", "", 20000)])) == 1


def test_the_clock_is_the_real_one() -> None:
    transcript = one_beat('{"id":${unix_ms}}', '{"id":1700000001000}')
    assert problems(transcript, [("text", '{"id":1700000001234}', 1240)]) == []
    assert "behind the clock" in problems(transcript, [("text", '{"id":1700000000000}', 1240)])[0]
    assert "expected" in problems(transcript, [("text", '{"id":"1700000001234"}', 1240)])[0]


def test_seconds_are_whole() -> None:
    transcript = one_beat("${unix_s}", "1700000001")
    assert problems(transcript, [("text", "1700000001", 1400)]) == []
    assert len(problems(transcript, [("text", "1700000003", 1400)])) == 1


@pytest.mark.parametrize("uuid", [VERSION_4, "00000000-0000-4000-8000-000000000001"])
def test_a_uuid_is_of_version_4(uuid: str) -> None:
    assert problems(one_beat("${uuid}", "00000000-0000-4000-8000-000000000001"), [("text", uuid, 1000)]) == []


@pytest.mark.parametrize("uuid", ["0f8fad5b-d9cb-169f-a165-70867728950e", "0f8fad5b-d9cb-469f-c165-70867728950e", "r1", ""])
def test_anything_else_is_no_uuid(uuid: str) -> None:
    assert len(problems(one_beat("${uuid}", "00000000-0000-4000-8000-000000000001"), [("text", uuid, 1000)])) == 1


def test_what_stands_beside_a_variable_counts() -> None:
    transcript = one_beat('{"n":${counter},"r":"${rand}"}', '{"n":1,"r":"r1"}')
    assert problems(transcript, [("text", '{"n":1,"r":"x9"}', 1000)]) == []
    assert len(problems(transcript, [("text", '{"n":2,"r":"x9"}', 1000)])) == 1


def test_the_server_echoes_what_was_really_sent() -> None:
    judge = Judge(one_beat('{"id":"${rand}"}', '{"id":"r1"}'), TOLERANCE_MS)
    judge.receive(Frame("text", b'{"id":"x9"}'), 1000, UNIX_MS)
    assert judge.with_stand_ins(Frame("text", b'{"id":"r1","for":"r12"}')).payload == b'{"id":"x9","for":"r12"}'


def test_a_random_first_beat_takes_what_follows_with_it() -> None:
    steps = [("server", "text", "hello", 100), ("client", "text", "beat", 20100), ("client", "text", "beat", 60100)]
    rule = {"beat": [{"every": "40s", "first": "jitter", "send": {"body": "beat"}, "ack": {}}]}
    transcript = sample(steps, [], 60100, rule=rule)
    for first_ms in (101, 20100, 40100):
        assert problems(transcript, [("text", "beat", first_ms), ("text", "beat", first_ms + 40000)]) == []
    assert len(problems(transcript, [("text", "beat", 101), ("text", "beat", 60100)])) > 0
    assert len(problems(transcript, [("text", "beat", 40700), ("text", "beat", 80700)])) > 0


def test_a_random_first_beat_may_come_where_it_is_not_shown_unless_nothing_may() -> None:
    rule = {"beat": [{"every": "40s", "first": "jitter", "send": {"body": "beat"}, "ack": {}}]}
    assert problems(sample([], [], 5000, rule=rule), [("text", "beat", 300)]) == []
    assert len(problems(sample([], [], 5000, rule=rule), [("text", "beat", 300), ("text", "beat", 400)])) == 1
    assert len(problems(sample([], [], 5000, "negative", rule), [("text", "beat", 300)])) == 1
