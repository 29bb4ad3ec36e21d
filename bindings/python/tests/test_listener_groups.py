"""Messages of the asyncio listener to all its clients, or to a group."""

from __future__ import annotations

import pytest
from conftest import eventually, run
from listening import ANYWHERE, NAMED, pair

import heartwire


def test_groups() -> None:
    async def main() -> None:
        async with heartwire.listen(ANYWHERE, **NAMED) as listener, pair(listener) as one, pair(listener) as two, pair(listener) as three:
            assert listener.broadcast("to all") == 3
            for _, ws in (one, two, one):
                listener.join(ws, "grüne")
            assert listener.broadcast(b"\x01", "grüne") == 2
            listener.leave(one[1], "grüne")
            listener.leave(one[1], "grüne")
            assert listener.broadcast("to one", "grüne") == 1
            assert listener.broadcast("nobody", "none") == 0
            assert [await one[0].recv(), await one[0].recv()] == ["to all", b"\x01"]
            assert [await two[0].recv() for _ in range(3)] == ["to all", b"\x01", "to one"]
            assert await three[0].recv() == "to all"
            await two[0].close()
            await eventually(lambda: len(listener.clients) == 2)
            assert listener.broadcast("", "grüne") == 0
            with pytest.raises(heartwire.StateError, match="has gone"):
                listener.join(two[1], "grüne")

    run(main())


@pytest.mark.parametrize("group", ["", "x" * 256, "a\0b"])
def test_names_that_no_group_has(group: str) -> None:
    async def main() -> None:
        async with heartwire.listen(ANYWHERE, **NAMED) as listener, pair(listener) as (_, ws):
            for call in (lambda: listener.join(ws, group), lambda: listener.leave(ws, group), lambda: listener.broadcast("", group)):
                with pytest.raises(heartwire.ArgumentError):
                    call()

    run(main())


def test_only_own_clients_join() -> None:
    async def main() -> None:
        listener, other = heartwire.listen(ANYWHERE, **NAMED), heartwire.listen(ANYWHERE, **NAMED)
        async with listener, other, pair(listener) as (client, ws):
            with pytest.raises(heartwire.StateError, match="no client of this listener"):
                other.join(ws, "group")
            with pytest.raises(heartwire.StateError, match="no client of this listener"):
                listener.join(client, "group")  # type: ignore[arg-type]
            with pytest.raises(TypeError, match="not str"):
                listener.join("ws", "group")  # type: ignore[arg-type]
            with pytest.raises(TypeError):
                listener.broadcast(None)  # type: ignore[arg-type]

    run(main())
