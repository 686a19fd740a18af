"""Where an account's mail goes: which folder of which tree, or which other destination."""

from pathlib import Path

from mailtui.actions.delivery import Delivery
from mailtui.actions.retrieval_plan import Strangers
from mailtui.actions.storing import HandOver, MaildirShelf, Shelf
from mailtui.model.account import Account
from mailtui.model.destination import DestinationKind
from mailtui.model.text import clean
from mailtui.offloop import off_loop
from mailtui.protocols.source import RemoteMailbox
from mailtui.storage.ledger import Ledger
from mailtui.storage.maildir import MaildirFolder, folder_name
from mailtui.storage.paths import DataPaths

_INBOX = "INBOX"


def folder_of(account: Account, mailbox: RemoteMailbox) -> str:
    """The folder of a tree that a server's mailbox goes to, as MaildirFolder takes it."""
    assert account.retrieval is not None
    if mailbox.name.upper() == _INBOX:
        return account.retrieval.folder
    return folder_name(mailbox.name, mailbox.delimiter)


class Destinations:
    """The destination of one account for the time of one retrieval; `close` at its end."""

    def __init__(self, account: Account, ledger: Ledger, data: DataPaths) -> None:
        assert account.retrieval is not None
        self._account = account
        self._destination = account.retrieval.destination
        self._ledger = ledger
        self._data = data
        self._root: Path | None = None
        self._delivery: Delivery | None = None

    def shelf(self, mailbox: RemoteMailbox, id_: int, strangers: Strangers) -> Shelf:
        """Where messages of a server's mailbox go, whose row in the ledger is `id_`.

        Blocks. Raises OSError and StorageError. While the account is locked only: what interrupted ones left is swept.
        """
        if self._destination.kind is DestinationKind.MAILDIR:
            return MaildirShelf(self._ledger, id_, strangers, self._folder(mailbox))
        if self._delivery is None:
            self._delivery = _delivery(self._account)
        return HandOver(self._ledger, id_, strangers, self._delivery, self._data.folder)

    def shown(self, mailbox: RemoteMailbox) -> str:
        """Where that is, as it can be shown."""
        if self._destination.kind is DestinationKind.COMMAND:
            # Its arguments may be nobody's business.
            return self._destination.kind.value
        if self._destination.kind is DestinationKind.LMTP:
            return clean(str(self._destination))
        root = self._root or self._given_root()
        if root is None:
            return ""
        return clean(str(MaildirFolder(root, folder_of(self._account, mailbox), "").path))

    async def find_root(self) -> None:
        """Learn where the tree is; an account's own gets its name now. Raises StorageError."""
        if self._destination.kind is DestinationKind.MAILDIR:
            self._root = self._given_root()
            if self._root is None:
                self._root = self._data.mail / await off_loop(lambda: self._ledger.folder(self._account.name))

    async def close(self) -> None:
        """Let go of it."""
        if self._delivery is not None:
            await self._delivery.close()

    def _given_root(self) -> Path | None:
        return Path(self._destination.value).expanduser() if self._destination.value else None

    def _folder(self, mailbox: RemoteMailbox) -> MaildirFolder:
        assert self._root is not None
        folder = MaildirFolder(self._root, folder_of(self._account, mailbox), self._ledger.token)
        folder.make()
        folder.sweep()
        return folder


def _delivery(account: Account) -> Delivery:
    # Imported here: most mail goes into a Maildir.
    assert account.retrieval is not None
    value = account.retrieval.destination.value
    if account.retrieval.destination.kind is DestinationKind.LMTP:
        from mailtui.actions.delivery_lmtp import LmtpDelivery

        return LmtpDelivery(value, account.email)
    from mailtui.actions.delivery_command import CommandDelivery

    return CommandDelivery(value, account_name=account.name, recipient=account.email)
