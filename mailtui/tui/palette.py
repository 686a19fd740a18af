"""The command palette: every action that can be done now, found by its name or by what it does."""

from textual.app import SystemCommand
from textual.command import DiscoveryHit, Hit, Hits, Provider

_BY_WHAT = 0.5
"""What a match in the explanation counts beside one in the name."""


class ActionsProvider(Provider):
    """Offers the app's `get_system_commands`, in their order: what has the focus first."""

    async def discover(self) -> Hits:
        """All of them."""
        for command in self._commands():
            yield DiscoveryHit(command.title, command.callback, help=command.help)

    async def search(self, query: str) -> Hits:
        """Those whose name or explanation has the letters of `query` in their order."""
        matcher = self.matcher(query)
        for command in self._commands():
            by_name, by_what = matcher.match(command.title), matcher.match(command.help)
            if by_name <= 0 and by_what <= 0:
                continue
            yield Hit(
                max(by_name, by_what * _BY_WHAT), matcher.highlight(command.title), command.callback, help=command.help
            )

    def _commands(self) -> list[SystemCommand]:
        return list(self.app.get_system_commands(self.screen))
