"""The demo's servers as a process of their own: `python -m mailtui.demo.process`, which `world` starts.

It reads one line of JSON (folder, passwords) from standard input, writes one (ports, ca_file, or error) to standard
output, and serves until its input ends: so it never outlives who started it, however that ended.
"""

import asyncio
import json
import logging
import signal
import sys
from pathlib import Path

from mailtui.demo.listener import Listener
from mailtui.demo.servers import open_servers

_CHATTY_LOGGERS = ("mail.log", "pymap")


async def _serve(folder: Path, passwords: dict[str, str]) -> None:
    listener = Listener()
    try:
        ports, ca_file = await open_servers(listener, folder, passwords)
        print(json.dumps({"ports": ports, "ca_file": str(ca_file)}), flush=True)
        # A thread of its own reads, for a pipe that ends is no event of every loop.
        await asyncio.to_thread(sys.stdin.read)
    finally:
        await listener.close()


def main() -> int:
    """Serve as told; the exit code is 1 where the servers cannot start."""
    # What a terminal sends to all of its processes is for the one that the person sees.
    for number in (signal.SIGINT, signal.SIGQUIT, signal.SIGHUP):
        signal.signal(number, signal.SIG_IGN)
    for name in _CHATTY_LOGGERS:
        logging.getLogger(name).setLevel(logging.CRITICAL + 1)
    order = json.loads(sys.stdin.readline())
    try:
        # Clients that reject a certificate belong here; asyncio's debug mode would print a traceback for each.
        asyncio.run(_serve(Path(order["folder"]), order["passwords"]), debug=False)
    except OSError as error:
        print(json.dumps({"error": str(error)}), flush=True)
        return 1
    return 0


if __name__ == "__main__":
    sys.exit(main())
