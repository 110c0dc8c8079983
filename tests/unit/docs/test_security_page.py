"""SECURITY.md names tests that exist, for every kind of weakness; the unit and the containers are as it says."""

from __future__ import annotations

import configparser
import re

from tests.paths import ROOT

PAGE = (ROOT / "SECURITY.md").read_text(encoding="utf-8")


def _weaknesses() -> dict[str, str]:
    table = PAGE.split("## Weaknesses that were looked for")[1].split("\n## ")[0]
    rows = re.findall(r"^\| (.+?) \| (.+) \|$", table, re.M)
    return {kind: held for kind, held in rows if kind != "Kind"}


def test_every_weakness_has_a_test_or_a_reason() -> None:
    found = _weaknesses()
    assert len(found) > 30
    assert [kind for kind, held in found.items() if "](tests/" not in held and len(held) < 60] == []


def test_every_test_that_is_named_exists_and_has_tests() -> None:
    named = set(re.findall(r"\]\((tests/[^)]+)\)", PAGE))
    assert len(named) > 25
    assert sorted(n for n in named if not (ROOT / n).is_file()) == []
    assert sorted(n for n in named if "def test_" not in (ROOT / n).read_text(encoding="utf-8")) == []


def test_no_attack_has_tests_that_the_page_does_not_know() -> None:
    doors = (ROOT / "tests" / "integration" / "doors").glob("test_*.py")
    unknown = {f"tests/integration/doors/{file.name}" for file in doors} - set(
        re.findall(r"\]\((tests/[^)]+)\)", PAGE)
    )
    assert unknown <= {"tests/integration/doors/test_at_once.py"}  # of speed


def test_the_unit_takes_every_right_away_that_the_program_does_not_need() -> None:
    unit = configparser.ConfigParser(strict=False, interpolation=None)
    unit.optionxform = str  # type: ignore[assignment, method-assign]
    unit.read(ROOT / "deploy" / "systemd" / "callmatrix.service", encoding="utf-8")
    service = unit["Service"]
    on = "NoNewPrivileges PrivateUsers PrivateTmp PrivateDevices ProtectHome ProtectKernelLogs ProtectClock RemoveIPC"
    on += " ProtectHostname RestrictNamespaces MemoryDenyWriteExecute LockPersonality"
    assert {name: service.get(name) for name in on.split()} == dict.fromkeys(on.split(), "yes")
    assert (service["CapabilityBoundingSet"], service["AmbientCapabilities"]) == ("", "")
    assert service["LimitRTPRIO"] == "1"
    assert (service["ProtectSystem"], service["ProtectProc"], service["UMask"]) == (
        "strict",
        "invisible",
        "0077",
    )


def test_our_containers_are_read_only_and_have_no_capabilities() -> None:
    text = (ROOT / "deploy" / "container" / "compose.yaml").read_text(encoding="utf-8")
    ours = text.split("&callmatrix")[1].split("\n  gateway:")[0]
    for line in (
        "read_only: true",
        'cap_drop: ["ALL"]',
        '"no-new-privileges:true"',
        "pids_limit:",
        "mem_limit:",
    ):
        assert line in ours, line
    assert text.count("<<: *callmatrix") == 2
