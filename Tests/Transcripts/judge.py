"""Judges what a client sends and reports during a transcript.

Times are those of the transcript: fast milliseconds since the connection was opened.
"""

from __future__ import annotations

from jitter import Jitter
from patterns import compare, is_sent_by, sends_of, substitute
from transcript import Frame, Step, Transcript

EARLY_TOLERANCE_MS = 5
"""Time is measured from before the client knew that it was connected: nothing can come early, but for the rounding of durations."""

CLOSE_CODES_OF_NO_RETURN = (1000, 1001)
"""After these a service forgets the session, which was to be taken up again."""

ANSWERS = ("answered", "ack")
"""What must not be reported because of a message that only looks like a heartbeat."""


class Judge:
    """What is still expected from the client, and what was wrong."""

    def __init__(self, transcript: Transcript, tolerance_ms: float) -> None:
        self.problems: list[str] = []
        self.latest_ms = 0.0
        """How late the latest expected frame came."""
        self.jitter = Jitter(transcript)
        self._transcript = transcript
        self._tolerance_ms = tolerance_ms
        self._patterns = sends_of(transcript.rule, "setup", "reply", "beat")
        self._expected = [step for step in transcript.steps if step.is_client]
        self._missing: list[Step] = []
        self._stand_ins: dict[bytes, bytes] = {}

    @property
    def end_ms(self) -> float:
        """The moment until which nothing unexpected may be sent."""
        return self.jitter.moved(self._transcript.end_ms)

    def with_stand_ins(self, shown: Frame) -> Frame:
        """The frame with what the client really sent in place of the transcript's example values."""
        return Frame(shown.kind, substitute(shown.payload, self._stand_ins))

    # Frames

    def waits_for(self, step: Step) -> bool:
        """True while the client's step has neither come nor been given up."""
        return step in self._expected

    def expire(self, now_ms: float) -> None:
        """Gives up the steps that should have come by now."""
        while self._expected and now_ms > self.jitter.latest_ms(self._expected[0]) + self._tolerance_ms:
            self._missing.append(self._expected.pop(0))

    def receive(self, sent: Frame, at_ms: float, wall_ms: float) -> bool:
        """Takes a frame that the client sent when its wall clock showed `wall_ms`. True for a ping to be answered beside the transcript."""
        self.expire(at_ms)
        # What is due at the same moment may come in any order.
        due = [step for step in self._expected if step.at_ms == self._expected[0].at_ms]
        matching = next((step for step in due if self._compare(step, sent, wall_ms) is None), None)
        if matching is not None and self._is_timely(matching, at_ms):
            self._accept(matching, at_ms)
            return sent.kind == "ping" and self._transcript.answers_pings
        elif self.jitter.takes(sent):
            pass
        elif self._is_own_ping(sent, at_ms):
            return True
        elif sent.kind == "close" and self._may_end(at_ms) and int.from_bytes(sent.payload[:2], "big") not in CLOSE_CODES_OF_NO_RETURN:
            pass
        elif matching is not None:
            self._expected.remove(matching)
            self.problems.append(f"at {at_ms:.0f} ms: early by {self.jitter.moved(matching.at_ms) - at_ms:.0f} ms: {sent}")
        elif late := next((step for step in self._missing if self._compare(step, sent, wall_ms) is None), None):
            self._missing.remove(late)
            self.problems.append(f"at {at_ms:.0f} ms: late by {at_ms - self.jitter.moved(late.at_ms):.0f} ms: {sent}")
        elif due and due[0].frame.kind == sent.kind and self._is_timely(due[0], at_ms):
            self._expected.remove(due[0])
            self.problems.append(f"at {at_ms:.0f} ms: {self._compare(due[0], sent, wall_ms)}")
        elif at_ms <= self.end_ms or self._is_answer(sent):
            self.problems.append(f"at {at_ms:.0f} ms: not to be sent: {sent}")
        return False

    def end_connection(self, at_ms: float) -> None:
        """The client has ended the connection."""
        if not self._may_end(at_ms):
            self.problems.append(f"at {at_ms:.0f} ms: the client ended the connection")

    def _compare(self, step: Step, sent: Frame, wall_ms: float) -> str | None:
        """What is wrong with `sent` in place of the step; None if nothing is."""
        comparison = compare(self.with_stand_ins(step.frame), sent, [] if step.by_app else self._patterns, wall_ms, self._tolerance_ms)
        if comparison.problem is None:
            self._stand_ins |= comparison.stand_ins
        return comparison.problem

    def _is_timely(self, step: Step, at_ms: float) -> bool:
        """True if the step has not come too early; it would have expired if it were late."""
        return step is self.jitter.step or at_ms >= self.jitter.moved(step.at_ms) - self._early_ms

    def _accept(self, step: Step, at_ms: float) -> None:
        self._expected.remove(step)
        if step is self.jitter.step:
            self.jitter.came(at_ms)
        self.latest_ms = max(self.latest_ms, at_ms - self.jitter.moved(step.at_ms))

    def _is_own_ping(self, sent: Frame, at_ms: float) -> bool:
        """A server that has fallen silent is probed, and beside a rule that would not notice its death the library's own pings go on."""
        is_own = self._has_come("silence", at_ms) or self._transcript.has_own_pings
        return sent.kind == "ping" and self._transcript.may_send and is_own

    def _may_end(self, at_ms: float) -> bool:
        """A dead server is left: one that fell silent if it may not be probed, one that missed a beat if the rule says so."""
        is_left_in_silence = not self._transcript.may_send and self._has_come("silence", at_ms)
        return is_left_in_silence or (self._transcript.closes_on_miss and self._has_come("ack_timeout", at_ms))

    def _has_come(self, name: str, at_ms: float) -> bool:
        """True if the transcript has such an event by then."""
        return any(other == name and at_ms >= self.jitter.moved(shown_ms) - self._early_ms for shown_ms, other in self._transcript.events)

    @property
    def _early_ms(self) -> float:
        """How early something may come. The time of a random beat is known only with the way that it took."""
        return self._tolerance_ms if self.jitter.has_come else EARLY_TOLERANCE_MS

    def _is_answer(self, sent: Frame) -> bool:
        """True for what a rule answers a message with; false for its beats, of which one may be due right after the transcript's end."""
        rule = self._transcript.rule
        beats, answers = sends_of(rule, "beat"), sends_of(rule, "setup", "reply")
        return not is_sent_by(beats, sent) and is_sent_by(answers, sent)

    # The end

    def finish(self, events: list[tuple[float, str, str]], sent: list[Frame], delivered: list[Frame]) -> list[str]:
        """All problems: with what the client sent, the events that it reported (time, name, text), and the messages delivered to it."""
        for step in self._missing + self._expected:
            self.problems.append(f"at {self.jitter.moved(step.at_ms):.0f} ms: not sent: {self.with_stand_ins(step.frame)}")
        self._check_events(events)
        if delivered != sent:
            first = next((i for i, pair in enumerate(zip(sent, delivered)) if pair[0] != pair[1]), min(len(sent), len(delivered)))
            shown = delivered[first] if first < len(delivered) else "nothing"
            self.problems.append(f"message {first + 1} of {len(sent)} sent was not delivered as it was: {shown}")
        return self.problems

    def _check_events(self, events: list[tuple[float, str, str]]) -> None:
        left = list(events)
        for shown_ms, name in self._transcript.events:
            due_ms = self.jitter.moved(shown_ms)
            found = next((event for event in left if event[1] == name and self._is_near(event[0] - due_ms)), None)
            if found is None:
                others = ", ".join(f"{at_ms:.0f}" for at_ms, other, _ in events if other == name)
                self.problems.append(f"at {due_ms:.0f} ms: no event {name}" + (f", but at {others} ms" if others else ""))
            else:
                left.remove(found)
        for at_ms, name, text in left:
            is_answer = name in ANSWERS and text != "ping" and self._transcript.kind == "negative"
            is_end = name in ("closed", "attempt_failed") and at_ms <= self.end_ms + self._tolerance_ms and not self._may_end(at_ms)
            if is_answer or is_end:
                self.problems.append(f"at {at_ms:.0f} ms: event {name} {text!r}")

    def _is_near(self, late_ms: float) -> bool:
        return -self._early_ms <= late_ms <= self._tolerance_ms
