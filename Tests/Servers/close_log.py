"""Remembers how clients closed their connections, so that a test can ask the server what it saw."""

import asyncio


class CloseLog:
    """Close codes and reasons by the key that a client put into its URL."""

    def __init__(self) -> None:
        self._seen: dict[str, asyncio.Future[dict[str, object]]] = {}

    def _entry(self, key: str) -> "asyncio.Future[dict[str, object]]":
        if key not in self._seen:
            self._seen[key] = asyncio.get_running_loop().create_future()
        return self._seen[key]

    def record(self, key: str | None, code: int, reason: str) -> None:
        """Keeps the first close of a key; without a key nothing is kept."""
        if key is not None and not self._entry(key).done():
            self._entry(key).set_result({"code": code, "reason": reason})

    async def wait(self, key: str) -> dict[str, object]:
        """Waits until a connection with this key has been closed by its client."""
        return await asyncio.shield(self._entry(key))
