"""The lines of one leg's panel, made to fit: a failure is always readable, whatever else has to give way."""

from mailtui.model.text import clean, shorten
from mailtui.tui.legs import LegView, StageView
from mailtui.tui.words import STAGE_COLUMNS, STAGE_NAMES, Mark, Role, duration, wrap

Span = tuple[str, Role]
Line = tuple[Span, ...]

_MS_COLUMNS = 7
_BUSY = frozenset({Mark.BEGUN, Mark.HALFWAY, Mark.NEARLY, Mark.QUEUED})


def ladder_lines(view: LegView, columns: int, rows: int, *, more: str = "enter") -> list[Line]:
    """At most `rows` lines of at most `columns` columns for `view`; the key `more` shows what has no room.

    What does not fit gives way in this order: the skipped stages become one line, the passed ones fold into one
    from the top, what the diagnosis knows beside the cause is left out, then both, and last the server's words are
    cut with a pointer to the details.
    """
    if view.endpoint is None:
        only_sends: Line = (("This account only sends mail.", Role.DIM),)
        return [only_sends][:rows]
    passed, failed, rest = _parts(view, columns)
    told = _verdict(view, columns, named=bool(failed))
    told += _more(view, columns, rows - len(failed) - len(told) - min(len(passed), 1) - min(len(rest), 1))
    taken = len(passed) + len(failed) + len(told)
    if taken + len(rest) > rows and view.failure is not None:
        rest = _skipped(view, columns)
        if taken + len(rest) > rows:
            rest = _skipped_in_one(view, columns)
    room = rows - len(failed) - len(told) - len(rest)
    if room < min(len(passed), 1) and view.failure is not None:
        room += len(rest)
        rest = []
    passed = _fold(view, passed, columns, max(room, 0))
    lines = [*passed, *failed, *told, *rest]
    if len(lines) <= rows:
        return lines
    return [*lines[: max(rows - 1, 0)], ((shorten(f"… {more} shows all", columns), Role.DIM),)][:rows]


def _parts(view: LegView, columns: int) -> tuple[list[Line], list[Line], list[Line]]:
    """The stage lines before the failed one, that one, and those after it."""
    at = next((index for index, stage in enumerate(view.stages) if stage.mark is Mark.FAILED), None)
    if at is None:
        if view.failure is not None:
            return [], [], [stage_line(stage, columns) for stage in view.stages]
        return [stage_line(stage, columns) for stage in view.stages], [], []
    lines = [stage_line(stage, columns) for stage in view.stages]
    # A leg that failed before it began has skipped stages in front, too: they are told with the others.
    walked = [line for line, stage in zip(lines[:at], view.stages, strict=False) if stage.mark is not Mark.SKIPPED]
    return walked, lines[at : at + 1], lines[at + 1 :]


def stage_line(stage: StageView, columns: int, name: str = "") -> Line:
    """One stage: mark, name, time, detail."""
    name = (name or STAGE_NAMES[stage.stage]).ljust(STAGE_COLUMNS)
    role = {Mark.FAILED: Role.FAILED, Mark.OK: Role.PLAIN}.get(stage.mark, Role.DIM)
    if stage.mark in _BUSY:
        role = Role.BUSY
    line: list[Span] = [(f"{stage.mark.glyph} ", stage.mark.role), (name, role)]
    if stage.ms is not None:
        line.append((" " + duration(stage.ms).rjust(_MS_COLUMNS), Role.DIM))
    # The failure's own lines tell more than the detail of its stage.
    room = columns - 2 - STAGE_COLUMNS - 1 - _MS_COLUMNS - 2
    if stage.detail and stage.mark is not Mark.FAILED and room >= 4:
        line.append(("  " + shorten(clean(stage.detail), room), Role.DIM))
    return tuple(line)


def _verdict(view: LegView, columns: int, *, named: bool) -> list[Line]:
    """The failure in our words and the server's, or the warning. Unless `named`, the failure's stage is told too."""
    lines: list[Line] = []
    if view.failure is not None:
        if not named:
            name = STAGE_NAMES[view.failure.stage]
            lines.append(((f"{Mark.FAILED.glyph} ", Role.FAILED), (name, Role.FAILED)))
        diagnosis = view.diagnosis
        cause = diagnosis.cause if diagnosis is not None and diagnosis.cause else view.failure.hint
        lines += [((f"  {line}", Role.FAILED),) for line in wrap(clean(cause), columns - 2)]
        # Before the server's words: they may be long, and this says which key ends the trouble.
        lines += [((f"  {line}", Role.STRONG),) for line in wrap(view.key_words, columns - 2)]
        if view.failure.reply:
            said = f"server said: {clean(view.failure.reply)}"
            lines += [((f"  {line}", Role.PLAIN),) for line in wrap(said, columns - 2)]
    elif view.warning:
        first, *others = wrap(clean(view.warning), columns - 2) or [""]
        lines.append(((f"{Mark.WARNING.glyph} ", Role.WARNING), (first, Role.WARNING)))
        lines += [((f"  {line}", Role.WARNING),) for line in others]
        lines += [((f"  {line}", Role.STRONG),) for line in wrap(view.key_words, columns - 2)]
    return lines


def _more(view: LegView, columns: int, room: int) -> list[Line]:
    """What a diagnosis knows beside the cause, as far as there is room: what to do, then what exactly was seen."""
    if view.failure is None or view.diagnosis is None or not view.diagnosis.cause:
        return []
    fix = "" if view.key_words else clean(view.diagnosis.fix)
    told: list[Line] = [((f"  {line}", Role.STRONG),) for line in wrap(fix, columns - 2)]
    if len(told) > room:
        told = []
    seen: list[Line] = [((f"  {line}", Role.PLAIN),) for line in wrap(clean(view.failure.hint), columns - 2)]
    return [*seen, *told] if len(seen) + len(told) <= room else told


def _skipped(view: LegView, columns: int) -> list[Line]:
    """The skipped stages in a few words."""
    names = [STAGE_NAMES[stage.stage] for stage in view.stages if stage.mark is Mark.SKIPPED]
    if not names:
        return []
    first, *others = wrap(f"skipped: {', '.join(names)}", columns - 2)
    return [((f"{Mark.SKIPPED.glyph} {first}", Role.DIM),), *(((f"  {line}", Role.DIM),) for line in others)]


def _skipped_in_one(view: LegView, columns: int) -> list[Line]:
    """The same in one line, cut where it is too long."""
    words = " ".join(text.strip() for line in _skipped(view, columns) for text, _ in line)
    return [((shorten(words, columns), Role.DIM),)] if words else []


def _fold(view: LegView, lines: list[Line], columns: int, rows: int) -> list[Line]:
    """`lines` in at most `rows`: the oldest stages that have passed become one line."""
    if len(lines) <= rows or rows == 0:
        return lines[:rows]
    folded = view.stages[: len(lines) - rows + 1]
    finished = sum(1 for stage in folded if stage.ms is not None)
    if finished < len(folded):
        # Stages that still wait are many at the start only: the last of them are the least missed.
        return lines[:rows]
    passed = StageView(
        folded[0].stage,
        Mark.OK,
        sum(stage.ms or 0.0 for stage in folded),
        f"{STAGE_NAMES[folded[0].stage]}{', ' if len(folded) == 2 else ' … '}{STAGE_NAMES[folded[-1].stage]}",
    )
    return [stage_line(passed, columns, f"{len(folded)} stages"), *lines[len(folded) :]]
