"""Turn the pictures into PNGs to look at: `python -m tests.tui.render FOLDER [PATTERN]`."""

import re
import sys
from pathlib import Path

import resvg_py

from tests.tui.pictures import FOLDER


def main() -> int:
    """Write a PNG into FOLDER for each picture whose name matches PATTERN."""
    if len(sys.argv) < 2:
        print(__doc__, file=sys.stderr)
        return 2
    into = Path(sys.argv[1])
    into.mkdir(parents=True, exist_ok=True)
    for path in sorted(FOLDER.glob("*.svg")):
        if len(sys.argv) < 3 or re.search(sys.argv[2], path.stem):
            (into / f"{path.stem}.png").write_bytes(bytes(resvg_py.svg_to_bytes(svg_string=path.read_text("utf-8"))))
            print(into / f"{path.stem}.png")
    return 0


if __name__ == "__main__":
    sys.exit(main())
