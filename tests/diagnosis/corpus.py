"""What real servers said, each line with its source and the rule that is to know it; see corpus.jsonl."""

import json
from dataclasses import dataclass
from pathlib import Path

from mailtui.model.account import Protocol, Security
from mailtui.model.check import Cause, LegReport, Stage
from tests.diagnosis.legs import failed_leg

FILE = Path(__file__).with_name("corpus.jsonl")

_OUR_LINE = frozenset({Stage.RESOLVE, Stage.CONNECT, Stage.TLS})
"""Where no server has said a word yet, the line is the system's or OpenSSL's, and stands in our hint."""


@dataclass(frozen=True, slots=True)
class Said:
    """One line of the corpus."""

    protocol: Protocol
    stage: Stage
    host: str
    line: str
    cause: Cause
    rule: str
    source: str
    port: int = 0
    security: Security = Security.IMPLICIT_TLS
    mechanism: str = ""
    issuer: str = ""
    email: str = ""

    def leg(self) -> LegReport:
        """The leg as the wire would report it."""
        is_ours = self.stage in _OUR_LINE and self.cause is not Cause.NOT_TLS
        return failed_leg(
            self.cause,
            "" if is_ours else self.line,
            protocol=self.protocol,
            stage=self.stage,
            hint=self.line if is_ours else "",
            host=self.host or "mail.example.org",
            port=self.port,
            security=self.security,
            mechanism=self.mechanism,
            issuer=self.issuer,
        )


def corpus() -> list[Said]:
    """Every line of the file. Raises ValueError or TypeError for one that is not as it must be."""
    return [_said(json.loads(line)) for line in FILE.read_text("utf-8").splitlines()]


def _said(data: dict[str, object]) -> Said:
    kinds = {"protocol": Protocol, "stage": Stage, "cause": Cause, "security": Security, "port": int}
    return Said(**{name: kinds.get(name, str)(value) for name, value in data.items() if value is not None})
