"""The examples of the README, run as they stand."""

from __future__ import annotations

import re
import socket

import pytest
from conftest import CHALLENGES, DERIBIT, PACKAGE, Servers, run_script

BLOCKS = re.findall(r"```python\n(.*?)```", (PACKAGE / "README.md").read_text(), re.DOTALL)

# What an example needs its server to do, by a word that stands in it; the others get one large message, and an echo.
TARGETS = {"preset=": DERIBIT, "detector=": CHALLENGES}

IS_LISTENING = re.compile("heartwire.(listen|Server)").search

PROGRAM = """
import ast, asyncio, sys
import heartwire

url, path, block = sys.argv[1:]

async def fetch_token():
    return "token"

code = compile(block, "README.md", "exec", flags=ast.PyCF_ALLOW_TOP_LEVEL_AWAIT)

async def main():
    async with heartwire.connect(url) as ws:
        awaitable = eval(code, {"heartwire": heartwire, "url": url, "path": path, "ws": ws, "fetch_token": fetch_token})
        if awaitable is not None:
            await awaitable

asyncio.run(asyncio.wait_for(main(), 30))
"""


LISTENING = """
import ast, asyncio, sys
import heartwire

port, block = sys.argv[1:]

async def is_known(authorization):
    return authorization == "me"

code = compile(block, "README.md", "exec", flags=ast.PyCF_ALLOW_TOP_LEVEL_AWAIT)

async def serve():
    awaitable = await asyncio.to_thread(eval, code, names) if "Server" in block else eval(code, names)
    if awaitable is not None:
        await awaitable

async def main():
    serving = asyncio.create_task(serve())
    url = f"ws://127.0.0.1:{port}"
    async with heartwire.connect(url + "/chat", headers={"Authorization": "me"}, reconnect_base=0.01) as ws:
        ws.send("hello")
        assert await ws.recv() == "hello"
    if "before_accept" in block:
        try:
            await heartwire.connect(url + "/chat")
        except heartwire.HandshakeError as error:
            assert (error.http_status, error.body) == (401, b"who are you?\\n")
        else:
            raise AssertionError("let in")
    await asyncio.to_thread(names["server"].close) if "Server" in block else await names["listener"].close()
    await serving

names = {"heartwire": heartwire, "is_known": is_known}
asyncio.run(asyncio.wait_for(main(), 30))
"""


@pytest.mark.parametrize("block", [block for block in BLOCKS if IS_LISTENING(block)])
def test_listening_example(block: str) -> None:
    with socket.create_server(("127.0.0.1", 0)) as taken:
        port = str(taken.getsockname()[1])
    status, output, errors = run_script(LISTENING, port, block.replace("8080", port))
    assert status == 0, errors


@pytest.mark.parametrize("block", [block for block in BLOCKS if not IS_LISTENING(block)])
def test_example(servers: Servers, block: str) -> None:
    target = next((target for word, target in TARGETS.items() if word in block), "/flood?n=1&size=100000")
    status, output, errors = run_script(PROGRAM, servers.url("ws", target), str(PACKAGE / "README.md"), block)
    assert status == 0, errors
