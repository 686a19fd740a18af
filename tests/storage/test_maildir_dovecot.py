"""Dovecot reads the trees that we write: folders by their names, messages with their flags."""

import imaplib
import os
from pathlib import Path

from mailtui.model import utf7
from mailtui.model.account import Protocol, Security
from mailtui.storage.maildir import Draft, MaildirFolder
from tests.servers.dovecot import Dovecot, password_of

PLAIN = ("INBOX", "Lists/python", "Entwürfe", "R&D", "台北/日本語", "with space", "INBOX/Sent", "*%")
HIDDEN = ("v1.2", "~x", "a\\/b", "", "x" * 300)
"""Names that Dovecot's way of naming folders cannot hold: it shows how they are written."""


def give_to(path: Path, user: int, group: int) -> None:
    for folder, _, files in os.walk(path):
        for name in (folder, *(os.path.join(folder, file) for file in files)):
            os.chown(name, user, group)


def test_dovecot_reads_what_we_write(dovecot: Dovecot) -> None:
    user = dovecot.new_user()
    root = dovecot.folder / "mail" / user
    seen, unseen = b"Subject: seen\r\n\r\n\xff\r\n", b"Subject: new\r\n\r\nwith CRLF\r\n"
    places = {}
    for name in (*PLAIN, *HIDDEN):
        folder = MaildirFolder(root, name, "0123456789ab")
        folder.make()
        written = [Draft(folder.new_name(), ":2,FS", [seen]), Draft(folder.new_name(), "", [unseen])]
        folder.write(written)
        folder.publish(written)
        places[name] = folder.path
    owner = root.parent.stat()
    give_to(root, owner.st_uid, owner.st_gid)
    session = imaplib.IMAP4("localhost", dovecot.port(Protocol.IMAP, Security.NONE), timeout=60)
    session.login(user, password_of(user))
    shown = {"INBOX" if name == "INBOX" else utf7.encode(name.replace("/", ".")) for name in PLAIN}
    shown |= {places[name].name[1:].replace("\\", "\\\\") for name in HIDDEN}
    for name in shown:
        # Within quotes, a backslash is doubled (RFC 3501 section 4.3).
        assert session.select(f'"{name}"', readonly=True) == ("OK", [b"2"]), name
        _, found = session.fetch("1:*", "(FLAGS BODY.PEEK[])")
        messages = {
            part[1]: b"\\Seen" in part[0] and b"\\Flagged" in part[0] for part in found if isinstance(part, tuple)
        }
        assert messages == {seen: True, unseen: False}
    session.logout()
