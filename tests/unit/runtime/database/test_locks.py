"""Locks are shared with processes of other versions: their keys are for ever."""

from __future__ import annotations

import pytest

from runtime.database import locks
from runtime.database.locks import Lock


@pytest.mark.parametrize(
    ("lock", "values"),
    [
        (locks.MIGRATIONS, (0x63616C6C6D78,)),
        (locks.TABLE_STATISTICS, ("table statistics", 0)),
        (locks.client("a", "+7900"), ("client a +7900", 1)),
        (locks.call("a", "pbx", "k"), ("call a pbx k", 2)),
        (locks.CLIENT_SWEEP, ("client sweep", 3)),
        (locks.RETENTION, ("housekeeping", 4)),
        (locks.DISTRIBUTION_SWEEP, ("distribution sweep", 9)),
        (locks.matrix_checks("a"), ("matrix checks a", 5)),
        (locks.backfill("a"), ("callmatrix backfill a", 0)),
        (locks.token_refresh("a"), (0x746F6B65, "a")),
    ],
)
def test_a_lock_is_the_one_that_older_processes_take(lock: Lock, values: tuple[int | str, ...]) -> None:
    assert lock.values == values
