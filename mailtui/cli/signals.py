"""Requests to end: what cron, systemd or a closed terminal sends ends a run as Ctrl-C does."""

import contextlib
import signal
from collections.abc import Iterator
from types import FrameType

_REQUESTS = (signal.SIGTERM, signal.SIGHUP)


@contextlib.contextmanager
def ended_like_ctrl_c() -> Iterator[None]:
    """Within, SIGTERM and SIGHUP become SIGINT: connections are closed, and what was learnt is kept.

    One that is ignored stays so, as under nohup.
    """
    taken = [number for number in _REQUESTS if signal.getsignal(number) is signal.SIG_DFL]
    for number in taken:
        signal.signal(number, _interrupt)
    try:
        yield
    finally:
        for number in taken:
            signal.signal(number, signal.SIG_DFL)


def _interrupt(number: int, frame: FrameType | None) -> None:
    signal.raise_signal(signal.SIGINT)
