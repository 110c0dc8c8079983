"""What stands in deploy is made of what the program is."""

from __future__ import annotations

import re
import tomllib
from pathlib import Path

ROOT = Path(__file__).parents[2]


def test_the_image_has_every_package_of_the_program() -> None:
    built = tomllib.loads((ROOT / "pyproject.toml").read_text())["tool"]["hatch"]["build"]
    copied = re.findall(
        r"^COPY (\w+) \1$", (ROOT / "deploy/container/Containerfile").read_text(), re.MULTILINE
    )
    assert sorted(copied) == sorted(built["targets"]["wheel"]["packages"])


def test_the_unit_lets_the_gateway_have_its_turns() -> None:
    unit = (ROOT / "deploy/systemd/callmatrix.service").read_text()
    allowed = {
        call
        for line in re.findall(r"^SystemCallFilter=([^~].*)$", unit, re.MULTILINE)
        for call in line.split()
    }
    assert {"setpriority", "sched_setattr", "sched_setscheduler", "setrlimit", "prlimit64"} <= allowed
    assert "\nLimitRTPRIO=1\n" in unit
    assert "\nRestrictRealtime=yes\n" not in unit


def test_the_unit_is_started_until_its_database_is_there() -> None:
    unit = (ROOT / "deploy/systemd/callmatrix.service").read_text()
    assert "\nStartLimitIntervalSec=0\n" in unit
    assert "\nRestart=always\n" in unit
