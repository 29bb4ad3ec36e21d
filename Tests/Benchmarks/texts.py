"""The text messages that the benchmarks of large and of compressed messages send, as files of texts of one size, one after the other."""

import json
import pathlib
import random

LARGE_SIZE = 1024 * 1024
JSON_SIZE = 1024
# Twenty times deflate's window: what comes round again is not found there.
JSON_COUNT = 640
LEVELS = 20


def book_update(numbers: random.Random, sequence: int, price: float) -> str:
    """A change of an order book, as exchanges send them, filled up with spaces."""
    bids = [[f"{price - 0.01 * level:.2f}", f"{numbers.expovariate(2):.5f}"] for level in range(LEVELS)]
    asks = [[f"{price + 0.01 * (level + 1):.2f}", f"{numbers.expovariate(2):.5f}"] for level in range(LEVELS)]
    update = {"e": "depthUpdate", "E": 1700000000000 + sequence * 100, "s": "BTCUSDT", "u": 157 + sequence * 46, "b": bids, "a": asks}
    text = json.dumps(update, separators=(",", ":"))
    assert len(text) <= JSON_SIZE
    return text.ljust(JSON_SIZE)


def write_json(path: pathlib.Path) -> None:
    """The same at every run."""
    numbers, price = random.Random(6455), 67000.0
    with path.open("w") as file:
        for sequence in range(JSON_COUNT):
            price += numbers.gauss(0, 1)
            file.write(book_update(numbers, sequence, price))


def write_large(path: pathlib.Path) -> None:
    path.write_text("x" * LARGE_SIZE)
