"""Delivery to a mail server of one's own, by LMTP."""

from mailtui.actions.delivery import Delivery, Letter, Rejected
from mailtui.model.check import Cause
from mailtui.protocols.faults import WireError, system_words
from mailtui.protocols.lmtp import LmtpClient, Refused


class LmtpDelivery(Delivery):
    """`place` is `HOST:PORT` or the path of a socket; `recipient` is the account's email address."""

    def __init__(self, place: str, recipient: str) -> None:
        self._client = LmtpClient(place, recipient)

    async def deliver(self, letter: Letter) -> None:
        """See `Delivery.deliver`."""
        try:
            await self._client.deliver(letter.sender, letter.octets, letter.pieces())
        except Refused as error:
            raise Rejected(error.hint, error.reply) from error
        except OSError as error:
            hint = f"the message could not be read back on this machine: {system_words(error)}"
            raise WireError(Cause.NOT_DELIVERED, hint) from error

    async def close(self) -> None:
        """See `Delivery.close`."""
        await self._client.close()
