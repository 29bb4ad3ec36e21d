"""
Two network namespaces, and a line between them that can be made bad: it delays packets, loses or swallows them, or turns them into resets.

Each namespace ends in a TUN device, and a thread carries the packets from one to the other, so that TCP itself meets the faults. The kernel
need not have netem for this; the user must be root, and /dev/net/tun must be there.
"""

from __future__ import annotations

import concurrent.futures
import contextlib
import ctypes
import fcntl
import heapq
import os
import pathlib
import random
import select
import socket
import struct
import subprocess
import threading
import time
from typing import Any

CLIENT_ADDRESS, SERVER_ADDRESS = "10.99.0.1", "10.99.0.2"
SERVER_PORT = 8080
DEVICE = "tun0"
PACKET_BYTES_MAX = 65536

CLONE_NEWNET = 0x40000000
TUNSETIFF = 0x400454CA
IFF_TUN, IFF_NO_PI = 0x0001, 0x1000
PROTOCOL_TCP, RST_ACK = 6, 0x14


class Namespace:
    """A network namespace with a TUN device. It is its thread's alone, and of the programs that the thread starts."""

    def __init__(self, address: str) -> None:
        self._thread = concurrent.futures.ThreadPoolExecutor(1)
        try:
            self.device: int = self._thread.submit(self._enter, address).result()
        except BaseException:
            self._thread.shutdown()
            raise

    def _enter(self, address: str) -> int:
        if ctypes.CDLL(None, use_errno=True).unshare(CLONE_NEWNET) != 0:
            raise OSError(ctypes.get_errno(), "no namespace of one's own is allowed")
        device = os.open("/dev/net/tun", os.O_RDWR | os.O_NONBLOCK | os.O_CLOEXEC)
        fcntl.ioctl(device, TUNSETIFF, struct.pack("16sH22x", DEVICE.encode(), IFF_TUN | IFF_NO_PI))
        environment = os.environ | {"PATH": os.environ["PATH"] + ":/usr/sbin:/sbin"}
        for command in ("link set lo up", f"addr add {address}/24 dev {DEVICE}", f"link set {DEVICE} up"):
            subprocess.run(["ip", *command.split()], env=environment, check=True)
        return device

    def start(self, command: list[str], **options: Any) -> subprocess.Popen[str]:
        """Starts a program in the namespace."""
        return self._thread.submit(lambda: subprocess.Popen(command, text=True, **options)).result()

    def close(self) -> None:
        self._thread.shutdown()
        os.close(self.device)


class PacketLine:
    """The two namespaces and the line."""

    server_port = SERVER_PORT
    client_url = f"ws://{SERVER_ADDRESS}:{SERVER_PORT}"

    def __init__(self) -> None:
        with contextlib.ExitStack() as stack:
            self._client = Namespace(CLIENT_ADDRESS)
            stack.callback(self._client.close)
            self._server = Namespace(SERVER_ADDRESS)
            stack.callback(self._server.close)
            self._wake_reader, self._wake_writer = socket.socketpair()
            stack.callback(self._wake_writer.close)
            stack.callback(self._wake_reader.close)
            self._closing = stack.pop_all()
        self._delay_s, self._loss = 0.0, 0.0
        self._swallows, self._resets = False, False
        self._random = random.Random(1)
        self._carrier = threading.Thread(target=self._carry, daemon=True)
        self._carrier.start()

    def start_client(self, command: list[str], **options: Any) -> subprocess.Popen[str]:
        return self._client.start(command, **options)

    def start_server(self, command: list[str], **options: Any) -> subprocess.Popen[str]:
        return self._server.start(command, **options)

    def server_listens(self, port: int) -> None:
        """The server is up, on the port that it was told."""
        assert port == SERVER_PORT

    def delay(self, seconds: float) -> None:
        """Keeps every packet for so long."""
        self._delay_s = seconds

    def lose(self, share: float) -> None:
        """Loses this share of the packets, by lot."""
        self._loss = share

    def swallow(self) -> None:
        """Lets nothing through any more, and tells nobody."""
        self._swallows = True

    def heal(self) -> None:
        """Is a good line again."""
        self._delay_s, self._loss, self._swallows = 0.0, 0.0, False

    def reset(self) -> None:
        """Makes the next packet from the server a reset of its connection."""
        self._resets = True

    def close(self) -> None:
        self._wake_writer.close()
        self._carrier.join()
        self._closing.close()

    def _carry(self) -> None:
        wake = self._wake_reader.fileno()
        ends = {self._client.device: self._server.device, self._server.device: self._client.device}
        waiting: list[tuple[float, int, int, bytes]] = []
        taken = 0
        while True:
            pause = max(waiting[0][0] - time.monotonic(), 0) if waiting else None
            readable, _, _ = select.select([*ends, wake], [], [], pause)
            if wake in readable:
                return
            for end in readable:
                if (packet := self._meet_faults(os.read(end, PACKET_BYTES_MAX), end)) is not None:
                    taken += 1
                    heapq.heappush(waiting, (time.monotonic() + self._delay_s, taken, ends[end], packet))
            while waiting and waiting[0][0] <= time.monotonic():
                _, _, end, packet = heapq.heappop(waiting)
                # A full device loses the packet, as any router would.
                with contextlib.suppress(BlockingIOError):
                    os.write(end, packet)

    def _meet_faults(self, packet: bytes, origin: int) -> bytes | None:
        """What is to arrive in place of the packet, if anything."""
        if packet[0] >> 4 != 4 or self._swallows or self._random.random() < self._loss:
            return None
        if self._resets and origin == self._server.device and packet[9] == PROTOCOL_TCP:
            self._resets = False
            return reset_instead_of(packet)
        return packet


def reset_instead_of(packet: bytes) -> bytes:
    """The packet that resets the connection to which this one belongs (RFC 9293 section 3.5.2): in its place, so that it is believed."""
    addresses = packet[12:20]
    segment = packet[(packet[0] & 0x0F) * 4 :]
    segment = segment[:12] + struct.pack("!BBHHH", 5 << 4, RST_ACK, 0, 0, 0)
    pseudo_header = addresses + struct.pack("!HH", PROTOCOL_TCP, len(segment))
    segment = segment[:16] + checksum(pseudo_header + segment) + segment[18:]
    header = struct.pack("!BBHHHBBH", 0x45, 0, 20 + len(segment), 0, 0, 64, PROTOCOL_TCP, 0) + addresses
    return header[:10] + checksum(header) + header[12:] + segment


def checksum(data: bytes) -> bytes:
    """The Internet checksum (RFC 1071) of an even number of bytes."""
    total = sum(struct.unpack(f"!{len(data) // 2}H", data))
    while total > 0xFFFF:
        total = (total & 0xFFFF) + (total >> 16)
    return struct.pack("!H", ~total & 0xFFFF)


def why_not() -> str | None:
    """Why there can be no such line on this machine; None if there can."""
    if os.geteuid() != 0:
        return "only root may make network namespaces"
    if not pathlib.Path("/dev/net/tun").exists():
        return "there is no /dev/net/tun"
    try:
        PacketLine().close()
    except (OSError, subprocess.CalledProcessError) as error:
        return str(error)
    return None
