"""Whatever a server calls its mailboxes, their folders are in the root, apart, and found again."""

from pathlib import Path

import pytest
from hypothesis import example, given
from hypothesis import strategies as st

from mailtui.model import utf7
from mailtui.storage.maildir_names import folder_name, folder_place

ROOT = Path("/mail")
HOSTILE = ("", ".", "..", "../..", "~", "~root", "/", "//", "/etc/passwd", "cur", "new", "tmp", "a\0b", "\n", "\x1b[2J")
hostile = st.sampled_from([*HOSTILE, "INBOX/x", "a\\", "\\/", "&", "&-", "\\2e", "\\_", "_", "x" * 300, "é" * 300])
names = (
    st.lists(st.text("aA./\\&-_é \0" + "台", max_size=4) | hostile, min_size=1, max_size=4).map("/".join) | st.text()
)


@pytest.mark.parametrize(
    ("name", "place"),
    [
        ("INBOX", ""),
        ("inbox", ""),
        ("Lists", ".Lists"),
        ("Lists/python", ".Lists.python"),
        ("INBOX/Sent", ".INBOX.Sent"),
        ("Entwürfe", ".Entw&APw-rfe"),
        ("R&D", ".R&-D"),
        ("台北/日本語", ".&U,BTFw-.&ZeVnLIqe-"),
        ("v1.2", ".v1\\2e2"),
        ("a\\/b", ".a\\2fb"),
        ("~ada", ".\\7eada"),
        ("..", ".\\2e\\2e"),
        ("", ".\\_"),
        ("/", ".\\_.\\_"),
        ("cur", ".cur"),
    ],
)
def test_folders_are_where_other_programs_look(name: str, place: str) -> None:
    assert folder_place(ROOT, name) == ROOT / place


@given(names)
@example("../../etc/passwd")
@example("\\")
def test_no_name_leaves_the_root(name: str) -> None:
    place = folder_place(ROOT, name)
    assert place == ROOT or place.parent == ROOT
    assert ".." not in place.parts
    assert str(place).isascii()
    assert str(place).isprintable()
    assert len(place.name) <= 200


@given(st.tuples(names, st.sampled_from("/.\\") | st.just("")), st.tuples(names, st.sampled_from("/.\\") | st.just("")))
def test_different_mailboxes_never_share_a_folder(one: tuple[str, str], other: tuple[str, str]) -> None:
    levels = [name.split(delimiter) if delimiter else [name] for name, delimiter in (one, other)]
    places = [folder_place(ROOT, folder_name(*mailbox)) for mailbox in (one, other)]
    inboxes = ["/".join(parts).upper() == "INBOX" for parts in levels]
    assert (places[0] == places[1]) == (levels[0] == levels[1] or all(inboxes))


def test_long_names_that_begin_alike_are_apart() -> None:
    alike = ["x" * 500 + end for end in ("1", "2", "/1", "")]
    accented = ["é" * length for length in range(60, 90)]
    assert len({folder_place(ROOT, name) for name in alike + accented}) == len(alike + accented)
    assert utf7.decode(folder_place(ROOT, "é" * 300).name).startswith("." + "é" * 50)


def test_levels_are_the_servers() -> None:
    assert folder_name("INBOX.a/b", ".") == "INBOX/a\\/b"
    assert folder_name("a.b/c", "/") == "a.b/c"
    assert folder_name("a/b", "") == "a\\/b"
    assert folder_place(ROOT, folder_name("a.b", ".")) == folder_place(ROOT, folder_name("a/b", "/"))


def test_a_folder_typed_by_a_person_may_hold_a_backslash() -> None:
    assert folder_place(ROOT, "a\\b") == folder_place(ROOT, "a\\\\b") == ROOT / ".a\\5cb"
