"""Each sabotage in turn: done to the copy, its tests run, undone."""

from __future__ import annotations

import time
from collections.abc import Sequence
from dataclasses import dataclass

from tests.sabotage.copy import Copy
from tests.sabotage.sabotage import Sabotage, restore_file, sabotage_file
from tests.sabotage.verdicts import Verdict, verdict

# Of all tests of one row together; of the run without any sabotage, so much for each test file.
ROW_SECONDS = 180


@dataclass(frozen=True, slots=True)
class Outcome:
    row: Sabotage
    verdict: Verdict
    seconds: float


def try_row(row: Sabotage, copy: Copy) -> Outcome:
    began = time.monotonic()
    before = sabotage_file(row, copy.root)
    try:
        wrong = copy.is_a_program(row.file)
        said = Verdict("BROKEN", wrong) if wrong else _tested(row, copy)
    finally:
        restore_file(row, copy.root, before)
    return Outcome(row, said, time.monotonic() - began)


def _tested(row: Sabotage, copy: Copy) -> Verdict:
    return verdict(copy.test(row.tests, ROW_SECONDS), copy.report)


def unharmed(rows: Sequence[Sabotage], copy: Copy) -> bool:
    """Whether every named test passes where nothing was done to the source."""
    tests = sorted({test for row in rows for test in row.tests})
    files = {test.partition("::")[0] for test in tests}
    return copy.test(tests, ROW_SECONDS * len(files)) == 0
