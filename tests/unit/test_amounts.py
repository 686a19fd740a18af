"""Amounts in words, and the pace of what runs."""

import pytest

from mailtui.model.amounts import Pace, counted, octets_words, seconds_words
from mailtui.model.text import width


@pytest.mark.parametrize(
    ("octets", "words"),
    [
        (0, "0 B"),
        (999, "999 B"),
        (1_000, "1.0 KB"),
        (9_949, "9.9 KB"),
        (9_951, "10 KB"),
        (999_499, "999 KB"),
        (999_501, "1.0 MB"),
        (8_240_000, "8.2 MB"),
        (300_000_000, "300 MB"),
        (4_200_000_000, "4.2 GB"),
        (10**20, "999 PB"),
    ],
)
def test_octets_are_told_in_a_few_columns(octets: int, words: str) -> None:
    assert octets_words(octets) == words


def test_every_amount_fits_into_its_columns() -> None:
    for power in range(70):
        assert width(octets_words(1.3 * 2**power)) <= 6
        assert width(seconds_words(1.3 * 2**power)) <= 6


@pytest.mark.parametrize(
    ("seconds", "words"),
    [(0.4, "0 s"), (89, "89 s"), (90, "2 min"), (3_600, "60 min"), (7_200, "2 h"), (200_000, "2 d")],
)
def test_times_are_told_in_a_few_columns(seconds: float, words: str) -> None:
    assert seconds_words(seconds) == words


def test_nouns_are_counted() -> None:
    assert [counted(number, "message") for number in (0, 1, 2)] == ["0 messages", "1 message", "2 messages"]


def test_a_pace_is_by_octets_where_they_are_known() -> None:
    pace = Pace(10, 100, 500, 1_000, 4.0)
    assert pace.share == 0.5
    assert pace.octets_per_second == 125
    assert pace.seconds_left == 4.0


def test_a_pace_is_by_messages_where_octets_are_not_known() -> None:
    pace = Pace(25, 100, 500, 0, 5.0)
    assert pace.share == 0.25
    assert pace.seconds_left == 15.0


def test_a_pace_promises_nothing_too_early_and_never_more_than_all() -> None:
    assert Pace(0, 100, 0, 0, 10.0).seconds_left is None
    assert Pace(1, 100, 0, 0, 0.5).seconds_left is None
    assert Pace(0, 0, 0, 0, 10.0).share == 0.0
    assert Pace(3, 2, 30, 20, 1.0).share == 1.0
    assert Pace(3, 2, 30, 20, 0.0).octets_per_second == 0.0
