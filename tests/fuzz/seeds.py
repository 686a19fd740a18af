"""Good input of each target, from which fuzzers start; crashes that were found stay here as well."""

import hashlib
import hmac
import json
from base64 import b64encode
from datetime import UTC, datetime, timedelta

from cryptography import x509
from cryptography.hazmat.primitives import hashes, serialization
from cryptography.hazmat.primitives.asymmetric import ec
from cryptography.x509.oid import NameOID

from mailtui.model.account import METHODS, AuthMethod, Protocol
from tests.fuzz.talking import NONCE, SECRET

_NONCE = NONCE.encode()
_FIRST = b"r=" + _NONCE + b"more,s=c2FsdA==,i=16"
_CHALLENGE = b64encode(_FIRST)


def _verdict() -> bytes:
    """What a server that knows the password says at last (RFC 5802 section 3)."""
    salted = hashlib.pbkdf2_hmac("sha256", SECRET.encode(), b"salt", 16)
    signed = b"n=ada@example.org,r=" + _NONCE + b"," + _FIRST + b",c=biws,r=" + _NONCE + b"more"
    signature = hmac.digest(hmac.digest(salted, b"Server Key", "sha256"), signed, "sha256")
    return b64encode(b"v=" + b64encode(signature))


_VERDICT = _verdict()

SMTP = (
    b"\x00220 ready\r\n250-mail.test\r\n250-AUTH PLAIN\r\n250 PIPELINING\r\n250 ok\r\n250 ok\r\n221 bye\r\n",
    b"\x01554 5.7.1 no\n",
    b"\x02220-a\n220 b\n250\r\n4 no\r\n",
    b"\x03SSH-2.0-OpenSSH\r\n",
)
IMAP = (
    b"\x00* OK [CAPABILITY IMAP4rev1] ready\r\n* CAPABILITY IMAP4rev1\r\nT0 OK done\r\n* LIST {3}\r\nabc ()\r\n"
    b"T1 OK\r\n* 3 EXISTS\r\nT2 NO [ALERT] x\r\n* BYE bye\r\nT3 BAD no\r\n",
    b"\x01* PREAUTH x\r\n+ \r\n+ abc=\r\nT0 OK [CAPABILITY X] in\r\n",
    b"\x04* BYE {2+}\r\n\r\n \r\n",
)
POP3 = (
    b"\x00+OK ready <1@x>\r\n",
    b"\x01+OK\r\nSASL PLAIN\r\n..\r\n.\r\n+ abc\r\n+OK in\r\n+OK bye\r\n",
    b"\x02+OK\r\n.\r\n+OK go\r\n",
    b"\x03-ERR\r\n+OK 3 900\r\n+OK\r\n1 9\r\n.\r\n+OK\r\n1 x\r\n.\r\n+OK\r\n.a\r\n.\r\n-ERR [SYS/TEMP] x\r\n",
)


def _turns(protocol: Protocol, method: AuthMethod, *turns: bytes, starttls: bool = False) -> bytes:
    """A session's input: the choice, and what the server says each time."""
    return bytes([METHODS[protocol].index(method) * 2 + starttls]) + b"\0".join(turns)


def _smtp(method: AuthMethod, *turns: bytes, starttls: bool = False) -> bytes:
    ehlo = b"250-mail.test\r\n250-PIPELINING\r\n250-STARTTLS\r\n250 AUTH " + method.value.upper().encode() + b"\r\n"
    opening = [b"220 x\r\n", ehlo, *([b"220 go\r\n", ehlo] if starttls else [])]
    after = [ehlo, b"250 a\r\n250 b\r\n221 c\r\n"] if turns[-1].startswith(b"235") else []
    return _turns(Protocol.SMTP, method, *opening, *turns, *after, starttls=starttls)


SMTP_SESSION = (
    _smtp(AuthMethod.PLAIN, b"235 in\r\n"),
    _smtp(AuthMethod.PLAIN, b"535 5.7.8 no\r\n", starttls=True),
    _smtp(AuthMethod.LOGIN, b"334 VXNl\r\n", b"334 UGFz\r\n", b"235 in\r\n"),
    _smtp(AuthMethod.CRAM_MD5, b"334 PDFAeD4=\r\n", b"454 later\r\n"),
    _smtp(AuthMethod.SCRAM_SHA_256, b"334 " + _CHALLENGE + b"\r\n", b"334 " + _VERDICT + b"\r\n", b"235 in\r\n"),
    _smtp(AuthMethod.XOAUTH2, b"334 eyJzdGF0dXMiOiI0MDEifQ==\r\n", b"535 no\r\n"),
)


def _imap(method: AuthMethod, *turns: bytes, starttls: bool = False) -> bytes:
    offer = b"[CAPABILITY STARTTLS SASL-IR STATUS=SIZE AUTH=" + method.value.upper().encode() + b"] x\r\n"
    return _turns(Protocol.IMAP, method, b"* OK " + offer, *turns, starttls=starttls)


_IMAP_REST = (
    b"* CAPABILITY X\r\nT1 OK x\r\n* STATUS INBOX (SIZE 9)\r\nT2 OK\r\n* 3 EXISTS\r\nT3 OK\r\n* BYE\r\nT4 OK\r\n",
    b"* CAPABILITY X\r\nT2 OK x\r\n* 3 EXISTS\r\nT3 OK\r\n* BYE\r\nT4 OK\r\n",
    b"* CAPABILITY X\r\nT1 OK x\r\n* 3 EXISTS\r\nT2 OK\r\n* BYE\r\nT3 OK\r\n",
)
IMAP_SESSION = (
    _imap(AuthMethod.PLAIN, b"T0 OK in\r\n", _IMAP_REST[0]),
    _imap(AuthMethod.PLAIN, b"T0 OK [CAPABILITY X] in\r\n", b"T1 OK\r\n* 3 EXISTS\r\nT2 OK\r\nT3 OK\r\n"),
    _imap(
        AuthMethod.PLAIN,
        b"T0 OK go\r\n",
        b"* CAPABILITY AUTH=PLAIN\r\nT1 OK\r\n",
        b"+ \r\n",
        b"T2 NO [LIMIT] x\r\n",
        starttls=True,
    ),
    _imap(AuthMethod.LOGIN, b"+ VXNl\r\n", b"+ UGFz\r\n", b"T0 NO [AUTHENTICATIONFAILED] no\r\n"),
    _imap(AuthMethod.CRAM_MD5, b"+ PDFAeD4=\r\n", b"T0 BAD\r\n"),
    _imap(
        AuthMethod.SCRAM_SHA_256,
        b"+ " + _CHALLENGE + b"\r\n",
        b"+ " + _VERDICT + b"\r\n",
        b"T0 OK\r\n",
        _IMAP_REST[0],
    ),
    _imap(AuthMethod.XOAUTH2, b"+ eyJzIjoiNDAxIn0=\r\n", b"T0 NO\r\n"),
    _turns(Protocol.IMAP, AuthMethod.PLAIN, b"* PREAUTH x\r\n", b"* CAPABILITY X\r\nT0 OK\r\n", _IMAP_REST[2]),
    _turns(Protocol.IMAP, AuthMethod.LOGIN, b"* OK x\r\n", b"* CAPABILITY LOGINDISABLED\r\nT0 OK\r\n"),
    _turns(
        Protocol.IMAP,
        AuthMethod.LOGIN,
        b"* OK x\r\n",
        b"* CAPABILITY X\r\nT0 OK\r\n",
        b"T1 OK in\r\n",
        _IMAP_REST[1],
    ),
)


def _pop3(method: AuthMethod, *turns: bytes, starttls: bool = False) -> bytes:
    offer = b"+OK\r\nSTLS\r\nPIPELINING\r\nSASL " + method.value.upper().encode() + b"\r\n.\r\n"
    opening = [b"+OK x <1.2@mail.test>\r\n", offer, *([b"+OK go\r\n", offer] if starttls else [])]
    after = [offer + b"+OK 3 9\r\n+OK bye\r\n"] if turns[-1].startswith(b"+OK") else []
    return _turns(Protocol.POP3, method, *opening, *turns, *after, starttls=starttls)


POP3_SESSION = (
    _pop3(AuthMethod.PLAIN, b"+OK in\r\n"),
    _pop3(AuthMethod.PLAIN, b"-ERR [AUTH] no\r\n", starttls=True),
    _pop3(AuthMethod.LOGIN, b"+ VXNl\r\n", b"+ UGFz\r\n", b"-ERR [IN-USE] x\r\n"),
    _pop3(AuthMethod.CRAM_MD5, b"+ PDFAeD4=\r\n", b"-ERR [SYS/PERM] x\r\n"),
    _pop3(AuthMethod.SCRAM_SHA_256, b"+ " + _CHALLENGE + b"\r\n", b"+ " + _VERDICT + b"\r\n", b"+OK\r\n"),
    _pop3(AuthMethod.XOAUTH2, b"+ e30=\r\n", b"-ERR\r\n"),
    _pop3(AuthMethod.APOP, b"+OK in\r\n"),
    _turns(
        Protocol.POP3,
        AuthMethod.AUTOMATIC,
        b"+OK x\r\n",
        b"-ERR no CAPA\r\n",
        b"+OK user\r\n",
        b"+OK in\r\n",
        b"-ERR\r\n",
        b"+OK 3 9\r\n",
        b"+OK\r\n",
    ),
)

GREETINGS = (
    b"220 ftp.test FTP ready\r\n",
    b"SSH-2.0-OpenSSH\r\n",
    b"HTTP/1.1 400 Bad Request\r\n\r\n<html>",
    b"\x15\x03\x01\x00\x02\x02\x46",
    b"* BYE no\r\n",
)

ACCOUNTS = (
    b"""[[account]]
name = "ada"
email = "ada@example.org"
notes = '''two
lines'''
[account.submission]
host = "smtp.example.org"
port = 587
security = "starttls"
secret = "env:ADA"
pin = "sha256//47DEQpj8HBSa+/TImW+5JCeuQeRkm5NMpJWZG3hSuFU="
[account.retrieval]
protocol = "pop3"
host = "pop.example.org"
mode = "automatic"
interval = 5
leave_on_server = true
delete_after = 7
""",
    b'account = [{name = "b", email = "b@x.org", submission = {host = "h", "secret" = "ask"}}]',
    b"[[account]]\npassword = 1\nacount.x = 1979-05-27\n",
)
SETTINGS = (b'theme = "mailtui-dark"\n[keys]\n"app.help" = "f1"\na.b = "f2"\n[check]\ncertificate_days = 14\n', b"\xff")
FILTERS = (b'ada -type:sales "customer service" status:failing', b'type:"" name:"a""b" is:automatic x:y -"', b"-a: b:")
PINS = (
    b"ab" * 32 + b" " + b"AB:" * 31 + b"AB",
    b'sha256//47DEQpj8HBSa+/TImW+5JCeuQeRkm5NMpJWZG3hSuFU=;pin-sha256="47DEQpj8HBSa+/TImW+5JCeuQeRkm5NMpJWZG3hSuFU="',
)
DIAGNOSIS = (
    b"\x15\x06\0\x01534-5.7.9 Application-specific password required. \0the server refuses the login",
    b"\x15\x06\0\x02535 5.7.139 Authentication unsuccessful, basic authentication is disabled\0x",
    b"\x16\x06\1\0NO [ALERT] Too many simultaneous connections\0x",
)
MASKING = (b"hor5ebattery\0you said aG9yNWViYXR0ZXJ5\0%68or5ebattery \\x68or5ebattery", b"ab c\0A B\0C")


def _certificate(*extensions: x509.ExtensionType) -> bytes:
    key = ec.derive_private_key(1, ec.SECP256R1())
    parts = ((NameOID.ORGANIZATION_NAME, "Org, Inc"), (NameOID.COUNTRY_NAME, "DE"))
    name = x509.Name([x509.NameAttribute(kind, value) for kind, value in parts])
    begin = datetime(2025, 1, 1, tzinfo=UTC)
    builder = x509.CertificateBuilder(name, name, key.public_key(), 1, begin, begin + timedelta(days=90))
    for extension in extensions:
        builder = builder.add_extension(extension, critical=False)
    return builder.sign(key, hashes.SHA256(), ecdsa_deterministic=True).public_bytes(serialization.Encoding.DER)


def certificates() -> tuple[bytes, ...]:
    """An ordinary one, and the certificate of an authority."""
    names = x509.SubjectAlternativeName([x509.DNSName("mail.test")])
    return (_certificate(names), _certificate(x509.BasicConstraints(True, None)))


_FACTS = {
    "subject": "mail.test",
    "names": ["mail.test"],
    "issuer": "R11",
    "not_before": "2025-06-01T00:00:00Z",
    "not_after": "2025-09-01T00:00:00+02:00",
    "fingerprint": "3b",
    "pin": "9f",
}
REPORT = json.dumps(
    {
        "version": 1,
        "account": "ada",
        "started": "2025-06-01T12:00:00Z",
        "ms": 1.5,
        "outbound": {
            "leg": "outbound",
            "protocol": "smtp",
            "endpoint": {
                "host": "h",
                "port": 1,
                "security": "tls",
                "trust": "pin",
                "ca_file": "",
                "pin": "9f",
                "allow_cleartext": False,
            },
            "ms": 2,
            "address": "192.0.2.1",
            "mechanism": "PLAIN",
            "capabilities": ["AUTH PLAIN"],
            "messages": None,
            "octets": 3,
            "round_trips": 4,
            "warning": "",
            "addresses": ["192.0.2.1"],
            "families": [{"family": "IPv6", "address": "::1", "ms": None, "error": "refused", "silent": True}],
            "offered": {"starttls": None, "mechanisms": ["PLAIN"], "capabilities": []},
            "found": [{"port": 993, "service": "imap", "security": "tls", "words": "* OK"}],
            "changes": [{"kind": "key", "words": "x", "alarming": True}],
            "changed_since": "2025-06-01T12:00:00Z",
            "failure": {"cause": "bad-credentials", "stage": "auth", "hint": "x", "reply": "535 y"},
            "tls": {"version": "TLSv1.3", "cipher": "x", "verified": True, "certificate": _FACTS, "chain": [_FACTS]},
            "stages": [{"stage": "auth", "status": "failed", "ms": 1.0, "detail": "", "reply": "535 y"}],
            "transcript": [{"sender": "S", "text": "220 x", "at_ms": 1.0}],
        },
        "inbound": None,
    }
).encode()
