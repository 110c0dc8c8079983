"""`python -m tests.chaos --seed S --minutes M [--calls N] [--short] [--json FILE] [--keep]`; exit code 1 on a violation, 2 where the
harness itself failed."""

from __future__ import annotations

import argparse
import asyncio
import json
import logging
import signal
import sys
import traceback
from collections import Counter
from pathlib import Path

from tests.chaos.history import history
from tests.chaos.run import Plan, Result, run

CALLS_PER_MINUTE = 225
SHORT_SECONDS = 75.0
SHOWN_HISTORIES = 3


def main() -> int:
    parser = argparse.ArgumentParser(prog="make chaos", description=__doc__)
    parser.add_argument("--seed", type=int, default=1)
    parser.add_argument("--minutes", type=float, default=10)
    parser.add_argument("--calls", type=int, help="default: 225 a minute")
    parser.add_argument("--short", action="store_true", help="a minute of traffic, every kind of fault once")
    parser.add_argument("--json", type=Path, help="where the figures are written too")
    parser.add_argument("--keep", action="store_true", help="keep the processes' logs")
    options = parser.parse_args()
    # Whatever ends this process, none of those that it started stays behind.
    signal.signal(signal.SIGTERM, lambda *_: signal.raise_signal(signal.SIGINT))
    logging.getLogger("asyncpg").setLevel(logging.CRITICAL)  # the database is away on purpose
    seconds = SHORT_SECONDS if options.short else options.minutes * 60
    calls = options.calls or round(seconds / 60 * CALLS_PER_MINUTE)
    wanted = Plan(
        seed=options.seed, seconds=seconds, calls=calls, is_short=options.short, keep=options.keep,
        drain_seconds=300 if options.short else 900,
    )  # fmt: skip
    try:
        result = asyncio.run(run(wanted))
    except Exception:  # whatever it is, it is no verdict
        print("\nTHE HARNESS FAILED, and says nothing of the product:", file=sys.stderr)
        traceback.print_exc()
        return 2
    show(result)
    if options.json:
        options.json.write_text(json.dumps(result.figures, ensure_ascii=False, indent=2, default=str) + "\n")
    return 1 if result.violations else 0


def show(result: Result) -> None:
    width = max(len(name) for name in result.figures)
    for name, value in result.figures.items():
        print(f"{name:<{width}}  {value}")
    if not result.violations:
        return
    print(f"\nVIOLATIONS (seed {result.seed}): {dict(Counter(v.kind for v in result.violations))}")
    for violation in result.violations[:60]:
        print(f"  {violation.account} {violation.kind}: {violation.what} {violation.number or ''}")
    for fault in result.faults:
        print(f"    then: {fault}")
    clients = list(dict.fromkeys((v.account, v.number) for v in result.violations if v.number))
    for account, number in clients[:SHOWN_HISTORIES]:
        assert number is not None
        print(history(number, result.facts, result.evidence[account]))


if __name__ == "__main__":
    sys.exit(main())
