"""`python -m tests.sabotage [--only NAME] [--list] [--trust]`; exit code 1 when a sabotage was not caught."""

from __future__ import annotations

import argparse
import signal
import sys
import tempfile
import time
from collections.abc import Sequence
from pathlib import Path

from tests.database_server import migrated_template, throwaway_server
from tests.sabotage.copy import Copy
from tests.sabotage.rows import ROWS
from tests.sabotage.run import Outcome, try_row, unharmed
from tests.sabotage.sabotage import Sabotage


def main() -> int:
    parser = argparse.ArgumentParser(prog="make sabotage", description=__doc__)
    parser.add_argument(
        "--only", action="append", metavar="NAME", help="this one; may be given several times"
    )
    parser.add_argument("--list", action="store_true", help="print the table and end")
    parser.add_argument(
        "--trust", action="store_true", help="do not run the named tests without any sabotage first"
    )
    options = parser.parse_args()
    rows = [row for row in ROWS if not options.only or row.name in options.only]
    if unknown := set(options.only or ()) - {row.name for row in ROWS}:
        parser.error(f"no such sabotage: {', '.join(sorted(unknown))}; --list names them all")
    if options.list:
        for row in rows:
            print(f"{row.name}\n    {row.hurts}\n    {row.file}: {', '.join(row.tests)}")
        return 0
    signal.signal(signal.SIGTERM, lambda *_: sys.exit(128 + signal.SIGTERM))  # so that nothing is left behind
    return _run(rows, is_trusted=options.trust)


def _run(rows: Sequence[Sabotage], *, is_trusted: bool) -> int:
    began = time.monotonic()
    with tempfile.TemporaryDirectory(prefix="callmatrix-sabotage-") as folder, throwaway_server() as url:
        # One migration for all rows: none of them is about a migration.
        database = {"CALLMATRIX_TEST_DATABASE_URL": url, "CALLMATRIX_TEST_TEMPLATE": migrated_template(url)}
        copy = Copy(Path(folder), database)
        if not is_trusted:
            print("the named tests, without any sabotage: ", end="", flush=True)
            if not unharmed(rows, copy):
                print(f"they must pass\n{copy.output}")
                return 1
            print(f"they pass ({time.monotonic() - began:.0f} s)")
        outcomes = [_told(try_row(row, copy), copy) for row in rows]
    missed = [one for one in outcomes if one.verdict.word != "caught"]
    minutes = (time.monotonic() - began) / 60
    print(f"\n{len(outcomes)} sabotages, {len(outcomes) - len(missed)} caught, {minutes:.1f} minutes")
    for one in missed:
        print(f"  {one.verdict.word}: {one.row.name} ({one.row.file}): {one.row.hurts}")
    return 1 if missed else 0


def _told(outcome: Outcome, copy: Copy) -> Outcome:
    said = outcome.verdict
    print(f"{said.word:<10}  {outcome.seconds:5.1f} s  {outcome.row.name:<44}  {said.by}", flush=True)
    if said.word == "BROKEN":
        print("    " + "\n    ".join(copy.output.splitlines()[-25:]))
    return outcome


if __name__ == "__main__":
    sys.exit(main())
