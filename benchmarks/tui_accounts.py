"""Thousands of accounts with their last checks, in a data folder of their own."""

import os
import random
import shutil
import sys
from dataclasses import replace
from datetime import timedelta
from pathlib import Path

from benchmarks.measure import bytecode_in
from benchmarks.tui_server import ADDRESSES, SlowServer
from mailtui.model.account import (
    ACCOUNT_TYPES,
    Account,
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
from mailtui.model.check import (
    Cause,
    CertificateFacts,
    CheckReport,
    Failure,
    LegReport,
    LegSetup,
    Stage,
    StageResult,
    Status,
    TlsFacts,
    TranscriptLine,
    legs_of,
    utc_now,
)
from mailtui.storage.database import Change, Database

WORDS = ("zulu", "zumo", "zebra", "zinc", "alpha", "bravo", "delta", "echo", "golf", "hotel", "india", "kilo", "lima")
"""Every account has one in its name. A z is in no other text of an account: what the filter finds by one is known."""

FEW = 200
"""How many accounts are active where not all are."""

_SECRET = "BENCH_PASSWORD"


def write_folder(folder: Path, count: int, server: SlowServer) -> None:
    """`count` accounts, all active, most of them checked before: some well, some not, some never."""
    folder.mkdir(mode=0o700)
    accounts = [_account(number, server) for number in range(1, count + 1)]
    chance = random.Random(1)
    with Database.open(folder / "mailtui.db") as database:
        database.apply(Change(account) for account in accounts)
        reports = (_report(account, chance.random()) for account in accounts)
        database.record_many([report for report in reports if report is not None])


def copy_folder(source: Path, folder: Path, count: int) -> None:
    """The same accounts, of which only FEW, evenly spread, are active."""
    shutil.copytree(source, folder)
    active = range(1, count + 1, max(1, count // FEW))
    with Database.open(folder / "mailtui.db") as database:
        names = [account.name for account in database.accounts()]
        database.set_active([name for name in names if int(name.split()[0]) not in active], False)


def environment(folder: Path, bytecode: str) -> dict[str, str]:
    """What the program is told: this data folder, a plain terminal of 256 colours, and nothing of the caller's own."""
    return {
        "PATH": os.environ.get("PATH", os.defpath),
        "HOME": str(folder),
        "LANG": "C.UTF-8",
        "TERM": "xterm-256color",
        "MAILTUI_DATA": str(folder),
        "MAILTUI_CONFIG": str(folder / "config.toml"),
        _SECRET: "benchmark",
        **bytecode_in(bytecode),
    }


def program() -> tuple[str, ...]:
    """mailtui as it is installed beside this Python."""
    return (str(Path(sys.executable).with_name("mailtui")),)


def _account(number: int, server: SlowServer) -> Account:
    policy = CertificatePolicy(Trust.CA_FILE, ca_file=str(server.ca))
    # Evenly, also over every so many of them.
    host = ADDRESSES[(number + number // len(ADDRESSES)) % len(ADDRESSES)]
    name = f"{number:04} {WORDS[number % len(WORDS)]}"
    return Account(
        name=name,
        email=f"{name.replace(' ', '.')}@example.org",
        submission=Submission(
            Endpoint(host, server.smtp, Security.IMPLICIT_TLS, policy), secret=SecretRef(SecretScheme.ENV, _SECRET)
        ),
        retrieval=Retrieval(Protocol.IMAP, Endpoint(host, server.imap, Security.IMPLICIT_TLS, policy)),
        type=ACCOUNT_TYPES[number % len(ACCOUNT_TYPES)],
    )


def _report(account: Account, chance: float) -> CheckReport | None:
    """Seven in ten went well, one had a warning, one failed, one was never made."""
    if chance < 0.1:
        return None
    outbound, inbound = (_leg(setup) for setup in legs_of(account))
    if chance < 0.2:
        failure = Failure(
            Cause.BAD_CREDENTIALS, Stage.AUTH, "the server refuses the user name or password", "535 5.7.8 no"
        )
        stages = tuple(
            replace(result, status=Status.FAILED) if result.stage is Stage.AUTH else result
            for result in outbound.stages
        )
        outbound = replace(outbound, failure=failure, stages=stages)
    elif chance < 0.3:
        inbound = replace(inbound, warning="the certificate ends in 9 days, on 2026-02-09")
    age = timedelta(minutes=1 + 10_000 * chance)
    return CheckReport(account.name, utc_now() - age, 210.5, outbound, inbound)


def _leg(setup: LegSetup) -> LegReport:
    now = utc_now()
    own = CertificateFacts(
        "slow.example", (setup.endpoint.host,), "Example CA", now, now + timedelta(days=60), "aa" * 32, "bb" * 32
    )
    issuer = replace(own, subject="Example CA", names=(), not_after=now + timedelta(days=900))
    is_smtp = setup.protocol is Protocol.SMTP
    return LegReport(
        leg=setup.leg,
        protocol=setup.protocol,
        endpoint=setup.endpoint,
        stages=tuple(StageResult(stage, Status.OK, 21.5, "as it should be", "250 2.0.0 ok") for stage in setup.plan),
        ms=205.5,
        tls=TlsFacts("TLSv1.3", "TLS_AES_256_GCM_SHA384", own, True, (issuer,)),
        address=setup.endpoint.host,
        mechanism="PLAIN",
        capabilities=("PIPELINING", "SIZE 52428800", "AUTH PLAIN LOGIN"),
        messages=None if is_smtp else 7,
        round_trips=6,
        transcript=tuple(
            TranscriptLine("CS"[turn % 2], f"line {turn} of the dialogue", turn * 9.5) for turn in range(14)
        ),
    )
