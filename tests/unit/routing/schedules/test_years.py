"""Whole years over both clock changes, as the files in tests/cases/schedules have them."""

from __future__ import annotations

from pathlib import Path

import pytest

from tests.unit.routing.schedules.golden import FOLDER, files

YEARS = dict(files())


@pytest.mark.parametrize("file", YEARS, ids=lambda file: file.stem)
def test_a_year_is_planned_as_it_was_read_and_agreed_to(file: Path) -> None:
    renew = "python -m tests.unit.routing.schedules.golden"
    assert file.read_text(encoding="utf-8").splitlines() == YEARS[file].splitlines(), renew


def test_no_year_lies_there_that_nobody_plans_any_more() -> None:
    assert {file.name for file in FOLDER.iterdir()} == {file.name for file in YEARS}


@pytest.mark.parametrize(
    ("year", "date", "said"),
    [
        ("kyiv_2026", "2026-03-28", "night 22:00+2..06:00+3=7h"),
        ("kyiv_2026", "2026-10-24", "night 22:00+3..06:00+2=9h"),
        ("cairo_2026", "2026-04-24", "early 01:00+3..03:30+3=2.5h"),
        ("cairo_2026", "2026-10-29", "night 22:00+3..06:00+2=9h"),
        ("moscow_2010_both_clocks", "2010-03-27", "night 22:00+3..06:00+4=7h"),
        ("moscow_2025_moved_days", "2025-11-01", "office 09:00+3..13:00+3=4h 14:00+3..18:00+3=4h"),
        ("moscow_2025_moved_days", "2025-11-03", "office holiday"),
        ("moscow_2027_own_days", "2027-12-30", "office 09:00+3..15:00+3=6h"),
        ("cairo_2028_by_day", "2028-02-29", "third 20:00+2..08:00+2=12h"),
    ],
)
def test_what_is_special_about_a_year_stands_in_its_file(year: str, date: str, said: str) -> None:
    lines = (FOLDER / f"{year}.txt").read_text(encoding="utf-8").splitlines()
    [line] = [line for line in lines if line.startswith(date) and "as the week before" not in line]
    assert said in line.split(" | ")
