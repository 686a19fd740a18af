"""What can be typed, what is said about it, and that the documentation names all of it."""

import argparse
import re
from collections.abc import Iterator
from pathlib import Path

import pytest

from mailtui import __version__
from mailtui.cli import parser as words
from mailtui.cli.parser import Parser, build_parser
from mailtui.model.account import AuthMethod, RetrievalMode, Security, Trust
from mailtui.model.check import Leg
from tests.cli.conftest import Shell

ROOT = Path(__file__).resolve().parents[2]


def commands(parser: Parser, path: str = "mailtui") -> Iterator[tuple[str, Parser]]:
    """Every parser with the words that lead to it."""
    yield path, parser
    for action in parser._actions:  # argparse lists them under no public name
        if isinstance(action, argparse._SubParsersAction):
            for name, command in action.choices.items():
                yield from commands(command, f"{path} {name}")


ALL = dict(commands(build_parser()))
LEAVES = {path: parser for path, parser in ALL.items() if parser.get_default("work")}


def test_the_commands_are_those_of_the_design() -> None:
    assert set(LEAVES) == {
        "mailtui check",
        "mailtui retrieve",
        "mailtui agent",
        *(
            f"mailtui account {name}"
            for name in (
                "add",
                "list",
                "show",
                "edit",
                "copy",
                "remove",
                "history",
                "report",
                "accept",
                "enable",
                "disable",
                "apply",
                "export",
            )
        ),
        *(f"mailtui secret {name}" for name in ("set", "remove", "test", "where")),
        "mailtui doctor",
        "mailtui demo",
        "mailtui completion",
    }


@pytest.mark.parametrize("path", ALL)
def test_every_command_has_help_with_an_example(shell: Shell, path: str) -> None:
    run = shell(*path.split()[1:], "--help")
    assert (run.code, run.err) == (0, "")
    assert run.out.startswith(f"usage: {path} ")
    example = re.search(r"examples?:\n( .*\n)+", run.out)
    assert example
    assert f"{path} " in example[0] + " "


@pytest.mark.parametrize("path", ALL)
def test_the_reference_names_every_command_and_option(path: str) -> None:
    reference = (ROOT / "docs" / "cli.md").read_text()
    section = reference
    if path != "mailtui" and ALL[path].get_default("work"):
        found = [text for text in re.split(r"\n(?=##)", reference) if f"`{path}`" in text.splitlines()[0]]
        assert found, f"{path} has no section of its own"
        section = found[0]
    options = [option for action in ALL[path]._actions for option in action.option_strings if option.startswith("--")]
    missing = [option for option in options if option != "--help" and option not in section]
    assert missing == []


def test_the_reference_names_every_exit_code() -> None:
    reference = (ROOT / "docs" / "cli.md").read_text()
    codes = re.findall(r"^\| (\d+) \|", reference, re.MULTILINE)
    assert codes == ["0", "1", "2", "3", "130", "141"]


def test_the_words_of_the_parser_are_those_of_the_model() -> None:
    assert tuple(Security) == words.SECURITIES
    assert tuple(AuthMethod) == words.METHODS
    assert tuple(Trust) == words.TRUSTS
    assert tuple(RetrievalMode) == words.MODES
    assert tuple(Leg) == words.LEGS


@pytest.mark.parametrize(
    ("arguments", "told"),
    [
        (["chek"], "invalid choice: 'chek'"),
        (["account"], "arguments are required: COMMAND"),
        (["account", "add", "--name", "x"], "arguments are required: --email, --smtp-host"),
        (["check", "--timeout", "0"], "--timeout: give seconds, more than 0"),
        (["check", "--timeout", "nan"], "--timeout: give seconds, more than 0"),
        (["check", "--limit", "0"], "--limit: give a whole number from 1 on"),
        (["check", "--format", "xml"], "invalid choice: 'xml'"),
        (["check", "--al"], "unknown option: --al"),
        (["account", "show", "a", "b"], "1 argument too many"),
        (["demo", "--format", "json"], "add --check"),
        (["check"], "no account is named"),
        (["check", "--all", "ada"], "not both"),
    ],
)
def test_a_usage_mistake_ends_with_3(shell: Shell, arguments: list[str], told: str) -> None:
    run = shell(*arguments)
    assert (run.code, run.out) == (3, "")
    assert told in run.err
    assert all(line.startswith("mailtui: ") for line in run.err.splitlines())


@pytest.mark.parametrize(
    "arguments",
    [["--password", "hunter2"], ["--password=hunter2"], ["--smtp-password", "hunter2"], ["hunter2"], ["--pw=hunter2"]],
)
def test_a_password_on_the_command_line_is_never_repeated(shell: Shell, arguments: list[str]) -> None:
    run = shell("account", "add", "--name", "x", "--email", "a@b.c", "--smtp-host", "x", *arguments)
    assert run.code == 3
    assert "hunter2" not in run.out + run.err


def test_a_password_in_the_place_of_its_source_is_never_repeated(shell: Shell) -> None:
    run = shell("account", "add", "--name", "x", "--email", "a@b.c", "--smtp-host", "x", "--secret", "hunter2")
    assert run.code == 3
    assert "--secret: a secret is never written here" in run.err
    assert "hunter2" not in run.err


def test_the_version(shell: Shell) -> None:
    assert shell("--version").out == f"mailtui {__version__}\n"


def test_the_screen_is_refused_without_a_terminal(shell: Shell) -> None:
    run = shell()
    assert (run.code, run.out) == (3, "")
    assert "standard input is not a terminal" in run.err
    assert "mailtui check" in run.err


@pytest.mark.parametrize("name", words.SHELLS)
def test_completions_know_the_commands(shell: Shell, name: str) -> None:
    run = shell("completion", name)
    assert run.code == 0
    for word in ("account", "export", "transcript", "secret", "accept", "doctor", "suggest", "trust-key", "insist"):
        assert word in run.out


def test_zsh_completes_files(shell: Shell) -> None:
    assert "_files" in shell("completion", "zsh").out
