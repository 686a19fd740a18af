"""docs/hostile.md: its table, made from the registry and from what one run of it took."""

from collections.abc import Iterable, Mapping
from dataclasses import dataclass
from itertools import groupby
from pathlib import Path

from mailtui.model.account import Protocol
from tests.hostile.registry import CHAPTERS
from tests.hostile.scenario import Scenario

DOCUMENT = Path(__file__).parents[2] / "docs" / "hostile.md"
_BEGIN, _END = "<!-- scenarios: begin -->\n", "<!-- scenarios: end -->\n"
_HEAD = ("protocol", "scenario", "what the server does", "verdict", "s", "MiB")


@dataclass(frozen=True)
class Measure:
    """What a leg took: seconds until it had its verdict, and the peak of the memory that Python gave out, in octets."""

    seconds: float
    octets: int


def rows(chapter: Iterable[Scenario]) -> list[tuple[Protocol, str, list[Scenario]]]:
    """The scenarios of each row: those of one protocol and one group."""
    ordered = sorted(chapter, key=lambda scenario: list(Protocol).index(scenario.protocol))
    found: dict[tuple[Protocol, str], list[Scenario]] = {}
    for scenario in ordered:
        found.setdefault(scenario.row, []).append(scenario)
    return [(protocol, name, scenarios) for (protocol, name), scenarios in found.items()]


def facts() -> list[tuple[str, ...]]:
    """What the document must say of every row, measures aside."""
    return [
        (protocol.label, name, _what(scenarios), _verdicts(scenarios))
        for chapter in CHAPTERS.values()
        for protocol, name, scenarios in rows(chapter)
    ]


def facts_written() -> list[tuple[str, ...]]:
    """The same, as the document has it."""
    _, rest = DOCUMENT.read_text().split(_BEGIN)
    lines = [line for line in rest.split(_END)[0].splitlines() if line.startswith("| ")]
    cells = [tuple(cell.strip() for cell in line.strip("| ").split(" | ")) for line in lines]
    return [row[:4] for row in cells if row != _HEAD]


def write_measures(text: str, taken: Mapping[str, Measure]) -> str:
    """The document `text` with a new table."""
    before, rest = text.split(_BEGIN)
    tables = "\n".join(_table(title, chapter, taken) for title, chapter in CHAPTERS.items())
    return f"{before}{_BEGIN}\n{tables}\n{_END}{rest.split(_END)[1]}"


def _table(title: str, chapter: Iterable[Scenario], taken: Mapping[str, Measure]) -> str:
    lines = [f"### {title}", "", _line(_HEAD), "|---|---|---|---|--:|--:|"]
    for protocol, name, scenarios in rows(chapter):
        measures = [taken[scenario.id] for scenario in scenarios]
        seconds = max(measure.seconds for measure in measures)
        mebibytes = max(measure.octets for measure in measures) / (1 << 20)
        cells = (protocol.label, name, _what(scenarios), _verdicts(scenarios), f"{seconds:.2f}", f"{mebibytes:.1f}")
        lines.append(_line(cells))
    return "\n".join([*lines, ""])


def _line(cells: Iterable[str]) -> str:
    return f"| {' | '.join(cells)} |"


def _what(scenarios: list[Scenario]) -> str:
    """What the server does, and in how many ways."""
    words = scenarios[0].what.replace("|", "\\|")
    return words if len(scenarios) == 1 else f"{words} ({len(scenarios)} ways)"


def _verdicts(scenarios: list[Scenario]) -> str:
    """Stage and cause, or causes where they differ; `good` where the leg goes on to its good end."""
    said = [
        ("good", "") if scenario.verdict is None else (scenario.verdict[1].value, scenario.verdict[0].value)
        for scenario in scenarios
    ]
    parts = []
    for cause, same in groupby(sorted(dict.fromkeys(said), key=lambda pair: pair[0]), key=lambda pair: pair[0]):
        stages = [stage for _, stage in same if stage]
        parts.append(f"{', '.join(stages)}: {cause}" if stages else cause)
    return "; ".join(parts)
