"""Failures for the rules that the corpus of server lines does not reach: those of the wire, and codes of standards."""

from dataclasses import replace

from mailtui.model.account import Protocol, Security, Trust
from mailtui.model.check import Cause, LegReport, Stage
from mailtui.model.server import Change, ChangeKind, FamilyFacts, Found, Service
from tests.diagnosis.legs import failed_leg, warning_leg

IMAP, POP3, SMTP = Protocol.IMAP, Protocol.POP3, Protocol.SMTP
STARTTLS, NONE = Security.STARTTLS, Security.NONE

Case = tuple[str, LegReport]

LOGIN: list[Case] = [
    ("login-held", failed_leg(Cause.LOGIN_HELD)),
    ("password-expired", failed_leg(Cause.BAD_CREDENTIALS, "NO [EXPIRED] That password is old", protocol=IMAP)),
    ("password-expired", failed_leg(Cause.BAD_CREDENTIALS, "534 5.7.12 A transition")),
    ("oauth-required", failed_leg(Cause.BAD_CREDENTIALS, "NO Use OAuth2 to sign in", protocol=IMAP)),
    ("username-form", failed_leg(Cause.BAD_CREDENTIALS, "535 Give your full email address as user name")),
    ("contact-admin", failed_leg(Cause.BAD_CREDENTIALS, "NO [CONTACTADMIN] Broken", protocol=IMAP)),
    ("contact-admin", failed_leg(Cause.NOT_AVAILABLE, "-ERR [SYS/PERM] Broken", protocol=POP3)),
    ("no-permission", failed_leg(Cause.BAD_CREDENTIALS, "NO [AUTHORIZATIONFAILED] No", protocol=IMAP)),
    ("no-permission", failed_leg(Cause.NO_INBOX, "NO [NOPERM] No", protocol=IMAP, stage=Stage.MAILBOX)),
    ("client-fault", failed_leg(Cause.BAD_CREDENTIALS, "NO [CLIENTBUG] Odd", protocol=IMAP)),
    ("client-fault", failed_leg(Cause.NO_INBOX, "NO [CANNOT] Odd", protocol=IMAP, stage=Stage.MAILBOX)),
    ("login-needs-tls", failed_leg(Cause.LOGIN_DISABLED, protocol=IMAP, security=NONE)),
    ("login-needs-tls", failed_leg(Cause.LOGIN_DISABLED, "NO [PRIVACYREQUIRED] No", protocol=IMAP, security=NONE)),
    ("login-needs-tls", failed_leg(Cause.LOGIN_DISABLED, "538 5.7.11 No", security=NONE)),
    ("mechanism-unsupported", failed_leg(Cause.NO_MECHANISM)),
    ("oauth-required", failed_leg(Cause.NO_MECHANISM, host="outlook.office365.com")),
    ("oauth-required", failed_leg(Cause.NO_MECHANISM, hint="none; for XOAUTH2 the account must choose it and keep")),
    ("auth-needs-starttls", failed_leg(Cause.AUTH_NOT_OFFERED, hint="it may after STARTTLS", security=NONE)),
    ("auth-not-offered-25", failed_leg(Cause.AUTH_NOT_OFFERED, port=25, security=STARTTLS)),
    ("auth-not-offered", failed_leg(Cause.AUTH_NOT_OFFERED)),
    ("token-refused", failed_leg(Cause.BAD_CREDENTIALS, "NO Refused", protocol=IMAP, mechanism="XOAUTH2")),
    ("mechanism-too-weak", failed_leg(Cause.BAD_CREDENTIALS, "534 5.7.9 Hm")),
    ("account-locked", failed_leg(Cause.BAD_CREDENTIALS, "525 5.7.13 Hm")),
    ("auth-backend-down", failed_leg(Cause.NOT_AVAILABLE, "454 4.7.0 Hm")),
    ("wrong-password", failed_leg(Cause.BAD_CREDENTIALS, "NO [AUTHENTICATIONFAILED] Nope", protocol=IMAP)),
    ("wrong-password", failed_leg(Cause.BAD_CREDENTIALS, "-ERR [AUTH] Nope", protocol=POP3)),
    ("wrong-password", failed_leg(Cause.BAD_CREDENTIALS, hint="the server refused the SCRAM proof")),
    ("proton-bridge-password", failed_leg(Cause.BAD_CREDENTIALS, "NO no", protocol=IMAP, host="127.0.0.1", port=1143)),
    ("login-command-refused", failed_leg(Cause.BAD_REPLY, "503 5.5.1 Bad sequence")),
    ("secret-characters", failed_leg(Cause.SECRET_UNAVAILABLE, hint="the secret holds a line break or a NUL; no")),
    ("secret-unavailable", failed_leg(Cause.SECRET_UNAVAILABLE, hint="the keyring is locked")),
    ("login-delay", failed_leg(Cause.NOT_AVAILABLE, "-ERR [LOGIN-DELAY] wait", protocol=POP3)),
    ("mailbox-in-use", failed_leg(Cause.NOT_AVAILABLE, "-ERR [IN-USE] wait", protocol=POP3)),
    ("mailbox-in-use", failed_leg(Cause.NOT_AVAILABLE, "NO [INUSE] wait", protocol=IMAP)),
    ("rate-limited", failed_leg(Cause.NOT_AVAILABLE, "NO [LIMIT] enough", protocol=IMAP)),
    ("server-unavailable", failed_leg(Cause.NOT_AVAILABLE, "NO [UNAVAILABLE] no", protocol=IMAP)),
    ("server-unavailable", failed_leg(Cause.NOT_AVAILABLE, "NO [SERVERBUG] no", protocol=IMAP)),
    ("server-unavailable", failed_leg(Cause.NOT_AVAILABLE, "-ERR [SYS/TEMP] no", protocol=POP3)),
]

_INBOX = Stage.MAILBOX
_SENDING = Stage.ENVELOPE

SENDING: list[Case] = [
    ("greylisted", failed_leg(Cause.NOT_AVAILABLE, "450 4.2.0 <ada@x>: Greylisted", stage=_SENDING)),
    ("mailbox-full", failed_leg(Cause.SENDER_REFUSED, "552 5.2.2 No room", stage=_SENDING)),
    ("mailbox-full", failed_leg(Cause.NO_INBOX, "NO [OVERQUOTA] No room", protocol=IMAP, stage=_INBOX)),
    ("mailbox-disabled", failed_leg(Cause.SENDER_REFUSED, "550 5.2.1 Off", stage=_SENDING)),
    ("sender-syntax", failed_leg(Cause.SENDER_REFUSED, "553 5.1.7 Odd", stage=_SENDING)),
    ("message-too-large", failed_leg(Cause.SENDER_REFUSED, "552 5.3.4 Long", stage=_SENDING)),
    ("server-full", failed_leg(Cause.NOT_AVAILABLE, "452 4.3.1 Full", stage=_SENDING)),
    ("sender-domain-unknown", failed_leg(Cause.SENDER_REFUSED, "550 5.1.8 Where", stage=_SENDING)),
    ("reverse-dns", failed_leg(Cause.SENDER_REFUSED, "550 5.7.25 Who", stage=_SENDING)),
    ("smtputf8-missing", failed_leg(Cause.SENDER_REFUSED, hint="the server knows no SMTPUTF8", stage=_SENDING)),
    (
        "sender-invalid",
        failed_leg(Cause.SENDER_REFUSED, hint="x has a domain that cannot be sent from", stage=_SENDING),
    ),
    ("sender-refused", failed_leg(Cause.SENDER_REFUSED, stage=_SENDING)),
    ("inbox-missing", failed_leg(Cause.NO_INBOX, "NO [NONEXISTENT] no", protocol=IMAP, stage=_INBOX)),
    (
        "inbox-missing",
        failed_leg(
            Cause.NO_INBOX,
            "NO [NONEXISTENT] no",
            protocol=IMAP,
            stage=Stage.TRANSFER,
            hint="the mailbox INBOX cannot be opened",
        ),
    ),
    (
        "mailbox-missing",
        failed_leg(
            Cause.NO_INBOX,
            "NO [NONEXISTENT] no",
            protocol=IMAP,
            stage=Stage.TRANSFER,
            hint="the mailbox Wrok cannot be opened",
        ),
    ),
    (
        "mailbox-missing",
        failed_leg(Cause.NO_INBOX, hint="the server has no mailbox that matches W*", protocol=IMAP, stage=_INBOX),
    ),
    ("mailbox-damaged", failed_leg(Cause.NO_INBOX, "NO [CORRUPTION] no", protocol=IMAP, stage=_INBOX)),
    ("inbox-refused", failed_leg(Cause.NO_INBOX, protocol=IMAP, stage=_INBOX)),
    ("server-unavailable", failed_leg(Cause.NOT_AVAILABLE, "451 4.3.0 Odd", stage=_SENDING)),
    ("ses-not-verified", failed_leg(Cause.SENDER_REFUSED, "554 Sandbox", host="email-smtp.eu-west-1.amazonaws.com")),
]


def _delivered(hint: str, reply: str = "", protocol: Protocol = IMAP) -> LegReport:
    return failed_leg(Cause.NOT_DELIVERED, reply, protocol=protocol, stage=Stage.TRANSFER, hint=hint)


def _stored(hint: str) -> LegReport:
    return failed_leg(Cause.NOT_STORED, protocol=POP3, stage=Stage.TRANSFER, hint=hint)


RETRIEVING: list[Case] = [
    ("retrieval-busy", failed_leg(Cause.RETRIEVAL_BUSY, protocol=POP3, stage=Stage.RESOLVE)),
    ("disk-full", _stored("/home/ada/Mail/tmp/1.x: No space left on device")),
    ("disk-full", _stored("/home/ada/Mail/tmp/1.x: Disk quota exceeded")),
    ("folder-forbidden", _stored("/home/ada/Mail/.Lists: Permission denied")),
    ("folder-forbidden", _stored("/mnt/Mail/tmp/1.x: Read-only file system")),
    ("disk-failing", _stored("/home/ada/Mail/new: Input/output error")),
    ("not-stored", _stored("/home/ada/Mail/new/1.x: Something else")),
    ("delivery-recipient", _delivered("lmtp refuses", "550 5.1.1 <ada@x.example> User doesn't exist: ada@x.example")),
    ("delivery-full", _delivered("lmtp refuses", "552 5.2.2 <ada@x.example> Quota exceeded", POP3)),
    ("delivery-full", _delivered("procmail failed with exit code 73: Disk quota exceeded")),
    ("delivery-unreachable", _delivered("lmtp localhost:24 cannot be reached: Connection refused")),
    ("delivery-unreachable", _delivered("lmtp localhost:24 closed the connection instead of answering")),
    ("delivery-command-missing", _delivered("the delivery command (procmail …) failed with exit code 127: not found")),
    ("delivery-command-slow", _delivered("the delivery command (procmail …) did not end within 60 seconds")),
    ("delivery-deferred", _delivered("the delivery command (procmail …) failed with exit code 75")),
    ("delivery-deferred", _delivered("lmtp localhost:24 does not take mail for now", "451 4.3.0 <ada@x.example> Odd")),
    ("not-delivered", _delivered("the delivery command (procmail …) failed with exit code 1")),
    # What a destination says is not what the account's server says.
    ("not-delivered", _delivered("lmtp localhost:24 refuses", "554 5.7.1 Authentication failed: spam")),
]

_DIAL = Stage.CONNECT
_HELLO = Stage.GREETING

NETWORK: list[Case] = [
    ("name-not-found", failed_leg(Cause.NAME_NOT_FOUND, stage=Stage.RESOLVE)),
    ("dns-broken", failed_leg(Cause.NAME_NOT_FOUND, stage=Stage.RESOLVE, host="imap.gmail.com", protocol=IMAP)),
    ("dns-broken", failed_leg(Cause.DNS_FAILED, stage=Stage.RESOLVE)),
    ("dns-broken", failed_leg(Cause.SILENT, stage=Stage.RESOLVE)),
    ("proton-needs-bridge", failed_leg(Cause.NAME_NOT_FOUND, stage=Stage.RESOLVE, host="imap.protonmail.com")),
    ("proton-bridge-not-running", failed_leg(Cause.PORT_REFUSED, stage=_DIAL, host="127.0.0.1", port=1025)),
    ("service-not-running", failed_leg(Cause.PORT_REFUSED, stage=_DIAL, host="localhost", port=25)),
    ("port-blocked", failed_leg(Cause.SILENT, stage=_DIAL, port=25)),
    ("port-refused", failed_leg(Cause.PORT_REFUSED, stage=_DIAL)),
    ("port-silent", failed_leg(Cause.SILENT, stage=_DIAL)),
    ("local-firewall", failed_leg(Cause.HOST_UNREACHABLE, stage=_DIAL, hint="x: Operation not permitted")),
    ("network-unreachable", failed_leg(Cause.HOST_UNREACHABLE, stage=_DIAL, hint="x: Network is unreachable")),
    ("host-unreachable", failed_leg(Cause.HOST_UNREACHABLE, stage=_DIAL, hint="x: No route to host")),
    ("ipv6-broken", failed_leg(Cause.HOST_UNREACHABLE, stage=_DIAL, hint="[2001:db8::1]:465 cannot be reached")),
    (
        "ipv6-broken",
        replace(failed_leg(Cause.HOST_UNREACHABLE, stage=_DIAL, hint="no"), addresses=("2001:db8::1", "2001:db8::2")),
    ),
    ("tls-expected", failed_leg(Cause.SILENT, stage=_HELLO, protocol=IMAP, port=993, security=NONE)),
    ("tls-expected", failed_leg(Cause.NOT_PLAIN, stage=_HELLO, security=STARTTLS)),
    (
        "tls-expected",
        failed_leg(
            Cause.SILENT,
            stage=_HELLO,
            port=4_650,
            security=NONE,
            found=(Found(4_650, Service.SMTP, Security.IMPLICIT_TLS),),
        ),
    ),
    ("silent-greeting", failed_leg(Cause.SILENT, stage=_HELLO, security=STARTTLS)),
    ("silent-tls", failed_leg(Cause.SILENT, stage=Stage.TLS)),
    ("silent-auth", failed_leg(Cause.SILENT)),
    ("server-silent", failed_leg(Cause.SILENT, stage=Stage.CAPABILITIES)),
    ("closed-greeting", failed_leg(Cause.CLOSED, stage=_HELLO)),
    ("closed-auth", failed_leg(Cause.CLOSED)),
    ("closed", failed_leg(Cause.CLOSED, stage=_INBOX)),
    ("other-protocol", failed_leg(Cause.NOT_TLS, "* OK ready", stage=Stage.TLS)),
    (
        "other-protocol",
        failed_leg(Cause.SILENT, protocol=POP3, stage=_HELLO, found=(Found(995, Service.IMAP, Security.IMPLICIT_TLS),)),
    ),
    (
        "other-protocol",
        failed_leg(
            Cause.NOT_PLAIN,
            stage=_HELLO,
            port=993,
            security=STARTTLS,
            found=(Found(993, Service.IMAP, Security.IMPLICIT_TLS),),
        ),
    ),
    (
        "not-a-mail-server",
        failed_leg(
            Cause.NOT_PLAIN,
            stage=_HELLO,
            port=443,
            security=STARTTLS,
            found=(Found(443, Service.HTTP, Security.IMPLICIT_TLS),),
        ),
    ),
    ("not-a-mail-server", failed_leg(Cause.FOREIGN_BANNER, "SSH-2.0-x", stage=_HELLO)),
    ("not-a-mail-server", failed_leg(Cause.NOT_TLS, stage=Stage.TLS, found=(Found(465, Service.HTTP, NONE),))),
    ("proxy-interferes", failed_leg(Cause.FOREIGN_BANNER, "HTTP/1.1 403 Proxy", stage=_HELLO)),
    ("proxy-interferes", failed_leg(Cause.BAD_REPLY, "220 ****************", stage=_HELLO)),
    ("starttls-not-tls", failed_leg(Cause.NOT_TLS, stage=Stage.TLS, security=STARTTLS)),
    ("starttls-expected", failed_leg(Cause.NOT_TLS, "220 mail.example.org", stage=Stage.TLS, port=587)),
    (
        "no-tls",
        failed_leg(
            Cause.NOT_TLS,
            "220 mail.example.org",
            stage=Stage.TLS,
            port=587,
            found=(Found(587, Service.SMTP, Security.NONE, "220 mail.example.org"),),
        ),
    ),
    ("foreign-banner", failed_leg(Cause.FOREIGN_BANNER, "hello", stage=_HELLO)),
    ("too-large", failed_leg(Cause.TOO_LARGE)),
    ("bad-reply", failed_leg(Cause.BAD_REPLY, "????", stage=_INBOX)),
    ("local-limit", failed_leg(Cause.INTERNAL, hint="this machine, not the server: Too many open files", stage=_DIAL)),
    ("mailtui-fault", failed_leg(Cause.INTERNAL, hint="a fault of mailtui's own")),
]

_TLS = Stage.TLS

PROTECTION: list[Case] = [
    ("tls-too-old", failed_leg(Cause.TLS_FAILED, stage=_TLS, hint="TLS could not be agreed: unsupported protocol")),
    ("tls-weak-key", failed_leg(Cause.TLS_FAILED, stage=_TLS, hint="TLS could not be agreed: dh key too small")),
    ("tls-renegotiation", failed_leg(Cause.TLS_FAILED, stage=_TLS, hint="unsafe legacy renegotiation disabled")),
    ("tls-client-certificate", failed_leg(Cause.TLS_FAILED, stage=_TLS, hint="tlsv13 alert certificate required")),
    ("tls-name-refused", failed_leg(Cause.TLS_FAILED, stage=_TLS, hint="tlsv1 unrecognized name")),
    ("tls-no-common", failed_leg(Cause.TLS_FAILED, stage=_TLS, hint="sslv3 alert handshake failure")),
    ("tls-closed", failed_leg(Cause.TLS_FAILED, stage=_TLS, hint="the server closed the connection during the TLS")),
    ("tls-failed", failed_leg(Cause.TLS_FAILED, stage=_TLS, hint="TLS could not be agreed: bad thing")),
    ("ca-file", failed_leg(Cause.CERTIFICATE_INVALID, stage=_TLS, hint="ca_file /x cannot be used: gone")),
    (
        "issuer-expired",
        failed_leg(
            Cause.CERTIFICATE_EXPIRED, stage=_TLS, hint="the certificate of an issuer of smtp.gmail.com:465, above"
        ),
    ),
    ("clock-ahead", failed_leg(Cause.CERTIFICATE_EXPIRED, stage=_TLS, host="smtp.gmail.com")),
    ("certificate-expired", failed_leg(Cause.CERTIFICATE_EXPIRED, stage=_TLS)),
    ("clock-behind", failed_leg(Cause.CERTIFICATE_NOT_YET_VALID, stage=_TLS)),
    ("tls-intercepted", failed_leg(Cause.CERTIFICATE_UNKNOWN_ISSUER, stage=_TLS, issuer="Avast Web/Mail Shield Root")),
    ("tls-intercepted", failed_leg(Cause.CERTIFICATE_UNKNOWN_ISSUER, stage=_TLS, issuer="Home", host="smtp.gmail.com")),
    (
        "ca-list-missing",
        failed_leg(Cause.CERTIFICATE_UNKNOWN_ISSUER, stage=_TLS, issuer="DigiCert G2", host="imap.gmx.net"),
    ),
    ("certificate-incomplete-chain", failed_leg(Cause.CERTIFICATE_UNKNOWN_ISSUER, stage=_TLS, issuer="Sectigo RSA")),
    ("certificate-unknown-issuer", failed_leg(Cause.CERTIFICATE_UNKNOWN_ISSUER, stage=_TLS, issuer="Our Own CA")),
    ("ca-file-other", failed_leg(Cause.CERTIFICATE_UNKNOWN_ISSUER, stage=_TLS, trust=Trust.CA_FILE, issuer="Our CA")),
    ("mail-redirected", failed_leg(Cause.CERTIFICATE_WRONG_NAME, stage=_TLS, host="smtp.gmail.com")),
    ("certificate-wrong-name", failed_leg(Cause.CERTIFICATE_WRONG_NAME, stage=_TLS)),
    ("proton-bridge-certificate", failed_leg(Cause.CERTIFICATE_SELF_SIGNED, stage=_TLS, host="127.0.0.1", port=1025)),
    ("certificate-self-signed", failed_leg(Cause.CERTIFICATE_SELF_SIGNED, stage=_TLS, issuer="mail")),
    ("certificate-not-pinned", failed_leg(Cause.CERTIFICATE_NOT_PINNED, stage=_TLS)),
    ("strict-x509", failed_leg(Cause.CERTIFICATE_INVALID, stage=_TLS, hint="Missing Authority Key Identifier")),
    (
        "strict-x509",
        failed_leg(Cause.CERTIFICATE_INVALID, stage=_TLS, hint="Basic Constraints of CA cert not marked critical"),
    ),
    ("certificate-weak", failed_leg(Cause.CERTIFICATE_INVALID, stage=_TLS, hint="CA md too weak")),
    ("certificate-purpose", failed_leg(Cause.CERTIFICATE_INVALID, stage=_TLS, hint="unsuitable certificate purpose")),
    ("certificate-invalid", failed_leg(Cause.CERTIFICATE_INVALID, stage=_TLS, hint="something new")),
    ("starttls-not-offered", failed_leg(Cause.STARTTLS_NOT_OFFERED, stage=Stage.STARTTLS, security=STARTTLS)),
    ("starttls-broken", failed_leg(Cause.STARTTLS_REFUSED, "454 4.7.0 No", stage=Stage.STARTTLS, security=STARTTLS)),
    ("starttls-refused", failed_leg(Cause.STARTTLS_REFUSED, stage=Stage.STARTTLS, security=STARTTLS)),
    ("starttls-injected", failed_leg(Cause.STARTTLS_INJECTED, stage=Stage.STARTTLS, security=STARTTLS)),
    ("starttls-lost", failed_leg(Cause.STARTTLS_LOST)),
    ("mechanism-lost", failed_leg(Cause.MECHANISM_LOST)),
    ("key-changed", failed_leg(Cause.KEY_CHANGED)),
    ("cleartext-refused", failed_leg(Cause.CLEARTEXT_REFUSED, security=NONE)),
    ("preauth-before-tls", failed_leg(Cause.PREAUTH_BEFORE_TLS, "PREAUTH hi", protocol=IMAP, security=STARTTLS)),
]


def _dead(family: str) -> FamilyFacts:
    return FamilyFacts(family, "address", None, "Connection timed out", is_silent=True)


WARNINGS: list[Case] = [
    ("ipv6-dead", warning_leg("IPv6 is dead", families=(FamilyFacts("IPv4", "192.0.2.1", 3.0), _dead("IPv6")))),
    ("ipv4-dead", warning_leg("IPv4 is dead", families=(_dead("IPv4"), FamilyFacts("IPv6", "2001:db8::1", 3.0)))),
    ("certificate-ends", warning_leg("the certificate ends in 3 days, on 2026-01-01")),
    ("server-changed", warning_leg("another issuer", changes=(Change(ChangeKind.ISSUER, "another issuer"),))),
]

FALSE: list[Case] = [
    # What a mailbox or a machine is called says nothing of a fault.
    ("sender-not-verified", failed_leg(Cause.BAD_CREDENTIALS, "535 Authentication failed for sandbox@example.org")),
    ("oauth-required", failed_leg(Cause.BAD_CREDENTIALS, "535 Credentials invalid for oauth-bot@example.org")),
    ("web-login-required", failed_leg(Cause.BAD_CREDENTIALS, "NO [AUTHENTICATIONFAILED] <captcha@x.y>", protocol=IMAP)),
    ("address-blocked", failed_leg(Cause.SENDER_REFUSED, "550 5.1.8 <blacklist@x.y>: no domain", stage=_SENDING)),
    ("proxy-interferes", failed_leg(Cause.FOREIGN_BANNER, "220 proxy.example.org FTP", stage=_HELLO, protocol=IMAP)),
    ("proxy-interferes", failed_leg(Cause.NOT_TLS, "220 mailproxy.example.org ESMTP Postfix", stage=_TLS, port=587)),
    ("proxy-interferes", failed_leg(Cause.NOT_TLS, "* OK IMAP proxy ready", stage=_TLS, protocol=IMAP, port=143)),
    ("proxy-interferes", failed_leg(Cause.NOT_AVAILABLE, "421 4.3.2 SMTP proxy is stopping", stage=_HELLO)),
    ("proxy-interferes", failed_leg(Cause.BAD_REPLY, "??? firewall@example.org", stage=_INBOX)),
    ("dns-broken", failed_leg(Cause.NAME_NOT_FOUND, stage=Stage.RESOLVE, host="name.timed-out.example")),
    (
        "tls-no-common",
        failed_leg(
            Cause.TLS_FAILED,
            stage=_TLS,
            host="mail.no-cipher.example",
            hint="mail.no-cipher.example: the server closed",
        ),
    ),
    # A server that vouches for itself is not read along with, whatever its name is.
    (
        "tls-intercepted",
        failed_leg(Cause.CERTIFICATE_SELF_SIGNED, stage=_TLS, host="proxy.home.example", issuer="proxy.home.example"),
    ),
    ("tls-intercepted", failed_leg(Cause.CERTIFICATE_SELF_SIGNED, stage=_TLS, issuer="Norton & Sons mail proxy")),
    (
        "tls-intercepted",
        failed_leg(
            Cause.CERTIFICATE_SELF_SIGNED,
            stage=_TLS,
            host="mail.sophos-club.example",
            issuer="mail.sophos-club.example",
            hint="the certificate of mail.sophos-club.example:465 is self-signed",
        ),
    ),
    ("tls-intercepted", failed_leg(Cause.CERTIFICATE_WRONG_NAME, stage=_TLS, issuer="Our proxy CA")),
    # And one that a product signs is never taken for the new key of a server.
    (
        "certificate-not-pinned",
        failed_leg(Cause.CERTIFICATE_NOT_PINNED, stage=_TLS, trust=Trust.PIN, issuer="Avast Web/Mail Shield Root"),
    ),
    ("key-changed", failed_leg(Cause.KEY_CHANGED, issuer="Zscaler Intermediate Root CA")),
    # A warning to whoever gives wrong passwords is no block.
    ("address-blocked", failed_leg(Cause.BAD_CREDENTIALS, "535 failed, your IP address has been recorded")),
    ("address-blocked", failed_leg(Cause.BAD_CREDENTIALS, "535 Wrong password; abuse from this IP is banned")),
    # Policies on forged mail are not about what the login may send as.
    ("sender-mismatch", failed_leg(Cause.SENDER_REFUSED, "550 5.7.1 SPF fail: does not match", stage=_SENDING)),
    ("sender-mismatch", failed_leg(Cause.SENDER_REFUSED, "550 5.7.26 DMARC: domains mismatch", stage=_SENDING)),
    ("auth-required", failed_leg(Cause.SENDER_REFUSED, "550 Unauthenticated mail: DMARC policy", stage=_SENDING)),
    # Advice and threats beside a refused password are no diagnosis.
    ("password-expired", failed_leg(Cause.BAD_CREDENTIALS, "535 Invalid login; reset your password if you forgot it")),
    ("too-many-attempts", failed_leg(Cause.BAD_CREDENTIALS, "NO Refused, 2 failed login attempts left", protocol=IMAP)),
    ("app-password-required", failed_leg(Cause.BAD_CREDENTIALS, "535 Wrong password; you may need an app password")),
    ("app-password-required", failed_leg(Cause.BAD_CREDENTIALS, "535 Incorrect username, password or app password")),
    ("auth-backend-down", failed_leg(Cause.BAD_CREDENTIALS, "535 The authentication server rejected your password")),
    # One of two, and the server does not say which.
    ("unknown-user", failed_leg(Cause.BAD_CREDENTIALS, "535 Unknown user or wrong password")),
    ("contact-admin", failed_leg(Cause.BAD_CREDENTIALS, "NO Invalid password, contact support", protocol=IMAP)),
    # A quota of mail that was sent fills no mailbox, and a full mailbox is no rate.
    ("mailbox-full", failed_leg(Cause.SENDER_REFUSED, "550 5.4.5 Daily sending quota exceeded", stage=_SENDING)),
    ("rate-limited", failed_leg(Cause.NO_INBOX, "NO storage limit exceeded", protocol=IMAP, stage=_INBOX)),
    # Nothing listens: the network does not block what never leaves this machine.
    ("port-blocked", failed_leg(Cause.PORT_REFUSED, stage=_DIAL, host="localhost", port=25)),
    # A machine of one's own with an expired certificate is no sign of a wrong clock.
    ("clock-ahead", failed_leg(Cause.CERTIFICATE_EXPIRED, stage=_TLS)),
]
"""Rules that must not hold, each for a failure that looks like theirs."""

CASES = [*LOGIN, *SENDING, *RETRIEVING, *NETWORK, *PROTECTION, *WARNINGS]
