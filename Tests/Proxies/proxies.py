"""Real proxies, started on free ports with their configuration in a temporary folder, and proxies that misbehave."""

from __future__ import annotations

import contextlib
import dataclasses
import pathlib
import socket
import sys
import threading
from collections.abc import Callable, Iterator

sys.path.append(str(pathlib.Path(__file__).resolve().parents[1] / "Servers"))

import processes  # noqa: E402

USER = "Aladdin"
PASSWORD = "open sesame"
PASSWORD_IN_URL = "open%20sesame"
# As crypt(3) has it.
PASSWORD_HASH = "$5$heartwire$wf2mmJ.rbcSZ2nBUUF8Mx5aU1bKkZKCP.XAdQcIxbuB"
SQUID_AUTHENTICATOR = "/usr/lib/squid/basic_ncsa_auth"
PATIENCE_S = 20


@dataclasses.dataclass
class Proxy:
    """A proxy that listens on the loopback."""

    scheme: str
    port: int

    def url(self, credentials: str = "") -> str:
        """Its URL, with credentials in front of the host if they are given."""
        return f"{self.scheme}://{credentials + '@' if credentials else ''}127.0.0.1:{self.port}"


def tinyproxy(folder: pathlib.Path, port: int, authenticates: bool) -> list[str]:
    """Writes tinyproxy's configuration, and returns its command."""
    lines = [f"Port {port}", "Listen 127.0.0.1", "Timeout 60", "LogLevel Critical"]
    if authenticates:
        # Its configuration has no quoting, so that a password cannot hold a blank.
        lines.append(f"BasicAuth {USER} {PASSWORD.replace(' ', '')}")
    (folder / "tinyproxy.conf").write_text("\n".join(lines) + "\n")
    return ["tinyproxy", "-d", "-c", str(folder / "tinyproxy.conf")]


def squid(folder: pathlib.Path, port: int, authenticates: bool) -> list[str]:
    """Writes squid's configuration, and returns its command."""
    users = folder / "users"
    users.write_text(f"{USER}:{PASSWORD_HASH}\n")
    # Started by root it works as another user, who must be able to read them.
    folder.chmod(0o755)
    users.chmod(0o644)
    lines = [
        f"http_port 127.0.0.1:{port}",
        "pid_filename none",
        "cache_log /dev/null",
        "access_log none",
        "cache deny all",
        "visible_hostname localhost",
        "shutdown_lifetime 0 seconds",
    ]
    if authenticates:
        lines += [
            f"auth_param basic program {SQUID_AUTHENTICATOR} {users}",
            "auth_param basic children 1",
            "auth_param basic casesensitive on",
            "acl known proxy_auth REQUIRED",
            "http_access allow known",
        ]
    else:
        lines.append("http_access allow all")
    (folder / "squid.conf").write_text("\n".join(lines) + "\n")
    # What it keeps in /dev/shm goes by this name: two squids under one name stand in each other's way.
    return ["squid", "-N", "-n", f"heartwire{port}", "-f", str(folder / "squid.conf")]


def microsocks(folder: pathlib.Path, port: int, authenticates: bool) -> list[str]:
    """Returns microsocks' command."""
    return ["microsocks", "-i", "127.0.0.1", "-p", str(port), *(["-u", USER, "-P", PASSWORD] if authenticates else [])]


Command = Callable[[pathlib.Path, int, bool], list[str]]


@contextlib.contextmanager
def running(scheme: str, command: Command, folder: pathlib.Path, authenticates: bool) -> Iterator[Proxy]:
    """Runs a proxy for as long as the context lasts."""
    with processes.running(lambda port: command(folder, port, authenticates), folder / "log") as port:
        yield Proxy(scheme, port)


Conversation = Callable[[socket.socket], None]


@contextlib.contextmanager
def misbehaving(scheme: str, talk: Conversation) -> Iterator[Proxy]:
    """A proxy that has `talk` say what it likes to each client, and ends the connection when that returns."""
    listener = socket.create_server(("127.0.0.1", 0))

    def serve(connection: socket.socket) -> None:
        with connection, contextlib.suppress(OSError):
            talk(connection)

    def accept() -> None:
        with contextlib.suppress(OSError):
            while True:
                connection, _ = listener.accept()
                threading.Thread(target=serve, args=(connection,), daemon=True).start()

    accepting = threading.Thread(target=accept, daemon=True)
    accepting.start()
    try:
        yield Proxy(scheme, listener.getsockname()[1])
    finally:
        # Closing alone would leave the thread in its accept.
        listener.shutdown(socket.SHUT_RDWR)
        listener.close()
        accepting.join(PATIENCE_S)
