"""What the screens with a list of accounts do about retrievals."""

from collections.abc import Sequence

from mailtui.tui.screens.records import RecordsScreen


class RetrievingScreen(RecordsScreen):
    """A list of accounts whose mail can be fetched, and left to be."""

    def check_action(self, action: str, parameters: tuple[object, ...]) -> bool | None:
        """What needs an account as a test does is offered as that is."""
        return super().check_action("test" if action in ("retrieve", "dry_run") else action, parameters)

    def action_retrieve(self) -> None:
        """Fetch the mail of the selected accounts, else of the one under the cursor."""
        if names := self.targets():
            self.retrieve(names, self.told_of(names))

    def retrieve(self, names: Sequence[str], whose: str) -> None:
        """Fetch the mail of `names`, called `whose` in a sentence."""
        receiving = [name for name in names if self._board.account(name).retrieval is not None]
        started = self._desk.retriever.retrieve(receiving)
        if not receiving:
            self._desk.say(f"{whose}: only sends mail, so there is nothing to retrieve.")
        elif not started:
            self._desk.say(f"{whose}: already being retrieved or tested.")
        elif len(names) > 1:
            left_out = len(names) - started
            busy = f" {left_out} of them only send, or are being retrieved already." if left_out else ""
            self._desk.say(f"Retrieving {whose}.{busy}")

    def give_up_retrievals(self) -> bool:
        """Cancel all retrievals that were not cancelled already."""
        return self.cancel_retrievals(None)

    def give_up_own_retrievals(self) -> bool:
        """Cancel those that a person began."""
        return self.cancel_retrievals(None, by_hand=True)

    def cancel_retrievals(self, names: Sequence[str] | None, *, by_hand: bool = False) -> bool:
        stopped = self._desk.retriever.cancel(names, by_hand=by_hand)
        if stopped:
            whose = stopped[0] if len(stopped) == 1 else f"{len(stopped)} accounts"
            self._desk.say(f"Cancelled the retrieval of {whose}; what was fetched is kept.")
        return bool(stopped)
