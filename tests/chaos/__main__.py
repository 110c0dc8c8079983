"""`python -m tests.chaos --seed S --minutes M [--calls N] [--only calls|channels] [--short] [--json FILE] [--keep]`: calls and what
comes of them, then messenger channels for a quarter of that time; exit code 1 on a violation, 2 where the harness itself failed."""

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
from typing import Any

from tests.chaos.channels.run import SHORT_SECONDS as SHORT_CHANNELS_SECONDS
from tests.chaos.channels.run import ChannelsPlan, ChannelsResult, run_channels
from tests.chaos.history import history
from tests.chaos.run import Plan, Result, run

CALLS_PER_MINUTE = 225
SHORT_SECONDS = 75.0
SHOWN_HISTORIES = 3
_CHANNELS_SHARE = 0.25


def main() -> int:
    parser = argparse.ArgumentParser(prog="make chaos", description=__doc__)
    parser.add_argument("--seed", type=int, default=1)
    parser.add_argument("--minutes", type=float, default=10)
    parser.add_argument("--calls", type=int, help="default: 225 a minute")
    parser.add_argument("--short", action="store_true", help="a minute of traffic, every kind of fault once")
    parser.add_argument("--only", choices=("calls", "channels"), help="default: both, one after the other")
    parser.add_argument("--json", type=Path, help="where the figures are written too")
    parser.add_argument("--keep", action="store_true", help="keep the processes' logs")
    options = parser.parse_args()
    # Whatever ends this process, none of those that it started stays behind.
    signal.signal(signal.SIGTERM, lambda *_: signal.raise_signal(signal.SIGINT))
    logging.getLogger("asyncpg").setLevel(logging.CRITICAL)  # the database is away on purpose
    figures: dict[str, Any] = {}
    is_violated = False
    try:
        if options.only != "channels":
            result = asyncio.run(run(_of_calls(options)))
            show(result)
            figures, is_violated = result.figures, bool(result.violations)
        if options.only != "calls":
            channels = asyncio.run(run_channels(_of_channels(options)))
            show_channels(channels)
            figures, is_violated = figures | channels.figures, is_violated or bool(channels.violations)
    except Exception:  # whatever it is, it is no verdict
        print("\nTHE HARNESS FAILED, and says nothing of the product:", file=sys.stderr)
        traceback.print_exc()
        return 2
    if options.json:
        options.json.write_text(json.dumps(figures, ensure_ascii=False, indent=2, default=str) + "\n")
    return 1 if is_violated else 0


def _of_calls(options: argparse.Namespace) -> Plan:
    seconds = SHORT_SECONDS if options.short else options.minutes * 60
    calls = options.calls or round(seconds / 60 * CALLS_PER_MINUTE)
    return Plan(
        seed=options.seed, seconds=seconds, calls=calls, is_short=options.short, keep=options.keep,
        drain_seconds=300 if options.short else 900,
    )  # fmt: skip


def _of_channels(options: argparse.Namespace) -> ChannelsPlan:
    """Alone, they have the whole time."""
    share = 1.0 if options.only else _CHANNELS_SHARE
    seconds = SHORT_CHANNELS_SECONDS if options.short else options.minutes * 60 * share
    return ChannelsPlan(seed=options.seed, seconds=seconds, is_short=options.short, keep=options.keep)


def show_channels(result: ChannelsResult) -> None:
    _show_figures(result.figures)
    if not result.violations:
        return
    kinds = dict(Counter(v.kind for v in result.violations))
    print(f"\nVIOLATIONS OF CHANNELS (seed {result.seed}): {kinds}")
    for violation in result.violations[:60]:
        print(f"  {violation.kind}: {violation.what}")
    for told in result.histories:
        print(told)


def _show_figures(figures: dict[str, Any]) -> None:
    width = max(len(name) for name in figures)
    for name, value in figures.items():
        print(f"{name:<{width}}  {value}")


def show(result: Result) -> None:
    _show_figures(result.figures)
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
