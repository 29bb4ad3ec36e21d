"""Compares what a client sent with what a transcript shows, whose clock readings and random values are only examples."""

from __future__ import annotations

import dataclasses
import re
from typing import Any

from transcript import Frame

VARIABLE_SHAPES = {
    "unix_ms": rb"\d{13}",
    "unix_s": rb"\d{10}",
    "uuid": rb"[0-9a-f]{8}-[0-9a-f]{4}-4[0-9a-f]{3}-[89ab][0-9a-f]{3}-[0-9a-f]{12}",
    "rand": rb"[0-9A-Za-z_-]+",
}
"""Template variables that no two runs fill alike, and what their values look like."""


@dataclasses.dataclass
class Pattern:
    """What a rule's `send` can produce."""

    kind: str
    expression: re.Pattern[bytes]
    variables: list[str | None]
    """For each group of the expression the variable of VARIABLE_SHAPES that it holds; None for any other."""

    def match(self, frame: Frame) -> list[bytes] | None:
        """The values of all groups; None if the rule cannot have sent this."""
        found = self.expression.fullmatch(frame.payload) if frame.kind == self.kind else None
        return None if found is None else [value or b"" for value in found.groups()]


def compile_send(send: dict[str, Any]) -> Pattern:
    """The pattern of a `send` member."""
    if "hex" in send:
        return Pattern(send.get("op", "text"), re.compile(re.escape(bytes.fromhex(send["hex"]))), [])
    expression, variables = b"", []
    for index, part in enumerate(re.split(r"\$\{([^}]*)\}", send.get("body", ""))):
        if index % 2 == 0:
            expression += re.escape(part.encode())
        elif part.startswith("?"):
            expression += b"(?:"
        elif part == "/":
            expression += b")?"
        else:
            expression += b"(" + VARIABLE_SHAPES.get(part, b".*?") + b")"
            variables.append(part if part in VARIABLE_SHAPES else None)
    if send.get("wrap") == "tv":
        expression = rb"~m~\d+~m~" + expression
    return Pattern(send.get("op", "text"), re.compile(expression, re.DOTALL), variables)


def sends_of(rule: dict[str, Any], *members: str) -> list[Pattern]:
    """The patterns of all that these members of a rule send."""
    return [compile_send(part["send"]) for member in members for part in rule.get(member, []) if "send" in part]


def is_sent_by(patterns: list[Pattern], sent: Frame) -> bool:
    """True if one of the patterns can have produced the frame."""
    return any(pattern.match(sent) is not None for pattern in patterns)


@dataclasses.dataclass
class Comparison:
    """Whether a frame is the expected one."""

    problem: str | None
    """What is wrong; None if nothing is."""
    stand_ins: dict[bytes, bytes] = dataclasses.field(default_factory=dict)
    """The transcript's example values with what was really sent in their place."""


def compare(expected: Frame, sent: Frame, patterns: list[Pattern], wall_ms: float, tolerance_ms: float) -> Comparison:
    """Compares byte for byte, except for values of VARIABLE_SHAPES, of which only the shape counts, and that clock readings are right."""
    for pattern in patterns:
        shown, values = pattern.match(expected), pattern.match(sent)
        if not any(pattern.variables) or shown is None or values is None:
            continue
        pairs = list(zip(pattern.variables, shown, values))
        if any(variable is None and example != value for variable, example, value in pairs):
            continue
        problems = [problem for variable, _, value in pairs if (problem := check_clock(variable, value, wall_ms, tolerance_ms))]
        stand_ins = {example: value for variable, example, value in pairs if variable}
        return Comparison(problems[0] if problems else None, stand_ins)
    return Comparison(None if expected == sent else f"expected {expected}, got {sent}")


def check_clock(variable: str | None, value: bytes, wall_ms: float, tolerance_ms: float) -> str | None:
    """What is wrong with a clock reading; None if it is right or none at all."""
    if variable not in ("unix_ms", "unix_s"):
        return None
    resolution_ms = 1 if variable == "unix_ms" else 1000
    behind_ms = wall_ms - int(value) * resolution_ms
    if 0 <= behind_ms <= tolerance_ms + resolution_ms:
        return None
    return f"{variable} {value.decode()} is {behind_ms:.0f} ms behind the clock"


def substitute(payload: bytes, stand_ins: dict[bytes, bytes]) -> bytes:
    """The payload with the transcript's example values, where they stand alone, replaced by what was really sent."""
    for example, value in stand_ins.items():
        payload = value.join(re.split(rb"(?<![0-9A-Za-z])" + re.escape(example) + rb"(?![0-9A-Za-z])", payload))
    return payload
