"""Make the change that a diagnosis proposes: ask where a key is to be trusted, save, and say how to change it back."""

from collections.abc import Hashable, Iterable, Iterator, Sequence
from functools import partial
from typing import TYPE_CHECKING, Any

from textual.app import App

from mailtui.actions.fixing import Fixed, Proposal, store_fixes
from mailtui.model.account import Account, Endpoint, Protocol, Security, Trust
from mailtui.model.check import LegReport
from mailtui.model.text import clean, shorten
from mailtui.model.watch import changes_line
from mailtui.offloop import off_loop
from mailtui.tui.diagnosing import diagnosis_of, fix_words, fixes_of, remedy_of
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
    known = [(account, desk.board.last_legs(account.name)) for account in desk.board.testable(names)]
    # A diagnosis is quick, thousands of them are not.
    proposed = await off_loop(partial(_proposals, known))
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


def _proposals(known: Iterable[tuple[Account, Sequence[LegReport]]]) -> list[Proposal]:
    """What mailtui can mend, by what is known of the legs of accounts."""
    return [Proposal(account, leg, fix) for account, legs in known for leg, fix in fixes_of(legs, account.email)]


def why_not(desk: "Desk", names: Sequence[str]) -> str:
    """Why F does nothing for any of `names`."""
    if len(names) != 1:
        rest = len(desk.board.testable(names))
        busy = f" Being tested now: {len(names) - rest}." if rest < len(names) else ""
        return f"Of these accounts, mailtui can change none so that it works; enter shows what is wrong.{busy}"
    (name,) = names
    if too_early := why_too_early(desk, name, "F"):
        return too_early
    legs = desk.board.last_legs(name)
    wrong = [leg for leg in legs if leg.failure is not None] or [leg for leg in legs if leg.warning]
    if not wrong:
        return f"{name}: nothing has failed, so there is nothing to fix."
    return f"{name}: {why_no_fix(wrong[0], desk.board.account(name).email)}"


def why_too_early(desk: "Desk", name: str, key: str) -> str:
    """Why `key` can do nothing about an account yet; empty where its last check tells."""
    if name not in desk.board:
        return f"{name} is no longer there."
    if not desk.board.testable([name]):
        return f"{name} is being tested; press {key} when that has ended."
    if not desk.board.last_legs(name):
        return f"{name} was not tested with these settings yet; press t first."
    return ""


def why_no_fix(leg: LegReport, email: str) -> str:
    """What a person has to do about a leg that no change of settings known to mailtui mends."""
    diagnosis = diagnosis_of(leg, email)
    if other := remedy_of(leg, diagnosis):
        return f"no change of the settings mends this. {other.key}: {other.words}."
    if diagnosis is not None and diagnosis.fix:
        return f"mailtui cannot do this for you: {diagnosis.fix}"
    return "mailtui knows no change that would mend this; enter shows what the server said."


async def agreed_to(app: App[Any], proposed: Sequence[Proposal]) -> list[Proposal]:
    """Those of `proposed` that need no consent, and those that the person consents to. Must be called from a worker."""
    asked: dict[Hashable, list[Proposal]] = {}
    for proposal in proposed:
        if proposal.fix.needs_consent:
            asked.setdefault(_matter(proposal), []).append(proposal)
    agreed: set[Hashable] = set()
    for number, (matter, same) in enumerate(asked.items(), 1):
        question = consent_question(same, others=len(asked) - number)
        if await app.push_screen_wait(question) is True:
            agreed.add(matter)
        if question.chosen:
            break
    return [one for one in proposed if not one.fix.needs_consent or _matter(one) in agreed]


def _matter(proposal: Proposal) -> Hashable:
    """What a person consents to: many accounts of one server, or several ports with one key, are one question."""
    endpoint = proposal.fix.endpoint
    return (endpoint.host.lower(), endpoint.certificate) if proposal.new_pins else endpoint


def consent_question(same: Sequence[Proposal], *, others: int = 0) -> ConfirmScreen:
    """Whether to make fixes that protect one server less, or trust a key of it that nobody vouches for.

    `others` are the questions that follow, which a person may wish not to be asked.
    """
    option = f"ask no more, leave the other {others} as {'it is' if others == 1 else 'they are'}" if others else ""
    proposal = same[0]
    servers = list(dict.fromkeys(clean(one.leg.endpoint.label) for one in same))
    server = shorten(servers[0], 50) + (f" and {len(servers) - 1} more" if len(servers) > 1 else "")
    if not proposal.new_pins:
        lines = [
            f"The change: {fix_words(proposal.fix)}.",
            "",
            "Passwords and mail then cross the connection as they are, and whoever can listen to it reads them.",
        ]
        return ConfirmScreen(f"Protect {server} less?", lines, "Make the change", danger=True, option=option)
    lines = consent_lines(proposal, servers)
    return ConfirmScreen(f"Trust this key of {server}?", lines, "Trust this key", danger=True, option=option)


def consent_lines(proposal: Proposal, servers: Sequence[str] = ()) -> list[str]:
    """What a person should know and compare before a key is trusted; `servers` are those that show it."""
    return list(_consent_lines(proposal, servers))


def _consent_lines(proposal: Proposal, servers: Sequence[str]) -> Iterator[str]:
    leg = proposal.leg
    if leg.has_alarming_change:
        yield f"Not the server as it was: {changes_line(leg.changes, leg.changed_since)}"
    if len(servers) > 1:
        more = f" and {len(servers) - _NAMED} more" if len(servers) > _NAMED else ""
        yield f"Shown by {', '.join(shorten(clean(server), 50) for server in servers[:_NAMED])}{more}."
    tls = leg.tls
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
        "No authority trusted here vouches for this key: its owner made it, or somebody stands in between and wants "
        "your password. Compare the digits with what the server's own console or its owner says, by telephone or on "
        "paper, never by this connection:"
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
