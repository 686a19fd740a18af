"""All comparisons, one after another: `python -m benchmarks [--quick]`."""

import argparse
import sys

from benchmarks import check_many, check_one, retrieve, startup, tui


def main() -> int:
    """Run them all; the worst of their exit codes."""
    parser = argparse.ArgumentParser(prog="benchmarks", description="All comparisons, one after another.")
    parser.add_argument("--quick", action="store_true", help="fewer runs and accounts: does it work at all?")
    quick = ["--quick"] if parser.parse_args().quick else []
    statuses: list[int] = []
    for comparison in (startup.main, check_one.main, check_many.main, retrieve.main, tui.main):
        statuses.append(comparison(quick))
        print(flush=True)
    return max(statuses)


if __name__ == "__main__":
    sys.exit(main())
