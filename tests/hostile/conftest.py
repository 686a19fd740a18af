"""Fixtures of the battery: the wire's authority, a clock that leaps, and the measures that the document is made of."""

import gc
import os
from collections.abc import AsyncIterator, Iterator

import pytest

from tests.hostile.document import DOCUMENT, Measure, write_measures
from tests.hostile.idle import IdleClock
from tests.hostile.registry import SCENARIOS
from tests.protocols.conftest import _young_heap, authority

__all__ = ["_young_heap", "authority", "idle_clock", "measures"]


@pytest.fixture(autouse=True)
def _younger_heap() -> None:
    """What the scenarios before have left to the test's framework is out of the collector's sight, too."""
    gc.freeze()


@pytest.fixture
async def idle_clock() -> AsyncIterator[IdleClock]:
    """Lets the time of the test's own loop leap over every wait in which nothing happens."""
    with IdleClock() as clock:
        yield clock


@pytest.fixture(scope="session")
def measures() -> Iterator[dict[str, Measure]]:
    """What each scenario took, by its id. MAILTUI_UPDATE_DOCS=1 writes the document from it, if none is missing."""
    taken: dict[str, Measure] = {}
    yield taken
    if os.environ.get("MAILTUI_UPDATE_DOCS") and set(taken) == {scenario.id for scenario in SCENARIOS}:
        DOCUMENT.write_text(write_measures(DOCUMENT.read_text(), taken))
