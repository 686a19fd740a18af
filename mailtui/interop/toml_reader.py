"""Read accounts from their TOML form; every problem is found at once and told with its line."""

import re
import tomllib
from functools import cached_property

from mailtui.interop.toml_keys import ACCOUNT_KEYS, RETRIEVAL_KEYS, SUBMISSION_KEYS
from mailtui.interop.toml_lines import Lines, Path
from mailtui.interop.toml_section import SHOWN, Section, quoted, type_name, unknown_key
from mailtui.model.account import Account, AuthMethod, Protocol, Retrieval, RetrievalMode, Submission
from mailtui.model.errors import AccountFileError
from mailtui.model.text import clean
from mailtui.model.validation import problems

_LONG_NUMBER = re.compile(r"(?<![0-9_])[0-9][0-9_]{3999,}")
_SYNTAX_LINE = re.compile(r"\(at (?:line (\d+), column \d+|end of document)\)$")


def read_accounts(text: str, source: str) -> list[Account]:
    """The accounts of a TOML text. `source` names it in errors.

    Raises AccountFileError with one line per problem: `source:line: account NAME: field: message`.
    """
    plain = text.removeprefix("\ufeff").replace("\r\n", "\n")
    try:
        return _File(plain, source).accounts(_parsed(plain, source))
    except RecursionError:
        raise AccountFileError(f"{source}:1: is nested too deeply to be a file of accounts") from None


def _parsed(plain: str, source: str) -> dict[str, object]:
    try:
        return tomllib.loads(plain)
    except tomllib.TOMLDecodeError as error:
        message = str(error)
        place = _SYNTAX_LINE.search(message)
        line = int(place[1]) if place and place[1] else plain.count("\n") + 1
        reason = message[: place.start()].strip() if place else message
        # `from None`: the parser's traceback holds the whole text.
        raise AccountFileError(f"{source}:{line}: not TOML: {clean(reason, 200)}") from None
    except ValueError:
        # Python refuses to read a number of more than some thousand digits, and says no place.
        found = _LONG_NUMBER.search(plain)
        line = plain.count("\n", 0, found.start()) + 1 if found else 1
        raise AccountFileError(f"{source}:{line}: holds a number of thousands of digits; no key takes one") from None


class _File:
    """One reading: collects the problems of every account."""

    def __init__(self, text: str, source: str) -> None:
        self._text = text
        self._source = source
        self.problems: list[tuple[Path, str, str]] = []

    def accounts(self, data: dict[str, object]) -> list[Account]:
        for key in data:
            if key != "account":
                self.add((key,), "", f"{quoted(key)} {unknown_key(key, ['account'], 'the file')}")
        tables = data.get("account", [])
        if not isinstance(tables, list) or not all(isinstance(table, dict) for table in tables):
            self.add(("account",), "", "each account is its own table: write [[account]], with two brackets")
            tables = []
        accounts: list[Account] = []
        first_uses: dict[str, Path] = {}
        for index, table in enumerate(tables):
            path: Path = ("account", index)
            account = _AccountTable(self, path, table).account()
            accounts.append(account)
            if account.name in first_uses:
                line = self._lines.of(first_uses[account.name])
                self.add((*path, "name"), account.name, f"name: is used twice, first on line {line}; rename one")
            elif account.name:
                first_uses[account.name] = (*path, "name")
        if self.problems:
            raise AccountFileError(self._told())
        return accounts

    def add(self, path: Path, account: str, message: str) -> None:
        """Note a problem; an empty `account` is one of the file itself."""
        self.problems.append((path, account, message))

    @cached_property
    def _lines(self) -> Lines:
        return Lines(self._text)

    def _told(self) -> str:
        lines = self._lines
        placed = sorted(
            ((lines.of(path), account, message) for path, account, message in self.problems), key=lambda told: told[0]
        )
        return "\n".join(
            f"{self._source}:{line}: {f'account {clean(account, SHOWN)}: ' if account else ''}{message}"
            for line, account, message in placed
        )


class _AccountTable:
    """One `[[account]]`: a value that cannot be used is reported, and a harmless one stands in for it."""

    def __init__(self, file: _File, path: Path, table: dict[str, object]) -> None:
        self._file = file
        self._path = path
        self._table = table
        name = table.get("name")
        self._label = name if isinstance(name, str) and name.strip() else f"#{int(path[-1]) + 1}"
        self._reported: set[str] = set()

    def account(self) -> Account:
        own = Section(self, "", self._table, ACCOUNT_KEYS, ("submission", "retrieval"))
        submission = self._sub_table("submission")
        if submission is None and "submission" not in self._reported:
            self.report("submission", "is missing; add [account.submission] with host = the server that sends mail")
        account = Account(
            name=own.text("name"),
            email=own.text("email"),
            submission=self._submission(submission or {}),
            retrieval=self._retrieval(),
            type=own.text("type"),
            display_name=own.text("display_name"),
            active=own.flag("active", True),
            notes=own.text("notes"),
        )
        unreadable = frozenset(self._reported)
        for error in problems(account):
            if not self._is_consequence(error.field, unreadable):
                self.report(error.field, error.message)
        return account

    def report(self, field: str, message: str) -> None:
        """Note a problem of a field, by its dotted name within the account."""
        self._reported.add(field)
        self._file.add((*self._path, *field.split(".")), self._label, f"{clean(field, SHOWN)}: {message}")

    def stands_in(self, field: str) -> None:
        """Count `field` as reported: its trouble has been told under another name."""
        self._reported.add(field)

    def _is_consequence(self, field: str, unreadable: frozenset[str]) -> bool:
        """Whether a problem with `field` only follows from one that has been told."""
        if field in unreadable or field.partition(".")[0] in unreadable:
            return True
        causes = {
            "retrieval.method": {"retrieval.protocol"},
            "retrieval.mailboxes": {"retrieval.protocol"},
            "retrieval.delete_after": {"retrieval.leave_on_server"},
            "retrieval.secret": {"submission", "submission.secret"},
        }
        return bool(causes.get(field, set()) & self._reported)

    def _sub_table(self, name: str) -> dict[str, object] | None:
        table = self._table.get(name)
        if table is None or isinstance(table, dict):
            return table
        self.report(name, f"is {type_name(table)}; write [account.{name}] and its keys below it")
        return None

    def _submission(self, table: dict[str, object]) -> Submission:
        section = Section(self, "submission", table, SUBMISSION_KEYS)
        return Submission(
            endpoint=section.endpoint(Protocol.SMTP),
            authentication=section.flag("authentication", True),
            method=section.choice("method", AuthMethod.AUTOMATIC),
            username=section.text("username"),
            secret=section.secret(),
        )

    def _retrieval(self) -> Retrieval | None:
        table = self._sub_table("retrieval")
        if table is None:
            return None
        section = Section(self, "retrieval", table, RETRIEVAL_KEYS)
        protocol = section.choice("protocol", Protocol.IMAP, without=Protocol.SMTP)
        return Retrieval(
            protocol=protocol,
            endpoint=section.endpoint(protocol),
            method=section.choice("method", AuthMethod.AUTOMATIC),
            username=section.text("username"),
            secret=section.secret(),
            mode=section.choice("mode", RetrievalMode.MANUAL),
            interval=section.number("interval", 15),
            folder=section.text("folder", "INBOX"),
            leave_on_server=section.flag("leave_on_server", True),
            delete_after=section.number("delete_after") if "delete_after" in table else None,
            mailboxes=section.texts("mailboxes", ("INBOX",)),
            destination=section.destination(),
            size_limit=section.number("size_limit") if "size_limit" in table else None,
        )
