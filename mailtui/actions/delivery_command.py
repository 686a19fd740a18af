"""Delivery to a command that reads a message from its input: an MDA, such as procmail, maildrop or dovecot-lda."""

from collections.abc import Iterator

from mailtui.actions.delivery import PIECE, Delivery, Letter, Rejected
from mailtui.model.address import plain_address
from mailtui.model.check import Cause
from mailtui.protocols.faults import WireError
from mailtui.storage.mda import HandoverFailed, hand_over


class CommandDelivery(Delivery):
    """`command` is one of the shell; it finds the account's name, its address and the sender in its environment."""

    def __init__(self, command: str, *, account_name: str, recipient: str) -> None:
        self._command = command
        self._environment = {"MAILTUI_ACCOUNT": account_name, "RECIPIENT": recipient}

    async def deliver(self, letter: Letter) -> None:
        """See `Delivery.deliver`."""
        environment = {**self._environment, "SENDER": plain_address(letter.sender)}
        try:
            await hand_over(self._command, _pieces(letter), environment)
        except HandoverFailed as error:
            if error.is_about_message:
                raise Rejected(error.hint, error.words) from error
            raise WireError(Cause.NOT_DELIVERED, error.hint, error.words) from error


def _pieces(letter: Letter) -> Iterator[bytes]:
    """The octets of `letter`, for a thread."""
    if letter.file is not None:
        letter.file.seek(0)
        while piece := letter.file.read(PIECE):
            yield piece
    yield from letter.chunks
