"""What the account form holds and how its fields follow one another. No widgets, no I/O."""

from collections.abc import Collection, Iterable, Sequence

from mailtui.actions.own_entries import copy_of
from mailtui.actions.saving import Edited
from mailtui.model.account import (
    METHODS,
    Account,
    AuthMethod,
    Endpoint,
    Protocol,
    SecretRef,
    SecretScheme,
    Submission,
)
from mailtui.model.text import clean
from mailtui.storage.hidden import Hidden
from mailtui.tui.form.checking import Finding, problems_of, warnings_of
from mailtui.tui.form.field import PASSWORDS, WRITABLE, Option, Section, Value
from mailtui.tui.form.fields import FIELDS
from mailtui.tui.form.values import account_of, source_key, usual_port, values_of

_NAME_LIMIT = 100
_SERVER_PARTS = ("host", "security", "port", "certificate", "ca_file", "pin", "allow_cleartext", "method")


class FormState:
    """The fields of one account, new or stored. Its repr shows nothing: some of it is secret."""

    def __init__(
        self,
        shape: Account,
        *,
        original: Account | None = None,
        source: Account | None = None,
        default_secret: SecretScheme = SecretScheme.KEYRING,
        taken: Iterable[str] = (),
    ) -> None:
        self._default = default_secret
        self._before = values_of(shape, default_secret)
        self._values = dict(self._before)
        self._passwords = dict.fromkeys(PASSWORDS, "")
        self._own_password_forced = False
        self.original = original
        self.source = source
        self.taken: Collection[str] = frozenset(taken)
        """Names of other accounts."""

    @classmethod
    def new(cls, default_secret: SecretScheme = SecretScheme.KEYRING, *, taken: Iterable[str] = ()) -> "FormState":
        """An empty form; `default_secret` is where its password goes if the person has nothing against it."""
        shape = Account("", "", Submission(Endpoint("", 465), secret=SecretRef(default_secret)))
        state = cls(shape, default_secret=default_secret, taken=taken)
        state._before["receive"] = state._values["receive"] = True
        return state

    @classmethod
    def of(
        cls, account: Account, default_secret: SecretScheme | None = None, *, taken: Iterable[str] = ()
    ) -> "FormState":
        """The form of a stored account, as it was read."""
        default = default_secret or _kind_of_secret(account)
        others = (name for name in taken if name != account.name)
        return cls(account, original=account, source=account, default_secret=default, taken=others)

    @classmethod
    def duplicate_of(cls, account: Account, taken: Iterable[str], accounts: Sequence[Account] = ()) -> "FormState":
        """The form of a new account like `account`, with a name of its own.

        So are its password entries, but for those that others of `accounts`, which are all that there are, use too.
        """
        taken = frozenset(taken)
        copy = copy_of(account, _copied_name(account.name, taken), accounts)
        return cls(copy, source=account, default_secret=_kind_of_secret(account), taken=taken)

    @property
    def values(self) -> dict[str, Value]:
        """A copy of all values but the passwords."""
        return dict(self._values)

    @property
    def title(self) -> str:
        """What the form is about, safe to show."""
        if self.original is not None:
            return clean(self.original.name)
        return "New account" if self.source is None else f"Copy of {clean(self.source.name)}"

    def value(self, key: str) -> Value:
        """What a field holds, passwords included."""
        return self._passwords[key] if key in self._passwords else self._values[key]

    def set(self, key: str, value: Value) -> set[str]:
        """Fill in a field; returns the other fields that changed with it."""
        if key in self._passwords:
            self._passwords[key] = str(value)
            return set()
        before = dict(self._values)
        self._values[key] = value
        self._follow(key, before)
        return {other for other in before if other != key and self._values[other] != before[other]}

    def _follow(self, key: str, before: dict[str, Value]) -> None:
        values = self._values
        leg, _, name = key.rpartition(".")
        if name in ("security", "protocol") and before[f"{leg}.port"] in ("", str(usual_port(before, leg))):
            values[f"{leg}.port"] = str(usual_port(values, leg))
        if (
            name == "protocol"
            and AuthMethod(str(values["retrieval.method"])) not in METHODS[Protocol(str(values[key]))]
        ):
            values["retrieval.method"] = AuthMethod.AUTOMATIC.value
        if key == "email":
            if self.source is None and before["name"] in ("", _proposed_name(before["email"])):
                values["name"] = _proposed_name(values["email"])
            for username in ("submission.username", "retrieval.username"):
                if before[username] and before[username] == before["email"]:
                    values[username] = values["email"]
        if key == "submission.authentication":
            self._follow_authentication()
        if key == "retrieval.own_password":
            self._own_password_forced = False

    def _follow_authentication(self) -> None:
        """Without an outgoing login there is no password to share with the incoming server."""
        if self._values["submission.authentication"] is True:
            if self._own_password_forced:
                self._values["retrieval.own_password"] = False
            self._own_password_forced = False
        elif not self._keeps_secret and self._values["retrieval.own_password"] is False:
            self._values["retrieval.own_password"] = self._own_password_forced = True

    @property
    def _keeps_secret(self) -> bool:
        """Whether there is a stored reference that outlives switching the login off."""
        return self.source is not None and self.source.submission.secret is not None

    def shown(self, key: str) -> bool:
        """Whether the other fields call for this one."""
        return FIELDS[key].shown(self._values)

    def options(self, key: str) -> tuple[Option, ...]:
        """What a choice offers at present."""
        options = FIELDS[key].options
        if key not in ("submission.method", "retrieval.method"):
            return options
        protocol = Protocol.SMTP if key == "submission.method" else Protocol(str(self._values["retrieval.protocol"]))
        known = {method.value for method in METHODS[protocol]} | {self._values[key]}
        return tuple(option for option in options if option[0] in known)

    def placeholder(self, key: str) -> str:
        """What an empty field means or might hold, safe to show."""
        values = self._values
        email = str(values["email"]).strip()
        domain = email.rpartition("@")[2] if "@" in email else ""
        leg = key.partition(".")[0]
        username = f"{values['submission.username']} (as outgoing)"
        if not values["submission.username"]:
            username = f"{email} (the email address)" if email else "the email address"
        hints = {
            "email": "name@example.org",
            f"{leg}.host": f"for example mail.{domain or 'example.org'}",
            "retrieval.host": f"for example {values['retrieval.protocol']}.{domain or 'example.org'}",
            "submission.username": f"{email} (the email address)" if email else "the email address",
            "retrieval.username": username,
            f"{leg}.entry": f"{values['name']} (the account's name)" if values["name"] else "the account's name",
            f"{leg}.command": "for example pass show mail/ada",
            f"{leg}.env": "for example MAIL_PASSWORD",
            f"{leg}.file": "for example /run/credentials/mail",
            f"{leg}.ca_file": "for example /etc/ssl/company-ca.pem",
            "retrieval.mailboxes": "INBOX",
            "retrieval.maildir": "a Maildir of its own",
            "retrieval.lmtp": "for example localhost:24",
            "retrieval.mda": "for example procmail -d ada",
            "retrieval.delete_after": "never",
            "retrieval.size_limit": "no limit",
        }
        if key in PASSWORDS:
            return self._password_placeholder(key)
        if key.endswith(".port"):
            return str(usual_port(values, leg))
        hint = hints.get(key, "")
        return clean(hint, 60)

    def _password_placeholder(self, key: str) -> str:
        if not self.has_stored_password(key):
            return ""
        return "unchanged" if self.original is not None else "the same as before"

    def has_stored_password(self, key: str) -> bool:
        """Whether a password is on record where none is typed."""
        if self.source is None:
            return False
        if key == "submission.password":
            return self.source.submission.secret is not None
        return self.source.retrieval is not None and self.source.retrieval.secret is not None

    def changed(self) -> bool:
        """Whether something would be lost if the form were left."""
        return self._values != self._before or any(self._passwords.values())

    def problems(self) -> list[Finding]:
        """What must be put right before the account can be saved: fields and messages, in the order of the form."""
        return problems_of(self._values, self._before, self.edited().account, self.taken)

    def warnings(self) -> list[Finding]:
        """What can be saved, but is seldom meant."""
        absent = [key for key in PASSWORDS if not self._passwords[key] and not self.has_stored_password(key)]
        return warnings_of(self._values, absent)

    def edited(self) -> Edited:
        """What is to be tested or saved. With `problems`, the account is one that no store accepts."""
        return Edited(
            account=account_of(self._values, self._before, self.original, keep_secret=self._keeps_secret),
            original=self.original,
            source=self.source,
            submission_password=self._typed("submission.password"),
            retrieval_password=self._typed("retrieval.password"),
        )

    def _typed(self, key: str) -> Hidden[str] | None:
        password = self._passwords[key]
        return Hidden(password) if password and self.shown(key) else None

    def field_for(self, name: str) -> str:
        """The shown field that a dotted name of the model, or of the form, speaks of."""
        leg, _, part = name.partition(".")
        if leg not in ("submission", "retrieval"):
            return name if name in FIELDS else "email"
        if leg == "retrieval" and self._values["receive"] is False:
            return "receive"
        if part in ("secret", "password"):
            if leg == "retrieval" and self._values["retrieval.own_password"] is False:
                return "retrieval.own_password" if not self.shown("submission.password") else "submission.password"
            wanted = [f"{leg}.password", source_key(self._values, leg), f"{leg}.secret", f"{leg}.authentication"]
        else:
            wanted = [name]
        return next((key for key in wanted if key in FIELDS and self.shown(key)), f"{leg}.host")

    def first_of(self, section: Section) -> str:
        """The first shown field of a section."""
        return next(key for key, field in FIELDS.items() if field.section is section and self.shown(key))

    def take_servers(self, account: Account) -> list[str]:
        """Take the servers of `account` into the fields; returns the fields that changed. All else stays as typed."""
        legs = ("submission",) if account.retrieval is None else ("submission", "retrieval")
        keys = [f"{leg}.{part}" for leg in legs for part in _SERVER_PARTS]
        if account.retrieval is not None:
            keys.append("retrieval.protocol")
        values = values_of(account, self._default)
        changed = [key for key in keys if self._values[key] != values[key]]
        self._values.update((key, values[key]) for key in changed)
        return changed

    def adopt(self, current: Account, values: dict[str, Value]) -> None:
        """Go on from `current`, the account as stored now, with `values` in the form."""
        self._before = values_of(current, self._default)
        self._values = dict(values)
        self.original = self.source = current

    def values_of_stored(self, account: Account) -> dict[str, Value]:
        """The values that this form would have for `account`."""
        return values_of(account, self._default)

    @property
    def before(self) -> dict[str, Value]:
        """A copy of the values that the form began with."""
        return dict(self._before)

    def detach(self) -> None:
        """Make a new account of it: the stored one is gone."""
        self.original = None


def _kind_of_secret(account: Account) -> SecretScheme:
    ref = account.submission.secret or (account.retrieval and account.retrieval.secret)
    return ref.scheme if ref and ref.scheme.value in WRITABLE else SecretScheme.KEYRING


def _proposed_name(email: Value) -> str:
    return str(email).strip()[:_NAME_LIMIT]


def _copied_name(name: str, taken: Collection[str]) -> str:
    number = 1
    while True:
        ending = " copy" if number == 1 else f" copy {number}"
        copied = name[: _NAME_LIMIT - len(ending)].rstrip() + ending
        if copied not in taken:
            return copied
        number += 1
