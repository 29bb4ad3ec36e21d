"""The generated part of the page on presets, made from what the library says of them."""

import ctypes
import json
import pathlib
from typing import Any

# From this line on the page is generated.
GENERATED_FROM = "## All presets"

Preset = dict[str, str]


def described_presets(library: ctypes.CDLL, structure: type[ctypes.Structure]) -> list[Preset]:
    """Every preset, in the library's order."""
    presets: list[Preset] = []
    described: Any = structure(ctypes.sizeof(structure))
    while library.hw_preset_describe(ctypes.c_size_t(len(presets)), ctypes.byref(described)) == 0:
        fields = ("name", "services", "source", "rule", "parameters")
        presets.append({field: getattr(described, field).decode() for field in fields})
    return presets


def who_speaks(rule: str) -> str:
    """Whose turn it is to keep the connection alive, read off the rule."""
    members = json.loads(rule)
    phrases = []
    if "reply" in members:
        phrases.append("server asks, client answers")
    phrases += ["client pings" if beat["send"].get("op") == "ping" else "client beats" for beat in members.get("beat", [])]
    expected = {"any_rx": "server is never silent for long", "ping_frame": "server pings", "pong_frame": "server answers pings"}
    for watch in members.get("watch", []):
        on = watch["on"]
        phrases.append(expected[on] if isinstance(on, str) else "server beats")
    return "; ".join(dict.fromkeys(phrases))


def escaped(text: str) -> str:
    """As a cell of a table takes it; a line break stays one."""
    return text.replace("|", "\\|").replace("*", "\\*").replace("\n", "<br>")


def generated_lines(presets: list[Preset]) -> list[str]:
    """The table, then each rule."""
    lines = [GENERATED_FROM, "", "| preset | services | who speaks | parameters | source |", "| --- | --- | --- | --- | --- |"]
    for preset in presets:
        name = preset["name"]
        cells = [preset["services"], who_speaks(preset["rule"]), preset["parameters"], preset["source"]]
        lines.append(f"| [`{name}`](#{name}) | " + " | ".join(map(escaped, cells)) + " |")
    lines += ["", "## Their rules"]
    for preset in presets:
        lines += ["", f"### {preset['name']}", "", "```json", *preset["rule"].splitlines(), "```"]
    return lines


def check_page(page: str, presets: list[Preset]) -> list[str]:
    """Where the page differs from the library."""
    lines = page.splitlines()
    if GENERATED_FROM not in lines:
        return ["the page has no generated part"]
    written, expected = lines[lines.index(GENERATED_FROM) :], generated_lines(presets)
    if written == expected:
        return []
    missing = [f"missing: {line}" for line in expected if line not in written]
    wrong = [f"not so: {line}" for line in written if line not in expected]
    return missing + wrong or ["the lines stand in another order than the library's presets"]


def write_page(page: pathlib.Path, presets: list[Preset]) -> None:
    """Puts what the library says into the page."""
    lines = page.read_text().splitlines()
    page.write_text("\n".join(lines[: lines.index(GENERATED_FROM)] + generated_lines(presets)) + "\n")
