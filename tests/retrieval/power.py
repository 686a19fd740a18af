"""What a loss of power leaves of a folder: what was not synced is gone.

By the journal of `crashing`: a file that was not synced after its last write is empty; a name that was given in a
folder that was not synced since is not there (a renamed file has its old one again); a folder that was made so is gone
with all in it. A synced file keeps the name under which it was made. The database syncs by itself.
"""

import json
import os
import shutil
from pathlib import Path


def lose_power(journal: Path) -> None:
    """Do to the data folder what the journal leaves open."""
    paths: dict[str, str] = {}
    dirty: set[str] = set()
    made: list[str] = []
    renamed: list[tuple[str, str]] = []
    for line in journal.read_text().splitlines():
        name, about, _ = json.loads(line)
        match name:
            case "open":
                path, descriptor, creates = about
                paths[descriptor] = path
                if creates == "1":
                    dirty.add(path)
            case "write" | "writev":
                dirty.add(paths[about[0]])
            case "fsync" | "fdatasync":
                path = paths[about[0]]
                dirty.discard(path)
                made = [folder for folder in made if os.path.dirname(folder) != path]
                renamed = [(old, new) for old, new in renamed if os.path.dirname(new) != path]
            case "rename" | "replace":
                old, new = about
                renamed.append((old, new))
                if old in dirty:
                    dirty.discard(old)
                    dirty.add(new)
            case "mkdir":
                made.append(about[0])
    for path in dirty:
        if os.path.isfile(path) and f"{os.sep}locks{os.sep}" not in path and ".db" not in path:
            os.truncate(path, 0)
    for old, new in reversed(renamed):
        if os.path.lexists(new) and not os.path.lexists(old):
            os.rename(new, old)
    for folder in made:
        shutil.rmtree(folder, ignore_errors=True)
