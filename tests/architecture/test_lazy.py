"""What a run of the command line loads: a screen, a keyring or a web client would cost more than the work itself."""

import json
import os
import subprocess
import sys
from dataclasses import dataclass
from pathlib import Path

import pytest

from mailtui.interop.accounts_toml import write_accounts
from mailtui.model.account import Account, Endpoint, Protocol, Retrieval, SecretRef, SecretScheme, Security, Submission
from tests.servers.process import free_ports

ROOT = Path(__file__).resolve().parents[2]
DEADLINE = 120
HEAVY = {"textual", "rich", "keyring", "httpx"}

# Runs the program as `python -m mailtui` does, then writes down what it has loaded.
_WITNESS = """
import atexit, json, os, runpy, sys
witness = os.environ.pop("LOADED")
atexit.register(lambda: open(witness, "w").write(json.dumps(sorted(sys.modules))))
runpy.run_module("mailtui", run_name="__main__", alter_sys=True)
"""


@dataclass(frozen=True, slots=True)
class Run:
    """One run: its exit code, what it said, and the top-level modules it had loaded at its end."""

    code: int
    output: str
    errors: str
    loaded: frozenset[str]


def run_mailtui(folder: Path, *arguments: str, **environment: str) -> Run:
    """Run mailtui in a process of its own, with a data folder of its own."""
    witness = folder / "loaded.json"
    done = subprocess.run(
        [sys.executable, "-c", _WITNESS, *arguments],
        cwd=ROOT,
        env={
            **os.environ,
            "MAILTUI_DATA": str(folder / "data"),
            "XDG_CONFIG_HOME": str(folder / "config"),
            "LOADED": str(witness),
            **environment,
        },
        stdin=subprocess.DEVNULL,
        capture_output=True,
        text=True,
        timeout=DEADLINE,
        check=False,
    )
    loaded = frozenset(name.partition(".")[0] for name in json.loads(witness.read_text()))
    return Run(done.returncode, done.stdout, done.stderr, loaded)


@pytest.mark.parametrize("arguments", [("--help",), ("check", "--help"), ("account", "--help")], ids=" ".join)
def test_help_loads_nothing_heavy(tmp_path: Path, arguments: tuple[str, ...]) -> None:
    run = run_mailtui(tmp_path, *arguments)
    assert run.code == 0, run.errors
    assert "usage:" in run.output.lower()
    assert run.loaded & (HEAVY | {"sqlite3", "aiosmtplib", "aioimaplib", "cryptography", "ssl"}) == set()


def test_check_of_a_file_loads_neither_screen_nor_keyring_nor_database(tmp_path: Path) -> None:
    outbound, inbound = free_ports(2)
    account = Account(
        "closed",
        "ada@example.org",
        Submission(
            Endpoint("127.0.0.1", outbound, Security.IMPLICIT_TLS),
            secret=SecretRef(SecretScheme.ENV, "MAIL_PASSWORD"),
        ),
        Retrieval(Protocol.IMAP, Endpoint("127.0.0.1", inbound, Security.IMPLICIT_TLS)),
    )
    accounts = tmp_path / "accounts.toml"
    accounts.write_text(write_accounts([account]))
    run = run_mailtui(tmp_path, "check", "--file", str(accounts), "--format", "json", MAIL_PASSWORD="unused")
    assert run.code == 2, run.errors
    assert run.output.count("port-refused") >= 2, run.output
    assert run.loaded & (HEAVY | {"sqlite3"}) == set()
    assert not (tmp_path / "data").exists()


def test_the_witness_sees_what_is_loaded(tmp_path: Path) -> None:
    """The proof above could not fail if the witness wrote down too little."""
    run = run_mailtui(tmp_path, "--help")
    assert {"argparse", "mailtui"} <= run.loaded
