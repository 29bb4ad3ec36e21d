"""
Servers whose heartbeats are messages.

Each sends its next request when the last one was answered, and tells how many were when it is asked to "count".
"""

import asyncio
import hmac
import json
import os

from websockets.asyncio.server import ServerConnection

CHALLENGE_KEY = b"heartwire"


async def serve_deribit(connection: ServerConnection, query: dict[str, str]) -> None:
    """Once the client has set the interval, test requests as of Deribit, which public/test answers."""
    answered, interval_s = 0, None
    async for message in connection:
        if message == "count":
            await connection.send(json.dumps({"answered": answered, "interval_s": interval_s}))
            continue
        request = json.loads(message)
        if request["method"] == "public/set_heartbeat":
            interval_s = request["params"]["interval"]
        elif request["method"] == "public/test":
            answered += 1
        await connection.send(json.dumps({"jsonrpc": "2.0", "id": request["id"], "result": "ok"}))
        await asyncio.sleep(int(query.get("interval_ms", "1")) / 1000)
        test_request = {"jsonrpc": "2.0", "method": "heartbeat", "params": {"type": "test_request"}}
        await connection.send(json.dumps(test_request))


async def serve_challenges(connection: ServerConnection, query: dict[str, str]) -> None:
    """Binary challenges, which their HMAC with CHALLENGE_KEY answers; anything else is the end."""
    answered = 0
    challenge = b"challenge:" + os.urandom(8)
    await connection.send(challenge)
    async for message in connection:
        if message == "count":
            await connection.send(json.dumps({"answered": answered}))
        elif message == hmac.digest(CHALLENGE_KEY, challenge, "sha256"):
            answered += 1
            await asyncio.sleep(int(query.get("interval_ms", "1")) / 1000)
            challenge = b"challenge:" + os.urandom(8)
            await connection.send(challenge)
        else:
            await connection.close(4001, "wrong answer")
