"""A check report as JSON data and back, without loss. The names are stable and documented in docs/json.md."""

from collections.abc import Callable
from datetime import UTC, datetime
from enum import StrEnum
from functools import cache
from typing import Any, TypeVar

from mailtui.model.account import CertificatePolicy, Endpoint, Protocol, Security, Trust
from mailtui.model.check import (
    Cause,
    CertificateFacts,
    CheckReport,
    Failure,
    Leg,
    LegReport,
    Severity,
    Stage,
    StageResult,
    Status,
    TlsFacts,
    TranscriptLine,
)
from mailtui.model.server import Change, ChangeKind, FamilyFacts, Found, Offered, Service

VERSION = 1
"""Raised when a field changes its meaning or goes away; new fields may come without."""

E = TypeVar("E", bound=StrEnum)
T = TypeVar("T")
Json = dict[str, object]


def report_to_json(report: CheckReport, *, transcript: bool = True) -> Json:
    """`report` as plain data for json.dumps; without its `transcript` fields if those are not wanted."""
    return {
        "version": VERSION,
        "account": report.account,
        "started": time_text(report.started),
        "ms": report.ms,
        "severity": severity_name(report.severity),
        "outbound": report.outbound and leg_to_json(report.outbound, report.started, transcript),
        "inbound": report.inbound and leg_to_json(report.inbound, report.started, transcript),
    }


def severity_name(severity: Severity) -> str:
    """The stable written form: ok, warning or failed."""
    return severity.name.lower()


def leg_to_json(leg: LegReport, started: datetime, transcript: bool) -> Json:
    """One leg of a report that began at `started`."""
    data: Json = {
        "leg": leg.leg.value,
        "protocol": leg.protocol.value,
        "endpoint": _endpoint(leg.endpoint),
        "severity": severity_name(leg.severity),
        "ms": leg.ms,
        "address": leg.address,
        "mechanism": leg.mechanism,
        "capabilities": list(leg.capabilities),
        "messages": leg.messages,
        "octets": leg.octets,
        "round_trips": leg.round_trips,
        "warning": leg.warning,
        "addresses": list(leg.addresses),
        "families": [_family(family) for family in leg.families],
        "offered": leg.offered and _offered(leg.offered),
        "found": [_found(found) for found in leg.found],
        "changes": [_change(change) for change in leg.changes],
        "changed_since": leg.changed_since and time_text(leg.changed_since),
        "failure": leg.failure and _failure(leg.failure),
        "tls": leg.tls and _tls(leg.tls, started),
        "stages": [
            {
                "stage": stage.stage.value,
                "status": stage.status.value,
                "ms": stage.ms,
                "detail": stage.detail,
                "reply": stage.reply,
            }
            for stage in leg.stages
        ],
    }
    if transcript:
        data["transcript"] = [
            {"sender": line.sender, "text": line.text, "at_ms": line.at_ms} for line in leg.transcript
        ]
    return data


def _endpoint(endpoint: Endpoint) -> Json:
    policy = endpoint.certificate
    return {
        "host": endpoint.host,
        "port": endpoint.port,
        "security": endpoint.security.value,
        "trust": policy.trust.value,
        "ca_file": policy.ca_file,
        "pin": policy.pin,
        "allow_cleartext": endpoint.allow_cleartext,
    }


def _family(family: FamilyFacts) -> Json:
    return {
        "family": family.family,
        "address": family.address,
        "ms": family.ms,
        "error": family.error,
        "silent": family.is_silent,
    }


def _offered(offered: Offered) -> Json:
    return {
        "starttls": offered.starttls,
        "mechanisms": list(offered.mechanisms),
        "capabilities": list(offered.capabilities),
    }


def _found(found: Found) -> Json:
    return {
        "port": found.port,
        "service": found.service.value,
        "security": found.security.value,
        "words": found.words,
    }


def _change(change: Change) -> Json:
    return {"kind": change.kind.value, "words": change.words, "alarming": change.is_alarming}


def _failure(failure: Failure) -> Json:
    return {
        "kind": failure.kind.value,
        "cause": failure.cause.value,
        "stage": failure.stage.value,
        "hint": failure.hint,
        "reply": failure.reply,
    }


def _tls(tls: TlsFacts, started: datetime) -> Json:
    return {
        "version": tls.version,
        "cipher": tls.cipher,
        "verified": tls.verified,
        "certificate": tls.certificate and _certificate(tls.certificate, started),
        "chain": [_certificate(issuer, started) for issuer in tls.chain],
    }


def _certificate(certificate: CertificateFacts, started: datetime) -> Json:
    return {
        "subject": certificate.subject,
        "names": list(certificate.names),
        "issuer": certificate.issuer,
        "not_before": time_text(certificate.not_before),
        "not_after": time_text(certificate.not_after),
        "days_left": certificate.days_left(started),
        "fingerprint": certificate.fingerprint,
        "pin": certificate.pin,
    }


def time_text(moment: datetime) -> str:
    """The written form of a time: UTC, by ISO 8601."""
    return moment.astimezone(UTC).isoformat().removesuffix("+00:00") + "Z"


def report_from_json(data: object) -> CheckReport:
    """The report that `report_to_json` wrote; derived fields are not read, unknown ones are ignored.

    Raises ValueError, which names the field that is missing or wrong.
    """
    report = Reader(data, "report")
    if (version := report.number("version")) != VERSION:
        raise ValueError(f"report.version is {version}; this program reads version {VERSION}")
    return CheckReport(
        account=report.text("account"),
        started=report.time("started"),
        ms=report.real("ms"),
        outbound=report.optional("outbound", read_leg),
        inbound=report.optional("inbound", read_leg),
    )


@cache
def _members(kind: type[E]) -> dict[str, E]:
    # Thousands of reports are read before the first list is whole; asking the class itself takes five times as long.
    return {member.value: member for member in kind}


class Reader:
    """Typed access to one JSON object; `path` leads to it from the root and serves the errors."""

    __slots__ = ("data", "path")

    def __init__(self, data: object, path: str) -> None:
        if not isinstance(data, dict):
            raise ValueError(f"{path} is not an object")
        self.data: dict[str, Any] = data
        self.path = path

    def text(self, name: str) -> str:
        value = self.data.get(name)
        if isinstance(value, str):
            return value
        raise self.wrong(name, "a text")

    def number(self, name: str) -> int:
        value = self.data.get(name)
        if type(value) is int:
            return value
        raise self.wrong(name, "a whole number")

    def count(self, name: str) -> int | None:
        return None if name in self.data and self.data[name] is None else self.number(name)

    def real(self, name: str) -> float:
        value = self.data.get(name)
        if type(value) is float or type(value) is int:
            return value
        raise self.wrong(name, "a number")

    def flag(self, name: str) -> bool:
        value = self.data.get(name)
        if isinstance(value, bool):
            return value
        raise self.wrong(name, "true or false")

    def time(self, name: str) -> datetime:
        try:
            moment = datetime.fromisoformat(self.text(name))
        except ValueError:
            raise self.wrong(name, "a time such as 2026-01-31T09:30:00Z") from None
        if moment.tzinfo is None:
            raise self.wrong(name, "a time with its zone")
        return moment

    def member(self, name: str, kind: type[E]) -> E:
        found: E | None = _members(kind).get(self.text(name))
        if found is None:
            raise self.wrong(name, f"one of {', '.join(kind)}")
        return found

    def texts(self, name: str) -> tuple[str, ...]:
        values = self.data.get(name)
        if not isinstance(values, list) or not all(isinstance(value, str) for value in values):
            raise self.wrong(name, "a list of texts")
        return tuple(values)

    def one(self, name: str, read: "Callable[[Reader], T]") -> T:
        return read(Reader(self.data.get(name), f"{self.path}.{name}"))

    def optional(self, name: str, read: "Callable[[Reader], T]") -> T | None:
        return None if name in self.data and self.data[name] is None else self.one(name, read)

    def many(self, name: str, read: "Callable[[Reader], T]") -> tuple[T, ...]:
        values = self.data.get(name)
        if not isinstance(values, list):
            raise self.wrong(name, "a list")
        path = f"{self.path}.{name}"
        return tuple(read(Reader(value, path)) for value in values)

    def wrong(self, name: str, wanted: str) -> ValueError:
        return ValueError(f"{self.path}.{name} is {'not ' + wanted if name in self.data else 'missing'}")


def read_leg(leg: Reader) -> LegReport:
    """The inverse of `leg_to_json`."""
    return LegReport(
        leg=leg.member("leg", Leg),
        protocol=leg.member("protocol", Protocol),
        endpoint=leg.one("endpoint", _read_endpoint),
        stages=leg.many("stages", _read_stage),
        ms=leg.real("ms"),
        failure=leg.optional("failure", _read_failure),
        tls=leg.optional("tls", _read_tls),
        address=leg.text("address"),
        mechanism=leg.text("mechanism"),
        capabilities=leg.texts("capabilities"),
        messages=leg.count("messages"),
        octets=leg.count("octets"),
        round_trips=leg.number("round_trips"),
        transcript=leg.many("transcript", _read_line) if "transcript" in leg.data else (),
        warning=leg.text("warning"),
        # Reports that were stored before these were learnt have none of them.
        addresses=leg.texts("addresses") if "addresses" in leg.data else (),
        families=leg.many("families", _read_family) if "families" in leg.data else (),
        offered=leg.optional("offered", _read_offered) if "offered" in leg.data else None,
        found=leg.many("found", _read_found) if "found" in leg.data else (),
        changes=leg.many("changes", _read_change) if "changes" in leg.data else (),
        changed_since=leg.time("changed_since") if leg.data.get("changed_since") is not None else None,
    )


def _read_family(family: Reader) -> FamilyFacts:
    return FamilyFacts(
        family.text("family"),
        family.text("address"),
        None if family.data.get("ms", 0) is None else family.real("ms"),
        family.text("error"),
        family.flag("silent"),
    )


def _read_offered(offered: Reader) -> Offered:
    return Offered(
        None if offered.data.get("starttls", False) is None else offered.flag("starttls"),
        offered.texts("mechanisms"),
        offered.texts("capabilities"),
    )


def _read_found(found: Reader) -> Found:
    return Found(
        found.number("port"), found.member("service", Service), found.member("security", Security), found.text("words")
    )


def _read_change(change: Reader) -> Change:
    return Change(change.member("kind", ChangeKind), change.text("words"), change.flag("alarming"))


def _read_endpoint(endpoint: Reader) -> Endpoint:
    return Endpoint(
        endpoint.text("host"),
        endpoint.number("port"),
        endpoint.member("security", Security),
        CertificatePolicy(endpoint.member("trust", Trust), endpoint.text("ca_file"), endpoint.text("pin")),
        endpoint.flag("allow_cleartext"),
    )


def _read_stage(stage: Reader) -> StageResult:
    return StageResult(
        stage.member("stage", Stage),
        stage.member("status", Status),
        stage.real("ms"),
        stage.text("detail"),
        stage.text("reply"),
    )


def _read_failure(failure: Reader) -> Failure:
    return Failure(
        failure.member("cause", Cause), failure.member("stage", Stage), failure.text("hint"), failure.text("reply")
    )


def _read_tls(tls: Reader) -> TlsFacts:
    return TlsFacts(
        version=tls.text("version"),
        cipher=tls.text("cipher"),
        certificate=tls.optional("certificate", _read_certificate),
        verified=tls.flag("verified"),
        # Reports that were stored before there was a chain have none.
        chain=tls.many("chain", _read_certificate) if "chain" in tls.data else (),
    )


def _read_certificate(certificate: Reader) -> CertificateFacts:
    return CertificateFacts(
        subject=certificate.text("subject"),
        names=certificate.texts("names"),
        issuer=certificate.text("issuer"),
        not_before=certificate.time("not_before"),
        not_after=certificate.time("not_after"),
        fingerprint=certificate.text("fingerprint"),
        pin=certificate.text("pin"),
    )


def _read_line(line: Reader) -> TranscriptLine:
    return TranscriptLine(line.text("sender"), line.text("text"), line.real("at_ms"))
