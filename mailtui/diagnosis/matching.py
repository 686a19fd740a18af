"""The rule that holds for a leg, in words about that leg."""

from dataclasses import replace

from mailtui.diagnosis.facts import Facts
from mailtui.diagnosis.fixes import fix_for
from mailtui.diagnosis.rules import PROVIDER_PAGE, Rule, remedies
from mailtui.model.account import DEFAULT_PORTS, Security
from mailtui.model.check import Cause, LegReport
from mailtui.model.diagnosis import UNKNOWN, Diagnosis
from mailtui.model.text import clean

_NOTHING_KNOWN = Diagnosis(
    UNKNOWN,
    "",
    "No rule knows this failure; what the server said is all there is.",
    "Read the server's words, and ask its operator if they do not help.",
)


def diagnosis_of(leg: LegReport, email: str) -> Diagnosis | None:
    """What is wrong with `leg`; see `mailtui.diagnosis.diagnose`."""
    failure = leg.failure
    facts = Facts(leg, email)
    rule = remedies().match(None if failure is None else failure.cause, facts)
    if failure is None:
        return None if rule is None else _in_words(rule, facts, leg)
    if rule is None:
        return replace(_NOTHING_KNOWN, change=fix_for(leg))
    diagnosis = _in_words(rule, facts, leg)
    if failure.cause is Cause.LOGIN_HELD and failure.reply:
        return _with_the_refusal(diagnosis, facts, leg)
    return diagnosis


def _with_the_refusal(held: Diagnosis, facts: Facts, leg: LegReport) -> Diagnosis:
    """A login is held back because of an earlier refusal, whose remedy is still the one that helps."""
    rule = remedies().match(Cause.BAD_CREDENTIALS, facts)
    if rule is None:
        return held
    refused = _in_words(rule, facts, leg)
    return replace(
        held,
        explanation=f"{held.explanation} {refused.cause} {refused.explanation}",
        fix=f"{refused.fix} {held.fix}",
        url=refused.url,
    )


def _in_words(rule: Rule, facts: Facts, leg: LegReport) -> Diagnosis:
    return Diagnosis(
        rule.id,
        _filled(rule.cause, leg),
        _filled(rule.explanation, leg),
        _filled(rule.fix, leg),
        facts.provider_url if rule.url == PROVIDER_PAGE else rule.url,
        fix_for(leg) if rule.offers_change else None,
    )


def _filled(text: str, leg: LegReport) -> str:
    if "{" not in text:
        return text
    values = {
        "{port}": str(leg.endpoint.port),
        "{protocol}": leg.protocol.label,
        "{tls_port}": str(DEFAULT_PORTS[leg.protocol, Security.IMPLICIT_TLS]),
        "{starttls_port}": str(DEFAULT_PORTS[leg.protocol, Security.STARTTLS]),
        # The last, for what it holds is not looked into again.
        "{host}": clean(leg.endpoint.host, 100),
    }
    for placeholder, value in values.items():
        text = text.replace(placeholder, value)
    return text
