"""What stands below the fields of the form: problems, warnings, what a provider wants, where a password goes."""

from collections import defaultdict
from collections.abc import Callable, Mapping
from pathlib import Path

from mailtui.diagnosis.providers import provider_note
from mailtui.model.text import clean
from mailtui.storage.secrets import SourceState
from mailtui.tui.form.field import PASSWORDS
from mailtui.tui.form.state import FormState
from mailtui.tui.words import Role

Note = tuple[Role, str]
"""What is said below a field. A DIM one takes one line and is cut where it is longer."""


def notes_of(
    state: FormState, told: Callable[[str], bool], sources: Mapping[str, SourceState]
) -> dict[str, list[Note]]:
    """The notes by field. `told` says whether a field may be found fault with yet; `sources` are by scheme."""
    notes: defaultdict[str, list[Note]] = defaultdict(list)
    for key, message in state.problems():
        if told(key):
            notes[key].append((Role.FAILED, message))
    for key, message in state.warnings():
        # That no password is typed is no news before one could be.
        if key not in notes and (key not in PASSWORDS or told(key)):
            notes[key].append((Role.WARNING, message))
    for key in PASSWORDS:
        leg = key.partition(".")[0]
        provider = provider_note(str(state.value(f"{leg}.host")), str(state.value("email")))
        if state.shown(key) and provider is not None:
            notes[key].append((Role.PLAIN, f"{provider.text} {provider.url}"))
        source = sources.get(str(state.value(f"{leg}.secret")))
        if state.shown(f"{leg}.secret") and source is not None:
            notes[f"{leg}.secret"].append(_source_note(source))
    return dict(notes)


def _source_note(source: SourceState) -> Note:
    home = str(Path.home())
    detail = source.detail.replace(f"{home}/", "~/") if len(home) > 1 else source.detail
    if source.usable:
        return Role.DIM, clean(detail)
    remedy = f"; {source.remedy}" if source.remedy else ""
    return Role.WARNING, clean(f"cannot be used here: {detail}{remedy}")


def units_of(state: FormState) -> dict[str, str]:
    """What stands right of a password: where it will be stored."""
    return {key: f"into the {state.value(key.replace('password', 'secret'))}" for key in PASSWORDS}
