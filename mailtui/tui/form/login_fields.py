"""The fields of one leg's login and safety, the same for both legs."""

from collections.abc import Callable

from mailtui.model.account import AuthMethod, SecretScheme, Security, Trust
from mailtui.tui.form.field import WRITABLE, Field, Kind, Option, Section, Values

YES_NO: tuple[Option, ...] = ((True, "yes"), (False, "no"))
_METHODS: tuple[Option, ...] = tuple((method.value, method.label) for method in AuthMethod)
_SCHEMES: tuple[Option, ...] = tuple((scheme.value, scheme.value) for scheme in SecretScheme)
_TRUST: tuple[Option, ...] = (
    (Trust.SYSTEM.value, "system"),
    (Trust.CA_FILE.value, "CA file"),
    (Trust.PIN.value, "pin"),
    (Trust.ANYTHING.value, "anything"),
)

_SCHEME_HELP = (
    "keyring: that of your desktop. vault: mailtui's own encrypted file. command, env and file are read from "
    "where you keep it; ask: typed at each test."
)


def receives(values: Values) -> bool:
    """Whether the account fetches mail."""
    return values["receive"] is True


def logs_in(leg: str) -> Callable[[Values], bool]:
    """Whether the leg shows where its own password comes from."""

    def outgoing(values: Values) -> bool:
        return values["submission.authentication"] is True

    def incoming(values: Values) -> bool:
        return receives(values) and values["retrieval.own_password"] is True

    return outgoing if leg == "submission" else incoming


def _kept_in(leg: str, *schemes: str) -> Callable[[Values], bool]:
    shown = logs_in(leg)
    return lambda values: shown(values) and values[f"{leg}.secret"] in schemes


def password_fields(leg: str, section: Section, label: str, password_help: str) -> tuple[Field, ...]:
    """The password of one leg and where it is kept."""
    command, env, file = SecretScheme.COMMAND.value, SecretScheme.ENV.value, SecretScheme.FILE.value
    return (
        Field(f"{leg}.password", section, label, password_help, Kind.PASSWORD, shown=_kept_in(leg, *WRITABLE)),
        Field(f"{leg}.secret", section, "Kept in", _SCHEME_HELP, Kind.CHOICE, _SCHEMES, shown=logs_in(leg)),
        Field(
            f"{leg}.command",
            section,
            "Command",
            "A shell command whose first line of output is the password, for example pass show mail/ada. "
            "Never the password itself.",
            shown=_kept_in(leg, command),
        ),
        Field(
            f"{leg}.env",
            section,
            "Variable",
            "The name of an environment variable that holds the password when mailtui starts, "
            "for example MAIL_PASSWORD.",
            shown=_kept_in(leg, env),
        ),
        Field(
            f"{leg}.file",
            section,
            "File",
            "A file with nothing but the password in it, that only you may read; or the name of a systemd credential.",
            shown=_kept_in(leg, file),
        ),
    )


def safety_fields(leg: str, prefix: str, shown: Callable[[Values], bool]) -> tuple[Field, ...]:
    """The advanced fields of one leg."""
    section = Section.ADVANCED

    def with_trust(trust: Trust) -> Callable[[Values], bool]:
        return lambda values: shown(values) and values[f"{leg}.certificate"] == trust.value

    return (
        Field(
            f"{leg}.method",
            section,
            f"{prefix} login method",
            "Automatic takes the best that the server offers. XOAUTH2 wants an access token in place of the password; "
            "APOP is for old POP3 servers.",
            Kind.CHOICE,
            _METHODS,
            shown=lambda values: shown(values) and (leg == "retrieval" or values["submission.authentication"] is True),
        ),
        Field(
            f"{leg}.entry",
            section,
            f"{prefix} entry name",
            "The name of the password in the keyring or vault. Left empty it is the account's name; "
            "accounts with the same entry share it.",
            shown=_kept_in(leg, *WRITABLE),
        ),
        Field(
            f"{leg}.certificate",
            section,
            f"{prefix} certificate",
            "system: signed by a known authority. CA file: or by your own. pin: exactly this key. "
            "anything: no proof at all, whoever answers gets the password.",
            Kind.CHOICE,
            _TRUST,
            shown=shown,
        ),
        Field(
            f"{leg}.ca_file",
            section,
            f"{prefix} CA file",
            "The full path of a PEM file with the certificate of your own authority, "
            "for example /etc/ssl/company-ca.pem.",
            shown=with_trust(Trust.CA_FILE),
        ),
        Field(
            f"{leg}.pin",
            section,
            f"{prefix} key pin",
            "SHA-256 of the server's key: 64 hex digits or sha256//BASE64; several, such as the next key's, "
            "with spaces. A test shows it with the certificate.",
            shown=with_trust(Trust.PIN),
        ),
        Field(
            f"{leg}.allow_cleartext",
            section,
            f"{prefix} clear login",
            "Yes sends the password without encryption, and everyone on the way can read it. "
            "Only for networks that you trust wholly.",
            Kind.CHOICE,
            YES_NO,
            shown=lambda values: (
                shown(values)
                and (values[f"{leg}.security"] == Security.NONE.value or values[f"{leg}.allow_cleartext"] is True)
            ),
        ),
    )
