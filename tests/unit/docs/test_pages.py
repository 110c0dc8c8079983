"""What pages say about this repository holds: links, make targets, commands; and nothing leads out of it that must not."""

from __future__ import annotations

import re
import subprocess
from pathlib import Path

import pytest

from tests.paths import ROOT
from tests.unit.docs import sources

PAGES = sorted([*ROOT.glob("*.md"), *(ROOT / "docs").rglob("*.md"), *(ROOT / "deploy").rglob("*.md")])
_LINK = re.compile(r"\]\(([^)\s]+)\)")
_FENCE = re.compile(r"^```(\w*)\n(.*?)^```", re.DOTALL | re.MULTILINE)
_TARGET = re.compile(r"\bmake ([a-z][a-z-]+)")


def tracked() -> list[Path]:
    """Files of the repository; the folder's own where there is no git."""
    listed = subprocess.run(["git", "ls-files", "-z"], cwd=ROOT, capture_output=True, check=False).stdout
    names = [n for n in listed.decode().split("\0") if n]
    return [ROOT / n for n in names if (ROOT / n).is_file()] or PAGES


def anchor(heading: str) -> str:
    """As renderers make it of a heading."""
    plain = re.sub(r"[`*]|\[([^\]]*)\]\([^)]*\)", r"\1", heading.strip().lower())
    return re.sub(r"[^\w\- ]", "", plain).replace(" ", "-")


def anchors(file: Path) -> set[str]:
    prose = _FENCE.sub("", file.read_text(encoding="utf-8"))
    return {anchor(h) for h in re.findall(r"^#+ (.+)$", prose, re.MULTILINE)}


@pytest.mark.parametrize("file", PAGES, ids=lambda f: str(f.relative_to(ROOT)))
def test_every_relative_link_leads_somewhere(file: Path) -> None:
    broken = []
    for link in _LINK.findall(_FENCE.sub("", file.read_text(encoding="utf-8"))):
        if re.match(r"[a-z]+:", link):
            continue
        path, _, part = link.partition("#")
        target = (file.parent / path).resolve() if path else file
        if not target.exists() or (part and part not in anchors(target)):
            broken.append(link)
    assert broken == []


def test_make_targets_that_pages_name_exist() -> None:
    makefile = (ROOT / "Makefile").read_text(encoding="utf-8")
    targets = set(re.findall(r"^([a-z][a-z-]*):", makefile, re.MULTILINE))
    named = {t for file in PAGES for t in _TARGET.findall("\n".join(_code(file)))}
    assert {"demo", "test", "check", "bench", "test-pbx", "chaos"} <= named
    assert named - targets == set()


def test_commands_that_pages_name_exist_with_their_options() -> None:
    known = {
        c.path: {s for spelling, *_ in c.options for s in spelling.split(", ")} for c in sources.commands()
    }
    wrong = []
    for file in PAGES:
        for line in _code(file):
            for said in re.findall(r"\bcallmatrix ((?:[a-z-]+ ?)[^\n;|`]*)", line):
                words = said.split()
                if words[0] in sources.program_options():
                    continue
                path = next((p for p in (" ".join(words[:2]), words[0]) if p in known), None)
                options = {w.partition("=")[0] for w in words if w.startswith("--")} - {"--help"}
                if path is None or options - known[path]:
                    wrong.append(f"{file.relative_to(ROOT)}: callmatrix {said}")
    assert wrong == []


def test_commands_that_the_program_itself_recommends_exist() -> None:
    known = {c.path for c in sources.commands()}
    wrong = []
    for file in sources.trees():
        for said in re.findall(
            r"['`]callmatrix ([a-z][a-z-]*(?: [a-z][a-z-]*)?)", file.read_text(encoding="utf-8")
        ):
            if said not in known and said.split()[0] not in known:
                wrong.append(f"{file.relative_to(ROOT)}: callmatrix {said}")
    assert wrong == []


def _code(file: Path) -> list[str]:
    """What stands between back-quotes and in fences without a language."""
    text = file.read_text(encoding="utf-8")
    fenced = [body for language, body in _FENCE.findall(text) if not language]
    inline = re.findall(r"`([^`\n]+)`", _FENCE.sub("", text))
    return [line for block in fenced for line in block.splitlines()] + inline


# Put together here, so that this file does not name them itself.
_NEVER = [
    "/" + "work/main",
    "/" + "work/shared",
    "/" + "work/.",
    "/" + "root/",
    "/" + "tmp/w",
    "pypi" + ".org",
    "files.python" + "hosted",
    "registry.npm" + "js",
    "proxy.golang" + ".org",
    "deb.debian" + ".org",
    "archive.ubuntu" + ".com",
]


def test_no_file_names_a_package_registry_or_a_path_of_some_machine() -> None:
    found = []
    for file in tracked():
        text = file.read_bytes().decode("utf-8", errors="replace").lower()
        found += [f"{file.relative_to(ROOT)}: {word}" for word in _NEVER if word in text]
    assert found == []


def test_lock_files_carry_hashes_and_no_address() -> None:
    locks = sorted(ROOT.glob("requirements*.lock"))
    assert len(locks) == 2
    for lock in locks:
        text = lock.read_text(encoding="utf-8")
        assert "--hash=sha256:" in text
        assert re.findall(r"https?:|--(?:extra-)?index-url|--find-links", text) == []
