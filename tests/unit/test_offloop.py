"""A blocking call away from the loop: it answers, it fails, it may hang, and it holds nobody up."""

import asyncio
import subprocess
import sys
import threading
from pathlib import Path

import pytest

from mailtui.offloop import off_loop


async def test_the_result_comes_back_from_another_thread() -> None:
    assert await off_loop(threading.get_ident) != threading.get_ident()


async def test_what_the_call_raises_is_raised() -> None:
    class Special(Exception):
        pass

    def fail() -> None:
        raise Special("why")

    with pytest.raises(Special, match="why"):
        await off_loop(fail)


async def test_a_result_of_none_is_a_result() -> None:
    done = threading.Event()
    await off_loop(done.set)
    assert done.is_set()


async def test_calls_that_hang_do_not_hold_up_the_others() -> None:
    go = threading.Event()
    # More than the threads of the loop's own executor.
    hanging = [asyncio.create_task(off_loop(lambda: go.wait(60))) for _ in range(50)]
    try:
        assert await asyncio.wait_for(off_loop(lambda: "answered"), 30) == "answered"
        assert not any(task.done() for task in hanging)
    finally:
        go.set()
    assert await asyncio.wait_for(asyncio.gather(*hanging), 30) == [True] * 50


async def test_cancelling_leaves_the_thread_alone_and_drops_its_result() -> None:
    begun, go, ended = threading.Event(), threading.Event(), threading.Event()

    def call() -> str:
        begun.set()
        go.wait(60)
        ended.set()
        return "late"

    task = asyncio.create_task(off_loop(call))
    assert await asyncio.to_thread(begun.wait, 30)
    task.cancel()
    with pytest.raises(asyncio.CancelledError):
        await task
    assert not ended.is_set()
    complaints: list[object] = []
    asyncio.get_running_loop().set_exception_handler(lambda _, context: complaints.append(context))
    go.set()
    assert await asyncio.to_thread(ended.wait, 30)
    # The late result has been handed to the loop by the time that a later call has gone the same way.
    await off_loop(lambda: None)
    assert complaints == []


def test_a_call_that_outlives_its_loop_is_silent() -> None:
    begun, go = threading.Event(), threading.Event()
    failures: list[object] = []
    threads: list[threading.Thread] = []

    def call() -> None:
        threads.append(threading.current_thread())
        begun.set()
        go.wait(60)

    async def leave() -> None:
        task = asyncio.create_task(off_loop(call))
        assert await asyncio.to_thread(begun.wait, 30)
        task.cancel()

    previous, threading.excepthook = threading.excepthook, failures.append
    try:
        asyncio.run(leave())
        go.set()
        threads[0].join(30)
    finally:
        threading.excepthook = previous
    assert not threads[0].is_alive()
    assert failures == []


def test_a_process_ends_although_a_call_hangs() -> None:
    code = (
        "import asyncio, threading\n"
        "from mailtui.offloop import off_loop\n"
        "async def main():\n"
        "    task = asyncio.create_task(off_loop(threading.Event().wait))\n"
        "    await asyncio.sleep(0)\n"
        "    print('leaving')\n"
        "asyncio.run(main())\n"
    )
    ended = subprocess.run(
        [sys.executable, "-c", code],
        cwd=Path(__file__).parents[2],
        capture_output=True,
        text=True,
        timeout=60,
        check=True,
    )
    assert ended.stdout == "leaving\n"
    assert ended.stderr == ""
