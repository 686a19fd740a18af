"""Fixtures of the retrievals."""

import os
import tempfile
from collections.abc import Iterator
from pathlib import Path

import pytest

from mailtui.protocols import look


@pytest.fixture
def fast_folder() -> Iterator[Path]:
    """A folder in memory where there is one: thousands of runs sync their files."""
    memory = Path("/dev/shm")
    parent = memory if memory.is_dir() and os.access(memory, os.W_OK) else None
    with tempfile.TemporaryDirectory(prefix="mailtui-retrieval-", dir=parent) as folder:
        yield Path(folder)


@pytest.fixture(autouse=True)
def _brief_looks(monkeypatch: pytest.MonkeyPatch) -> None:
    """What answers here does so at once: a second look after a failure need not wait long."""
    monkeypatch.setattr(look, "PATIENCE", 0.3)
