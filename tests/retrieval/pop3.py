"""A POP3 server with a memory (RFC 1939, 2449), honest unless its office says otherwise."""

from tests.retrieval.office import Mail
from tests.retrieval.serving import Conversation


class Pop3Conversation(Conversation):
    """One session. Deletions are made at QUIT."""

    def greet(self) -> None:
        self._deleted: set[int] = set()
        self._mails: list[Mail] = []
        self._is_in = self._is_answering_auth = False
        self._ok("ready")

    def _ok(self, text: str = "") -> None:
        self.send(f"+OK {text}".rstrip().encode() + b"\r\n")

    def _err(self, text: str) -> None:
        self.send(f"-ERR {text}\r\n".encode())

    def line(self, line: bytes) -> None:
        text = line.decode("utf-8", "backslashreplace")
        if self._is_answering_auth:
            self._is_answering_auth = False
            self._let_in()
            return
        verb, _, argument = text.partition(" ")
        verb = verb.upper()
        self.office.commands.append(verb if verb in ("PASS", "AUTH") else text)
        answer = getattr(self, f"_do_{verb.lower()}", None)
        if answer is None:
            self._err("what?")
        elif not self._is_in and verb not in ("CAPA", "USER", "PASS", "AUTH", "QUIT"):
            self._err("log in first")
        else:
            answer(argument)

    def _listing(self, lines: list[str]) -> None:
        self.send(("+OK\r\n" + "".join(f"{line}\r\n" for line in lines) + ".\r\n").encode())

    def _let_in(self) -> None:
        self._is_in = True
        self.office.logins += 1
        self._mails = list(self.office.inbox.mails)
        self._ok("welcome")

    def _do_capa(self, argument: str) -> None:
        manners = self.office.manners
        if not manners.capa:
            self._err("what?")
            return
        offers = [("TOP", manners.top), ("UIDL", manners.uidl), ("PIPELINING", manners.pipelining)]
        self._listing(["USER", "SASL PLAIN", "RESP-CODES", *(name for name, offered in offers if offered)])

    def _do_user(self, argument: str) -> None:
        self._ok()

    def _do_pass(self, argument: str) -> None:
        self._let_in()

    def _do_auth(self, argument: str) -> None:
        if " " in argument:
            self._let_in()
        else:
            self._is_answering_auth = True
            self.send(b"+ \r\n")

    def _present(self) -> list[tuple[int, Mail]]:
        return [(number, mail) for number, mail in enumerate(self._mails, 1) if number not in self._deleted]

    def _find(self, argument: str) -> Mail | None:
        number = int(argument.split()[0]) if argument.split() and argument.split()[0].isdigit() else 0
        if not 1 <= number <= len(self._mails) or number in self._deleted:
            self._err("no such message")
            return None
        return self._mails[number - 1]

    def _do_stat(self, argument: str) -> None:
        present = self._present()
        count = max(0, len(present) + self.office.faults.stat)
        self._ok(f"{count} {sum(mail.listed for _, mail in present)}")

    def _do_list(self, argument: str) -> None:
        if argument:
            if (mail := self._find(argument)) is not None:
                self._ok(f"{argument} {mail.listed}")
            return
        skips = self.office.faults.list_skips
        self._listing([f"{number} {mail.listed}" for number, mail in self._present() if number not in skips])

    def _name(self, number: int, mail: Mail) -> str:
        if self.office.manners.uidl_is_number:
            return str(number)
        return "twin" if self.office.faults.uidl_twins and number % 2 else mail.uidl

    def _do_uidl(self, argument: str) -> None:
        if not self.office.manners.uidl:
            self._err("what?")
        elif argument:
            if (mail := self._find(argument)) is not None:
                self._ok(f"{argument} {self._name(int(argument), mail)}")
        else:
            skips = self.office.faults.uidl_skips
            present = [(number, mail) for number, mail in self._present() if number not in skips]
            self._listing([f"{number} {self._name(number, mail)}" for number, mail in present])

    def _do_retr(self, argument: str) -> None:
        if (mail := self._find(argument)) is None:
            return
        if mail.content in self.office.faults.refuse:
            self._err("this one is damaged")
            return
        self._ok(f"{mail.listed} octets")
        self.send(stuffed(mail.content))

    def _do_top(self, argument: str) -> None:
        if not self.office.manners.top:
            self._err("what?")
        elif (mail := self._find(argument)) is not None:
            if mail.content in self.office.faults.refuse:
                self._err("this one is damaged")
                return
            head, blank, _ = mail.content.partition(b"\r\n\r\n")
            self._ok()
            self.send(stuffed(head + blank))

    def _do_dele(self, argument: str) -> None:
        if self._find(argument) is not None:
            self._deleted.add(int(argument))
            self._ok()

    def _do_rset(self, argument: str) -> None:
        self._deleted.clear()
        self._ok()

    def _do_noop(self, argument: str) -> None:
        self._ok()

    def _do_quit(self, argument: str) -> None:
        how = self.office.faults.quit
        if how == "refuse":
            self._err("some deleted messages were not removed")
        elif how != "drop-before":
            self.office.inbox.remove([self._mails[number - 1] for number in self._deleted])
            if how != "drop-after":
                self._ok("bye")
        self.drop()


def stuffed(content: bytes) -> bytes:
    """As the body of a reply: a last line end, dots doubled, the final dot."""
    if not content.endswith(b"\r\n"):
        content += b"\r\n"
    return (b"\r\n" + content).replace(b"\r\n.", b"\r\n..")[2:] + b".\r\n"
