"""Run one command and tell what it cost, as one JSON line. Runs by itself: `python -I -S launch.py`, job on stdin.

A process of its own, kept tiny, because the kernel counts the memory of the process that spawned a command as the
command's own until its exec: spawned from here, the reading starts at this small interpreter's size.
"""

import json
import os
import sys
import time


def main() -> None:
    """Read {argv, environment, directory, stdout, stderr}; print {status, wall, user, system, peak_kib}."""
    job = json.load(sys.stdin)
    os.chdir(job["directory"])
    flags = os.O_WRONLY | os.O_CREAT | os.O_TRUNC
    files = [
        (os.POSIX_SPAWN_OPEN, 0, os.devnull, os.O_RDONLY, 0),
        (os.POSIX_SPAWN_OPEN, 1, job["stdout"], flags, 0o600),
        (os.POSIX_SPAWN_OPEN, 2, job["stderr"], flags, 0o600),
    ]
    started = time.perf_counter()
    pid = os.posix_spawnp(job["argv"][0], job["argv"], {**os.environ, **job["environment"]}, file_actions=files)
    _, status, usage = os.wait4(pid, 0)
    wall = time.perf_counter() - started
    answer = {
        "status": os.waitstatus_to_exitcode(status),
        "wall": wall,
        "user": usage.ru_utime,
        "system": usage.ru_stime,
        "peak_kib": usage.ru_maxrss,
    }
    print(json.dumps(answer))


if __name__ == "__main__":
    main()
