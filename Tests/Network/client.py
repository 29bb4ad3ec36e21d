"""The same as client.c, over the Python binding."""

from __future__ import annotations

import sys
import threading

import heartwire


def report(*fields: object) -> None:
    """Prints a line in one piece, whichever threads do."""
    sys.stdout.write("\t".join(map(str, fields)) + "\n")
    sys.stdout.flush()


class Sender:
    """Sends numbers on a thread of its own."""

    def __init__(self) -> None:
        self.accepted = 0
        self._stopping = threading.Event()
        self._thread: threading.Thread | None = None

    def start(self, client: heartwire.Client, interval_us: int, size: int, delivery: str) -> None:
        self._stopping.clear()
        self._thread = threading.Thread(target=self._send, args=(client, interval_us / 1e6, size, delivery == "now"))
        self._thread.start()

    def stop(self) -> None:
        self._stopping.set()
        if self._thread is not None:
            self._thread.join()
        report("stopped", self.accepted)

    def _send(self, client: heartwire.Client, interval_s: float, size: int, now: bool) -> None:
        while not self._stopping.is_set():
            try:
                client.send(f"{self.accepted + 1} ".ljust(size, "x"), now=now, report=True)
                self.accepted += 1
            except (heartwire.QueueFull, heartwire.NotConnected):
                pass
            self._stopping.wait(interval_s)


def main() -> None:
    url, *assignments = sys.argv[1:]
    options = dict(assignment.split("=", 1) for assignment in assignments)
    rules, opening = ([options.pop(name)] if name in options else None for name in ("rule", "step"))
    sender = Sender()

    def on_event(_client: heartwire.Client, event: heartwire.Event) -> None:
        level = 0 if event.level is None else event.level
        numbers = [event.kind, event.time_ns, event.epoch, event.state, event.status, level, event.count, event.message_id]
        numbers += [event.began_ns, event.latency_ns, event.last_message_ns]
        report("event", sender.accepted, *map(int, numbers), event.text)

    def on_message(_client: heartwire.Client, message: heartwire.Message) -> None:
        report("message", 0, message)

    client = heartwire.Client(url, on_event=on_event, on_message=on_message, rules=rules, opening=opening, properties=options)
    for line in sys.stdin:
        match line.split():
            case ["start", interval_us, size, delivery]:
                sender.start(client, int(interval_us), int(size), delivery)
            case ["keep", key, *words]:
                client.keep(key, " ".join(words))
            case ["rotate"]:
                client.rotate()
            case ["stop"]:
                sender.stop()
            case ["release"]:
                break
            case _:
                sys.exit(f"{line}: no such command")
    sender.stop()
    client.release()


if __name__ == "__main__":
    main()
