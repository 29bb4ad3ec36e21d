"""The beat whose first time is a random part of its interval. A transcript shows it after half; what follows then moves with it."""

from __future__ import annotations

from patterns import is_sent_by, sends_of
from transcript import Frame, Step, Transcript


class Jitter:
    """The first beat of a transcript's rule with `"first": "jitter"`, if it has one."""

    def __init__(self, transcript: Transcript) -> None:
        beats = [beat for beat in transcript.rule.get("beat", []) if beat.get("first") == "jitter"]
        self._patterns = sends_of({"beat": beats}, "beat")
        self.step = self._find_step(transcript)
        """The step that is this beat; None if it is not due before the transcript's end."""
        self.has_come = False
        self._shift_ms = 0.0
        self._interval_ms = 0.0
        if self.step is not None:
            started_ms = max((step.at_ms for step in transcript.steps if step.at_ms < self.step.at_ms), default=0.0)
            self._interval_ms = 2 * (self.step.at_ms - started_ms)
        # Its time may come in a transcript that does not show it. A message that must not be answered is no place for leniency.
        self._may_surprise = self.step is None and transcript.kind != "negative"

    def moved(self, at_ms: float) -> float:
        """When that happens which the transcript shows at `at_ms`."""
        return at_ms + self._shift_ms if self.step is not None and at_ms >= self.step.at_ms else at_ms

    def latest_ms(self, step: Step) -> float:
        """The moment until which the step may come."""
        return step.at_ms + self._interval_ms / 2 if step is self.step else self.moved(step.at_ms)

    def came(self, at_ms: float) -> None:
        """The beat has come: takes its time as the transcript's."""
        if self.step is not None:
            self._shift_ms = at_ms - self.step.at_ms
            self.has_come = True

    def takes(self, sent: Frame) -> bool:
        """True, once, for this beat in a transcript that does not show it."""
        taken = self._may_surprise and is_sent_by(self._patterns, sent)
        self._may_surprise = self._may_surprise and not taken
        return taken

    def _find_step(self, transcript: Transcript) -> Step | None:
        # The same words right after a server's message are the answer to it.
        asked_ms = {step.at_ms for step in transcript.steps if not step.is_client}
        steps = (step for step in transcript.steps if step.is_client and not step.by_app and step.at_ms not in asked_ms)
        return next((step for step in steps if is_sent_by(self._patterns, step.frame)), None)
