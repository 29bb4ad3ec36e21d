"""The examples of the README, run as they stand."""

from __future__ import annotations

import re

import pytest
from conftest import CHALLENGES, DERIBIT, PACKAGE, Servers, run_script

BLOCKS = re.findall(r"```python\n(.*?)```", (PACKAGE / "README.md").read_text(), re.DOTALL)

# What an example needs its server to do, by a word that stands in it; the others get one large message, and an echo.
TARGETS = {"preset=": DERIBIT, "detector=": CHALLENGES}

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


@pytest.mark.parametrize("block", BLOCKS, ids=range(len(BLOCKS)))
def test_example(servers: Servers, block: str) -> None:
    target = next((target for word, target in TARGETS.items() if word in block), "/flood?n=1&size=100000")
    status, output, errors = run_script(PROGRAM, servers.url("ws", target), str(PACKAGE / "README.md"), block)
    assert status == 0, errors
