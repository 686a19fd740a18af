"""The account form on the screen, by keys alone: fill in, test, save, leave."""

from collections.abc import AsyncIterator, Sequence
from contextlib import asynccontextmanager
from dataclasses import replace

import pytest
from textual import events
from textual.widgets import OptionList

from mailtui.model.account import (
    Account,
    Endpoint,
    Protocol,
    Retrieval,
    SecretRef,
    SecretScheme,
    Security,
    Submission,
)
from mailtui.model.check import Cause, Failure, Leg, Stage
from mailtui.tui.screens.confirm import ConfirmScreen
from mailtui.tui.screens.conflict import ConflictScreen
from mailtui.tui.screens.form import FormScreen
from mailtui.tui.screens.form_problems import FormProblemsScreen
from mailtui.tui.screens.trial import TrialScreen
from mailtui.tui.widgets.option_line import OptionLine
from mailtui.tui.widgets.text_line import TextLine
from tests.tui.people import NOW, REPORTS, leg_report, report
from tests.tui.troubled import MENDED, MIXED_UP, MIXED_UP_REPORT
from tests.tui.world import MemorySecrets, MemoryStore, ScriptedChecks, World, world

VAULT = SecretRef(SecretScheme.VAULT)
ADA = Account(
    "Ada",
    "ada@example.org",
    Submission(Endpoint("smtp.example.org", 465), secret=VAULT),
    Retrieval(Protocol.IMAP, Endpoint("imap.example.org", 993)),
    created=NOW,
    updated=NOW,
)
PASSWORD = "correct horse"


class Form:
    """A running app with its form in front."""

    def __init__(self, running: World, secrets: MemorySecrets) -> None:
        self.running = running
        self.secrets = secrets
        self.store = running.store
        self.press = running.press
        self.until = running.until
        self.text = running.text

    @property
    def screen(self) -> FormScreen:
        return next(screen for screen in self.running.app.screen_stack if isinstance(screen, FormScreen))

    @property
    def focus(self) -> str:
        """The field or button that has the focus."""
        return (self.screen.focused.id or "") if self.screen.focused is not None else ""

    async def write(self, text: str) -> None:
        """Type as fast as a person who does not look: all of it before anything is drawn."""
        for character in text:
            self.running.app.post_message(events.Key("space" if character == " " else character, character))
        await self.running.pilot.pause()

    async def fill(self, key: str, text: str) -> None:
        """Go to a field of text and put `text` in the place of what it holds."""
        await self.go(key)
        await self.press("end", "ctrl+u")
        await self.write(text)

    async def go(self, key: str) -> None:
        self.screen.fields.go_to(key)
        await self.running.pilot.pause()

    def line(self, key: str) -> TextLine:
        control = self.screen.fields.control(key)
        assert isinstance(control, TextLine)
        return control

    def choice(self, key: str) -> OptionLine:
        control = self.screen.fields.control(key)
        assert isinstance(control, OptionLine)
        return control

    def in_front(self, kind: type[object]) -> bool:
        return isinstance(self.running.app.screen, kind)

    async def gone(self) -> None:
        """Wait until the form was left."""
        stack = self.running.app
        await self.until(lambda: not any(isinstance(screen, FormScreen) for screen in stack.screen_stack))


@asynccontextmanager
async def form(
    edit: str | None = None,
    *,
    accounts: Sequence[Account] = (ADA,),
    secrets: MemorySecrets | None = None,
    section: str = "",
    size: tuple[int, int] = (80, 24),
    checks: ScriptedChecks | None = None,
    store: MemoryStore | None = None,
) -> AsyncIterator[Form]:
    """A new form, or that of the account `edit`."""
    secrets = secrets or MemorySecrets({(SecretScheme.VAULT, "Ada"): "old password"})
    async with world(accounts, secrets=secrets, size=size, checks=checks, store=store) as running:
        desk = running.app.desk
        if edit is None:
            desk.errands.new()
        else:
            desk.errands.edit(edit, section)
        await running.until(lambda: isinstance(running.app.screen, FormScreen))
        found = Form(running, secrets)
        await running.until(lambda: found.focus.startswith("field-"))
        yield found


async def test_an_imap_account_is_made_by_keys_alone() -> None:
    async with form() as one:
        assert one.focus == "field-email"
        await one.write("grace@example.org")
        await one.press("f3")
        await one.write("smtp.example.org")
        await one.press("enter", "right", "enter")
        assert one.line("submission.port").value == "587", "the port follows the encryption"
        await one.press("enter", "enter", "enter")
        assert one.focus == "field-submission-password"
        await one.write(PASSWORD)
        assert PASSWORD not in one.text()
        await one.press("f4", "down", "down")
        assert one.focus == "field-retrieval-host"
        await one.write("imap.example.org")
        await one.press("ctrl+s")
        await one.gone()
        saved = one.store.account("grace@example.org")
        assert saved.submission == Submission(Endpoint("smtp.example.org", 587, Security.STARTTLS), secret=VAULT)
        assert saved.retrieval == Retrieval(Protocol.IMAP, Endpoint("imap.example.org", 993))
        assert one.secrets.entries[SecretScheme.VAULT, "grace@example.org"] == PASSWORD
        assert "grace@example.org" in one.running.app.desk.board


async def test_a_send_only_account_without_a_login() -> None:
    async with form() as one:
        await one.write("robot@example.org")
        await one.press("f3")
        await one.write("localhost")
        await one.press("enter", "n")
        assert one.choice("submission.security").value == "none"
        await one.press("enter", "enter", "n", "f4", "n")
        assert "Password" not in one.text()
        assert one.screen.fields.shown[-1] == "submission.allow_cleartext"
        await one.press("ctrl+s")
        await one.gone()
        saved = one.store.account("robot@example.org")
        assert saved.submission == Submission(Endpoint("localhost", 587, Security.NONE), authentication=False)
        assert saved.retrieval is None


async def test_up_and_down_walk_the_shown_fields_and_enter_ends_at_save() -> None:
    async with form("Ada") as one:
        fields = [f"field-{key.replace('.', '-').replace('_', '-')}" for key in one.screen.fields.shown]
        walked = []
        for _ in fields:
            walked.append(one.focus)
            await one.press("enter")
        assert walked == fields
        assert one.focus == "save"
        await one.press("up")
        assert one.focus == fields[-1]
        await one.press("f2", "up")
        assert one.focus == fields[0]
        assert not one.screen.unsaved, "walking changes nothing"


async def test_the_section_keys_and_what_edit_asked_for() -> None:
    async with form("Ada", section="incoming") as one:
        assert one.focus == "field-receive"
        await one.until(lambda: one.text().splitlines()[1].startswith(" Incoming"))
        for key, focus in (("f2", "email"), ("f3", "submission-host"), ("f5", "submission-method")):
            await one.press(key)
            assert one.focus == f"field-{focus}"
        await one.press("pageup")
        assert one.focus == "field-receive"


async def test_a_field_is_found_fault_with_when_it_was_left() -> None:
    async with form() as one:
        await one.write("grace")
        assert "not an address" not in one.text()
        await one.press("enter")
        await one.until(lambda: "not an address" in one.text())
        await one.press("up", "end")
        await one.write("@example.org")
        await one.until(lambda: "not an address" not in one.text())


async def test_all_problems_are_listed_and_enter_goes_to_one() -> None:
    async with form() as one:
        await one.press("ctrl+s")
        await one.until(lambda: one.in_front(FormProblemsScreen))
        listed = one.running.app.screen.query_one(OptionList)
        assert listed.option_count == 4
        for words in ("Email address is empty", "Outgoing: Server address is empty", "Incoming: Server address"):
            assert words in one.text()
        await one.press("down", "down", "enter")
        await one.until(lambda: one.focus == "field-submission-host")
        assert one.store.accounts() == [ADA]


async def test_a_single_problem_is_gone_to_at_once() -> None:
    async with form("Ada") as one:
        await one.fill("submission.port", "smtps")
        await one.press("f5", "ctrl+s")
        await one.until(lambda: one.focus == "field-submission-port")
        assert "Not saved yet. Outgoing: Port is not a whole number" in one.text()


async def test_port_25_warns_and_can_be_saved() -> None:
    async with form("Ada") as one:
        await one.fill("submission.port", "25")
        await one.until(lambda: "use 465 or 587" in " ".join(one.text().split()))
        await one.press("ctrl+s")
        await one.gone()
        assert one.store.account("Ada").submission.endpoint.port == 25


async def test_a_taken_name_is_a_problem_of_the_name() -> None:
    async with form("Ada", accounts=[ADA, replace(ADA, name="Bob")]) as one:
        await one.fill("name", "Bob")
        await one.press("ctrl+s")
        await one.until(lambda: "is the name of another account" in one.text())
        assert one.focus == "field-name"


async def test_a_name_that_was_taken_meanwhile_is_noticed_by_the_store() -> None:
    async with form() as one:
        for key, text in (
            ("email", "grace@example.org"),
            ("submission.host", "smtp.example.org"),
            ("submission.password", PASSWORD),
            ("retrieval.host", "imap.example.org"),
        ):
            await one.fill(key, text)
        one.store.add(replace(ADA, name="grace@example.org"))
        await one.press("ctrl+s")
        await one.until(lambda: one.focus == "field-name")
        await one.until(lambda: "is the name of another account" in one.text())
        await one.fill("name", "Grace")
        await one.press("ctrl+s")
        await one.gone()
        assert {account.name for account in one.store.accounts()} == {"Ada", "Grace", "grace@example.org"}


async def test_escape_asks_only_when_something_changed() -> None:
    async with form("Ada") as one:
        await one.press("escape")
        await one.gone()
    async with form("Ada") as one:
        await one.fill("notes", "call Grace")
        await one.press("escape")
        await one.until(lambda: one.in_front(ConfirmScreen))
        assert "Notes: call Grace" in one.text()
        await one.press("escape")
        await one.until(lambda: one.in_front(FormScreen))
        assert one.line("notes").value == "call Grace"
        await one.press("escape")
        await one.until(lambda: one.in_front(ConfirmScreen))
        await one.press("y")
        await one.gone()
        assert one.store.account("Ada") == ADA


async def test_a_typed_password_alone_is_asked_about_without_being_shown() -> None:
    async with form("Ada") as one:
        await one.fill("submission.password", PASSWORD)
        assert one.screen.unsaved
        await one.press("escape")
        await one.until(lambda: one.in_front(ConfirmScreen))
        assert "Outgoing: Password" in one.text()
        assert PASSWORD not in one.text()


async def test_a_password_is_shown_only_while_it_is_revealed() -> None:
    async with form("Ada") as one:
        await one.fill("submission.password", PASSWORD)
        assert PASSWORD not in one.text()
        await one.press("ctrl+r")
        await one.until(lambda: PASSWORD in one.text())
        await one.press("down")
        await one.until(lambda: PASSWORD not in one.text())
        assert "ctrl+r" not in one.screen.active_bindings, "only where there is a password"
        line = one.line("submission.password")
        assert PASSWORD not in repr(line) + repr(one.screen) + repr(one.screen.state)


async def test_what_is_masked_cannot_be_copied() -> None:
    async with form("Ada") as one:
        await one.fill("submission.password", PASSWORD)
        await one.press("shift+home", "ctrl+c")
        assert one.running.app.clipboard != PASSWORD
        await one.press("ctrl+x")
        assert one.running.app.clipboard != PASSWORD
        assert one.line("submission.password").value == ""


async def test_beside_the_password_stands_where_it_goes_and_what_is_wrong_there() -> None:
    async with form("Ada", section="outgoing") as one:
        await one.until(lambda: "into the vault" in one.text() and "an encrypted file" in one.text())
        await one.go("submission.secret")
        await one.press("k")
        await one.until(lambda: "into the keyring" in one.text())
        assert "cannot be used here: no D-Bus" in one.text()
        await one.press("c")
        await one.until(lambda: "Command" in one.text() and "into the" not in one.text())


async def test_a_large_provider_says_what_it_wants() -> None:
    async with form() as one:
        await one.write("grace@gmail.com")
        await one.press("f3")
        await one.until(lambda: "Gmail takes an app password here" in one.text())


async def test_a_changed_password_replaces_the_stored_one() -> None:
    async with form("Ada") as one:
        await one.fill("submission.password", PASSWORD)
        await one.press("ctrl+s")
        await one.gone()
        assert one.secrets.entries == {(SecretScheme.VAULT, "Ada"): PASSWORD}


@pytest.mark.parametrize(
    ("key", "notes", "port"),
    [("m", "mine", 2525), ("y", "mine", 465)],
)
async def test_what_another_process_changed_is_not_lost_silently(key: str, notes: str, port: int) -> None:
    async with form("Ada") as one:
        await one.fill("notes", "mine")
        theirs = replace(ADA, submission=replace(ADA.submission, endpoint=Endpoint("smtp.example.org", 2525)))
        one.store.change(theirs)
        await one.press("ctrl+s")
        await one.until(lambda: one.in_front(ConflictScreen))
        assert "2525" in one.text()
        await one.press(key)
        await one.gone()
        stored = one.store.account("Ada")
        assert (stored.notes, stored.submission.endpoint.port) == (notes, port)


async def test_their_values_can_be_taken_into_the_form() -> None:
    async with form("Ada") as one:
        await one.fill("notes", "mine")
        one.store.change(replace(ADA, notes="theirs", type="system"))
        await one.press("ctrl+s")
        await one.until(lambda: one.in_front(ConflictScreen))
        await one.press("t")
        await one.until(lambda: one.in_front(FormScreen))
        assert (one.line("notes").value, one.line("type").value) == ("theirs", "system")
        assert not one.screen.unsaved
        assert one.store.account("Ada").notes == "theirs"


async def test_going_back_from_a_conflict_keeps_what_was_typed() -> None:
    async with form("Ada") as one:
        await one.fill("notes", "mine")
        one.store.change(replace(ADA, notes="theirs"))
        await one.press("ctrl+s")
        await one.until(lambda: one.in_front(ConflictScreen))
        await one.press("escape")
        await one.until(lambda: one.in_front(FormScreen))
        assert one.line("notes").value == "mine"
        assert one.screen.unsaved


async def test_a_removed_account_can_be_added_again() -> None:
    async with form("Ada") as one:
        await one.fill("notes", "mine")
        one.store.drop("Ada")
        await one.press("ctrl+s")
        await one.until(lambda: one.in_front(ConflictScreen))
        await one.press("y")
        await one.gone()
        assert one.store.account("Ada").notes == "mine"


async def test_a_removed_account_can_stay_removed() -> None:
    async with form("Ada") as one:
        await one.fill("notes", "mine")
        one.store.drop("Ada")
        await one.press("ctrl+s")
        await one.until(lambda: one.in_front(ConflictScreen))
        await one.press("t")
        await one.gone()
        assert one.store.accounts() == []


async def test_a_test_comes_first_and_leads_to_the_field(monkeypatch: pytest.MonkeyPatch) -> None:
    wrong = Failure(Cause.BAD_CREDENTIALS, Stage.AUTH, "check the username and the password", "535 5.7.8 no")
    failed = report(ADA)
    monkeypatch.setitem(
        REPORTS, "Ada", replace(failed, outbound=leg_report(ADA, Leg.OUTBOUND, wrong), inbound=failed.inbound)
    )
    async with form("Ada", checks=ScriptedChecks(asks=True)) as one:
        await one.fill("submission.password", PASSWORD)
        await one.press("f2", "ctrl+t")
        await one.until(lambda: one.in_front(TrialScreen) and "Sending failed" in one.text())
        assert one.running.checks.secrets == [PASSWORD]
        assert one.store.recorded == []
        assert one.store.account("Ada") == ADA
        await one.press("enter")
        await one.until(lambda: one.focus == "field-submission-password")
        await one.press("ctrl+s")
        await one.gone()
        await one.until(lambda: "Its last test failed" in one.text())


async def test_a_fix_that_a_test_proposes_comes_into_the_fields_with_one_key(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setitem(REPORTS, MIXED_UP.name, MIXED_UP_REPORT)
    async with form(MIXED_UP.name, accounts=(MIXED_UP,), section="incoming") as one:
        await one.fill("notes", "typed")
        await one.press("ctrl+t")
        await one.until(lambda: one.in_front(TrialScreen) and "F: use port 993" in one.text())
        monkeypatch.delitem(REPORTS, MIXED_UP.name)
        await one.press("f")
        await one.until(lambda: "Both legs are good" in one.text())
        assert one.store.account(MIXED_UP.name) == MIXED_UP, "nothing is stored by a test"
        await one.press("enter")
        await one.until(lambda: one.in_front(FormScreen))
        assert one.line("retrieval.port").value == "993"
        assert one.choice("retrieval.security").value == Security.IMPLICIT_TLS.value
        await one.press("ctrl+s")
        await one.gone()
        stored = one.store.account(MIXED_UP.name)
        assert stored.retrieval is not None
        assert stored.retrieval.endpoint == MENDED
        assert stored.notes == "typed"
        await one.until(lambda: "Saved" in one.text())
        assert "Its last test failed" not in one.text()


async def test_only_what_hinders_a_test_is_put_before_it() -> None:
    async with form() as one:
        await one.press("ctrl+t")
        await one.until(lambda: one.in_front(FormProblemsScreen))
        listed = one.running.app.screen
        assert isinstance(listed, FormProblemsScreen)
        assert [key for key, _ in listed.problems] == ["email", "submission.host", "retrieval.host"]
        await one.press("escape")
        await one.until(lambda: one.in_front(FormScreen))
        assert one.running.checks.calls == []


async def test_duplicate_and_delete_are_for_what_is_stored() -> None:
    async with form() as one:
        assert not {"f6", "f8"} & set(one.screen.active_bindings)
    async with form("Ada", size=(120, 40)) as one:
        await one.press("f6")
        await one.until(lambda: one.in_front(FormScreen) and "Copy of Ada" in one.text())
        await one.until(lambda: one.focus == "field-email")
        await one.press("ctrl+s")
        await one.gone()
        assert [account.name for account in one.store.accounts()] == ["Ada", "Ada copy"]
        assert one.secrets.entries[SecretScheme.VAULT, "Ada copy"] == "old password"


async def test_delete_asks_about_changes_and_then_about_the_account() -> None:
    async with form("Ada") as one:
        await one.fill("notes", "mine")
        await one.press("f8")
        await one.until(lambda: one.in_front(ConfirmScreen) and "Leave without saving" in one.text())
        await one.press("y")
        await one.gone()
        await one.until(lambda: one.in_front(ConfirmScreen))
        await one.press("y")
        await one.until(lambda: one.store.accounts() == [])


async def test_the_buttons_work_by_mouse_and_by_tab() -> None:
    async with form("Ada") as one:
        await one.fill("notes", "x")
        await one.running.pilot.click("#save")
        await one.gone()
        assert one.store.account("Ada").notes == "x"
    async with form("Ada") as one:
        await one.go(one.screen.fields.shown[-1])
        await one.press("tab")
        assert one.focus == "test"
        await one.press("tab", "tab", "space")
        await one.gone()


async def test_choices_by_mouse_letters_and_arrows() -> None:
    async with form("Ada", section="outgoing") as one:
        await one.running.pilot.click("#field-submission-security", offset=(14, 0))
        assert one.choice("submission.security").value == "starttls"
        for key, wanted in (("s", "tls"), ("s", "starttls"), ("n", "none"), ("space", "tls"), ("left", "none")):
            await one.press(key)
            assert one.choice("submission.security").value == wanted, key
        await one.press("q", "question_mark", "t")
        assert one.in_front(FormScreen), "letters do nothing else"


async def test_a_paste_of_several_lines_is_refused_and_hidden_characters_are_left_out() -> None:
    async with form("Ada") as one:
        await one.go("notes")
        one.screen.focused.post_message(events.Paste("first\nsecond"))  # type: ignore[union-attr]  # a field has the focus
        await one.until(lambda: "several lines" in one.text())
        assert one.line("notes").value == ""
        one.screen.focused.post_message(events.Paste("  call\u200b Grace\x1b[31m\n"))  # type: ignore[union-attr]  # as above
        await one.until(lambda: one.line("notes").value == "call Grace[31m")
        await one.until(lambda: "2 control or invisible characters were left out" in one.text())


async def test_hostile_stored_text_is_shown_named_and_kept_until_it_is_changed() -> None:
    hostile = replace(ADA, notes="a\x1b]52;c;x\x07b[/]", display_name="A\u202eB")
    async with form("Ada", accounts=[hostile]) as one:
        assert "a\N{REPLACEMENT CHARACTER}]52;c;x\N{REPLACEMENT CHARACTER}b[/]" in one.text()
        assert "\x1b" not in one.text()
        assert "\u202e" not in one.text()
        await one.fill("type", "x")
        await one.press("ctrl+s")
        await one.until(lambda: one.in_front(FormProblemsScreen))
        assert "Display name holds a line break, control" in " ".join(one.text().split())
        await one.press("escape")
        assert one.store.account("Ada") == hostile


async def test_every_key_has_an_id_and_a_tooltip_and_every_field_help() -> None:
    async with form("Ada") as one:
        for active in one.screen.active_bindings.values():
            if active.node is one.screen and not active.binding.action.startswith("app.focus"):
                assert active.binding.id, active.binding
                assert active.binding.tooltip, active.binding
        for widget in one.screen.focus_chain:
            assert widget.HELP, widget
        assert "Email address:" in (one.screen.focused.HELP or "")  # type: ignore[union-attr]  # a field has the focus


async def test_the_help_line_speaks_of_the_field() -> None:
    async with form("Ada") as one:
        assert "The address that mail is sent from" in one.text()
        await one.press("f3", "down", "down")
        await one.until(lambda: "465 for SSL/TLS, 587 for STARTTLS" in one.text())


@pytest.mark.parametrize("size", [(80, 24), (120, 40), (60, 15), (200, 60)])
async def test_resizing_keeps_the_field_in_sight(size: tuple[int, int]) -> None:
    async with form("Ada") as one:
        await one.press("f5")
        await one.running.pilot.resize_terminal(*size)
        await one.until(lambda: "Outgoing login method" in one.text())
        assert "Save" in one.text()


@pytest.mark.parametrize("edit", [None, "Ada"])
async def test_without_colour_the_shapes_tell(edit: str | None, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setenv("NO_COLOR", "1")
    async with form(edit) as one:
        assert "● yes  ○ no" in one.text()
        await one.press("f3", "down", "right")
        assert "○ SSL/TLS  ● STARTTLS  ○ None" in one.text()


async def test_a_burst_of_keys_goes_where_the_person_meant_it() -> None:
    async with form() as one:
        keys = [*"a@b.org", "down", *"Ann", "f3", *"smtp", "enter", "n", "down", *"99", "tab", "n", "f4", "n"]
        for key in keys:
            # At once, as a slow line delivers them, and not one after the other as a pilot does.
            one.running.app.post_message(events.Key(key, key if len(key) == 1 else None))
        await one.until(lambda: one.choice("receive").value is False)
        values = one.screen.state.values
        assert (values["email"], values["name"], values["submission.host"]) == ("a@b.org", "Ann", "smtp")
        assert (values["submission.security"], values["submission.authentication"]) == ("none", False)
        assert values["submission.port"] == "99"
