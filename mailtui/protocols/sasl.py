"""SASL without I/O: choose one mechanism, build its messages (RFC 4422)."""

import hashlib
import hmac
import secrets
import stringprep
import unicodedata
from base64 import b64decode, b64encode
from collections.abc import Collection
from dataclasses import dataclass, field

from mailtui.model.account import AuthMethod
from mailtui.model.check import Cause
from mailtui.protocols.faults import WireError

IMAP_LOGIN = "the LOGIN command"
USER_PASS = "USER and PASS"
APOP = "APOP"
"""Ways to log in that are commands of one protocol and no SASL mechanisms; `offered` may name them beside those."""

# Inside TLS the mechanism that most servers store passwords for comes first, for there is one attempt only.
# In POP3 that is USER and PASS: Exchange takes AUTH in two lines only, old servers not at all.
_PREFERRED_PROTECTED = (USER_PASS, "PLAIN", "LOGIN", IMAP_LOGIN, "SCRAM-SHA-256", "CRAM-MD5", APOP)
# Without TLS, those that do not show the password.
_PREFERRED_CLEAR = ("SCRAM-SHA-256", "CRAM-MD5", APOP, USER_PASS, "PLAIN", "LOGIN", IMAP_LOGIN)

_WANTED = {
    AuthMethod.PLAIN: ("PLAIN",),
    AuthMethod.LOGIN: ("LOGIN", IMAP_LOGIN, USER_PASS),
    AuthMethod.CRAM_MD5: ("CRAM-MD5",),
    AuthMethod.SCRAM_SHA_256: ("SCRAM-SHA-256",),
    AuthMethod.XOAUTH2: ("XOAUTH2",),
    AuthMethod.APOP: (APOP,),
}

# RFC 7677 asks servers for at least 4096 rounds; a hostile one may ask for two thousand million.
MAX_ITERATIONS = 1_000_000


@dataclass(frozen=True, slots=True)
class Credentials:
    """A name and its secret, for the length of one session. The secret is never shown by `repr`."""

    username: str
    secret: str = field(repr=False)
    method: AuthMethod


def choose(method: AuthMethod, offered: Collection[str], protected: bool) -> str:
    """The one way to log in, from what the server offers. Raises WireError when nothing is common."""
    if method is AuthMethod.AUTOMATIC:
        wanted: tuple[str, ...] = _PREFERRED_PROTECTED if protected else _PREFERRED_CLEAR
    else:
        wanted = _WANTED[method]
    for name in wanted:
        if name in offered:
            return name
    choices = ", ".join(sorted(offered)) or "nothing"
    if method is AuthMethod.AUTOMATIC:
        hint = f"no login method in common: the server offers {choices}"
        if "XOAUTH2" in offered:
            hint += "; for XOAUTH2 the account must choose it and keep a token as its secret"
    else:
        hint = f"the server does not offer {method.label}, which the account asks for; it offers {choices}"
    raise WireError(Cause.NO_MECHANISM, hint)


def require_plain_line(credentials: Credentials) -> None:
    """Raise WireError for a name or secret that would break out of its line or its field on the wire."""
    for what, text in (("username", credentials.username), ("secret", credentials.secret)):
        if any(character in text for character in "\r\n\0"):
            raise WireError(Cause.SECRET_UNAVAILABLE, f"the {what} holds a line break or a NUL; no server takes that")


class Exchange:
    """One mechanism's messages, none of them base64. `initial` is what the client says first, if it does."""

    initial: bytes | None = None
    is_complete = True
    is_slow = False
    # Whether a challenge says anything: where it does not, servers may send what they like.
    reads_challenges = True
    # What is derived from the secret, and would let whoever reads it guess: never to be shown, whoever says it.
    proofs: tuple[str, ...] = ()

    def respond(self, challenge: bytes) -> bytes:
        """The answer to a challenge. Raises WireError when the challenge makes no sense."""
        raise WireError(Cause.BAD_REPLY, "the server asks for more than this login method has to say")


class Plain(Exchange):
    """RFC 4616."""

    def __init__(self, credentials: Credentials) -> None:
        self.initial = f"\0{credentials.username}\0{credentials.secret}".encode()


class Login(Exchange):
    """The LOGIN mechanism (draft-murchison-sasl-login): the name, then the password, whatever the prompts say."""

    reads_challenges = False

    def __init__(self, credentials: Credentials) -> None:
        self._answers = [credentials.username.encode(), credentials.secret.encode()]

    @property
    def is_complete(self) -> bool:  # type: ignore[override]  # a plain attribute for the mechanisms without rounds
        return not self._answers

    def respond(self, challenge: bytes) -> bytes:
        return self._answers.pop(0) if self._answers else super().respond(challenge)


class CramMd5(Exchange):
    """RFC 2195."""

    def __init__(self, credentials: Credentials) -> None:
        self._credentials = credentials
        self.is_complete = False

    def respond(self, challenge: bytes) -> bytes:
        if self.is_complete:
            return super().respond(challenge)
        self.is_complete = True
        digest = hmac.new(self._credentials.secret.encode(), challenge, "md5").hexdigest()
        self.proofs = (digest,)
        return f"{self._credentials.username} {digest}".encode()


class XOAuth2(Exchange):
    """Google's and Microsoft's XOAUTH2; the secret is a token. An error comes as a challenge, answered empty."""

    reads_challenges = False

    def __init__(self, credentials: Credentials) -> None:
        self.initial = f"user={credentials.username}\1auth=Bearer {credentials.secret}\1\1".encode()
        self._was_refused = False

    def respond(self, challenge: bytes) -> bytes:
        if self._was_refused:
            return super().respond(challenge)
        self._was_refused = True
        return b""


class ScramSha256(Exchange):
    """RFC 5802 and RFC 7677, without channel binding. The server proves that it knows the password, too."""

    is_slow = True

    def __init__(self, credentials: Credentials, nonce: str | None = None) -> None:
        self._password = saslprep(credentials.secret).encode()
        self._nonce = nonce or secrets.token_urlsafe(24)
        name = saslprep(credentials.username).replace("=", "=3D").replace(",", "=2C")
        self._first_bare = f"n={name},r={self._nonce}"
        self.initial = f"n,,{self._first_bare}".encode()
        self._server_signature: bytes | None = None
        self.is_complete = False

    def respond(self, challenge: bytes) -> bytes:
        if self.is_complete:
            return super().respond(challenge)
        if self._server_signature is None:
            return self._prove(challenge)
        self._verify(challenge)
        return b""

    def _prove(self, challenge: bytes) -> bytes:
        attributes = _attributes(challenge)
        try:
            nonce, salt, iterations = attributes["r"], b64decode(attributes["s"], validate=True), int(attributes["i"])
        except (KeyError, ValueError) as error:
            raise WireError(Cause.BAD_REPLY, "the server's SCRAM challenge makes no sense") from error
        if not nonce.startswith(self._nonce) or nonce == self._nonce:
            raise WireError(Cause.BAD_REPLY, "the server's SCRAM challenge is not an answer to ours")
        if not 1 <= iterations <= MAX_ITERATIONS:
            raise WireError(Cause.BAD_REPLY, f"the server asks for {iterations} SCRAM rounds; {MAX_ITERATIONS} at most")
        salted = hashlib.pbkdf2_hmac("sha256", self._password, salt, iterations)
        client_key = hmac.digest(salted, b"Client Key", "sha256")
        without_proof = f"c=biws,r={nonce}"
        signed = f"{self._first_bare},{challenge.decode('utf-8', 'replace')},{without_proof}".encode()
        signature = hmac.digest(hashlib.sha256(client_key).digest(), signed, "sha256")
        proof = bytes(a ^ b for a, b in zip(client_key, signature, strict=True))
        self._server_signature = hmac.digest(hmac.digest(salted, b"Server Key", "sha256"), signed, "sha256")
        # The server's verdict tells as much as our proof does.
        self.proofs = tuple(b64encode(each).decode("ascii") for each in (proof, self._server_signature))
        return f"{without_proof},p={self.proofs[0]}".encode()

    def _verify(self, challenge: bytes) -> None:
        attributes = _attributes(challenge)
        if "e" in attributes:
            raise WireError(Cause.BAD_CREDENTIALS, "the server refused the SCRAM proof", attributes["e"])
        try:
            signature = b64decode(attributes["v"], validate=True)
        except (KeyError, ValueError) as error:
            raise WireError(Cause.BAD_REPLY, "the server's SCRAM verdict makes no sense") from error
        if self._server_signature is None or not hmac.compare_digest(signature, self._server_signature):
            raise WireError(Cause.BAD_CREDENTIALS, "the server could not prove that it knows the password")
        self.is_complete = True


def _attributes(message: bytes) -> dict[str, str]:
    parts = message.decode("utf-8", "replace").split(",")
    return {part[0]: part[2:] for part in parts if part[1:2] == "="}


def exchange(mechanism: str, credentials: Credentials) -> Exchange:
    """The messages of `mechanism`, one that `choose` returned and that is a SASL mechanism."""
    require_plain_line(credentials)
    kinds: dict[str, type[Plain | Login | CramMd5 | XOAuth2 | ScramSha256]] = {
        "PLAIN": Plain,
        "LOGIN": Login,
        "CRAM-MD5": CramMd5,
        "XOAUTH2": XOAuth2,
        "SCRAM-SHA-256": ScramSha256,
    }
    return kinds[mechanism](credentials)


def saslprep(text: str) -> str:
    """RFC 4013 for a query: mapped, normalised. Raises WireError for characters that it forbids."""
    if text.isascii() and text.isprintable():
        return text
    mapped = "".join(
        " " if stringprep.in_table_c12(character) else character
        for character in text
        if not stringprep.in_table_b1(character)
    )
    prepared = unicodedata.normalize("NFKC", mapped)
    forbidden = (
        stringprep.in_table_c12,
        stringprep.in_table_c21_c22,
        stringprep.in_table_c3,
        stringprep.in_table_c4,
        stringprep.in_table_c5,
        stringprep.in_table_c6,
        stringprep.in_table_c7,
        stringprep.in_table_c8,
        stringprep.in_table_c9,
    )
    if any(table(character) for character in prepared for table in forbidden):
        raise WireError(Cause.SECRET_UNAVAILABLE, "the username or secret holds a character that SCRAM forbids")
    return prepared
