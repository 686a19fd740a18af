"""What speaks on our side of the wire."""

import ssl


def openssl_version() -> str:
    """The TLS library that Python uses, with its version."""
    return ssl.OPENSSL_VERSION
