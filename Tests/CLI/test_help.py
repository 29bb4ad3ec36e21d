"""Commands that only tell: help, version, presets, properties; and what is said of wrong arguments."""

from __future__ import annotations

import re
import subprocess

import pytest
from program import PROGRAM, run

COMMANDS = ["connect", "serve", "demo", "presets", "properties", "version"]


def text(*arguments: str) -> str:
    result = run(*arguments)
    assert (result.returncode, result.stderr) == (0, b"")
    return result.stdout.decode()


def complaint(*arguments: str) -> str:
    """The one line that a wrong use is answered with."""
    result = run(*arguments)
    assert (result.returncode, result.stdout) == (2, b"")
    assert result.stderr.startswith(b"heartwire: ") and result.stderr.count(b"\n") == 1
    return result.stderr.decode()


@pytest.mark.parametrize("arguments", [["--help"], ["-h"], *([command, "--help"] for command in COMMANDS)])
def test_help_fits_eighty_columns(arguments: list[str]) -> None:
    lines = text(*arguments).splitlines()
    assert lines[0].startswith("Usage: heartwire ")
    assert max(map(len, lines)) <= 80
    assert not any(line.endswith(" ") for line in lines)


def test_help_lists_every_command() -> None:
    assert re.findall(r"^  (\w+) ", text("--help").split("Commands:")[1], re.MULTILINE)[: len(COMMANDS)] == COMMANDS


@pytest.mark.parametrize(
    ("command", "expected"),
    [
        ("connect", "--preset --rules --set --header --subprotocol --keep --wait --json --events --stats"),
        ("serve", "--echo --exchange --broadcast --host --port --set --metrics --monitor --json --events --stats"),
    ],
)
def test_help_lists_every_option(command: str, expected: str) -> None:
    assert re.findall(r"^  (--\w+)", text(command, "--help").split("Options:")[1], re.MULTILINE) == expected.split()


@pytest.mark.parametrize("name", ["version", "--version"])
def test_version(name: str) -> None:
    assert re.fullmatch(r"heartwire \d+\.\d+\.\d+\n", text(name))


def test_presets_are_listed_in_eighty_columns() -> None:
    lines = text("presets").splitlines()
    assert max(map(len, lines)) <= 80
    names = [line.split()[0] for line in lines if not line.startswith(" ")]
    assert len(names) >= 105 and "deribit" in names


def test_one_preset_is_shown_whole() -> None:
    shown = text("presets", "deribit")
    for part in ["name        deribit\n", "\nservices    ", "\nsource      ", "\nparameters  interval (s, optional)", "\nrule\n{", "set_heartbeat"]:
        assert part in shown


def test_properties_are_listed_in_eighty_columns() -> None:
    lines = text("properties").splitlines()
    assert max(map(len, lines)) <= 80
    assert ["ping.interval", "20s", "0", "..", "24h"] in [line.split() for line in lines]


def test_one_property_is_explained() -> None:
    shown = text("properties", "ping.interval")
    assert shown.startswith("ping.interval\n  what      ")
    assert "default   20s" in shown and "range     0 .. 24h" in shown


def test_a_group_of_properties_is_explained() -> None:
    names = re.findall(r"^\S+$", text("properties", "ping"), re.MULTILINE)
    assert names == ["ping.interval", "ping.interval_fair", "ping.interval_poor", "ping.timeout", "ping.missed_max"]


@pytest.mark.parametrize(
    ("arguments", "expected"),
    [
        ([], "a command is missing; 'heartwire --help' lists the commands"),
        (["conect"], "unknown command 'conect'; did you mean 'connect'?"),
        (["frobnicate"], "unknown command 'frobnicate'; 'heartwire --help' lists the commands"),
        (["ws://localhost/"], "the URL follows a command: heartwire connect ws://localhost/"),
        (["version", "now"], "version: unexpected argument 'now'"),
        (["presets", "drebit"], "presets: unknown preset 'drebit'; did you mean 'deribit'?"),
        (["presets", "qqqqqqqqqq"], "presets: unknown preset 'qqqqqqqqqq'; 'heartwire presets' lists them"),
        (["presets", "deribit", "okx"], "presets: unexpected argument 'okx'; usage: heartwire presets [NAME]"),
        (["properties", "pnig.interval"], "properties: unknown property 'pnig.interval'; did you mean 'ping.interval'?"),
        (["properties", "qqqqqqqqqq"], "properties: unknown property 'qqqqqqqqqq'; 'heartwire properties' lists them"),
        (["connect"], "connect: the URL is missing; 'heartwire connect --help' says more"),
        (["connect", "ws://a/", "ws://b/"], "connect: one URL at a time; 'ws://b/' is too much"),
        (["connect", "http://localhost/"], "connect: "),
        (["connect", "--jsn", "ws://a/"], "connect: unknown option --jsn; did you mean --json?"),
        (["connect", "--frobnicate"], "connect: unknown option --frobnicate; 'heartwire connect --help' lists the options"),
        (["connect", "--json=yes", "ws://a/"], "connect: --json takes no value; leave out '=yes'"),
        (["connect", "ws://a/", "--set"], "connect: --set needs a value: --set NAME=VALUE"),
        (["connect", "--set", "pnig.interval=5s", "ws://a/"], "--set: unknown property 'pnig.interval'; did you mean 'ping.interval'?"),
        (["connect", "--set", "qqqqqqqqqq=5s", "ws://a/"], "--set: unknown property 'qqqqqqqqqq'; 'heartwire properties' lists them"),
        (["connect", "--set", "ping.interval=soon", "ws://a/"], "--set: property 'ping.interval' cannot be 'soon'; it takes a duration"),
        (["connect", "--set", "ping.interval", "ws://a/"], "--set: 'ping.interval' has no '='; write --set NAME=VALUE"),
        (["connect", "--set", "delivery=inline", "ws://a/"], "--set: delivery is for programs of your own; leave it out"),
        (["connect", "--preset", "drebit", "ws://a/"], "--preset: unknown preset 'drebit'; did you mean 'deribit'?"),
        (["connect", "--header", "Authorization", "ws://a/"], "--header: 'Authorization' has no ':'; write --header \"NAME: VALUE\""),
        (["connect", "--header", "Host: b", "ws://a/"], "--header: the header 'Host' belongs to the opening handshake"),
        (["connect", "--rules", "/nowhere/rules.json", "ws://a/"], "--rules: /nowhere/rules.json: No such file or directory"),
        (["connect", "--wait", "5", "ws://a/"], "--wait: '5' is no time; write 500ms, 1s, 5m or 2h, at most 24h, or 0, or forever"),
        (["connect", "--wait", "25h", "ws://a/"], "--wait: '25h' is no time"),
        (["connect", "--wait", "-1s", "ws://a/"], "--wait: '-1s' is no time"),
        (["connect", "--wait", "99999999999999999999s", "ws://a/"], "--wait: '99999999999999999999s' is no time"),
        (["connect", "--subprotocol", "a b", "ws://a/"], "connect: "),
        (["connect", "--set", "heartbeat.text=ping", "ws://a/"], "connect: "),
        (["connect", "--", "--json"], "connect: "),
        (["serve", "--exchagne"], "serve: unknown option --exchagne; did you mean --exchange?"),
        (["serve", "--echo", "--exchange"], "serve: only one of --echo, --exchange and --broadcast at a time"),
        (["serve", "ws://a/", "ws://b/"], "serve: one URL at a time; 'ws://b/' is too much"),
        (["serve", "--port", "1", "ws://127.0.0.1:0"], "serve: the URL says where to listen; leave out --host and --port"),
        (["serve", "--host", "h" * 600], "serve: --host is too long"),
        (["serve", "http://localhost/"], "serve: "),
        (["serve", "--port", "70000"], "serve: "),
        (["serve", "--port", "http"], "serve: "),
        (["serve", "--set", "pnig.interval=5s"], "--set: unknown property 'pnig.interval'; did you mean 'ping.interval'?"),
        (["serve", "--set", "message.part_bytes=1KiB"], "--set: message.part_bytes is for programs of your own; leave it out"),
        (["serve", "--set", "heartbeat.text=ping", "--port", "0"], "serve: "),
        (["demo", "now"], "demo: unexpected argument 'now'"),
    ],
)  # fmt: skip
def test_what_is_wrong_is_named(arguments: list[str], expected: str) -> None:
    assert complaint(*arguments).startswith(f"heartwire: {expected}")


def test_control_characters_in_arguments_do_not_reach_the_terminal() -> None:
    assert "\\x1b[2J" in complaint("connect", "--set", "\x1b[2J=1", "ws://a/")


def test_a_reader_that_leaves_is_no_failure() -> None:
    process = subprocess.Popen([PROGRAM, "properties"], stdout=subprocess.PIPE, stderr=subprocess.PIPE)
    assert process.stdout is not None and process.stderr is not None
    process.stdout.close()
    assert (process.stderr.read(), process.wait()) == (b"", 0)
    process.stderr.close()


def test_output_that_cannot_be_written_is_a_failure() -> None:
    with open("/dev/full", "wb") as full:
        result = subprocess.run([PROGRAM, "presets"], stdout=full, stderr=subprocess.PIPE, check=False)
    assert result.returncode == 8
    assert result.stderr == b"heartwire: standard output: No space left on device\n"
