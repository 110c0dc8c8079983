"""Charts: what is drawn where, and that nothing a name carries becomes a part of the drawing."""

from __future__ import annotations

import re

import pytest

from gateway.web.charts.bars import BarLine, Column, bars, lines
from gateway.web.charts.scale import axis_figures
from gateway.web.charts.spark import spark
from gateway.web.charts.strip import DaySpan, day_strip, ring


@pytest.mark.parametrize(
    ("most", "expected"),
    [
        (0, (0, 1)),
        (1, (0, 1)),
        (3, (0, 1, 2, 3)),
        (15, (0, 5, 10, 15)),
        (16, (0, 10, 20)),
        (1284, (0, 500, 1000, 1500)),
    ],
)
def test_an_axis_begins_at_nothing_and_covers_the_most(most: float, expected: tuple[int, ...]) -> None:
    assert tuple(axis_figures(most)) == expected


def test_the_parts_of_a_column_stand_on_each_other() -> None:
    drawn = bars([Column("14:00", [(10, "good"), (5, "bad")], "5")], "answered 10, missed 5")
    good, bad = (
        [
            float(v)
            for v in re.findall(rf'y="([\d.]+)" height="([\d.]+)" rx="2" class="cm-fill-{fill}"', drawn)[0]
        ]
        for fill in ("good", "bad")
    )
    assert bad[0] < good[0] == pytest.approx(bad[0] + bad[1] + 2)
    assert 'aria-label="answered 10, missed 5"' in drawn


def test_nothing_to_count_is_an_axis_without_columns() -> None:
    assert "cm-fill" not in bars([Column("14:00", [(0, "good")])], "nothing")


def test_a_longer_bar_is_a_larger_figure_and_what_was_meant_stands_below() -> None:
    drawn = lines([BarLine("A", 40, "40", meant=20), BarLine("B", 10, "10")], "A 40, B 10")
    wide = [float(v) for v in re.findall(r'width="([\d.]+)%" height="14"', drawn)]
    assert wide[0] == pytest.approx(4 * wide[1], rel=0.01)
    assert len(re.findall(r'height="4"', drawn)) == 1


def test_a_name_is_text_and_never_a_part_of_the_drawing() -> None:
    drawn = lines([BarLine('<script>&"', 1, "1")], '"><script>')
    assert "<script>" not in drawn
    assert "&lt;script&gt;" in drawn


def test_a_line_of_a_rate_needs_two_values_to_have_a_length_and_none_to_fail() -> None:
    assert 'points="0,2 120,22"' in spark([4, 0], "4, 0")
    assert 'points="0,22 60,22 120,22"' in spark([0, 0, 0], "nothing")
    assert "points" in spark([], "nothing")


def test_a_day_is_cut_off_at_what_is_shown_and_goes_past_midnight() -> None:
    drawn = day_strip([DaySpan(480, 600), DaySpan(1380, 1500)], "on shift", starts=540, ends=1440, now=990)
    assert 'x="0%" y="0" width="6.667%"' in drawn
    assert 'x="93.333%" y="0" width="6.667%"' in drawn
    assert 'x1="50%"' in drawn
    assert re.findall(r">(\d+:\d\d)<", drawn) == ["9:00", "12:00", "15:00", "18:00", "21:00", "0:00"]


def test_a_ring_is_empty_when_time_is_over() -> None:
    assert 'stroke-dasharray="0.0 301.6"' in ring(-1, "0 s")
    assert 'stroke-dasharray="301.6 301.6"' in ring(2, "60 s")
