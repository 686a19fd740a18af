"""How columns share a screen, what their cells say and how lists are ordered and selected."""

from dataclasses import replace
from datetime import datetime, timedelta
from itertools import pairwise

import pytest
from hypothesis import given
from hypothesis import strategies as st

from mailtui.actions.standing import standing_of
from mailtui.model.account import Account, Retrieval, RetrievalMode
from mailtui.model.check import CheckReport
from mailtui.model.text import width
from mailtui.tui.account_columns import ACCOUNT_COLUMNS, STATUS, AccountRow, short_age
from mailtui.tui.automatic import Automatic
from mailtui.tui.board import Board
from mailtui.tui.columns import GAP, Wish, fit, measure, wishes
from mailtui.tui.ordering import Group, Order, grouped, ordered
from mailtui.tui.retrieval_columns import RETRIEVAL_COLUMNS, RetrievalRow, leave, method, result
from mailtui.tui.selection import Selection
from mailtui.tui.widgets.retrieval_list import RetrievalList
from mailtui.tui.words import Mark, Role
from tests.tui.people import ADA, ALAN, EMMY, NEW, NOW, OFF, PEOPLE, REPORTS, ROBOT, account, report

COLUMNS = {column.id: column for column in (*ACCOUNT_COLUMNS, STATUS)}
ROWS = {
    person.name: AccountRow(person, REPORTS.get(person.name), standing_of(person, REPORTS.get(person.name)).value)
    for person in PEOPLE
}


def row(person: Account, found: CheckReport | None = None) -> AccountRow:
    return AccountRow(person, found, standing_of(person, found).value)


class NothingAutomatic(Automatic):
    """Neither a schedule nor IDLE."""

    def __init__(self) -> None:
        self._schedule = None
        self._idlers = None


def entry(retrieval: Retrieval, due: datetime | None = None, is_told: bool = False) -> RetrievalRow:
    return RetrievalRow(replace(ADA, retrieval=retrieval), retrieval, Mark.OK, None, None, due=due, is_told=is_told)


def people_wishes() -> list[Wish]:
    return wishes(ACCOUNT_COLUMNS, [measure(ACCOUNT_COLUMNS, found, NOW) for found in ROWS.values()])


def needed(widths: list[int], columns: int) -> int:
    return sum(widths[:columns]) + GAP * (columns - 1)


@pytest.mark.parametrize("room", [71, 80, 90, 111, 150, 250])
def test_the_essential_columns_are_on_the_screen(room: int) -> None:
    widths = fit(ACCOUNT_COLUMNS, people_wishes(), room)
    essential = [column for column in ACCOUNT_COLUMNS if column.essential]
    assert needed(widths, len(essential)) <= room
    assert all(size >= column.least for column, size in zip(ACCOUNT_COLUMNS, widths, strict=True))
    if room >= 250:
        assert needed(widths, len(ACCOUNT_COLUMNS)) <= room


@given(
    st.integers(1, 300),
    st.lists(st.tuples(st.integers(1, 80), st.integers(1, 80)), min_size=8, max_size=8),
)
def test_columns_that_do_not_fit_begin_beyond_the_edge(room: int, sizes: list[tuple[int, int]]) -> None:
    wanted = wishes(ACCOUNT_COLUMNS, [[(max(pair), min(pair)) for pair in sizes]])
    widths = fit(ACCOUNT_COLUMNS, wanted, room)
    essential = [index for index, column in enumerate(ACCOUNT_COLUMNS) if column.essential]
    starts = [sum(widths[:index]) + GAP * index for index in range(len(widths))]
    ends = [start + size for start, size in zip(starts, widths, strict=True)]
    for index in range(len(widths)):
        if index not in essential:
            assert ends[index] <= room or starts[index] >= room, (index, widths)
            assert widths[index] >= wanted[index].full
    for index in essential:
        assert widths[index] >= wanted[index].least


def test_more_room_never_takes_from_an_essential_column() -> None:
    wanted = people_wishes()
    before = fit(ACCOUNT_COLUMNS, wanted, 71)
    for room in range(72, 119):
        after = fit(ACCOUNT_COLUMNS, wanted, room)
        assert sum(after[:5]) >= sum(before[:5])
        before = after


def test_nothing_is_cut_where_all_fits_and_ports_are_dropped_first() -> None:
    widths = dict(zip(COLUMNS, fit(ACCOUNT_COLUMNS, people_wishes(), 120), strict=False))
    for person, found in ((person, ROWS[person.name]) for person in PEOPLE):
        assert COLUMNS["name"].cell(found, NOW, widths["name"]).strip() == person.name
        assert COLUMNS["smtp"].cell(found, NOW, widths["smtp"]).startswith(person.submission.endpoint.label)
    server = COLUMNS["smtp"]
    assert server.cell(row(ADA), NOW, 20) == "smtp.example.org:465"
    assert server.cell(row(ADA), NOW, 16) == "smtp.example.org"
    assert server.cell(row(ADA), NOW, 8) == "smtp.ex…"
    assert COLUMNS["retrieval"].cell(row(ROBOT), NOW, 3) == "–  "
    assert COLUMNS["active"].cell(row(OFF), NOW, 6) == "no    "


@pytest.mark.parametrize("columns", range(3, 30))
def test_the_flag_of_an_unverified_server_is_never_cut(columns: int) -> None:
    spans = COLUMNS["smtp"].spans(row(EMMY), NOW, columns)
    assert [text for text, role in spans if role is Role.FAILED] == ["!"]
    assert sum(width(text) for text, _ in spans) == columns
    assert not any(role is Role.FAILED for _, role in COLUMNS["smtp"].spans(row(ADA), NOW, columns))


@pytest.mark.parametrize("column", [*ACCOUNT_COLUMNS, STATUS], ids=lambda column: column.id)
def test_cells_and_headings_have_exactly_their_width(column: object) -> None:
    person = account("渡" * 40 + "\x1b[31m", f"{'辺' * 30}@example.org", type="サポート", inbound="bücher.example")
    for columns in range(4, 50):
        for found in (row(person), row(person, report(person)), *ROWS.values()):
            assert width(COLUMNS[column.id].cell(found, NOW, columns)) == columns  # type: ignore[attr-defined]  # a Column
        assert width(COLUMNS[column.id].heading(columns, "↑")) == columns  # type: ignore[attr-defined]  # a Column


def test_the_mark_of_the_order_is_never_cut_from_a_heading() -> None:
    for column in ACCOUNT_COLUMNS:
        for columns in range(4, 30):
            assert "↓" in column.heading(columns, "↓"), (column.id, columns)
    assert COLUMNS["checked"].heading(11) == "Checked    "
    assert COLUMNS["checked"].heading(4) == "Age "
    assert COLUMNS["checked"].heading(4, "↓") == "Age↓"


def test_internationalised_servers_are_shown_with_their_ascii_form() -> None:
    person = account("x", "x@example.org", smtp="bücher.example")
    assert COLUMNS["smtp"].cell(row(person), NOW, 50).strip() == "bücher.example:465 (xn--bcher-kva.example)"


@pytest.mark.parametrize(
    ("ago", "words"),
    [
        (timedelta(seconds=-30), "now"),
        (timedelta(seconds=4), "now"),
        (timedelta(seconds=59), "59s"),
        (timedelta(minutes=59), "59m"),
        (timedelta(hours=23), "23h"),
        (timedelta(days=1), "1d"),
        (timedelta(days=99), "99d"),
        (timedelta(days=100), "3mo"),
        (timedelta(days=719), "23mo"),
        (timedelta(days=730), "2y"),
        (timedelta(days=500_000), "999y"),
    ],
)
def test_short_ages(ago: timedelta, words: str) -> None:
    assert short_age(NOW - ago, NOW) == words
    assert len(words) <= 4


def test_never_checked_has_no_age() -> None:
    assert COLUMNS["checked"].cell(row(NEW), NOW, 4) == "–   "
    assert COLUMNS["checked"].cell(row(NEW), NOW, 11) == "never      "


def sort(column: str, largest_first: bool = False) -> list[str]:
    return ordered(list(ROWS), ROWS.__getitem__, COLUMNS[column], largest_first)


def test_what_has_nothing_in_a_column_goes_last_either_way() -> None:
    assert sort("checked")[-1] == NEW.name
    assert sort("checked", largest_first=True)[-1] == NEW.name
    assert sort("retrieval")[-1] == ROBOT.name
    assert sort("retrieval", largest_first=True)[-1] == ROBOT.name
    assert sort("type")[:3] == [ADA.name, OFF.name, ROBOT.name]
    assert sort("type", largest_first=True)[:3] == [ROBOT.name, ADA.name, OFF.name]


@pytest.mark.parametrize("column", list(COLUMNS))
@pytest.mark.parametrize("largest_first", [False, True])
def test_equals_keep_their_places_and_nobody_is_lost(column: str, largest_first: bool) -> None:
    names = sort(column, largest_first)
    assert sorted(names) == sorted(ROWS)
    key = COLUMNS[column].key
    assert key is not None
    places = {name: place for place, name in enumerate(ROWS)}
    for before, after in pairwise(names):
        first, second = key(ROWS[before]), key(ROWS[after])
        if first == second:
            assert places[before] < places[after]
        elif first is not None and second is not None:
            assert (first > second) is largest_first


def test_servers_sort_by_host_and_then_by_port_as_a_number() -> None:
    people = [account(name, "x@example.org", smtp=host) for name, host in (("a", "B.example"), ("b", "a.example"))]
    endpoint = people[0].submission.endpoint
    for name, port in (("c", 1025), ("d", 587)):
        submission = replace(people[0].submission, endpoint=replace(endpoint, port=port))
        people.append(replace(people[0], name=name, submission=submission))
    rows = {person.name: row(person) for person in people}
    assert ordered(list(rows), rows.__getitem__, COLUMNS["smtp"], False) == ["b", "a", "d", "c"]


def test_status_sorts_by_urgency() -> None:
    assert [ROWS[name].status for name in sort("status")] == (
        ["failing"] * 5 + ["warning"] + ["unchecked"] + ["good"] * 4 + ["off"]
    )


def test_the_same_column_again_turns_the_order_around() -> None:
    order = Order("name")
    assert order.then(COLUMNS["name"]) == Order("name", True)
    assert order.then(COLUMNS["name"]).then(COLUMNS["name"]) == order
    assert order.then(COLUMNS["checked"]) == Order("checked", True), "the newest first"
    assert (order.mark, Order("name", True).mark) == ("↑", "↓")


def test_groups_are_sorted_and_keep_the_order_within() -> None:
    kinds = {"d": "b", "a": "", "c": "B", "b": "b"}
    rows = grouped(["d", "a", "c", "b"], kinds.__getitem__)
    assert rows == [Group("B", ("c",)), "c", Group("b", ("d", "b")), "d", "b", Group("", ("a",)), "a"]
    assert grouped([], kinds.__getitem__) == []


def test_extending_goes_from_the_anchor_and_takes_back() -> None:
    shown = list("abcdef")
    selection = Selection()
    selection.toggle("f")
    selection.extend(shown, "b", "c")
    selection.extend(shown, "c", "d")
    assert selection.names == set("bcdf")
    selection.extend(shown, "d", "c")
    assert selection.names == set("bcf")
    selection.extend(shown, "c", "a")
    assert selection.names == set("abf"), "over the anchor to the other side"
    selection.settle()
    selection.extend(shown, "d", "e")
    assert selection.names == set("abdef")
    selection.extend(["x", "y"], "x", "y")
    assert selection.names == set("abdefxy"), "an anchor that is hidden now is none"
    selection.keep(set("abx"))
    assert selection.names == set("abx")
    selection.toggle_all("ab")
    assert selection.names == set("x")
    selection.toggle_all("xy")
    assert selection.names == set("xy")
    selection.clear()
    assert len(selection) == 0


def test_how_mail_is_retrieved_is_told_in_words() -> None:
    assert ADA.retrieval is not None
    plain: Retrieval = ADA.retrieval
    every_five = replace(plain, mode=RetrievalMode.AUTOMATIC, interval=5)
    assert method(entry(plain), NOW) == "manual"
    assert method(entry(every_five), NOW) == "every 5 min"
    assert method(entry(every_five, due=NOW + timedelta(minutes=4)), NOW) == "every 5 min, in 4 min"
    assert method(entry(every_five, due=NOW + timedelta(minutes=4), is_told=True), NOW) == "at once, or in 4 min"
    assert leave(plain) == "yes"
    assert leave(replace(plain, delete_after=1)) == "1 day"
    assert leave(replace(plain, delete_after=30)) == "30 days"
    assert leave(replace(plain, leave_on_server=False)) == "no"


def test_the_last_result_is_told_in_words_with_its_age() -> None:
    board = Board()
    board.load(PEOPLE, REPORTS)
    rows = RetrievalList(board, NothingAutomatic(), NOW)
    assert result(rows.row(ADA.name), NOW) == "2m: good, 1284 messages"
    assert (
        result(rows.row(ALAN.name), NOW)
        == "2m: The server refuses the user name or the password; it does not say which."
    )
    assert result(rows.row(NEW.name), NOW) == "not checked"
    board.begin([ADA])
    assert result(rows.row(ADA.name), NOW) == "waiting its turn"
    with pytest.raises(KeyError):
        rows.row(ROBOT.name)
    assert ALAN.retrieval is not None
    board.put(replace(ALAN, retrieval=replace(ALAN.retrieval, endpoint=EMMY.submission.endpoint)))
    assert result(rows.row(ALAN.name), NOW) == "not checked", "the report was about another server"


@pytest.mark.parametrize("room", [75, 80, 115, 160, 240])
def test_what_changes_in_the_retrieval_list_is_on_a_small_screen_and_settings_come_after_it(room: int) -> None:
    board = Board()
    board.load(PEOPLE, REPORTS)
    rows = RetrievalList(board, NothingAutomatic(), NOW)
    names = [person.name for person in PEOPLE if person.retrieval is not None]
    widths = fit(
        RETRIEVAL_COLUMNS,
        wishes(RETRIEVAL_COLUMNS, [measure(RETRIEVAL_COLUMNS, rows.row(n), NOW) for n in names]),
        room,
    )
    names_of = [column.id for column in RETRIEVAL_COLUMNS]
    assert needed(widths, names_of.index("result") + 1) <= room
    assert names_of[names_of.index("result") + 1 :] == ["folder", "leave"]
    assert (needed(widths, len(widths)) <= room) is (room >= 240)
