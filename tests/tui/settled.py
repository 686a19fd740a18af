"""A running app with settings of a person's own."""

from collections.abc import AsyncIterator, Callable, Iterable
from contextlib import asynccontextmanager

from mailtui.model.account import Account
from mailtui.model.check import CheckReport
from mailtui.storage.settings import Settings
from mailtui.tui.app import MailtuiApp
from mailtui.tui.desk import Loading
from tests.tui.people import PEOPLE
from tests.tui.retrieved import ScriptedRetrievals
from tests.tui.world import MemorySecrets, MemoryStore, ScriptedChecks, World, scripted


@asynccontextmanager
async def settled_world(
    settings: Settings,
    save_theme: Callable[[str], None] | None = None,
    *,
    accounts: Iterable[Account] = PEOPLE,
    reports: dict[str, CheckReport] | None = None,
    size: tuple[int, int] = (80, 24),
    checks: ScriptedChecks | None = None,
) -> AsyncIterator[World]:
    """`tests.tui.world.world`, with settings."""
    store, checks = MemoryStore(accounts, reports), checks or ScriptedChecks()
    retrievals = ScriptedRetrievals()
    app = MailtuiApp(scripted(store, MemorySecrets().of, checks, retrievals), settings, save_theme)
    async with app.run_test(size=size, notifications=True) as pilot:
        running = World(app, pilot, store, checks, retrievals)
        await running.until(lambda: app.desk.state is not Loading.BUSY)
        yield running
