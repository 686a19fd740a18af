"""Retrievals in processes that die, or whose disk fails, at one chosen point.

`python -m tests.retrieval.crashing` reads one job a line and forks for each, so that a run costs no start. The points
are the calls that open, change or sync what is in the data folder, and the statements that change the database.
"""

import asyncio
import contextlib
import errno
import gc
import importlib
import json
import os
import signal
import sqlite3
import subprocess
import sys
import threading
from collections.abc import Callable
from dataclasses import asdict, dataclass, replace
from enum import StrEnum
from pathlib import Path
from typing import Any

SECONDS = 60
"""After which a run is held to hang, and ends by SIGALRM."""

_CALLS = (
    "open",
    "write",
    "writev",
    "fsync",
    "fdatasync",
    "rename",
    "replace",
    "link",
    "unlink",
    "remove",
    "mkdir",
    "rmdir",
)
_ON_DESCRIPTORS = frozenset({"write", "writev", "fsync", "fdatasync"})
_STATEMENTS = frozenset({"BEGIN", "INSERT", "REPLACE", "UPDATE", "DELETE", "COMMIT"})
_FREES = frozenset({"unlink", "remove", "rmdir"})
_real = {name: getattr(os, name) for name in _CALLS}


class Way(StrEnum):
    """What happens at the point."""

    KILLED = "killed before"
    KILLED_AFTER = "killed after"
    FULL = "no space from there on"
    FAULTY = "one input/output error"


@dataclass(frozen=True, slots=True)
class Job:
    """One run: whose (port, protocol), where, and at which point what happens; 0 is nowhere.

    `journal` is a file beside `data` that tells what was done to it, `result` one that tells how it ended.
    """

    data: str
    protocol: str
    port: int
    leave: bool
    journal: str
    result: str
    point: int = 0
    way: Way = Way.KILLED
    destination: str = "maildir"


class Points:
    """Counts the points of this process, writes them down, and strikes at one of them."""

    def __init__(self, job: Job) -> None:
        self._job = job
        self._lock = threading.Lock()
        self._descriptors: set[int] = set()
        self._is_full = False
        self._journal = _real["open"](job.journal, os.O_WRONLY | os.O_CREAT | os.O_APPEND, 0o600)
        self.count = 0

    def install(self) -> None:
        """From here on."""
        for name in _CALLS:
            setattr(os, name, self._watched(name))
        points = self

        class Connection(sqlite3.Connection):
            def execute(self, sql: str, *rest: Any) -> Any:
                return points.statement(sql, lambda: sqlite3.Connection.execute(self, sql, *rest))

            def executemany(self, sql: str, *rest: Any) -> Any:
                return points.statement(sql, lambda: sqlite3.Connection.executemany(self, sql, *rest))

        connect = sqlite3.connect
        sqlite3.connect = lambda *args, **options: connect(*args, factory=Connection, **options)  # type: ignore[assignment]  # for this process alone

    def statement(self, sql: str, call: Callable[[], Any]) -> Any:
        verb = sql.split(None, 1)[0].upper()
        if verb not in _STATEMENTS:
            return call()
        return self._at_point(verb, "", call, self._database_fault)

    def _watched(self, name: str) -> Callable[..., Any]:
        real = _real[name]

        def call(target: Any, *rest: Any, **options: Any) -> Any:
            if not self._concerns(name, target):
                return real(target, *rest, **options)
            about = [str(item) for item in (target, *rest[:1]) if isinstance(item, str | os.PathLike | int)]

            def run() -> Any:
                outcome = real(target, *rest, **options)
                if name == "open":
                    self._descriptors.add(outcome)
                    about[1:] = [str(outcome), str(int(bool(rest[0] & os.O_CREAT)))]
                return outcome

            # As the system does: the error of a descriptor names no file.
            names = () if name in _ON_DESCRIPTORS else (os.fspath(target),)
            return self._at_point(name, about, run, lambda code: OSError(code, os.strerror(code), *names))

        return call

    def _concerns(self, name: str, target: Any) -> bool:
        if name in _ON_DESCRIPTORS:
            return target in self._descriptors
        return os.fspath(target).startswith(self._job.data) if isinstance(target, str | os.PathLike) else False

    def _at_point(self, name: str, about: Any, run: Callable[[], Any], fault: Callable[[int], Exception]) -> Any:
        with self._lock:
            self.count += 1
            number = self.count
        is_it = number == self._job.point
        way = self._job.way
        if is_it and way is Way.KILLED:
            os.kill(os.getpid(), signal.SIGKILL)
        if is_it and way is Way.FAULTY:
            raise fault(errno.EIO)
        if is_it and way is Way.FULL:
            self._is_full = True
        if self._is_full and name not in _FREES and not _only_reads(name, about):
            raise fault(errno.ENOSPC)
        outcome = run()
        _real["write"](self._journal, json.dumps([name, about, number]).encode() + b"\n")
        if is_it and way is Way.KILLED_AFTER:
            os.kill(os.getpid(), signal.SIGKILL)
        return outcome

    @staticmethod
    def _database_fault(code: int) -> sqlite3.OperationalError:
        is_full = code == errno.ENOSPC
        error = sqlite3.OperationalError("database or disk is full" if is_full else "disk I/O error")
        error.sqlite_errorcode = sqlite3.SQLITE_FULL if is_full else sqlite3.SQLITE_IOERR
        return error


def _only_reads(name: str, about: Any) -> bool:
    """A full disk still opens what is there, and begins transactions."""
    if name == "BEGIN":
        return True
    return name == "open" and os.path.lexists(about[0])


def main() -> None:
    """Run the jobs on standard input, one after another; answers each with one line."""
    _load()
    for line in sys.stdin:
        fields = json.loads(line)
        job = Job(**{**fields, "way": Way(fields["way"])})
        child = os.fork()
        if child == 0:
            _run(job)
        _, status = os.waitpid(child, 0)
        answer: dict[str, Any] = {"signal": os.WTERMSIG(status) if os.WIFSIGNALED(status) else 0}
        answer["exit"] = os.WEXITSTATUS(status) if os.WIFEXITED(status) else None
        with contextlib.suppress(OSError, ValueError):
            answer |= json.loads(Path(job.result).read_bytes())
            os.unlink(job.result)
        for name in answer.pop("modules", ()):
            # What the first run had to load, the next ones find loaded.
            with contextlib.suppress(ImportError):
                importlib.import_module(name)
        print(json.dumps(answer), flush=True)


def _load() -> None:
    importlib.import_module("tests.retrieval.world")
    gc.collect()
    gc.freeze()


def _run(job: Job) -> None:
    """In the child. Never returns."""
    code = 1
    try:
        signal.alarm(SECONDS)
        before = set(sys.modules)
        answer = asyncio.run(_retrieve(job))
        answer["modules"] = sorted(set(sys.modules) - before)
        descriptor = _real["open"](job.result, os.O_WRONLY | os.O_CREAT | os.O_TRUNC, 0o600)
        _real["write"](descriptor, json.dumps(answer).encode())
        code = 0
    except BaseException:  # noqa: BLE001  # a fork of a fork: nothing may unwind into the loop above it
        import traceback

        traceback.print_exc()
        sys.stderr.flush()
    finally:
        os._exit(code)


async def _retrieve(job: Job) -> dict[str, Any]:
    from mailtui.actions import intake
    from mailtui.model.account import Protocol
    from mailtui.model.destination import Destination
    from mailtui.model.errors import StorageError
    from tests.retrieval.world import make_account, make_retrieval, retrieve, told

    # Several batches, and a message that does not fit into memory, with little mail.
    intake.BATCH_MESSAGES, intake.SPILL_OCTETS = 2, 64 << 10
    points = Points(job)
    points.install()
    retrieval = make_retrieval(Protocol(job.protocol), job.port, leave=job.leave)
    account = make_account(replace(retrieval, destination=Destination.parse(job.destination)))
    try:
        report = await retrieve(Path(job.data), account)
    except StorageError as error:
        return {"points": points.count, "told": True, "problem": str(error)}
    failure = report.leg.failure
    problems = [f"{failure.stage} {failure.cause}: {failure.hint}"] if failure else []
    problems += [text for mailbox in report.mailboxes for text in (mailbox.problem, *mailbox.notes) if text]
    return {
        "points": points.count,
        "told": told(report),
        "problem": "; ".join(problems),
        "stored": report.stored,
        "deleted": report.deleted,
    }


class Zygote:
    """The process that forks, as seen from the tests. May serve one event loop after another."""

    def __init__(self) -> None:
        self._process = subprocess.Popen(
            [sys.executable, "-m", "tests.retrieval.crashing"],
            stdin=subprocess.PIPE,
            stdout=subprocess.PIPE,
            env=os.environ | {"PYTHONDONTWRITEBYTECODE": "1"},
            cwd=Path(__file__).parents[2],
        )

    async def run(self, job: Job) -> dict[str, Any]:
        """Run a job to its end; what it told, and the signal that ended it (0: none)."""
        return await asyncio.to_thread(self._run, job)

    def _run(self, job: Job) -> dict[str, Any]:
        assert self._process.stdin is not None
        assert self._process.stdout is not None
        self._process.stdin.write(json.dumps(asdict(job)).encode() + b"\n")
        self._process.stdin.flush()
        answer: dict[str, Any] = json.loads(self._process.stdout.readline())
        return answer

    def stop(self) -> None:
        """End it."""
        for pipe in (self._process.stdin, self._process.stdout):
            if pipe is not None:
                pipe.close()
        self._process.wait(SECONDS)


if __name__ == "__main__":
    main()
