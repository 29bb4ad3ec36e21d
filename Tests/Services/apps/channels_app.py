"""A Django Channels application that broadcasts the time, {"ts": ISO 8601}, to everybody each second; ?age=S makes it S seconds old."""

import asyncio
import datetime
import json
import urllib.parse

import channels.generic.websocket
import channels.layers
import django
from django.conf import settings

settings.configure(CHANNEL_LAYERS={"default": {"BACKEND": "channels.layers.InMemoryChannelLayer"}})
django.setup()

GROUP = "time"
INTERVAL_S = 1


async def broadcast() -> None:
    layer = channels.layers.get_channel_layer()
    while True:
        now = datetime.datetime.now(datetime.timezone.utc)
        await layer.group_send(GROUP, {"type": "time.tick", "now": now.timestamp()})
        await asyncio.sleep(INTERVAL_S)


class TimeConsumer(channels.generic.websocket.AsyncWebsocketConsumer):
    """One client."""

    groups = [GROUP]
    broadcasting = None

    async def connect(self) -> None:
        query = urllib.parse.parse_qs(self.scope["query_string"].decode())
        self.age = float(query.get("age", ["0"])[0])
        await self.accept()
        if TimeConsumer.broadcasting is None:
            TimeConsumer.broadcasting = asyncio.create_task(broadcast())

    async def time_tick(self, event: dict) -> None:
        shown = datetime.datetime.fromtimestamp(event["now"] - self.age, datetime.timezone.utc)
        await self.send(json.dumps({"ts": shown.isoformat()}))


app = TimeConsumer.as_asgi()
