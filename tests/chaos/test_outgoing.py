"""What goes out through two workers that are killed where it hurts most, the long form: `pytest -m chaos tests/chaos/test_outgoing.py`.
tests/e2e/test_outgoing_killed.py is a slice of it."""

from __future__ import annotations

from pathlib import Path

import pytest

from tests.chaos.outgoing.killing import POINTS
from tests.chaos.outgoing.scene import running_scene


@pytest.mark.chaos
@pytest.mark.timeout(900)
async def test_500_items_through_two_workers_that_are_killed_go_out_once(
    tmp_path: Path, database_url: str
) -> None:
    async with running_scene(tmp_path, database_url, seed=1, deals=500, every=0.12, rate=300) as scene:
        checker = await scene.play([*POINTS, *POINTS])
    print(checker.figures(), dict(scene.points.fired))
    assert list(checker.faults()) == []
    assert checker.pbx.missing + checker.provider.missing == []
    assert min(scene.points.fired[point] for point in POINTS) == 2
