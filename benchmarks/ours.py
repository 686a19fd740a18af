"""This program as one of the peers: its accounts file, its command, its secrets."""

import sys
from collections.abc import Sequence
from pathlib import Path

from benchmarks.measure import Peer
from benchmarks.report import OURS
from benchmarks.server import Server, User
from mailtui.interop.accounts_toml import write_accounts
from mailtui.model.account import (
    Account,
    CertificatePolicy,
    Endpoint,
    Protocol,
    Retrieval,
    SecretRef,
    SecretScheme,
    Submission,
    Trust,
)


def ours(server: Server, users: Sequence[User], folder: Path, options: Sequence[str] = ()) -> Peer:
    """`mailtui check --file` over these users, both legs by TLS; each password in a variable of the environment."""
    policy = CertificatePolicy(Trust.CA_FILE, ca_file=str(server.ca))
    outbound = Endpoint(server.host, server.ports["submissions"], certificate=policy)
    inbound = Endpoint(server.host, server.ports["imaps"], certificate=policy)
    accounts = [
        Account(
            name=user.name,
            email=user.email,
            submission=Submission(outbound, username=user.name, secret=SecretRef(SecretScheme.ENV, _variable(user))),
            retrieval=Retrieval(Protocol.IMAP, inbound),
        )
        for user in users
    ]
    path = folder / f"accounts-{len(users)}-{server.ports['imaps']}.toml"
    path.write_text(write_accounts(accounts))
    return Peer(
        OURS,
        (str(Path(sys.executable).with_name("mailtui")), "check", "--file", str(path), *options),
        environment={_variable(user): user.password for user in users},
        logins=(len(users), len(users)),
    )


def _variable(user: User) -> str:
    return f"BENCH_{user.name.upper()}"
