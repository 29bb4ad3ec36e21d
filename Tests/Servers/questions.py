"""A server that wants its questions answered in time, and cuts the line otherwise."""

import asyncio
import json

from websockets.asyncio.server import ServerConnection


async def serve_questions(connection: ServerConnection, query: dict[str, str]) -> None:
    """
    Sends `ask` every `interval_ms`, from when a message has held `after` if that is given, and closes with 4008 if none that holds
    `answer` has come within `within_ms`. {n} in `ask` and `answer` stands for the question's number. The message "count" is answered
    with how many were asked and answered.
    """
    asked, answered = 0, 0
    started, heard = asyncio.Event(), asyncio.Event()

    async def ask() -> None:
        nonlocal asked
        await started.wait()
        while True:
            heard.clear()
            asked += 1
            await connection.send(query["ask"].replace("{n}", str(asked)))
            try:
                await asyncio.wait_for(heard.wait(), int(query["within_ms"]) / 1000)
            except asyncio.TimeoutError:
                await connection.close(4008, "no answer in time")
                return
            await asyncio.sleep(int(query["interval_ms"]) / 1000)

    if "after" not in query:
        started.set()
    asking = asyncio.create_task(ask())
    try:
        async for message in connection:
            text = message if isinstance(message, str) else message.decode()
            if text == "count":
                await connection.send(json.dumps({"asked": asked, "answered": answered}))
            elif not started.is_set():
                if query["after"] in text:
                    started.set()
            elif query["answer"].replace("{n}", str(asked)) in text:
                answered += 1
                heard.set()
    finally:
        asking.cancel()
        await asyncio.gather(asking, return_exceptions=True)
