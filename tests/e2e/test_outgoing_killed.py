"""Calls and texts that a trigger orders go out once each, though workers are killed where it hurts most: a slice of
tests/chaos/test_outgoing.py."""

from __future__ import annotations

from pathlib import Path

from tests.chaos.outgoing.scene import running_scene

KILLS = ("text-after-answer", "call-claimed", "call-after-request")


async def test_each_client_is_called_and_written_to_once_though_workers_are_killed(
    tmp_path: Path, database_url: str
) -> None:
    async with running_scene(tmp_path, database_url, seed=2, deals=12, every=0.15, rate=240) as scene:
        checker = await scene.play(KILLS)
    assert list(checker.faults()) == []
    assert {scene.points.fired[point] for point in KILLS} == {1}
