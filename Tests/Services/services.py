"""Real services that cut silent clients, each started on a free port of the loopback with its files in a temporary folder."""

from __future__ import annotations

import contextlib
import dataclasses
import pathlib
import sys
from collections.abc import Iterator

HERE = pathlib.Path(__file__).resolve().parent
sys.path.append(str(HERE.parent / "Servers"))

import processes  # noqa: E402

RABBITMQ = "/usr/lib/rabbitmq/bin/rabbitmq-server"


@dataclasses.dataclass
class Service:
    """A service that listens on the loopback."""

    port: int
    log: pathlib.Path

    def url(self, path: str) -> str:
        return f"ws://127.0.0.1:{self.port}{path}"


@contextlib.contextmanager
def mosquitto(folder: pathlib.Path) -> Iterator[Service]:
    """An MQTT broker that lets anybody in over WebSocket."""
    configuration, log = folder / "mosquitto.conf", folder / "log"

    def command(port: int) -> list[str]:
        # It does not start with WebSocket alone, so it gets a socket in the folder too.
        listeners = [f"listener 0 {folder / 'socket'}", f"listener {port} 127.0.0.1", "protocol websockets"]
        # As root it would become another user, who cannot use the folder.
        configuration.write_text("\n".join([*listeners, "allow_anonymous true", "user root", "log_type all"]) + "\n")
        return ["mosquitto", "-c", str(configuration)]

    with processes.running(command, log) as port:
        yield Service(port, log)


@contextlib.contextmanager
def rabbitmq(folder: pathlib.Path) -> Iterator[Service]:
    """A broker that speaks STOMP over WebSocket, and the name service that its virtual machine does not start without."""
    configuration, plugins, log = folder / "rabbitmq.conf", folder / "enabled_plugins", folder / "log"
    plugins.write_text("[rabbitmq_web_stomp].\n")

    def command(port: int) -> list[str]:
        listeners = ["listeners.tcp = none", "stomp.listeners.tcp = none", "web_stomp.tcp.ip = 127.0.0.1", f"web_stomp.tcp.port = {port}"]
        configuration.write_text("\n".join([*listeners, "log.console.level = info"]) + "\n")
        return [RABBITMQ]

    def name_service(port: int) -> list[str]:
        return ["epmd", "-address", "127.0.0.1", "-port", str(port)]

    with processes.running(name_service, folder / "epmd.log") as names_port:
        environment = {
            "ERL_EPMD_ADDRESS": "127.0.0.1",
            "ERL_EPMD_PORT": str(names_port),
            # The cookie and whatever else goes into the home directory.
            "HOME": str(folder),
            "RABBITMQ_CONF_ENV_FILE": "/dev/null",
            "RABBITMQ_CONFIG_FILE": str(configuration),
            "RABBITMQ_DIST_PORT": str(processes.free_port()),
            "RABBITMQ_ENABLED_PLUGINS_FILE": str(plugins),
            "RABBITMQ_GENERATED_CONFIG_DIR": str(folder / "generated"),
            "RABBITMQ_LOG_BASE": str(folder),
            "RABBITMQ_LOGS": "-",
            "RABBITMQ_MNESIA_BASE": str(folder / "mnesia"),
            "RABBITMQ_NODENAME": "heartwire@localhost",
            # Has the script become the broker, which then gets the signals meant for it.
            "RUNNING_UNDER_SYSTEMD": "true",
        }
        with processes.running(command, log, environment) as port:
            yield Service(port, log)


@contextlib.contextmanager
def application(name: str, folder: pathlib.Path) -> Iterator[Service]:
    """One of the applications in apps/, served by uvicorn."""
    log = folder / "log"

    def command(port: int) -> list[str]:
        listening = ["--host", "127.0.0.1", "--port", str(port), "--ws", "websockets-sansio", "--lifespan", "off"]
        return [sys.executable, "-m", "uvicorn", *listening, "--app-dir", str(HERE / "apps"), f"{name}:app"]

    with processes.running(command, log) as port:
        yield Service(port, log)


@contextlib.contextmanager
def idle_cutter(folder: pathlib.Path, idle_seconds: int) -> Iterator[Service]:
    """A proxy that ends a tunnel through which nothing has passed for so long, as load balancers and firewalls do."""
    configuration, log = folder / "tinyproxy.conf", folder / "log"

    def command(port: int) -> list[str]:
        configuration.write_text(f"Port {port}\nListen 127.0.0.1\nTimeout {idle_seconds}\nLogLevel Info\n")
        return ["tinyproxy", "-d", "-c", str(configuration)]

    with processes.running(command, log) as port:
        yield Service(port, log)
