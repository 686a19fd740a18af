"""Draw the pictures again: `python -m tests.tui.make_screenshots [NAME...]`."""

import asyncio
import sys

from tests.tui.pictures import FOLDER, SCENES, draw


def main() -> int:
    """Write every picture, or those named; of all, those that no scene draws any more are removed."""
    wanted = set(sys.argv[1:])
    known = {name for scene in SCENES for name in scene.names}
    if unknown := wanted - known:
        print(f"no scene draws {', '.join(sorted(unknown))}", file=sys.stderr)
        return 2
    FOLDER.mkdir(exist_ok=True)
    for scene in SCENES:
        if not wanted or not wanted.isdisjoint(scene.names):
            for name, picture in asyncio.run(draw(scene)).items():
                if not wanted or name in wanted:
                    (FOLDER / f"{name}.svg").write_text(picture, encoding="utf-8")
                    print(f"{name}.svg", flush=True)
    if not wanted:
        for path in FOLDER.glob("*.svg"):
            if path.stem not in known:
                path.unlink()
                print(f"{path.name} removed")
    return 0


if __name__ == "__main__":
    sys.exit(main())
