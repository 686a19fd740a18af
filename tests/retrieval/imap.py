"""An IMAP server with a memory (RFC 3501, 4315, 7162, 2177), honest unless its office says otherwise."""

import re

from tests.retrieval.office import Mail, Mailbox
from tests.retrieval.serving import Conversation

_TOKEN = re.compile(rb'"((?:[^"\\]|\\.)*)"|(\((?:[^()]|\([^()]*\))*\))|(\S+)')


class ImapConversation(Conversation):
    """One session."""

    def greet(self) -> None:
        self._parts: list[bytes] = []
        self._box: Mailbox | None = None
        self._is_read_only = False
        self._is_in = False
        self._waiting = b""
        self.send(b"* OK ready\r\n")

    def _untagged(self, text: str) -> None:
        self.send(f"* {text}\r\n".encode())

    # Commands with their literals

    def line(self, line: bytes) -> None:
        if self._waiting:
            tag, self._waiting = self._waiting, b""
            if line.upper() == b"DONE":
                self.send(tag + b" OK done\r\n")
            else:
                self._let_in(tag)
            return
        self._parts.append(line)
        literal = re.search(rb"\{(\d+)(\+?)\}$", line)
        if literal is not None:
            self._parts[-1] = line[: literal.start()]
            self.wanted = int(literal[1])
            if not literal[2]:
                self.send(b"+ go on\r\n")
            return
        command, self._parts = b"".join(self._parts), []
        self._obey(command)

    def literal(self, octets: bytes) -> None:
        escaped = octets.replace(b"\\", b"\\\\").replace(b'"', b'\\"')
        self._parts.append(b'"' + escaped + b'"')

    def _obey(self, command: bytes) -> None:
        tag, _, rest = command.partition(b" ")
        verb, _, rest = rest.partition(b" ")
        name = verb.decode().upper()
        if name == "UID":
            verb, _, rest = rest.partition(b" ")
            name = f"UID {verb.decode().upper()}"
        self.office.commands.append(name if name in ("LOGIN", "AUTHENTICATE") else f"{name} {rest.decode()}".rstrip())
        tokens = [_unquoted(found) for found in _TOKEN.finditer(rest)]
        do = getattr(self, f"_do_{name.lower().replace(' ', '_')}", None)
        if do is None:
            self.send(tag + b" BAD what?\r\n")
        elif not self._is_in and name not in ("CAPABILITY", "LOGIN", "AUTHENTICATE", "LOGOUT", "ID", "NOOP"):
            self.send(tag + b" NO log in first\r\n")
        else:
            do(tag, tokens)

    def _done(self, tag: bytes, text: str = "OK done") -> None:
        if self.office.faults.chatter and self.office.random.random() < 0.3:
            self._untagged("OK [ALERT] the canteen closes early")
        self.send(tag + f" {text}\r\n".encode())

    def _capabilities(self) -> str:
        manners = self.office.manners
        offers = [("UIDPLUS", manners.uidplus), ("CONDSTORE", manners.condstore), ("IDLE", manners.idle)]
        return " ".join(["IMAP4rev1", "AUTH=PLAIN", *(name for name, offered in offers if offered)])

    def _do_capability(self, tag: bytes, tokens: list[str]) -> None:
        self._untagged(f"CAPABILITY {self._capabilities()}")
        self._done(tag)

    def _let_in(self, tag: bytes) -> None:
        self._is_in = True
        self.office.logins += 1
        self.send(tag + b" OK welcome\r\n")

    def _do_login(self, tag: bytes, tokens: list[str]) -> None:
        self._let_in(tag)

    def _do_authenticate(self, tag: bytes, tokens: list[str]) -> None:
        if len(tokens) > 1:
            self._let_in(tag)
        else:
            self._waiting = tag
            self.send(b"+ \r\n")

    def _do_noop(self, tag: bytes, tokens: list[str]) -> None:
        self._done(tag)

    def _do_id(self, tag: bytes, tokens: list[str]) -> None:
        self._untagged("ID NIL")
        self._done(tag)

    def _do_idle(self, tag: bytes, tokens: list[str]) -> None:
        self._waiting = tag
        self.send(b"+ idling\r\n")

    def _do_logout(self, tag: bytes, tokens: list[str]) -> None:
        if self.office.faults.quit != "drop-before":
            self._untagged("BYE see you")
            self._done(tag)
        self.drop()

    # Mailboxes

    def _do_list(self, tag: bytes, tokens: list[str]) -> None:
        pattern = re.escape(tokens[1]).replace(r"\*", ".*").replace("%", "[^/]*")
        for name in self.office.boxes:
            if re.fullmatch(pattern, name, re.IGNORECASE if name == "INBOX" else 0):
                self._untagged(f'LIST () "/" {_quoted(name)}')
        self._done(tag)

    def _find(self, tag: bytes, name: str) -> Mailbox | None:
        box = self.office.boxes.get("INBOX" if name.upper() == "INBOX" else name)
        if box is None:
            self._done(tag, "NO [NONEXISTENT] no such mailbox")
        return box

    def _count(self, box: Mailbox) -> int:
        # A server that says "none" is believed, and has to be.
        return max(min(1, len(box.mails)), len(box.mails) + self.office.faults.stat)

    def _do_status(self, tag: bytes, tokens: list[str]) -> None:
        if (box := self._find(tag, tokens[0])) is None:
            return
        values = {
            "MESSAGES": self._count(box),
            "UIDVALIDITY": box.uidvalidity,
            "UIDNEXT": box.uidnext,
            "HIGHESTMODSEQ": box.modseq,
            "SIZE": sum(mail.listed for mail in box.mails),
            "UNSEEN": sum("\\Seen" not in mail.flags for mail in box.mails),
            "RECENT": 0,
        }
        asked = tokens[1].strip("()").upper().split()
        if "HIGHESTMODSEQ" in asked and not self.office.manners.condstore:
            self._done(tag, "BAD no such item")
            return
        told = " ".join(f"{item} {values[item]}" for item in asked)
        self._untagged(f"STATUS {_quoted(tokens[0])} ({told})")
        self._done(tag)

    def _do_select(self, tag: bytes, tokens: list[str], *, is_read_only: bool = False) -> None:
        if (box := self._find(tag, tokens[0])) is None:
            return
        self._box, self._is_read_only = box, is_read_only
        self._untagged("FLAGS (\\Answered \\Flagged \\Deleted \\Seen \\Draft)")
        self._untagged(f"{self._count(box)} EXISTS")
        self._untagged("0 RECENT")
        self._untagged(f"OK [UIDVALIDITY {box.uidvalidity}] stable")
        self._untagged(f"OK [UIDNEXT {box.uidnext}] next")
        self._untagged(f"OK [HIGHESTMODSEQ {box.modseq}]" if self.office.manners.condstore else "OK [NOMODSEQ]")
        self._done(tag, "OK [READ-ONLY] open" if is_read_only else "OK [READ-WRITE] open")

    def _do_examine(self, tag: bytes, tokens: list[str]) -> None:
        self._do_select(tag, tokens, is_read_only=True)

    def _do_close(self, tag: bytes, tokens: list[str]) -> None:
        if self._box is not None and not self._is_read_only:
            self._box.remove([mail for mail in self._box.mails if "\\Deleted" in mail.flags])
        self._box = None
        self._done(tag)

    def _do_unselect(self, tag: bytes, tokens: list[str]) -> None:
        self._box = None
        self._done(tag)

    # Messages

    def _meant(self, text: str) -> list[tuple[int, Mail]]:
        """Sequence number and message for each UID in the set."""
        assert self._box is not None, "no mailbox is selected"
        last = max((mail.uid for mail in self._box.mails), default=0)
        ranges = []
        for part in text.split(","):
            ends = [last if end == "*" else int(end) for end in part.split(":")]
            ranges.append((min(ends), max(ends)))
        return [
            (number, mail)
            for number, mail in enumerate(self._box.mails, 1)
            if any(low <= mail.uid <= high for low, high in ranges)
        ]

    def _do_uid_search(self, tag: bytes, tokens: list[str]) -> None:
        wanted = self._meant(tokens[1] if tokens[0].upper() == "UID" else "1:*")
        if "DELETED" in (token.upper() for token in tokens):
            wanted = [(number, mail) for number, mail in wanted if "\\Deleted" in mail.flags]
        self._untagged(" ".join(["SEARCH", *(str(mail.uid) for _, mail in wanted)]))
        self._done(tag)

    def _do_uid_fetch(self, tag: bytes, tokens: list[str]) -> None:
        asked = tokens[1].strip("()").upper().split()
        faults = self.office.faults
        stolen = 0
        for number, mail in self._meant(tokens[0]):
            number -= stolen
            if faults.thief and self.office.random.random() < 0.2:
                assert self._box is not None
                self._box.vanish(mail)
                self._untagged(f"{number} EXPUNGE")
                stolen += 1
                continue
            if faults.chatter and self.office.random.random() < 0.2:
                self._untagged(f"{number} FETCH (FLAGS (\\Recent))")
                self._untagged("OK still here")
            if number in faults.list_skips:
                continue
            items = [f"UID {mail.uid}".encode(), *(self._item(item, mail) for item in asked if item != "UID")]
            if faults.chatter:
                self.office.random.shuffle(items)
            response = f"* {number} FETCH (".encode() + b" ".join(items) + b")\r\n"
            self.send(response)
            if faults.chatter and self.office.random.random() < 0.1:
                self.send(response)
        if faults.chatter and self._box is not None and self._box.mails and self.office.random.random() < 0.2:
            number = self.office.random.randint(1, len(self._box.mails))
            unasked = [self._item(item, self._box.mails[number - 1]) for item in asked if item != "UID"]
            uid = self._box.mails[number - 1].uid
            self.send(f"* {number} FETCH (UID {uid} ".encode() + b" ".join(unasked) + b")\r\n")
        self._done(tag)

    def _item(self, item: str, mail: Mail) -> bytes:
        if item == "FLAGS":
            return f"FLAGS ({' '.join(sorted(mail.flags))})".encode()
        if item == "RFC822.SIZE":
            return f"RFC822.SIZE {mail.listed}".encode()
        if item == "MODSEQ":
            return f"MODSEQ ({self.office.inbox.modseq})".encode()
        if not item.startswith("BODY.PEEK["):
            raise AssertionError(f"the client asks for {item}, which marks messages as read or is unknown here")
        name = b"BODY" + item.removeprefix("BODY.PEEK").encode()
        if mail.content in self.office.faults.refuse:
            return name + b" NIL"
        octets = mail.content
        if item == "BODY.PEEK[HEADER]":
            head, blank, _ = octets.partition(b"\r\n\r\n")
            octets = head + blank
        return name + b" {%d}\r\n" % len(octets) + octets

    def _do_uid_store(self, tag: bytes, tokens: list[str]) -> None:
        if self._is_read_only:
            self._done(tag, "NO it is open for reading only")
            return
        assert tokens[1].upper().startswith("+FLAGS")
        for number, mail in self._meant(tokens[0]):
            mail.flags |= set(tokens[2].strip("()").split())
            if not tokens[1].upper().endswith(".SILENT"):
                self._untagged(f"{number} FETCH (UID {mail.uid} FLAGS ({' '.join(sorted(mail.flags))}))")
        self._done(tag)

    def _do_uid_expunge(self, tag: bytes, tokens: list[str]) -> None:
        assert self._box is not None
        if not self.office.manners.uidplus or self._is_read_only:
            self._done(tag, "BAD not here")
            return
        meant = [(number, mail) for number, mail in self._meant(tokens[0]) if "\\Deleted" in mail.flags]
        how = self.office.faults.quit
        if how == "refuse":
            self._done(tag, "NO not now")
            return
        if how != "drop-before":
            self._box.remove([mail for _, mail in meant])
        if how in ("drop-before", "drop-after"):
            self.drop()
            return
        for shift, (number, _) in enumerate(meant):
            self._untagged(f"{number - shift} EXPUNGE")
        self._done(tag)


def _unquoted(found: re.Match[bytes]) -> str:
    if found[1] is not None:
        return re.sub(rb"\\(.)", rb"\1", found[1]).decode()
    return found[0].decode()


def _quoted(text: str) -> str:
    return '"' + text.replace("\\", "\\\\").replace('"', '\\"') + '"'
