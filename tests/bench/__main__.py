"""`python -m tests.bench [--quick] [--json FILE] [--only PART …]`"""

from __future__ import annotations

import argparse
import sys
from collections.abc import Callable
from pathlib import Path

from tests.bench.accounts import bench_accounts
from tests.bench.backfill import bench_backfill
from tests.bench.command_line import bench_command_line
from tests.bench.distribution import bench_distribution
from tests.bench.fair_by_account import bench_fair_by_account
from tests.bench.first_load import bench_first_load
from tests.bench.intake import bench_intake
from tests.bench.journal import bench_journal
from tests.bench.journal_rows import JournalSize
from tests.bench.lookup import bench_lookup
from tests.bench.matrix import bench_matrix
from tests.bench.outbound import bench_outbound
from tests.bench.pages import bench_pages
from tests.bench.report import Figure, show
from tests.bench.triggers import bench_triggers
from tests.bench.who_is_there import bench_who_is_there


def main() -> int:
    parser = argparse.ArgumentParser(prog="make bench", description=__doc__)
    parser.add_argument("--quick", action="store_true", help="small data, short runs: shows that it works")
    parser.add_argument("--json", type=Path, default=Path("bench.json"), help="where the figures are written")
    parser.add_argument("--only", nargs="*", choices=list(PARTS), default=list(PARTS))
    options = parser.parse_args()
    figures: list[Figure] = []
    for name in options.only:
        print(f"… {name}", file=sys.stderr)
        figures += PARTS[name](options.quick)
    show(figures, options.json)
    return 0


PARTS: dict[str, Callable[[bool], list[Figure]]] = {
    "intake": lambda quick: bench_intake(400 if quick else 3000, 3 if quick else 7),
    "fair_by_account": lambda quick: bench_fair_by_account(300 if quick else 3000),
    "matrix": lambda quick: bench_matrix(200 if quick else 2000),
    "distribution": lambda quick: bench_distribution(200 if quick else 2000),
    "triggers": lambda quick: bench_triggers(1000 if quick else 10_000),
    "outbound": lambda quick: bench_outbound(
        10_000, 2000 if quick else 100_000, 20_000 if quick else 1_000_000
    ),
    "who_is_there": lambda quick: bench_who_is_there(300 if quick else 3000),
    "journal": lambda quick: bench_journal(
        JournalSize(calls=20_000, effects=20_000, cases=10_000, open_cases=200)
        if quick
        else JournalSize(calls=1_000_000, effects=1_000_000, cases=500_000, open_cases=2000)
    ),
    "command_line": lambda quick: bench_command_line(3 if quick else 11),
    "accounts": lambda quick: bench_accounts(10 if quick else 50, 10 if quick else 30),
    "backfill": lambda quick: bench_backfill(1000 if quick else 10_000),
    "first_load": lambda quick: bench_first_load(5000 if quick else 100_000),
    "pages": lambda quick: bench_pages(5000 if quick else 100_000, 50_000, 3 if quick else 15),
    "lookup": lambda quick: bench_lookup(10_000, 50_000 if quick else 1_000_000, 2 if quick else 8),
}

if __name__ == "__main__":
    sys.exit(main())
