"""Mailboxes with hostile names: each has a folder of its own, and none leaves the root."""

from collections import Counter
from dataclasses import replace
from pathlib import Path

from mailtui.model.account import Protocol
from tests.retrieval.letters import letter
from tests.retrieval.office import Office
from tests.retrieval.world import world

HOSTILE = (
    "..",
    ".",
    "../../../../etc/cron.d/x",
    "/etc/passwd",
    "~",
    "~root/x",
    "a/../../b",
    "a//b",
    "a.b",
    "a/b",
    "a\\b",
    "A/B",
    "tmp",
    "new",
    "cur",
    " ",
    "-rf",
    "%2e%2e",
    "&AC4ALg-",
    "x" * 300,
    "x" * 299 + "y",
    "Entwürfe",
    "草稿",
    "&",
    "INBOX/cur",
    "inbox.x",
)


async def test_no_name_leaves_the_root(fast_folder: Path) -> None:
    office = Office()
    office.inbox.add(letter(1))
    for number, name in enumerate(HOSTILE, 2):
        office.box(wire(name)).add(letter(number))
    async with world(fast_folder / "data", Protocol.IMAP, office) as one:
        assert one.account.retrieval is not None
        one.account = replace(one.account, retrieval=replace(one.account.retrieval, mailboxes=("*",)))
        before = names(fast_folder)
        report = await one.retrieve()
        assert report.leg.failure is None
        assert names(fast_folder) - before == set()
        assert one.stored == Counter(letter(number) for number in range(1, len(HOSTILE) + 2))
        tree = one.data / "mail" / "under_test"
        folders = [path.parents[1] for path in tree.glob("**/new/*")]
        assert len(folders) == len(set(folders)) == len(HOSTILE) + 1
        assert all(folder == tree or (folder.parent == tree and folder.name[:1] == ".") for folder in folders), folders
        assert (await one.retrieve()).stored == 0


def wire(name: str) -> str:
    """In modified UTF-7 (RFC 3501 section 5.1.3), as the server names it; Python's own needs little change."""
    out = ""
    for char in name:
        if char == "&":
            out += "&-"
        elif " " <= char <= "~":
            out += char
        else:
            out += char.encode("utf-7").decode().replace("+", "&").replace("/", ",")
    return out


def names(folder: Path) -> set[Path]:
    """What lies beside the data folder."""
    return set(folder.iterdir())
