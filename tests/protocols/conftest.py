"""Fixtures of the wire's tests: certificates made once, and a clock to move."""

import asyncio
import gc
import ssl
from collections.abc import Iterator
from dataclasses import dataclass
from datetime import UTC, datetime, timedelta
from pathlib import Path

import pytest
import trustme
from hypothesis import settings

from mailtui.demo.certificates import make_certificates
from mailtui.model.account import CertificatePolicy, Trust
from mailtui.protocols import look
from tests.protocols.clock import Clock

# How long an example takes says more about the machine than about the code.
settings.register_profile("without deadlines", deadline=None)
settings.load_profile("without deadlines")

NAMES = ("127.0.0.1", "localhost")


@dataclass(frozen=True)
class Authority:
    """Server contexts, one for each state that a certificate can be in, and the file that vouches for them."""

    ca_file: Path
    good: ssl.SSLContext
    expired: ssl.SSLContext
    not_yet_valid: ssl.SSLContext
    wrong_name: ssl.SSLContext
    self_signed: ssl.SSLContext
    unknown_issuer: ssl.SSLContext
    ending_soon: ssl.SSLContext
    hostile: ssl.SSLContext

    @property
    def policy(self) -> CertificatePolicy:
        """Trusts the authority."""
        return CertificatePolicy(Trust.CA_FILE, ca_file=str(self.ca_file))


@pytest.fixture(scope="session")
def authority(tmp_path_factory: pytest.TempPathFactory) -> Authority:
    """One authority for the whole run."""
    folder = tmp_path_factory.mktemp("authority")
    now, day = datetime.now(UTC), timedelta(days=1)
    known, unknown = trustme.CA(), trustme.CA()
    known.cert_pem.write_to_path(str(folder / "ca.pem"))

    def served(leaf: trustme.LeafCert) -> ssl.SSLContext:
        context = ssl.SSLContext(ssl.PROTOCOL_TLS_SERVER)
        leaf.configure_cert(context)
        return context

    return Authority(
        ca_file=folder / "ca.pem",
        good=served(known.issue_cert(*NAMES, not_after=now + 300 * day)),
        expired=served(known.issue_cert(*NAMES, not_before=now - 90 * day, not_after=now - day)),
        not_yet_valid=served(known.issue_cert(*NAMES, not_before=now + day, not_after=now + 90 * day)),
        wrong_name=served(known.issue_cert("mail.elsewhere.example")),
        self_signed=make_certificates(folder / "self-signed").self_signed,
        unknown_issuer=served(unknown.issue_cert(*NAMES)),
        hostile=served(unknown.issue_cert(*NAMES, common_name="\x1b[2Jred \u202eesrever")),
        ending_soon=served(known.issue_cert(*NAMES, not_after=now + 7 * day)),
    )


@pytest.fixture(autouse=True)
def _brief_looks(monkeypatch: pytest.MonkeyPatch) -> None:
    """Most servers here have nothing to show to one who looks what else they may be: what answers does so at once."""
    monkeypatch.setattr(look, "PATIENCE", 0.3)


@pytest.fixture
async def clock(monkeypatch: pytest.MonkeyPatch) -> Clock:
    """The clock of the test's own loop."""
    loop = asyncio.get_running_loop()
    moved = Clock(loop)
    monkeypatch.setattr(loop, "time", moved.time)
    return moved


@pytest.fixture(scope="module", autouse=True)
def _young_heap() -> Iterator[None]:
    """Puts what exists already out of the collector's sight: the tests collect often, to see what they leave behind."""
    gc.collect()
    gc.freeze()
    yield
    gc.unfreeze()
