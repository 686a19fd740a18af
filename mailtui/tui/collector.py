"""The garbage collector, kept away from the thousands of objects that stay."""

import contextlib
import gc
from collections.abc import Iterator


class Collector:
    """Puts what is loaded out of the garbage collector's sight.

    A full collection looks at every object: with 5,000 accounts and their reports a key waits 130 to 300 ms for it, and
    none of them can ever be garbage in a cycle, for accounts and reports are trees. A program that embeds us with
    its collector on keeps it as it is: only where it was asleep at the start is it ours.
    """

    def __init__(self) -> None:
        self._ours = not gc.isenabled()
        self._loading = 0

    @contextlib.contextmanager
    def loading(self) -> Iterator[None]:
        """While many objects are made that stay; afterwards the collector works, and does not look at these."""
        if not self._ours:
            yield
            return
        if gc.isenabled():
            # What is garbage now would stay for good. This is short: all that was loaded before is out of sight.
            gc.collect()
            gc.disable()
        self._loading += 1
        try:
            yield
        finally:
            self._loading -= 1
            if not self._loading:
                gc.freeze()
                gc.enable()
