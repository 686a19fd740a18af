"""What is wrong with a leg, why, and what to do, as paragraphs: ours first, then the server's words, then facts."""

from collections.abc import Iterator, Sequence

from mailtui.model.diagnosis import UNKNOWN, Diagnosis
from mailtui.model.server import FamilyFacts, Found, Service
from mailtui.model.text import clean
from mailtui.model.watch import untold_changes
from mailtui.tui.flow import Paragraph
from mailtui.tui.legs import LegView
from mailtui.tui.setting_lines import fact, heading
from mailtui.tui.words import STAGE_NAMES, Mark, Role, duration

_BLANK = Paragraph()
_SERVICES = {Service.HTTP: "a web server", Service.SSH: "an SSH server", Service.OTHER: "something else"}


def verdict(view: LegView) -> Iterator[Paragraph]:
    """The failure or the warning with its diagnosis, what the server changed, and what else answers."""
    if (failure := view.failure) is not None:
        yield _BLANK
        yield Paragraph(((f"{Mark.FAILED.glyph} {STAGE_NAMES[failure.stage]} failed", Role.FAILED),))
        yield Paragraph((), clean(failure.hint), Role.FAILED, 2)
    elif view.warning:
        yield _BLANK
        yield Paragraph(((Mark.WARNING.glyph, Role.WARNING),), clean(view.warning), Role.WARNING, 2)
    yield from _diagnosis(view, Role.FAILED if failure is not None else Role.WARNING)
    if failure is not None:
        if failure.reply:
            yield Paragraph((), clean(f"server said: {failure.reply}"), Role.PLAIN, 2)
        yield Paragraph((), f"({failure.cause.value})", Role.DIM, 2)
    if (report := view.report) is not None:
        if line := untold_changes(report):
            if failure is None and not view.warning:
                yield _BLANK
            mark = Mark.FAILED if failure is not None and report.has_alarming_change else Mark.WARNING
            yield Paragraph(((mark.glyph, mark.role),), clean(line), mark.role, 2)
        yield from _found(report.found)


def _diagnosis(view: LegView, role: Role) -> Iterator[Paragraph]:
    diagnosis: Diagnosis | None = view.diagnosis
    if diagnosis is None:
        return
    if diagnosis.rule == UNKNOWN:
        yield fact("What it is", "Cause unknown", role)
    for label, words, look in (
        ("What it is", diagnosis.cause, role),
        ("Why", diagnosis.explanation, Role.PLAIN),
        ("What to do", diagnosis.fix, Role.STRONG),
        ("Help", diagnosis.url, Role.PLAIN),
    ):
        if words:
            yield fact(label, words, look)
    if view.key_words:
        yield fact("Press", view.key_words, Role.BUSY)


def _found(found: Sequence[Found]) -> Iterator[Paragraph]:
    for number, one in enumerate(found):
        what = _SERVICES.get(one.service) or f"{one.service.value.upper()}, {one.security.label}"
        words = f": {one.words}" if one.words else ""
        yield fact("" if number else "What answers", f"port {one.port}: {what}{words}")


def families(found: Sequence[FamilyFacts]) -> Iterator[Paragraph]:
    """Each address family of a host that has both, judged apart."""
    if not found:
        return
    yield from heading("Addresses")
    for family in found:
        if family.ms is not None:
            yield fact(family.family, f"{family.address} answered in {duration(family.ms)}", Role.OK)
        elif family.is_silent:
            cost = "silent: every program that tries it first waits until it gives up"
            yield fact(family.family, f"{family.address} {cost}", Role.FAILED)
        else:
            yield fact(family.family, f"{family.address} {family.error or 'did not answer'}", Role.FAILED)
