"""Accounts on the test servers, and the reader that knows their passwords."""

from collections.abc import Mapping
from dataclasses import dataclass, field
from pathlib import Path

from mailtui.model.account import (
    Account,
    AuthMethod,
    CertificatePolicy,
    Endpoint,
    Protocol,
    Retrieval,
    SecretRef,
    SecretScheme,
    Security,
    Submission,
    Trust,
)
from mailtui.model.errors import SecretError


@dataclass(slots=True)
class Passwords:
    """A secret reader over a mapping from account names to passwords; remembers what was asked for."""

    by_account: Mapping[str, str]
    asked: list[tuple[str, str]] = field(default_factory=list)

    async def read(self, ref: SecretRef, account_name: str) -> str:
        """The password of the account. Raises SecretError."""
        self.asked.append((str(ref), account_name))
        try:
            return self.by_account[account_name]
        except KeyError:
            raise SecretError(f"account {account_name!r}: no password") from None


def trusting(host: str, port: int, security: Security, authority: Path) -> Endpoint:
    """An endpoint that trusts the tests' authority."""
    return Endpoint(host, port, security, CertificatePolicy(Trust.CA_FILE, ca_file=str(authority)))


def account_on(
    user: str,
    submission: Endpoint,
    retrieval: tuple[Protocol, Endpoint] | None = None,
    method: AuthMethod = AuthMethod.AUTOMATIC,
) -> Account:
    """An account of a test user; both legs log in by `method`, and their password is kept in "the vault"."""
    outbound = Submission(
        submission,
        # APOP is of POP3 alone.
        method=AuthMethod.AUTOMATIC if method is AuthMethod.APOP else method,
        username=user,
        secret=SecretRef(SecretScheme.VAULT),
    )
    inbound = None if retrieval is None else Retrieval(retrieval[0], retrieval[1], method=method)
    return Account(user, f"{user}@example.org", outbound, inbound)
