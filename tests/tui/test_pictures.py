"""The pictures in screenshots/ are those that the program draws now."""

import os

import pytest

from tests.tui.pictures import FOLDER, SCENES, Scene, draw


@pytest.mark.parametrize("scene", SCENES, ids=lambda scene: scene.name)
async def test_picture_is_the_one_kept(scene: Scene) -> None:
    """MAILTUI_UPDATE_SCREENSHOTS=1 writes the pictures instead; look at them before they are kept."""
    drawn = await draw(scene)
    path = FOLDER / f"{scene.name}.svg"
    if os.environ.get("MAILTUI_UPDATE_SCREENSHOTS"):
        path.write_text(drawn, encoding="utf-8")
    kept = path.read_text(encoding="utf-8")
    assert drawn == kept, f"{path.name} differs; run `make screenshots` and look at it"


def test_every_picture_kept_is_drawn_by_a_scene() -> None:
    assert {path.stem for path in FOLDER.glob("*.svg")} == {scene.name for scene in SCENES}


def test_pictures_need_no_other_server() -> None:
    for path in FOLDER.glob("*.svg"):
        svg = path.read_text(encoding="utf-8")
        assert "@font-face" not in svg
        assert "cdnjs" not in svg
        assert "DejaVu Sans Mono" in svg
