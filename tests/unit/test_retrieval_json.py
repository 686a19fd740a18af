"""The JSON of a retrieval: nothing is lost, and what is wrong is named."""

import json
import re
from dataclasses import replace
from typing import Any

import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from mailtui.model.check import Severity
from mailtui.model.retrieval import Candidate, MailboxResult, RetrievalReport, Verdict
from mailtui.model.retrieval_json import retrieval_from_json, retrieval_to_json
from tests.storage.retrievals import retrieval
from tests.unit.test_report_json import DOCUMENT, counts, every_path, legs, numbers, texts, times

mailboxes = st.builds(MailboxResult, texts, texts, *[counts] * 6, texts, st.lists(texts, max_size=2).map(tuple))
candidates = st.builds(
    Candidate, texts, texts, st.sampled_from(Verdict), st.none() | counts, texts, texts, texts, texts
)
retrievals = st.builds(
    RetrievalReport,
    texts,
    times,
    numbers,
    legs,
    st.lists(mailboxes, max_size=2).map(tuple),
    st.lists(candidates, max_size=2).map(tuple),
    st.booleans(),
    st.none() | st.booleans(),
)


@settings(max_examples=50)
@given(retrievals)
def test_nothing_is_lost(report: RetrievalReport) -> None:
    assert retrieval_from_json(json.loads(json.dumps(retrieval_to_json(report)))) == report


def test_what_follows_from_the_rest_is_there_for_readers() -> None:
    data: dict[str, Any] = retrieval_to_json(retrieval())
    assert {name: data[name] for name in ("stored", "octets", "deleted", "severity")} == {
        "stored": 12,
        "octets": 99_000,
        "deleted": 3,
        "severity": Severity.WARNING.name.lower(),
    }
    assert data["candidates"][0]["verdict"] == "too-large"
    assert data["leg"]["transcript"]
    assert "transcript" not in retrieval_to_json(retrieval(), transcript=False)["leg"]  # type: ignore[operator]  # a dict


def test_a_report_without_its_transcript_can_be_read() -> None:
    report = retrieval()
    without = replace(report, leg=replace(report.leg, transcript=()))
    assert retrieval_from_json(retrieval_to_json(report, transcript=False)) == without


def broken(path: tuple[str | int, ...], value: object) -> dict[str, Any]:
    data: dict[str, Any] = json.loads(json.dumps(retrieval_to_json(retrieval())))
    holder: Any = data
    for part in path[:-1]:
        holder = holder[part]
    holder[path[-1]] = value
    return data


@pytest.mark.parametrize(
    ("path", "value", "words"),
    [
        (("version",), 2, "retrieval.version is 2; this program reads version 1"),
        (("dry_run",), None, "retrieval.dry_run is not true or false"),
        (("stable",), "yes", "retrieval.stable is not true or false"),
        (("leg",), None, "retrieval.leg is not an object"),
        (("leg", "ms"), "x", "retrieval.leg.ms is not a number"),
        (("mailboxes", 0, "stored"), 1.5, "retrieval.mailboxes.stored is not a whole number"),
        (("mailboxes", 0, "notes"), "x", "retrieval.mailboxes.notes is not a list of texts"),
        (("candidates", 0, "verdict"), "eaten", "retrieval.candidates.verdict is not one of fetch, kept"),
        (("candidates",), {}, "retrieval.candidates is not a list"),
    ],
)
def test_a_wrong_value_is_named(path: tuple[str | int, ...], value: object, words: str) -> None:
    with pytest.raises(ValueError, match=re.escape(words)):
        retrieval_from_json(broken(path, value))


def test_a_missing_field_is_named() -> None:
    data = retrieval_to_json(retrieval())
    del data["stable"]
    with pytest.raises(ValueError, match=r"retrieval\.stable is missing"):
        retrieval_from_json(data)


def test_the_document_names_every_field_and_every_verdict() -> None:
    words = set(re.findall(r"`([^`\n]+)`", DOCUMENT.read_text()))
    names = {str(part) for path in every_path(retrieval_to_json(retrieval())) for part in path if isinstance(part, str)}
    assert names - words == set()
    assert {verdict.value for verdict in Verdict} - words == set()
