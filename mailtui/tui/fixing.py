"""Make the change that a diagnosis proposes: ask where a key is to be trusted, save, and say how to change it back."""

from collections.abc import Iterable, Iterator, Sequence
from functools import partial
from typing import TYPE_CHECKING, Any

from textual.app import App

from mailtui.actions.fixing import Fixed, Proposal, store_fixes
from mailtui.model.account import Account, Endpoint, Protocol, Security, Trust
from mailtui.model.check import CheckReport, LegReport
from mailtui.model.text import clean, shorten
from mailtui.offloop import off_loop
from mailtui.tui.diagnosing import diagnosis_of, fix_words, fixes_of, key_words
from mailtui.tui.judging import Judgement
from mailtui.tui.screens.confirm import ConfirmScreen

if TYPE_CHECKING:
    from mailtui.tui.desk import Desk

_NAMED = 3
"""Changes that are told one by one before the rest is counted."""

_DIGITS = 64
"""Hexadecimal digits of a SHA-256: whatever is longer is none."""


async def fix_flow(app: App[Any], desk: "Desk", names: Sequence[str]) -> Fixed | None:
    """Mend what can be mended of the accounts of `names`, and tell what was done; None where nothing was tried.

    Must be called from a worker.
    """
    checked = [(judged.account, judged.last) for judged in _testable(desk, names) if judged.last is not None]
    # A diagnosis is quick, thousands of them are not.
    proposed = await off_loop(partial(_proposals, checked))
    if not proposed:
        desk.say(why_not(desk, names), "warning")
        return None
    agreed = await agreed_to(app, proposed)
    if not agreed:
        return None
    fixed = await desk.finish(off_loop(partial(store_fixes, desk.services.store, agreed)))
    lines = [*told(fixed), *(f"Not changed: {problem.partition(chr(10))[0]}" for problem in fixed.problems[:_NAMED])]
    desk.say("\n".join(lines), "warning" if fixed.problems else "information")
    return fixed


def _testable(desk: "Desk", names: Sequence[str]) -> list[Judgement]:
    """What is known of those of `names` that are not being checked."""
    return [desk.board.judged(account.name) for account in desk.board.testable(names)]


def _proposals(checked: Iterable[tuple[Account, CheckReport]]) -> list[Proposal]:
    """What mailtui can mend, by what the last checks found."""
    return [
        Proposal(account, leg, fix) for account, report in checked for leg, fix in fixes_of(report.legs, account.email)
    ]


def why_not(desk: "Desk", names: Sequence[str]) -> str:
    """Why F does nothing for any of `names`."""
    if len(names) != 1:
        return f"Of these {len(names)} accounts, mailtui can change none so that it works; enter shows what is wrong."
    (name,) = names
    if not desk.board.testable(names):
        return f"{name} is being tested; press F when that has ended."
    judged = desk.board.judged(name)
    if judged.last is None:
        return f"{name} was not tested with these settings yet; press t first."
    failed = [leg for leg in judged.last.legs if leg.failure is not None]
    if not failed:
        return f"{name}: nothing has failed, so there is nothing to fix."
    return f"{name}: {why_no_fix(failed[0], judged.account.email)}"


def why_no_fix(leg: LegReport, email: str) -> str:
    """What a person has to do about a failed leg that no change of settings known to mailtui mends."""
    diagnosis = diagnosis_of(leg, email)
    if other := key_words(leg, diagnosis):
        return f"no change of the settings mends this. {other}."
    if diagnosis is not None and diagnosis.fix:
        return f"mailtui cannot do this for you: {diagnosis.fix}"
    return "mailtui knows no change that would mend this; enter shows what the server said."


async def agreed_to(app: App[Any], proposed: Sequence[Proposal]) -> list[Proposal]:
    """Those of `proposed` that need no consent, and those that the person consents to. Must be called from a worker."""
    answers: dict[Endpoint, bool] = {}
    for proposal in proposed:
        fix = proposal.fix
        if fix.needs_consent and fix.endpoint not in answers:
            # Many accounts of one server are one question.
            question = consent_question(proposal)
            answers[fix.endpoint] = await app.push_screen_wait(question) is True
    return [one for one in proposed if not one.fix.needs_consent or answers[one.fix.endpoint]]


def consent_question(proposal: Proposal) -> ConfirmScreen:
    """Whether to make a fix that protects less, or trusts a key that nobody vouches for."""
    server = shorten(clean(proposal.leg.endpoint.label), 50)
    if not proposal.new_pins:
        lines = [
            f"The change: {fix_words(proposal.fix)}.",
            "",
            "Passwords and mail then cross the connection as they are, and whoever can listen to it reads them.",
        ]
        return ConfirmScreen(f"Protect {server} less?", lines, "Make the change", danger=True)
    return ConfirmScreen(f"Trust this key of {server}?", consent_lines(proposal), "Trust this key", danger=True)


def consent_lines(proposal: Proposal) -> list[str]:
    """What a person should know and compare before a key is trusted."""
    return list(_consent_lines(proposal))


def _consent_lines(proposal: Proposal) -> Iterator[str]:
    tls = proposal.leg.tls
    if tls is not None and tls.certificate is not None:
        certificate = tls.certificate
        subject = shorten(clean(certificate.subject), 30) or "(no name)"
        yield f"Certificate of {subject}, to {certificate.not_after:%Y-%m-%d}, SHA-256:"
        yield from in_pairs(certificate.fingerprint)
    for pin in sorted(proposal.new_pins):
        yield "Its key, SHA-256:"
        yield from in_pairs(pin)
    yield ""
    yield (
        "No authority vouches for this server: it made its certificate itself, or somebody stands in between and "
        "wants your password. Compare the digits with what the server's own console or its owner says, by telephone "
        "or on paper, never by this connection:"
    )
    yield "  openssl x509 -noout -fingerprint -sha256 -in CERTIFICATE"
    known = proposal.leg.endpoint.certificate.trust is Trust.PIN
    yield f"Then {'this key is accepted there too' if known else 'only this key is accepted there'}, renewals included."


def in_pairs(digits: str) -> Iterator[str]:
    """Digits as people compare them: in pairs, sixteen to a line."""
    pairs = [digits[at : at + 2] for at in range(0, min(len(digits), _DIGITS), 2)]
    for at in range(0, len(pairs), 16):
        yield f"  {':'.join(pairs[at : at + 16])}"


def told(fixed: Fixed) -> Iterator[str]:
    """What was changed, what was there before, and how to change it back."""
    for made in fixed.made[:_NAMED]:
        yield f"{made.account.name}: {change_line(made)}"
    if len(fixed.made) > _NAMED:
        yield f"and {len(fixed.made) - _NAMED} more changes"
    if fixed.made:
        yield "Saved; testing again. e changes it back."


def change_line(made: Proposal) -> str:
    """What a fix has changed, and what was there before."""
    before = made.leg.endpoint
    if made.new_pins:
        return f"trusts the key {''.join(made.new_pins)[:16]}… (before: {before.certificate.trust.label})"
    named = made.fix.protocol is not made.leg.protocol
    after = _server(made.fix.protocol, made.fix.endpoint, named=True)
    return f"{after} (before: {_server(made.leg.protocol, before, named=named)})"


def _server(protocol: Protocol, endpoint: Endpoint, *, named: bool) -> str:
    words = f"port {endpoint.port} with {endpoint.security.label}"
    if endpoint.security is Security.NONE:
        words = f"port {endpoint.port} without encryption"
    return f"{protocol.label} at {words}" if named else words
