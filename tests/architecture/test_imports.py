"""The rule of who imports whom holds, and the checker would notice if it did not."""

from pathlib import Path

import pytest

from tests.architecture.imports import HOMES, MAY_IMPORT, breaches

ROOT = Path(__file__).resolve().parents[2]


def test_every_import_keeps_the_rule() -> None:
    assert [str(breach) for breach in breaches(ROOT)] == []


def test_every_room_of_the_rule_that_exists_is_read() -> None:
    rooms = {path.name for path in (ROOT / "mailtui").iterdir() if (path / "__init__.py").exists()}
    assert {"model", "protocols", "storage", "interop", "actions", "cli", "tui", "demo"} <= rooms <= set(MAY_IMPORT)


@pytest.mark.parametrize(
    ("path", "source", "complaint"),
    [
        ("model/account.py", "import textual", "model imports textual"),
        ("model/account.py", "from mailtui.protocols import smtp", "model imports mailtui.protocols.smtp"),
        ("model/account.py", "import asyncio", "model imports asyncio"),
        ("model/account.py", "import socket", "model imports socket"),
        ("offloop.py", "from mailtui.model import check", "offloop imports mailtui.model.check"),
        ("offloop.py", "import keyring", "offloop imports keyring"),
        ("protocols/smtp.py", "from mailtui.storage.database import Database", "protocols imports mailtui.storage"),
        ("storage/codec.py", "from mailtui import interop", "storage imports mailtui.interop"),
        ("storage/codec.py", "from .. import interop", "storage imports mailtui.interop"),
        ("storage/codec.py", "from ..actions.check import check_account", "storage imports mailtui.actions"),
        ("storage/deep/er.py", "from ...tui import app", "storage imports mailtui.tui"),
        ("storage/__init__.py", "from ..cli import main", "storage imports mailtui.cli"),
        ("actions/check.py", "import mailtui.cli.main", "actions imports mailtui.cli.main"),
        ("actions/check.py", "import ssl", "actions imports ssl"),
        ("cli/main.py", "from mailtui.tui import run", "cli imports mailtui.tui.run"),
        ("tui/app.py", "from mailtui.demo.world import DemoWorld", "tui imports mailtui.demo"),
        ("demo/world.py", "from mailtui.cli.check import main", "demo imports mailtui.cli"),
        ("demo/world.py", "import mailtui.__main__", "demo imports mailtui.__main__"),
        ("cli/main.py", "def late():\n    from rich.console import Console", "cli imports rich"),
        ("cli/main.py", "if TYPE_CHECKING:\n    import textual.app", "cli imports textual.app"),
        ("cli/main.py", "import importlib\nimportlib.import_module('textual')", "cli imports textual"),
        ("cli/main.py", "WORK = {'demo': 'mailtui.demo.run:main'}", "cli imports mailtui.demo.run:main"),
        ("cli/main.py", "__import__('sqlite3')", "cli imports sqlite3"),
        ("storage/secrets.py", "try:\n    import httpx\nexcept ImportError:\n    pass", "storage imports httpx"),
        ("interop/himalaya.py", "import keyring.backends", "interop imports keyring.backends"),
        ("attic/old.py", "x = 1", "attic is no room"),
        ("helpers.py", "x = 1", "helpers is no room"),
    ],
)
def test_a_breach_is_found(tmp_path: Path, path: str, source: str, complaint: str) -> None:
    file = tmp_path / "mailtui" / path
    file.parent.mkdir(parents=True)
    file.write_text(source + "\n")
    (breach,) = breaches(tmp_path)
    assert breach.path == f"mailtui/{path}"
    assert breach.what.startswith(complaint)


@pytest.mark.parametrize(
    ("path", "source"),
    [
        ("model/account.py", "import re\nfrom mailtui.model.text import clean\nfrom .check import Leg"),
        ("protocols/smtp.py", "import ssl, aiosmtplib\nfrom mailtui import offloop\nfrom mailtui.model import check"),
        ("storage/database.py", "import sqlite3\nfrom ..model import check"),
        ("actions/check.py", "from mailtui.protocols import smtp\nfrom mailtui.storage import database"),
        ("cli/main.py", "from mailtui import __version__\nfrom mailtui.actions.check import check_account"),
        ("tui/app.py", "import rich.text\nfrom textual.app import App\nfrom .screens import accounts"),
        ("__main__.py", "def main():\n    from mailtui.tui import run\n    from mailtui.cli.main import run as cli"),
    ],
)
def test_what_is_allowed_is_not_a_breach(tmp_path: Path, path: str, source: str) -> None:
    file = tmp_path / "mailtui" / path
    file.parent.mkdir(parents=True)
    file.write_text(source + "\n")
    assert breaches(tmp_path) == []


def test_every_home_is_a_room() -> None:
    assert set().union(*HOMES.values()) <= set(MAY_IMPORT)
