"""A Socket.IO server, which speaks Engine.IO v4 and asks for a sign of life each second."""

import socketio

app = socketio.ASGIApp(socketio.AsyncServer(async_mode="asgi", ping_interval=1, ping_timeout=1, logger=True, engineio_logger=True))
