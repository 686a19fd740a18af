"""What a shell offers after our script, tried in the shell itself."""

import shlex
import subprocess
import sys
from pathlib import Path
from shutil import which

import pytest

from tests.cli.conftest import Shell

ROOT = Path(__file__).resolve().parents[2]
BASH = which("bash")


def offered(shell: Shell, *words: str) -> list[str]:
    """What bash offers for the last of `words`, on the accounts of `shell`."""
    assert BASH is not None
    script = shell("completion", "bash").out
    line = " ".join(shlex.quote(word) for word in words)
    trial = (
        f'mailtui() {{ {shlex.quote(sys.executable)} -m mailtui "$@"; }}\n{script}\n'
        f"COMP_WORDS=(mailtui {line}); COMP_CWORD={len(words)}; _shtab_mailtui 2>/dev/null\n"
        'printf "%s\\n" "${COMPREPLY[@]}"'
    )
    done = subprocess.run([BASH, "-c", trial], cwd=ROOT, capture_output=True, text=True, timeout=120, check=True)
    return [line for line in done.stdout.splitlines() if line]


@pytest.mark.skipif(BASH is None, reason="bash is not installed")
def test_bash_offers_the_names_of_accounts(shell: Shell) -> None:
    for name in ("ada", "adrian", "bob", "a b", "it's $(me)"):
        shell.add(name)
    assert offered(shell, "account", "show", "ad") == ["ada", "adrian"]
    assert offered(shell, "check", "ada", "b") == ["bob"]
    assert offered(shell, "secret", "set", "a b") == offered(shell, "secret", "set", "a\\ ") == ["a\\ b"]
    # As bash would take it: one word, in which nothing is carried out.
    assert [shlex.split(word) for word in offered(shell, "account", "copy", "it")] == [["it's $(me)"]]
    assert offered(shell, "account", "copy", "ada", "a") == []
    assert "list" in offered(shell, "account", "l")
