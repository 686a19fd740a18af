"""Names of folders in a Maildir++ tree: whatever a mailbox is called, none leaves the root or meets another."""

import hashlib
from pathlib import Path

from mailtui.model import utf7

_LIMIT = 200
"""Octets of a folder's name; file systems take 255. Longer ones end in a digest."""

_ESCAPES = str.maketrans({sign: f"\\{ord(sign):02x}" for sign in "./~\\"})
_MARK = "\\_"
"""What no escape looks like: it stands where no name can have it."""


def folder_name(name: str, delimiter: str = "/") -> str:
    """A server's `name` of a mailbox, its levels divided by `delimiter` ("" by nothing), as `folder_place` takes it."""
    levels = name.split(delimiter) if delimiter else [name]
    return "/".join(level.replace("\\", "\\\\").replace("/", "\\/") for level in levels)


def folder_place(root: Path, name: str) -> Path:
    """Where the folder `name` is: INBOX, in any case, is `root`; the levels of others are divided by `/`.

    `.Lists.python` within `root`, each level in modified UTF-7, as Dovecot has it. What has a meaning in such names
    (`.`, `~`, `\\`, and `/`, which is `\\/` in `name`) is written as Dovecot's listescape plugin does, `\\2e`.
    Different names have different places where the file system tells case apart.
    """
    if name.upper() == "INBOX":
        return root
    whole = _written(name)
    if len(whole) > _LIMIT:
        digest = _MARK + hashlib.blake2b(whole.encode("ascii"), digest_size=16).hexdigest()
        start = name[:_LIMIT]
        while len(_written(start)) > _LIMIT - len(digest):
            start = start[:-1]
        whole = _written(start) + digest
    return root / whole


def _written(name: str) -> str:
    return "".join("." + (utf7.encode(level.translate(_ESCAPES)) or _MARK) for level in _levels(name))


def _levels(name: str) -> list[str]:
    levels = [""]
    signs = iter(name)
    for sign in signs:
        if sign == "/":
            levels.append("")
            continue
        after = next(signs, "") if sign == "\\" else ""
        levels[-1] += after if after and after in "\\/" else sign + after
    return levels
