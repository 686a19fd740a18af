"""What real servers say is known, and what nobody can know is not invented."""

from collections import Counter

import pytest

from mailtui.diagnosis import diagnose
from mailtui.diagnosis.rules import remedies
from mailtui.model.check import Cause
from mailtui.model.diagnosis import UNKNOWN
from tests.diagnosis.corpus import Said, corpus

SAID = corpus()


@pytest.mark.parametrize("said", SAID, ids=[f"{index}-{said.rule}" for index, said in enumerate(SAID, start=1)])
def test_what_a_server_said_leads_to_its_rule(said: Said) -> None:
    diagnosis = diagnose(said.leg(), said.email)
    assert diagnosis is not None
    assert diagnosis.rule == said.rule, said.line


def test_the_corpus_is_large_and_every_line_has_its_source() -> None:
    assert len([said for said in SAID if said.line.strip()]) >= 120
    assert all(len(said.source.strip()) > 5 for said in SAID)
    # Nothing is what some servers say.
    assert {said.cause for said in SAID if not said.line.strip()} <= {Cause.SILENT, Cause.CLOSED}
    lines = Counter(
        (said.line, said.host, said.stage, said.protocol, said.cause, said.port, said.mechanism) for said in SAID
    )
    assert [line for line, times in lines.items() if times > 1] == []


def test_nearly_all_of_it_has_a_rule_of_its_own_and_the_rest_says_unknown() -> None:
    unknown = [said for said in SAID if said.rule == UNKNOWN]
    assert unknown, "the corpus has to hold lines that nobody can know"
    assert len(SAID) - len(unknown) >= 0.95 * len(SAID)


def test_no_rule_takes_more_than_a_fifth() -> None:
    """A rule that fits everything would pass the tests above and help nobody."""
    rule, times = Counter(said.rule for said in SAID).most_common(1)[0]
    assert times <= len(SAID) / 5, rule


def test_the_expected_rules_exist() -> None:
    assert {said.rule for said in SAID} <= {rule.id for rule in remedies().rules} | {UNKNOWN}
