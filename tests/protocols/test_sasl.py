"""SASL against computations of the test's own: what a server would make of our messages."""

import contextlib
import hashlib
import hmac
import os
from base64 import b64decode, b64encode

import pytest
from hypothesis import given
from hypothesis import strategies as st

from mailtui.model.account import AuthMethod
from mailtui.model.check import Cause
from mailtui.protocols import sasl
from mailtui.protocols.faults import WireError
from mailtui.protocols.sasl import Credentials, ScramSha256
from mailtui.protocols.session import decode, encode

words = st.text(st.characters(codec="utf-8", exclude_characters="\r\n\0"), min_size=1, max_size=40)
ascii_words = st.text(st.characters(min_codepoint=0x20, max_codepoint=0x7E), min_size=1, max_size=40)


def known(username: str = "ada", secret: str = "secret", method: AuthMethod = AuthMethod.AUTOMATIC) -> Credentials:
    return Credentials(username, secret, method)


class TestChoice:
    @pytest.mark.parametrize(
        ("offered", "protected", "chosen"),
        [
            (("CRAM-MD5", "LOGIN", "PLAIN", "SCRAM-SHA-256"), True, "PLAIN"),
            (("CRAM-MD5", "LOGIN", "PLAIN", "SCRAM-SHA-256"), False, "SCRAM-SHA-256"),
            (("CRAM-MD5", "LOGIN", "PLAIN"), False, "CRAM-MD5"),
            (("LOGIN", "GSSAPI"), True, "LOGIN"),
            ((sasl.IMAP_LOGIN,), True, sasl.IMAP_LOGIN),
            ((sasl.USER_PASS, sasl.APOP), False, sasl.APOP),
            ((sasl.USER_PASS, sasl.APOP), True, sasl.USER_PASS),
        ],
    )
    def test_automatic(self, offered: tuple[str, ...], protected: bool, chosen: str) -> None:
        assert sasl.choose(AuthMethod.AUTOMATIC, offered, protected) == chosen

    @pytest.mark.parametrize("method", [method for method in AuthMethod if method is not AuthMethod.AUTOMATIC])
    def test_a_method_that_is_asked_for_is_the_only_one(self, method: AuthMethod) -> None:
        everything = ("PLAIN", "LOGIN", "CRAM-MD5", "SCRAM-SHA-256", "XOAUTH2", sasl.APOP)
        assert sasl.choose(method, everything, True) == method.label
        others = [name for name in everything if name != method.label]
        with pytest.raises(WireError) as caught:
            sasl.choose(method, others, True)
        assert caught.value.cause is Cause.NO_MECHANISM
        assert method.label in caught.value.hint

    @pytest.mark.parametrize("offered", [(), ("GSSAPI", "NTLM"), ("XOAUTH2",)])
    def test_nothing_in_common(self, offered: tuple[str, ...]) -> None:
        with pytest.raises(WireError) as caught:
            sasl.choose(AuthMethod.AUTOMATIC, offered, True)
        assert caught.value.cause is Cause.NO_MECHANISM
        assert all(name in caught.value.hint for name in offered)


class TestPlain:
    @given(words, words)
    def test_a_server_reads_name_and_password(self, username: str, secret: str) -> None:
        exchange = sasl.exchange("PLAIN", known(username, secret))
        assert exchange.initial is not None
        authorization, name, password = exchange.initial.split(b"\0")
        assert (authorization, name.decode(), password.decode()) == (b"", username, secret)
        assert exchange.is_complete
        with pytest.raises(WireError):
            exchange.respond(b"more?")


class TestLogin:
    @given(words, words, st.binary(), st.binary())
    def test_the_answers_come_in_order_whatever_is_asked(
        self, username: str, secret: str, first: bytes, second: bytes
    ) -> None:
        exchange = sasl.exchange("LOGIN", known(username, secret))
        assert exchange.initial is None
        assert not exchange.is_complete
        assert exchange.respond(first).decode() == username
        assert not exchange.is_complete
        assert exchange.respond(second).decode() == secret
        assert exchange.is_complete
        with pytest.raises(WireError):
            exchange.respond(b"more?")


class TestCramMd5:
    def test_the_vector_of_rfc_2195(self) -> None:
        exchange = sasl.exchange("CRAM-MD5", known("tim", "tanstaaftanstaaf"))
        challenge = b64decode("PDE4OTYuNjk3MTcwOTUyQHBvc3RvZmZpY2UucmVzdG9uLm1jaS5uZXQ+")
        assert challenge == b"<1896.697170952@postoffice.reston.mci.net>"
        assert encode(exchange.respond(challenge)) == b"dGltIGI5MTNhNjAyYzdlZGE3YTQ5NWI0ZTZlNzMzNGQzODkw"
        assert exchange.is_complete

    @given(words, words, st.binary(max_size=100))
    def test_a_server_finds_the_same_digest(self, username: str, secret: str, challenge: bytes) -> None:
        exchange = sasl.exchange("CRAM-MD5", known(username, secret))
        name, _, digest = exchange.respond(challenge).decode().rpartition(" ")
        # RFC 2104, written out.
        key = secret.encode()
        key = (hashlib.md5(key).digest() if len(key) > 64 else key).ljust(64, b"\0")
        inner = hashlib.md5(bytes(byte ^ 0x36 for byte in key) + challenge).digest()
        outer = hashlib.md5(bytes(byte ^ 0x5C for byte in key) + inner).hexdigest()
        assert (name, digest) == (username, outer)


class TestXOAuth2:
    def test_the_message_and_the_empty_answer_to_an_error(self) -> None:
        exchange = sasl.exchange("XOAUTH2", known("ada@example.org", "ya29.token"))
        assert exchange.initial == b"user=ada@example.org\x01auth=Bearer ya29.token\x01\x01"
        assert exchange.respond(b'{"status":"401"}') == b""
        with pytest.raises(WireError):
            exchange.respond(b"again")


class ScramServer:
    """RFC 5802's other side, written from the RFC."""

    def __init__(self, password: bytes, salt: bytes, iterations: int, nonce: str) -> None:
        self._password, self._salt, self._iterations, self._nonce = password, salt, iterations, nonce
        self.username = ""

    def challenge(self, client_first: bytes) -> bytes:
        header, _, self._first_bare = client_first.decode().partition(",,")
        assert header == "n"
        name, nonce = self._first_bare.split(",")
        self.username = name.removeprefix("n=").replace("=2C", ",").replace("=3D", "=")
        self._server_first = (
            f"r={nonce.removeprefix('r=')}{self._nonce},s={b64encode(self._salt).decode()},i={self._iterations}"
        )
        return self._server_first.encode()

    def verdict(self, client_final: bytes) -> bytes | None:
        """The server's signature, or None for a wrong proof."""
        without_proof, _, proof = client_final.decode().rpartition(",p=")
        # Hi() of RFC 5802 section 2.2.
        block = previous = hmac.new(self._password, self._salt + b"\0\0\0\1", "sha256").digest()
        for _ in range(self._iterations - 1):
            previous = hmac.new(self._password, previous, "sha256").digest()
            block = bytes(a ^ b for a, b in zip(block, previous, strict=True))
        stored = hashlib.sha256(hmac.new(block, b"Client Key", "sha256").digest()).digest()
        message = f"{self._first_bare},{self._server_first},{without_proof}".encode()
        signature = hmac.new(stored, message, "sha256").digest()
        key = bytes(a ^ b for a, b in zip(b64decode(proof), signature, strict=True))
        if hashlib.sha256(key).digest() != stored:
            return None
        server_key = hmac.new(block, b"Server Key", "sha256").digest()
        return b"v=" + b64encode(hmac.new(server_key, message, "sha256").digest())


class TestScram:
    def test_the_vector_of_rfc_7677(self) -> None:
        exchange = ScramSha256(known("user", "pencil"), nonce="rOprNGfwEbeRWgbNEkqO")
        assert exchange.initial == b"n,,n=user,r=rOprNGfwEbeRWgbNEkqO"
        challenge = b"r=rOprNGfwEbeRWgbNEkqO%hvYDpWUa2RaTCAfuxFIlj)hNlF$k0,s=W22ZaJ0SNY7soEsUEjb6gQ==,i=4096"
        assert exchange.respond(challenge) == (
            b"c=biws,r=rOprNGfwEbeRWgbNEkqO%hvYDpWUa2RaTCAfuxFIlj)hNlF$k0,"
            b"p=dHzbZapWIk4jUhN+Ute9ytag9zjfMHgsqmmiz7AndVQ="
        )
        assert not exchange.is_complete
        assert exchange.respond(b"v=6rriTRBi23WpRR/wtup+mMhUZUn/dB5nLTJRsjl95G4=") == b""
        assert exchange.is_complete

    @given(ascii_words, ascii_words, st.binary(min_size=1, max_size=32), st.integers(1, 5))
    def test_both_sides_agree(self, username: str, secret: str, salt: bytes, iterations: int) -> None:
        exchange = sasl.exchange("SCRAM-SHA-256", known(username, secret))
        server = ScramServer(secret.encode(), salt, iterations, "server-nonce")
        assert exchange.initial is not None
        proof = exchange.respond(server.challenge(exchange.initial))
        assert server.username == username
        signature = server.verdict(proof)
        assert signature is not None
        # Both would let whoever reads them guess the password.
        assert exchange.proofs == (proof.rpartition(b",p=")[2].decode(), signature.removeprefix(b"v=").decode())
        assert exchange.respond(signature) == b""
        assert exchange.is_complete

    def test_a_server_sees_that_the_password_is_wrong(self) -> None:
        exchange = sasl.exchange("SCRAM-SHA-256", known(secret="wrong"))
        server = ScramServer(b"right", b"salt", 3, "nonce")
        assert exchange.initial is not None
        assert server.verdict(exchange.respond(server.challenge(exchange.initial))) is None

    def test_the_client_sees_that_the_server_does_not_know_the_password(self) -> None:
        exchange = sasl.exchange("SCRAM-SHA-256", known(secret="right"))
        server = ScramServer(b"right", b"salt", 3, "nonce")
        assert exchange.initial is not None
        exchange.respond(server.challenge(exchange.initial))
        with pytest.raises(WireError) as caught:
            exchange.respond(b"v=" + b64encode(os.urandom(32)))
        assert caught.value.cause is Cause.BAD_CREDENTIALS
        assert not exchange.is_complete

    @pytest.mark.parametrize(
        ("challenge", "cause"),
        [
            (b"", Cause.BAD_REPLY),
            (b"r=NONCE,s=c2FsdA==", Cause.BAD_REPLY),
            (b"r=NONCE,s=c2FsdA==,i=4096", Cause.BAD_REPLY),
            (b"r=NONCEx,s=***,i=4096", Cause.BAD_REPLY),
            (b"r=NONCEx,s=c2FsdA==,i=many", Cause.BAD_REPLY),
            (b"r=NONCEx,s=c2FsdA==,i=0", Cause.BAD_REPLY),
            (b"r=NONCEx,s=c2FsdA==,i=-1", Cause.BAD_REPLY),
            (b"r=NONCEx,s=c2FsdA==,i=2000000000", Cause.BAD_REPLY),
            (b"r=otherx,s=c2FsdA==,i=4096", Cause.BAD_REPLY),
        ],
    )
    def test_a_challenge_that_cannot_be_trusted(self, challenge: bytes, cause: Cause) -> None:
        exchange = ScramSha256(known(), nonce="NONCE")
        with pytest.raises(WireError) as caught:
            exchange.respond(challenge)
        assert caught.value.cause is cause

    @pytest.mark.parametrize(
        ("verdict", "cause"),
        [(b"e=invalid-proof", Cause.BAD_CREDENTIALS), (b"v=***", Cause.BAD_REPLY), (b"", Cause.BAD_REPLY)],
    )
    def test_a_verdict_that_is_none(self, verdict: bytes, cause: Cause) -> None:
        exchange = ScramSha256(known(), nonce="NONCE")
        exchange.respond(b"r=NONCEx,s=c2FsdA==,i=1")
        with pytest.raises(WireError) as caught:
            exchange.respond(verdict)
        assert caught.value.cause is cause

    @given(st.binary(max_size=200), st.binary(max_size=200))
    def test_arbitrary_messages_raise_nothing_but_wire_errors(self, first: bytes, second: bytes) -> None:
        exchange = ScramSha256(known(), nonce="NONCE")
        try:
            for message in (first, second):
                exchange.respond(message)
        except WireError:
            pass
        assert not exchange.is_complete

    @pytest.mark.parametrize(
        ("text", "prepared"),
        [("I\xadX", "IX"), ("user", "user"), ("USER", "USER"), ("\xaa", "a"), ("\u2168", "IX"), ("a\xa0b", "a b")],
    )
    def test_the_examples_of_rfc_4013(self, text: str, prepared: str) -> None:
        assert sasl.saslprep(text) == prepared

    @pytest.mark.parametrize("text", ["\x07", "a\x7f", "\ue000", "\ufffd"])
    def test_what_rfc_4013_forbids(self, text: str) -> None:
        with pytest.raises(WireError) as caught:
            sasl.saslprep(text)
        assert caught.value.cause is Cause.SECRET_UNAVAILABLE


@pytest.mark.parametrize("text", ["a\r\nb", "a\nb", "a\0b"])
@pytest.mark.parametrize("mechanism", ["PLAIN", "LOGIN", "CRAM-MD5", "XOAUTH2", "SCRAM-SHA-256"])
def test_nothing_breaks_out_of_its_line(mechanism: str, text: str) -> None:
    for credentials in (known(username=text), known(secret=text)):
        with pytest.raises(WireError) as caught:
            sasl.exchange(mechanism, credentials)
        assert caught.value.cause is Cause.SECRET_UNAVAILABLE
        assert text not in caught.value.hint


def test_credentials_do_not_show_their_secret() -> None:
    assert "hunter2" not in repr(known(secret="hunter2"))


@given(st.binary(max_size=300))
def test_base64_there_and_back(message: bytes) -> None:
    assert decode(encode(message)) == message


@given(st.binary(max_size=300))
def test_decoding_anything_raises_nothing_but_wire_errors(challenge: bytes) -> None:
    with contextlib.suppress(WireError):
        assert b64decode(b64encode(decode(challenge))) == decode(challenge)
