"""Our themes: all text of the one for high contrast keeps the enhanced ratio of WCAG 2.2, marks the usual one."""

from collections.abc import Iterator

import pytest
from rich.color import Color
from rich.segment import Segment
from rich.style import Style

from mailtui.tui.themes import CONTRAST, DARK, LIGHT
from tests.tui.people import PEOPLE, REPORTS
from tests.tui.world import ScriptedChecks, World, world

_FRAMES = set("╭╮╰╯│─┌┐└┘▁▔▕▏▎▊▋▌▍▉█▂▃▄▅▆▇ ")


def luminance(color: Color) -> float:
    """WCAG 2.2, relative luminance."""
    channels = [value / 255 for value in color.get_truecolor()]
    red, green, blue = (c / 12.92 if c <= 0.04045 else ((c + 0.055) / 1.055) ** 2.4 for c in channels)
    return 0.2126 * red + 0.7152 * green + 0.0722 * blue


def ratio(one: Color, other: Color) -> float:
    """WCAG 2.2, contrast ratio."""
    light, dark = sorted((luminance(one), luminance(other)), reverse=True)
    return (light + 0.05) / (dark + 0.05)


def pieces(running: World) -> Iterator[tuple[str, Style]]:
    """Every text on the screen that is more than a frame, with its style."""
    for strip in running.app.screen._compositor.render_strips():
        segment: Segment
        for segment in strip:
            if segment.style is not None and not set(segment.text) <= _FRAMES:
                yield segment.text, segment.style


def weakest(running: World) -> tuple[float, str]:
    """The lowest contrast of any text on the screen."""
    found = [
        (ratio(style.color, style.bgcolor), text)
        for text, style in pieces(running)
        if style.color is not None and style.bgcolor is not None
    ]
    assert len(found) > 5
    return min(found)


def test_the_ratio_is_that_of_the_standard() -> None:
    black, white, grey = (Color.parse(name) for name in ("#000000", "#ffffff", "#767676"))
    assert ratio(black, white) == pytest.approx(21)
    assert ratio(white, grey) == pytest.approx(4.54, abs=0.01)


@pytest.mark.parametrize("keys", [(), ("down",), ("T",), ("slash", *"imap"), ("enter",), ("question_mark",), ("f7",)])
async def test_all_text_of_high_contrast_is_enhanced(keys: tuple[str, ...]) -> None:
    checks = ScriptedChecks(steps=3, held=True)
    async with world(PEOPLE, REPORTS, size=(120, 40), checks=checks) as running:
        running.app.theme = CONTRAST.name
        running.app.notify("a warning", severity="warning", timeout=600)
        await running.until(lambda: running.app.notice is not None)
        await running.press(*keys)
        await running.pilot.pause()
        if not keys or keys[0] not in ("question_mark", "f7"):
            least, text = weakest(running)
            assert least >= 7, text
        else:
            # Behind a dialog the rest is dimmed on purpose.
            dialog = running.app.screen.query_one(".dialog").region
            rows = range(dialog.y + 1, dialog.bottom - 1)
            strips = running.app.screen._compositor.render_strips()
            inside = [strips[row].crop(dialog.x + 1, dialog.right - 1) for row in rows]
            ratios = [
                (ratio(segment.style.color, segment.style.bgcolor), segment.text)
                for strip in inside
                for segment in strip
                if segment.style and segment.style.color and segment.style.bgcolor and not set(segment.text) <= _FRAMES
            ]
            assert ratios
            assert min(ratios)[0] >= 7, min(ratios)


async def test_the_cursor_of_high_contrast_stands_out() -> None:
    async with world(PEOPLE, REPORTS, size=(120, 40)) as running:
        running.app.theme = CONTRAST.name
        await running.pilot.pause()
        name = running.list.selected
        assert name is not None
        ((text, style),) = [(text, style) for text, style in pieces(running) if name[:8] in text and style.reverse]
        assert style.color is not None
        assert style.bgcolor is not None
        assert ratio(style.color, style.bgcolor) >= 7, text


@pytest.mark.parametrize("theme", [DARK, LIGHT], ids=lambda theme: theme.name)
async def test_marks_and_names_of_the_usual_themes_can_be_read(theme: object) -> None:
    async with world(PEOPLE, REPORTS, size=(120, 40)) as running:
        running.app.theme = getattr(theme, "name", "")
        await running.pilot.pause()
        marks = [
            (ratio(style.color, style.bgcolor), text)
            for text, style in pieces(running)
            if text.strip() in ("✓", "✗", "▲") and style.color is not None and style.bgcolor is not None
        ]
        assert {text.strip() for _, text in marks} == {"✓", "✗", "▲"}
        assert min(marks)[0] >= 4.5, min(marks)
