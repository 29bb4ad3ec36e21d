"""The listener in C of the README, compiled as it stands but for the port, with `heartwire connect` for its clients."""

from __future__ import annotations

import pathlib
import re
import socket
import subprocess

from conftest import ROOT
from program import PATIENCE_S, connect, running

LIBRARY = ROOT / ".build" / "release"
STRICT = ["-std=c11", "-Wall", "-Wextra", "-pedantic", "-Werror"]


def compile_block(heading: str, port: int, folder: pathlib.Path) -> pathlib.Path:
    """The program that the first block of C after a heading is."""
    section = (ROOT / "README.md").read_text().partition(f"\n{heading}\n")[2]
    block = re.search(r"```c\n(.*?)```", section, re.DOTALL)
    assert block
    source, program = folder / "program.c", folder / "program"
    source.write_text(block[1].replace("8080", str(port)))
    linking = [f"-L{LIBRARY}", "-lheartwire", f"-Wl,-rpath,{LIBRARY}"]
    subprocess.run(["gcc", *STRICT, f"-I{ROOT / 'include'}", source, "-o", program, *linking], check=True, timeout=PATIENCE_S)
    return program


def test_the_listener_echoes_tells_all_and_turns_away(tmp_path: pathlib.Path) -> None:
    with socket.create_server(("127.0.0.1", 0)) as taken:
        port = taken.getsockname()[1]
    program, url = compile_block("### A listener in C", port, tmp_path), f"ws://127.0.0.1:{port}"
    # The clients try again until the listener is there.
    arguments = ["connect", "--set", "reconnect.base=10ms", f"{url}/chat"]
    with running(program=program) as listener, running(*arguments) as one, running(*arguments) as other:
        for client in (one, other):
            client.type("hello")
            assert client.line() == "hello"
        listener.type("news")
        assert one.line() == other.line() == "news"
        refused = connect(f"{url}/elsewhere")
        assert refused.returncode == 5 and refused.stderr.endswith(b"the answer says: only /chat is here\n")
        listener.end_input()
        assert listener.status() == 0
        for client in (one, other):
            client.wait_for_error("connection ended: code 1001")
