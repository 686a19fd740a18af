"""What to do about those of many accounts that failed: told at the end, and once where many have the same fault."""

from mailtui.cli.output import Output
from mailtui.cli.remedies import Remedies
from mailtui.model.check import Leg, LegReport


class ToDo:
    """Gathers what to do, and about which legs of which accounts."""

    def __init__(self, output: Output, remedies: Remedies) -> None:
        self._output = output
        self._remedies = remedies
        self._legs: dict[str, dict[str, list[Leg]]] = {}

    def add(self, account: str, leg: LegReport) -> bool:
        """Take note of what to do about a leg; whether there is anything."""
        todo = self._remedies.brief(account, leg)
        if todo:
            self._legs.setdefault(todo, {}).setdefault(account, []).append(leg.leg)
        return bool(todo)

    def tell(self) -> None:
        """Print it, below an empty line; nothing where there is nothing to do."""
        if self._legs:
            self._output.line()
        for todo, legs in sorted(self._legs.items(), key=lambda one: min(one[1])):
            named = [(account, ", ".join(leg.value for leg in legs[account])) for account in sorted(legs)]
            if len(named) == 1:
                ((account, which),) = named
                self._output.line(f"{account}  {which:<8}  {todo}")
                continue
            self._output.line(f"{len(named)} accounts: {todo}")
            for account, which in named:
                self._output.line(f"    {account}  {which}")
