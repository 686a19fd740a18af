"""Draw the pictures again: `python -m tests.tui.make_screenshots [NAME...]`."""

import asyncio
import sys

from tests.tui.pictures import FOLDER, SCENES, draw


def main() -> int:
    """Write every picture, or those named."""
    wanted = set(sys.argv[1:])
    FOLDER.mkdir(exist_ok=True)
    for scene in SCENES:
        if not wanted or scene.name in wanted:
            (FOLDER / f"{scene.name}.svg").write_text(asyncio.run(draw(scene)), encoding="utf-8")
            print(f"{scene.name}.svg")
    return 0


if __name__ == "__main__":
    sys.exit(main())
