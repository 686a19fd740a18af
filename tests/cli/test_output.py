"""The writer of the terminal: nothing from outside reaches it unclean."""

import io
import sys

import pytest

from mailtui.cli.output import BAD, HELD_LIMIT, Output, Part, Styled, fit
from mailtui.model.text import width

HOSTILE = "a\x1b[2Jb\u202ec\x9bd\r\ne"


class Terminal(io.StringIO):
    """A terminal that keeps what is written."""

    encoding = "utf-8"

    def isatty(self) -> bool:
        return True

    def fileno(self) -> int:
        raise OSError


def terminal(monkeypatch: pytest.MonkeyPatch, **environment: str) -> tuple[Output, Terminal]:
    for name in ("NO_COLOR", "TERM"):
        monkeypatch.delenv(name, raising=False)
    for name, value in environment.items():
        monkeypatch.setenv(name, value)
    screen = Terminal()
    monkeypatch.setattr(sys, "stdout", screen)
    monkeypatch.setattr(sys, "stderr", Terminal())
    return Output(), screen


def test_text_from_outside_is_cleaned_on_every_way_out(capsys: pytest.CaptureFixture[str]) -> None:
    output = Output()
    output.line(HOSTILE, Styled(HOSTILE, BAD))
    output.lines(f"one{HOSTILE}")
    output.error(HOSTILE)
    output.question(HOSTILE)
    output.json({"text": HOSTILE + "\x7f"})
    said = capsys.readouterr()
    shown = said.out + said.err
    assert not {"\x1b", "\u202e", "\x9b", "\r", "\x7f"} & set(shown)
    assert "a\\x1b[2Jb\\u202ec\\x9bd" in shown


@pytest.mark.parametrize(
    ("environment", "coloured", "live"),
    [
        ({"TERM": "xterm"}, True, True),
        ({"TERM": "xterm", "NO_COLOR": "1"}, False, True),
        ({"TERM": "xterm", "NO_COLOR": ""}, True, True),
        ({"TERM": "dumb"}, False, False),
        ({}, False, False),
    ],
)
def test_colour_only_where_it_is_wanted(
    monkeypatch: pytest.MonkeyPatch, environment: dict[str, str], coloured: bool, live: bool
) -> None:
    output, screen = terminal(monkeypatch, **environment)
    output.line(Styled("bad", BAD))
    assert screen.getvalue() == ("\x1b[31mbad\x1b[0m\n" if coloured else "bad\n")
    assert output.live is live


def test_a_pipe_gets_neither_colour_nor_a_drawing(
    capsys: pytest.CaptureFixture[str], monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setenv("TERM", "xterm")
    output = Output()
    output.line(Styled("bad", BAD))
    assert capsys.readouterr().out == "bad\n"
    assert not output.live


def test_a_drawing_goes_over_the_last_one(monkeypatch: pytest.MonkeyPatch) -> None:
    output, screen = terminal(monkeypatch, TERM="xterm", NO_COLOR="1")
    output.redraw([["one"], ["two"]])
    output.redraw([["one"], ["two"]])
    output.redraw([["ONE"]])
    output.line("below")
    output.redraw([["new"]])
    assert screen.getvalue() == (
        "one\x1b[K\ntwo\x1b[K\n\x1b[J" + "\x1b[2A\rONE\x1b[K\n\x1b[J" + "below\n" + "new\x1b[K\n\x1b[J"
    )


def test_a_question_is_not_drawn_over(monkeypatch: pytest.MonkeyPatch) -> None:
    output, screen = terminal(monkeypatch, TERM="xterm")
    output.redraw([["one"]])
    output.hold(True)
    output.redraw([["two"]])
    output.hold(False)
    output.redraw([["three"]])
    assert screen.getvalue() == "one\x1b[K\n\x1b[J" + "three\x1b[K\n\x1b[J"


def test_lines_wait_while_a_question_does(monkeypatch: pytest.MonkeyPatch) -> None:
    output, screen = terminal(monkeypatch, TERM="dumb")
    errors = sys.stderr
    assert isinstance(errors, Terminal)
    output.line("one")
    output.hold(True)
    output.line("two")
    output.error("three")
    output.lines("four\nfive")
    assert (screen.getvalue(), errors.getvalue()) == ("one\n", "")
    output.hold(False)
    assert (screen.getvalue(), errors.getvalue()) == ("one\ntwo\nfour\nfive\n", "mailtui: three\n")
    output.line("six")
    assert screen.getvalue().endswith("five\nsix\n")


def test_what_is_kept_back_for_a_question_has_a_limit(monkeypatch: pytest.MonkeyPatch) -> None:
    output, screen = terminal(monkeypatch, TERM="dumb")
    output.hold(True)
    line = "x" * 1_000
    for _ in range(HELD_LIMIT // 1_000):
        output.line(line)
    assert screen.getvalue() != "", "beyond the limit lines come out rather than be lost"
    output.hold(False)
    assert screen.getvalue() == f"{line}\n" * (HELD_LIMIT // 1_000)


def test_a_pipe_does_not_wait_for_a_question(capsys: pytest.CaptureFixture[str]) -> None:
    output = Output()
    output.hold(True)
    output.line("one")
    assert capsys.readouterr().out == "one\n"


@pytest.mark.parametrize("columns", [0, 1, 2, 5, 30])
@pytest.mark.parametrize("text", ["", "abc", "渡辺 明 – サポート", "e\u0301" * 20, HOSTILE])
def test_fitted_text_has_exactly_the_width(text: str, columns: int) -> None:
    shown = fit(text, columns)
    assert width(shown) == columns
    assert "\x1b" not in shown


def test_a_closed_pipe_is_noticed_and_told_once(monkeypatch: pytest.MonkeyPatch) -> None:
    class Closed(io.StringIO):
        writes = 0

        def write(self, text: str) -> int:
            self.writes += 1
            raise BrokenPipeError

    closed = Closed()
    monkeypatch.setattr(sys, "stdout", closed)
    output = Output()
    parts: list[Part] = ["one"]
    output.line(*parts)
    output.line("two")
    assert output.closed
    assert closed.writes == 1


def test_characters_that_the_encoding_lacks_are_shown_as_escapes(monkeypatch: pytest.MonkeyPatch) -> None:
    raw = io.BytesIO()
    monkeypatch.setattr(sys, "stdout", io.TextIOWrapper(raw, encoding="ascii"))
    output = Output()
    output.line("naïve 渡")
    output.flush()
    assert raw.getvalue() == b"na\\xefve \\u6e21\n"
    assert output.plain_marks
