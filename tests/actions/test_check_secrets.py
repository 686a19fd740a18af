"""No password of the demo is in anything that a check gives out, whatever became of the check."""

import json
from base64 import b64encode
from pathlib import Path

from mailtui.actions.check import CheckOptions, check_many
from mailtui.demo.world import DemoWorld
from mailtui.model.account import SecretRef
from mailtui.model.check import CheckReport
from mailtui.model.events import Event
from mailtui.model.report_json import report_to_json
from tests.protocols.legs import secret_forms


class WorldReader:
    """Hands out the demo's passwords, and counts what it handed out."""

    def __init__(self, passwords: dict[str, str]) -> None:
        self._passwords = passwords
        self.read_count = 0

    async def read(self, ref: SecretRef, account_name: str) -> str:
        self.read_count += 1
        return self._passwords[ref.value or account_name]


async def test_no_password_is_in_any_event_report_or_transcript(tmp_path: Path) -> None:
    events: list[Event] = []
    reports: list[CheckReport] = []
    with DemoWorld(tmp_path / "world") as world:
        reader = WorldReader(world.passwords)
        # Some of the demo's servers are silent: they are what ends by the deadline.
        options = CheckOptions(stage_timeout=1.0, leg_timeout=2.0)
        await check_many(world.accounts, reader, on_event=events.append, on_report=reports.append, options=options)
        secrets = set(world.passwords.values())
        usernames = {
            login.username
            for account in world.accounts
            for login in (account.submission_login, account.retrieval_login)
            if login
        }
    assert len(reports) == len(world.accounts)
    assert reader.read_count >= len(world.accounts)
    told = json.dumps([report_to_json(report) for report in reports]) + repr(events) + repr(reports)
    # The transcripts are there, logins and all.
    assert told.count("****") >= 5
    forms = {form for secret in secrets for form in secret_forms(secret) if len(form) >= 4}
    for username in usernames:
        forms |= {b64encode(f"\0{username}\0{secret}".encode()).decode() for secret in secrets}
    assert [form for form in forms if form in told] == []
