"""The arithmetic of the painting script, run by node: values, steps that are undone, weeks, patterns, people on shift."""

from __future__ import annotations

import json
import subprocess
from pathlib import Path
from typing import Any

import pytest

from gateway.web.assets.node import has_node, node_command
from gateway.web.shifts.schedules.brushes import read, written
from routing.schedules.clock import hours_in_minutes
from tests.paths import ROOT

SCRIPT = ROOT / "gateway/web/static/js/schedule/paint.js"

pytestmark = pytest.mark.skipif(not has_node(), reason="no node on this machine")


def run(tmp_path: Path, body: str) -> Any:
    """Return what the body returns, where all of the script is in reach as `p`."""
    (tmp_path / "paint.mjs").write_text(SCRIPT.read_text(encoding="utf-8"), encoding="utf-8")
    caller = tmp_path / "call.mjs"
    text = f'import * as p from "./paint.mjs";\nconst found = (() => {{ {body} }})();\nconsole.log(JSON.stringify(found));'
    caller.write_text(text, encoding="utf-8")
    done = subprocess.run([*node_command(), str(caller)], capture_output=True, text=True, check=True)
    return json.loads(done.stdout)


def test_hours_are_read_as_the_server_reads_them(tmp_path: Path) -> None:
    texts = [
        "9-18",
        "09:00–13:00; 14:00-18",
        "21-9",
        "0-24",
        "22:30-24:00",
        "14-18, 9-13",
        "9-13, 13-18",
        "9-12, 11-15",
    ]
    found = run(tmp_path, f"return {json.dumps(texts)}.map(p.readHours)")
    there = [written(hours_in_minutes(read(text.replace(";", ",")))) for text in texts]
    assert found == there
    wrong = ["x", "9", "25-26", "9-9", "24-9", "9:75-18", "9-24:30"]
    assert run(tmp_path, f"return {json.dumps(wrong)}.map(p.readHours)") == [None] * len(wrong)
    assert run(tmp_path, 'return p.readHours(" , ")') == ""


def test_what_is_painted_can_be_undone_step_by_step_and_only_changes_are_sent(tmp_path: Path) -> None:
    found = run(
        tmp_path,
        """
        const painting = p.newPainting([["09:00-18:00", "", ""], ["", "away", ""]]);
        const sent = () => p.changed(painting, ["p:a", "p:b"], ["d1", "d2", "d3"]);
        const steps = [sent()];
        p.paint(painting, p.rectangle([1, 2], [0, 1]).map(([r, c]) => [r, c, "09:00-18:00"]));
        steps.push(sent());
        p.paint(painting, [[0, 0, ""], [9, 9, ""]]);
        steps.push(sent());
        const same = p.paint(painting, [[0, 0, ""]]).length;
        p.undo(painting);
        steps.push(sent());
        p.undo(painting);
        steps.push(sent());
        return { steps, same, rest: p.undo(painting).length };
        """,
    )
    day = "09:00-18:00"
    painted = {"p:a": {"d2": day, "d3": day}, "p:b": {"d2": day, "d3": day}}
    both = {**painted, "p:a": {"d1": "", **painted["p:a"]}}
    assert found == {"steps": [{}, painted, both, painted, {}], "same": 0, "rest": 0}


def test_patterns_and_weeks(tmp_path: Path) -> None:
    found = run(
        tmp_path,
        """
        const before = Array.from({ length: 30 }, (_, day) => String(day + 1));
        const weekdays = [2, 3, 4, 5, 6, 7, 1, 2, 3];
        return {
          two: p.twoOnTwoOff(9, 3, "x"),
          earlier: p.twoOnTwoOff(4, 1, "x"),
          before: p.asBefore(before, 31),
          first: p.weekOf(weekdays, 0),
          second: p.weekOf(weekdays, 8),
          workdays: p.workdays([false, true, false], "x"),
        };
        """,
    )
    assert found["two"] == ["", "", "x", "x", "", "", "x", "x", ""]
    assert found["earlier"] == ["x", "x", "", ""]
    assert found["before"][:2] == ["3", "4"], (
        "four weeks before the first of December is the third of November"
    )
    assert found["before"][28:] == ["3", "4", "5"]
    assert (found["first"], found["second"]) == ([0, 1, 2, 3, 4, 5], [6, 7, 8])
    assert found["workdays"] == ["x", "", "x"]


def test_people_are_counted_as_on_the_server(tmp_path: Path) -> None:
    found = run(
        tmp_path,
        """
        const painting = p.newPainting([["21:00-09:00", "away"], ["09:00-13:30,13:40-18:00", "="], ["", "21:00-09:00"]]);
        return { month: p.counted(painting, [1, 1, 2]), week: p.counted(painting, [1, 1, 2], true),
                 minutes: p.minutesIn("09:00-13:30,13:40-18:00") };
        """,
    )
    assert found["month"]["days"] == [2, 2]
    assert found["month"]["hours"][0] == [0] * 9 + [1] * 9 + [0] * 3 + [1] * 3
    assert found["month"]["hours"][1] == [1] * 9 + [0] * 12 + [2] * 3
    assert found["week"]["hours"][0][:9] == [2] * 9
    assert found["minutes"] == 530


def test_half_hours_are_added_and_taken_away_to_the_minute(tmp_path: Path) -> None:
    found = run(
        tmp_path,
        """
        return [
          p.withSpan("", 540, 570),
          p.withSpan("09:15-12:00", 720, 780),
          p.withoutSpan("09:15-18:00", 780, 840),
          p.withoutSpan("21:00-09:00", 1260, 1440),
          p.withoutSpan("21:00-09:00", 1320, 1380),
          p.withSpan("21:00-09:00", 0, 1440),
          p.withSpan("22:00-06:00", 600, 1320),
        ];
        """,
    )
    assert found == [
        "09:00-09:30",
        "09:15-13:00",
        "09:15-13:00,14:00-18:00",
        "",
        "21:00-22:00,23:00-09:00",
        "00:00-24:00",
        "10:00-06:00",
    ]
