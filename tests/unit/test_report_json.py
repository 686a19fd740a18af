"""The JSON of a report: nothing is lost, names stay, and what is wrong is named."""

import json
import re
from dataclasses import fields, replace
from datetime import UTC, datetime, timedelta, timezone
from pathlib import Path
from typing import Any

import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from mailtui.model import check
from mailtui.model.account import CertificatePolicy, Endpoint, Protocol, Security, Trust
from mailtui.model.check import (
    Cause,
    CertificateFacts,
    CheckReport,
    Failure,
    FailureKind,
    Leg,
    LegReport,
    Severity,
    Stage,
    StageResult,
    Status,
    TlsFacts,
    TranscriptLine,
)
from mailtui.model.report_json import VERSION, report_from_json, report_to_json
from mailtui.model.server import Change, ChangeKind, FamilyFacts, Found, Offered, Service

DOCUMENT = Path(__file__).parents[2] / "docs" / "json.md"

numbers = st.floats(0, 1e9, allow_nan=False)
counts = st.integers(0, 1 << 62)
texts = st.text(max_size=20)
times = st.datetimes(
    datetime(1900, 1, 1),
    datetime(2200, 1, 1),
    timezones=st.sampled_from([UTC, timezone(timedelta(hours=5, minutes=45))]),
)
certificates = st.builds(
    CertificateFacts, texts, st.lists(texts, max_size=3).map(tuple), texts, times, times, texts, texts
)
legs = st.builds(
    LegReport,
    leg=st.sampled_from(Leg),
    protocol=st.sampled_from(Protocol),
    endpoint=st.builds(
        Endpoint,
        texts,
        st.integers(1, 65_535),
        st.sampled_from(Security),
        st.builds(CertificatePolicy, st.sampled_from(Trust), texts, texts),
        st.booleans(),
    ),
    stages=st.lists(
        st.builds(StageResult, st.sampled_from(Stage), st.sampled_from(Status), numbers, texts, texts), max_size=4
    ).map(tuple),
    ms=numbers,
    failure=st.none() | st.builds(Failure, st.sampled_from(Cause), st.sampled_from(Stage), texts, texts),
    tls=st.none()
    | st.builds(
        TlsFacts, texts, texts, st.none() | certificates, st.booleans(), st.lists(certificates, max_size=2).map(tuple)
    ),
    address=texts,
    mechanism=texts,
    capabilities=st.lists(texts, max_size=3).map(tuple),
    messages=st.none() | counts,
    octets=st.none() | counts,
    round_trips=counts,
    transcript=st.lists(st.builds(TranscriptLine, st.sampled_from("CS*"), texts, numbers), max_size=3).map(tuple),
    warning=texts,
    offered=st.none()
    | st.builds(
        Offered,
        st.none() | st.booleans(),
        st.lists(texts, max_size=3).map(tuple),
        st.lists(texts, max_size=3).map(tuple),
    ),
    addresses=st.lists(texts, max_size=3).map(tuple),
    families=st.lists(
        st.builds(FamilyFacts, st.sampled_from(["IPv4", "IPv6"]), texts, st.none() | numbers, texts, st.booleans()),
        max_size=2,
    ).map(tuple),
    found=st.lists(
        st.builds(Found, st.integers(1, 65_535), st.sampled_from(Service), st.sampled_from(Security), texts), max_size=2
    ).map(tuple),
    changes=st.lists(st.builds(Change, st.sampled_from(ChangeKind), texts, st.booleans()), max_size=3).map(tuple),
    changed_since=st.none() | times,
)
reports = st.builds(CheckReport, texts, times, numbers, st.none() | legs, st.none() | legs)


def sample() -> CheckReport:
    """A report in which every field is filled."""
    started = datetime(2026, 1, 31, 9, 30, 0, 250_000, tzinfo=UTC)
    certificate = CertificateFacts(
        "CN=mail.example.org",
        ("mail.example.org",),
        "CN=Example CA",
        started - timedelta(days=80),
        started + timedelta(days=10, hours=5),
        "aa" * 32,
        "bb" * 32,
    )
    issuer = replace(certificate, subject="CN=Example CA", names=(), not_after=started + timedelta(days=900))
    leg = LegReport(
        Leg.OUTBOUND,
        Protocol.SMTP,
        Endpoint("mail.example.org", 465),
        (StageResult(Stage.AUTH, Status.FAILED, 12.5, "PLAIN", "535 5.7.8 no"),),
        12.5,
        Failure(Cause.BAD_CREDENTIALS, Stage.AUTH, "the server refuses the password", "535 5.7.8 no"),
        TlsFacts("TLSv1.3", "TLS_AES_256_GCM_SHA384", certificate, True, (issuer,)),
        "192.0.2.1",
        "PLAIN",
        ("SIZE",),
        None,
        None,
        5,
        (TranscriptLine("S", "220 hello", 0.5),),
        "",
        Offered(True, ("PLAIN",), ("SIZE", "AUTH PLAIN")),
        ("192.0.2.1", "2001:db8::1"),
        (FamilyFacts("IPv4", "192.0.2.1", 1.5), FamilyFacts("IPv6", "2001:db8::1", None, "no answer", True)),
        (Found(465, Service.POP3, Security.IMPLICIT_TLS, "+OK ready"),),
        (Change(ChangeKind.KEY, "another key", True),),
        started - timedelta(days=1),
    )
    inbound = replace(leg, leg=Leg.INBOUND, protocol=Protocol.POP3, failure=None, messages=3, octets=999)
    return CheckReport("ada", started, 30.0, leg, inbound)


@given(reports)
@settings(max_examples=200)
def test_a_report_survives_json(report: CheckReport) -> None:
    assert report_from_json(json.loads(json.dumps(report_to_json(report)))) == report


@given(reports)
@settings(max_examples=50)
def test_without_transcripts_only_they_are_missing(report: CheckReport) -> None:
    data: Any = report_to_json(report, transcript=False)
    assert all("transcript" not in data[leg] for leg in ("outbound", "inbound") if data[leg] is not None)
    assert report_from_json(data) == replace(
        report,
        outbound=report.outbound and replace(report.outbound, transcript=()),
        inbound=report.inbound and replace(report.inbound, transcript=()),
    )


def test_what_scripts_want_is_there() -> None:
    data: Any = report_to_json(sample())
    assert data["version"] == VERSION == 1
    assert data["started"] == "2026-01-31T09:30:00.250000Z"
    assert data["severity"] == "failed"
    assert data["outbound"]["severity"] == "failed"
    assert data["outbound"]["failure"]["kind"] == "auth"
    assert data["outbound"]["failure"]["cause"] == "bad-credentials"
    assert data["outbound"]["failure"]["stage"] == "auth"
    assert data["outbound"]["stages"][0]["stage"] == "auth"
    assert data["inbound"]["severity"] == "ok"
    assert data["inbound"]["failure"] is None
    assert data["inbound"]["tls"]["certificate"]["days_left"] == 10
    assert data["inbound"]["tls"]["certificate"]["not_after"] == "2026-02-10T14:30:00.250000Z"
    assert [issuer["days_left"] for issuer in data["inbound"]["tls"]["chain"]] == [900]


@pytest.mark.parametrize(
    ("failure", "warning", "severity"),
    [(None, "", "ok"), (None, "ends soon", "warning"), (Failure(Cause.SILENT, Stage.CONNECT, "x"), "", "failed")],
)
def test_severity_is_derived(failure: Failure | None, warning: str, severity: str) -> None:
    outbound = sample().outbound
    assert outbound is not None
    report = replace(sample(), outbound=replace(outbound, failure=failure, warning=warning))
    data: Any = report_to_json(report)
    assert data["severity"] == data["outbound"]["severity"] == severity


def test_derived_and_unknown_fields_are_not_believed() -> None:
    data: Any = json.loads(json.dumps(report_to_json(sample())))
    data |= {"severity": "ok", "of_the_future": 1}
    data["outbound"] |= {"severity": "ok", "of_the_future": 1}
    data["outbound"]["failure"]["kind"] = "dns"
    data["outbound"]["tls"]["certificate"]["days_left"] = 99
    assert report_from_json(data) == sample()


def test_a_report_from_before_there_was_a_chain_is_read() -> None:
    data: Any = json.loads(json.dumps(report_to_json(sample())))
    for leg in ("outbound", "inbound"):
        del data[leg]["tls"]["chain"]
    read = report_from_json(data)
    assert [leg.tls and (leg.tls.chain, leg.tls.version) for leg in read.legs] == [((), "TLSv1.3")] * 2


def every_path(data: Any, path: tuple[str | int, ...] = ()) -> list[tuple[str | int, ...]]:
    """The way to every value inside `data`."""
    inside = data.items() if isinstance(data, dict) else enumerate(data) if isinstance(data, list) else ()
    return [way for key, value in inside for way in ((*path, key), *every_path(value, (*path, key)))]


DERIVED = {"severity", "failure.kind", "days_left"}
OPTIONAL = {"transcript", "chain", "addresses", "families", "offered", "found", "changes", "changed_since"}


@pytest.mark.parametrize(
    "path", every_path(report_to_json(sample())), ids=lambda path: ".".join(str(part) for part in path)
)
def test_each_field_of_a_wrong_type_is_named(path: tuple[str | int, ...]) -> None:
    data: Any = json.loads(json.dumps(report_to_json(sample())))
    holder = data
    for part in path[:-1]:
        holder = holder[part]
    name = path[-1]
    holder[name] = {"of": "another type"} if not isinstance(holder[name], dict) else ["of another type"]
    if DERIVED & {name, ".".join(str(part) for part in path[-2:])}:
        assert report_from_json(data) == sample()
        return
    wanted = [part for part in path if isinstance(part, str)]
    with pytest.raises(ValueError, match=re.escape(f"report.{'.'.join(wanted)}")):
        report_from_json(data)
    if isinstance(name, str) and name not in OPTIONAL:
        del holder[name]
        with pytest.raises(ValueError, match=re.escape(f"report.{'.'.join(wanted)}")):
            report_from_json(data)


@pytest.mark.parametrize(
    ("change", "words"),
    [
        ({"version": 2}, r"report\.version is 2; this program reads version 1"),
        ({"version": None}, r"report\.version is not a whole number"),
        ({"started": "yesterday"}, r"report\.started is not a time such as"),
        ({"started": "2026-01-31T09:30:00"}, r"report\.started is not a time with its zone"),
        ({"ms": True}, r"report\.ms is not a number"),
    ],
)
def test_a_wrong_value_is_named(change: dict[str, object], words: str) -> None:
    with pytest.raises(ValueError, match=words):
        report_from_json(report_to_json(sample()) | change)


@pytest.mark.parametrize("data", [None, [], "x", 1])
def test_what_is_no_object_is_refused(data: object) -> None:
    with pytest.raises(ValueError, match="report is not an object"):
        report_from_json(data)


def test_the_document_names_every_field_and_every_value() -> None:
    words = set(re.findall(r"`([^`\n]+)`", DOCUMENT.read_text()))
    names = {str(part) for path in every_path(report_to_json(sample())) for part in path if isinstance(part, str)}
    assert names - words == set()
    values = {
        member.value for kind in (Leg, Protocol, Security, Trust, Stage, Status, Cause, FailureKind) for member in kind
    }
    assert values - words == set()
    assert {severity.name.lower() for severity in Severity} - words == set()


def test_the_example_of_the_document_is_a_report() -> None:
    (example,) = re.findall(r"```json\n(.*?)```", DOCUMENT.read_text(), re.DOTALL)
    data = json.loads(example)
    assert json.loads(json.dumps(report_to_json(report_from_json(data)))) == data


def test_no_field_of_the_model_is_forgotten() -> None:
    kinds = (CheckReport, LegReport, StageResult, Failure, TlsFacts, CertificateFacts, TranscriptLine)
    written = {str(part) for path in every_path(report_to_json(sample())) for part in path}
    assert {field.name for kind in kinds for field in fields(kind)} - written == set()
    assert {name for name in vars(check) if name.endswith("Report")} == {"CheckReport", "LegReport"}
