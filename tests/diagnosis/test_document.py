"""docs/diagnosis.md is made from the rules."""

import os
from collections.abc import Iterator
from pathlib import Path

from mailtui.diagnosis.rules import PLACEHOLDERS, PROVIDER_PAGE, Rule, remedies
from mailtui.model.check import Cause, FailureKind
from tests.diagnosis.corpus import corpus

DOCUMENT = Path(__file__).parents[2] / "docs" / "diagnosis.md"
_BEGIN, _END = "<!-- rules: begin -->\n", "<!-- rules: end -->\n"

_HEADINGS = {
    FailureKind.DNS: "Names",
    FailureKind.REFUSED: "Connections that are refused",
    FailureKind.UNREACHABLE: "Hosts that cannot be reached",
    FailureKind.TIMEOUT: "Silence",
    FailureKind.TLS: "TLS",
    FailureKind.CERTIFICATE: "Certificates",
    FailureKind.PROTOCOL: "Another server, or a broken one",
    FailureKind.UNAVAILABLE: "Servers that cannot or will not serve now",
    FailureKind.AUTH: "Logins",
    FailureKind.INSECURE: "What would not be safe",
    FailureKind.MAILBOX: "The mailbox",
    FailureKind.DELIVERY: "The sender, and where mail goes",
    FailureKind.SECRET: "The password's place",
    FailureKind.INTERNAL: "This machine",
    None: "Warnings: it works, but",
}


def lines() -> Iterator[str]:
    """Every rule, as docs/diagnosis.md lists them: by the kind that it names first, in the order of the file."""
    for kind, heading in _HEADINGS.items():
        rules = [rule for rule in remedies().rules if _kind(rule) is kind]
        assert rules, heading
        yield f"\n### {heading}\n"
        yield "| rule | what is wrong | what to do |"
        yield "|---|---|---|"
        for rule in rules:
            yield f"| `{rule.id}` | {_shown(rule.cause)} {_shown(rule.explanation)} | {_shown(rule.fix)}{_page(rule)} |"


def _kind(rule: Rule) -> FailureKind | None:
    """The kind that stands first in the rule's first entry."""
    conditions = rule.entries[0].conditions
    if kinds := conditions.get("kinds"):
        return FailureKind(kinds[0])
    causes = conditions.get("causes")
    return Cause(causes[0]).kind if causes else None


def _shown(text: str) -> str:
    for placeholder in PLACEHOLDERS:
        text = text.replace(placeholder, placeholder.strip("{}").upper())
    return text.replace("|", "\\|").replace("<", "&lt;")


def _page(rule: Rule) -> str:
    if rule.url == PROVIDER_PAGE:
        return " (With the provider's page, where it is known.)"
    return f" [Page]({rule.url})" if rule.url else ""


def test_the_document_lists_every_rule() -> None:
    """MAILTUI_UPDATE_DOCS=1 writes the list instead; read it before it is kept."""
    before, rest = DOCUMENT.read_text("utf-8").split(_BEGIN)
    kept, after = rest.split(_END)
    text = "\n".join(lines()).strip()
    if os.environ.get("MAILTUI_UPDATE_DOCS"):
        DOCUMENT.write_text(f"{before}{_BEGIN}\n{text}\n\n{_END}{after}", "utf-8")
        return
    assert kept.strip() == text, "run MAILTUI_UPDATE_DOCS=1 pytest tests/diagnosis/test_document.py"
    assert text.count("\n| `") == len(remedies().rules)


def test_a_rule_that_the_corpus_expects_can_be_looked_up() -> None:
    text = DOCUMENT.read_text("utf-8")
    assert [said.rule for said in corpus() if f"`{said.rule}`" not in text] == []
