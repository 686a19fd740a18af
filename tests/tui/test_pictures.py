"""The pictures in screenshots/ are those that the program draws now."""

import os

import pytest

from tests.tui.pictures import FOLDER, SCENES, Scene, draw


@pytest.mark.parametrize("scene", SCENES, ids=lambda scene: "+".join(scene.names))
async def test_pictures_are_those_kept(scene: Scene) -> None:
    """MAILTUI_UPDATE_SCREENSHOTS=1 writes the pictures instead; look at them before they are kept."""
    for name, drawn in (await draw(scene)).items():
        path = FOLDER / f"{name}.svg"
        if os.environ.get("MAILTUI_UPDATE_SCREENSHOTS"):
            path.write_text(drawn, encoding="utf-8")
        assert path.is_file(), f"{path.name} is missing; run `make screenshots` and look at it"
        kept = path.read_text(encoding="utf-8")
        assert drawn == kept, f"{path.name} differs; run `make screenshots` and look at it"


def test_every_picture_kept_is_drawn_by_a_scene() -> None:
    names = [name for scene in SCENES for name in scene.names]
    assert len(names) == len(set(names))
    assert {path.stem for path in FOLDER.glob("*.svg")} == set(names)


def test_pictures_are_small_enough_to_be_kept() -> None:
    assert sum(path.stat().st_size for path in FOLDER.glob("*.svg")) < 6 << 20


def test_pictures_need_no_other_server() -> None:
    for path in FOLDER.glob("*.svg"):
        svg = path.read_text(encoding="utf-8")
        assert "@font-face" not in svg
        assert "cdnjs" not in svg
        assert "DejaVu Sans Mono" in svg
