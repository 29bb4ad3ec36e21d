"""Properties that the tests share."""

from __future__ import annotations

import json

# Attempts of many tests go to one host, which opens no circuit here.
QUICK = {"circuit.failures_max": "0", "reconnect.base": "20ms", "reconnect.cap": "100ms", "connect.timeout": "500ms"}


def beats(every: str, within: str) -> dict[str, str]:
    """
    Beats that the server acknowledges when it has written down all that came before; a pong says less. Each has its number: an answer
    that comes when the next one is out already is that one's own.
    """
    ack = {"on": {"has": ["/beat"]}, "equal": {"/beat": "counter"}, "within": within}
    beat = {"every": every, "send": {"body": '{"beat":"${counter}"}'}, "ack": ack}
    return {"ping.interval": "0", "rule": json.dumps({"beat": [beat]})}
