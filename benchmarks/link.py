"""A slow line inside a network namespace of our own: a TUN device whose far end is this process.

The kernel's own TCP runs over it, handshakes and acknowledgements included, and the host's network is untouched.
Everything for `FAR` leaves by the device; we hold each packet for half the round trip, swap its two addresses (which
leaves the checksums right) and hand it back, so that it arrives at `NEAR` as if from another machine.
"""

import contextlib
import fcntl
import os
import select
import shutil
import struct
import subprocess
import threading
import time
from collections import deque
from collections.abc import Iterator, Sequence
from pathlib import Path

from benchmarks.server import find

NEAR = "10.77.0.1"
"""Where servers listen."""
FAR = "10.77.0.2"
"""Where clients connect."""

_TUNSETIFF = 0x400454CA
_IFF_TUN = 0x0001
_IFF_NO_PI = 0x1000
_IFF_VNET_HDR = 0x4000
_TUNSETOFFLOAD = 0x400454D0
_TUN_F_CSUM_TSO4 = 0x01 | 0x02
_HEADER = 10
"""Octets of the virtio_net_hdr before each packet: the kernel leaves checksums and segmentation for later in it."""
_LARGEST = _HEADER + (1 << 16)
_SOURCE, _END = _HEADER + 12, _HEADER + 20
"""Where the source address begins, and where the destination ends that follows it."""
_FLAGS = _IFF_TUN | _IFF_NO_PI | _IFF_VNET_HDR
_DEVICE = "mailtui0"
_MTU = 1500


def namespace_command() -> list[str]:
    """The prefix that runs a command in a network namespace of its own; empty where that is not possible."""
    unshare = shutil.which("unshare")
    if unshare is None or find("ip") is None or not Path("/dev/net/tun").exists():
        return []
    command = [unshare, "--net"]
    if os.geteuid() != 0:
        command += ["--user", "--map-current-user", "--keep-caps"]
    trial = [*command, find("ip") or "ip", "tuntap", "add", "dev", _DEVICE, "mode", "tun"]
    try:
        subprocess.run(trial, check=True, capture_output=True, timeout=10)
    except (OSError, subprocess.SubprocessError):
        return []
    return command


@contextlib.contextmanager
def slow_link(round_trip: float) -> Iterator[None]:
    """Join `NEAR` and `FAR` by a line of `round_trip` seconds. Only inside `namespace_command()`."""
    device = os.open("/dev/net/tun", os.O_RDWR | os.O_NONBLOCK)
    stop_reading, stop = os.pipe()
    thread = threading.Thread(target=_carry, args=(device, stop_reading, round_trip / 2), name="link", daemon=True)
    try:
        fcntl.ioctl(device, _TUNSETIFF, struct.pack("16sH", _DEVICE.encode(), _FLAGS))
        # Segments of one burst then come in one piece, as to a network card: carrying them costs a twentieth.
        fcntl.ioctl(device, _TUNSETOFFLOAD, _TUN_F_CSUM_TSO4)
        for command in (
            "link set lo up",
            f"addr add {NEAR}/24 dev {_DEVICE}",
            f"link set {_DEVICE} up mtu {_MTU} txqueuelen 10000",
        ):
            _ip(command.split())
        thread.start()
        yield
    finally:
        os.write(stop, b"x")
        if thread.is_alive():
            thread.join(timeout=10)
        for descriptor in (device, stop_reading, stop):
            os.close(descriptor)


def _ip(arguments: Sequence[str]) -> None:
    subprocess.run([find("ip") or "ip", *arguments], check=True, capture_output=True, timeout=10)


def _carry(device: int, stop: int, delay: float) -> None:
    """Hand packets back after `delay` seconds, oldest first, until `stop` can be read."""
    poller = select.poll()
    poller.register(device, select.POLLIN)
    poller.register(stop, select.POLLIN)
    held: deque[tuple[float, bytes]] = deque()
    while True:
        wait = max(0.0, held[0][0] - time.monotonic()) * 1000 if held else None
        ready = [descriptor for descriptor, _ in poller.poll(wait)]
        if stop in ready:
            return
        now = time.monotonic()
        if device in ready:
            with contextlib.suppress(BlockingIOError):
                while True:
                    held.append((now + delay, os.read(device, _LARGEST)))
        while held and held[0][0] <= now:
            packet = held.popleft()[1]
            # IPv4 only (RFC 791, section 3.1): source at 12, destination at 16.
            if packet[_HEADER] >> 4 == 4:
                # A full queue drops the packet, as a line does; TCP sends it again.
                with contextlib.suppress(BlockingIOError):
                    os.writev(
                        device, (packet[:_SOURCE], packet[_END - 4 : _END], packet[_SOURCE : _END - 4], packet[_END:])
                    )
