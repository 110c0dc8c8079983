"""From sources to the files that browsers get: each under a name with the hash of its content, packed, and listed in a manifest."""

from __future__ import annotations

import gzip
import json
import os
import shutil
from collections.abc import Iterator
from pathlib import Path

from gateway.web.assets.digest import digest
from gateway.web.assets.licences import licences
from gateway.web.assets.node import purged, with_packages
from gateway.web.assets.scripts import joined, without_remarks
from gateway.web.assets.sprite import sprite
from gateway.web.assets.stylesheet import stylesheet
from gateway.web.assets.used import used_words

ROOT = Path(__file__).parents[3]
WEB = Path("gateway/web")
BUILT = WEB / "built"
_STAMP = "stamp"
_PACKAGES_OF_BROWSERS = ("@fontsource-variable/inter", "@tabler/core", "@tabler/icons", "htmx.org")
_FONTS = ("latin", "cyrillic")
_TABLER = "@tabler/core/dist/css/tabler.min.css"
_BLOCKING_SCRIPT = "theme.js"
_OF_ONE_PAGE = ("schedule",)
"""Folders of scripts that a page of its own loads."""


def build(root: Path, force: bool = False) -> int:
    """Return how many files were made; 0 = they were up to date. Raises CannotBuild."""
    stamp = _stamp(root)
    built = root / BUILT
    if not force and _is_up_to_date(built, stamp):
        return 0
    contents = _contents(root, with_packages(root))
    _write(built, contents, stamp)
    return len(contents)


def _is_up_to_date(built: Path, stamp: str) -> bool:
    try:
        return (built / _STAMP).read_text(encoding="utf-8") == stamp
    except FileNotFoundError:
        return False


def _sources(root: Path) -> Iterator[Path]:
    yield root / "package-lock.json"
    for folder, kind in (("static", "*"), ("templates", "*.html"), ("assets", "*.py")):
        yield from sorted(path for path in (root / WEB / folder).rglob(kind) if path.is_file())


def _stamp(root: Path) -> str:
    """Return the hash of everything that the files are made of."""
    content = b""
    for path in _sources(root):
        content += f"{path.relative_to(root)} {digest(path.read_bytes())}\n".encode()
    return digest(content)


def _contents(root: Path, packages: Path) -> dict[str, bytes]:
    """Return what is built, by the name under which pages ask for it."""
    static = root / WEB / "static"
    fonts = {f"inter-{name}.woff2": _font(packages, name) for name in _FONTS}
    tabler = purged(root, packages / _TABLER, used_words(root / WEB))
    own = [path.read_text(encoding="utf-8") for path in sorted((static / "css").glob("*.css"))]
    scripts = _scripts(static / "js")
    blocking = scripts.pop(_BLOCKING_SCRIPT)
    names = (static / "icons.txt").read_text(encoding="utf-8").split()
    return {
        **fonts,
        "app.css": stylesheet(tabler, own, {name: hashed(name, fonts[name]) for name in fonts}).encode(),
        "app.js": joined(scripts).encode(),
        **{f"{name}.js": joined(_scripts(static / "js" / name)).encode() for name in _OF_ONE_PAGE},
        "theme.js": without_remarks(blocking).encode(),
        "htmx.js": (packages / "htmx.org/dist/htmx.min.js").read_bytes(),
        "icons.svg": sprite(packages / "@tabler/icons/icons", names).encode(),
        "licences.txt": licences(packages, _PACKAGES_OF_BROWSERS).encode(),
        **{path.name: path.read_bytes() for path in sorted((static / "images").glob("*"))},
    }


def _scripts(folder: Path) -> dict[str, str]:
    return {path.name: path.read_text(encoding="utf-8") for path in sorted(folder.glob("*.js"))}


def _font(packages: Path, subset: str) -> bytes:
    return (packages / f"@fontsource-variable/inter/files/inter-{subset}-wght-normal.woff2").read_bytes()


def hashed(name: str, content: bytes) -> str:
    stem, dot, ending = name.rpartition(".")
    return f"{stem}.{digest(content)[:10]}{dot}{ending}"


def _write(built: Path, contents: dict[str, bytes], stamp: str) -> None:
    """Fill a folder of its own and put it in place at the end: a process that reads meanwhile sees the old or the new one."""
    fresh = built.with_name(f"{built.name}.{os.getpid()}")
    shutil.rmtree(fresh, ignore_errors=True)
    fresh.mkdir(parents=True)
    manifest = {}
    for name, content in contents.items():
        manifest[name] = hashed(name, content)
        (fresh / manifest[name]).write_bytes(content)
        if not name.endswith(".woff2"):
            (fresh / f"{manifest[name]}.gz").write_bytes(gzip.compress(content, 9, mtime=0))
    (fresh / "manifest.json").write_text(json.dumps(manifest, indent=1, sort_keys=True), encoding="utf-8")
    (fresh / _STAMP).write_text(stamp, encoding="utf-8")
    shutil.rmtree(built, ignore_errors=True)
    fresh.rename(built)
