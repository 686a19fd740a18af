"""Addresses that came with a message, and so from anyone."""

import re

# What may stand between angle brackets without being quoted there (RFC 5321 section 4.1.2), and no option of a program.
_PLAIN = re.compile(r"(?!-)[A-Za-z0-9.!#$%&'*+/=?^_`{|}~-]{1,64}@[A-Za-z0-9._-]{1,189}")


def plain_address(text: str) -> str:
    """`text` where it is an address that fits any place as it is; empty for all else, as for a bounce."""
    return text if _PLAIN.fullmatch(text) else ""
