"""`make screenshots`: start the demo on free ports, wait for its day, take each page in both languages."""

from __future__ import annotations

import argparse
import asyncio
import re
import signal
import subprocess
import sys
import tempfile
import time
from collections.abc import Iterator
from contextlib import contextmanager
from pathlib import Path

from tests.e2e.pages.browser import chromium
from tests.e2e.stack import free_port
from tests.paths import ROOT
from tests.pictures.shots import SHOTS, Shot
from tests.pictures.taking import Camera

PICTURES = ROOT / "docs/pictures"
_DOOR = re.compile(r"^  (\w+) +(http://\S+/sign-in/once/\S+)$", re.MULTILINE)
_TOKEN = re.compile(r"^Admin token +(\S+)$", re.MULTILINE)
_ALIVE = "are on the pages"
_ALIVE_SECONDS, _SETTLE_SECONDS, _SHOT_SECONDS = 240, 45, 40
_LANGUAGES = ("ru", "en")


def main() -> None:
    options = _options()
    if options.url:
        asyncio.run(_take_all(options, options.url, options.log.read_text(encoding="utf-8")))
        return
    with tempfile.TemporaryDirectory() as folder:
        Path(folder).chmod(0o711)
        with _running_demo(Path(folder)) as (url, said):
            time.sleep(_SETTLE_SECONDS)  # calls settle, clients are called
            asyncio.run(_take_all(options, url, said))


def _options() -> argparse.Namespace:
    parser = argparse.ArgumentParser(description=__doc__)
    parser.add_argument("--only", nargs="*", default=[], help="names of pictures")
    parser.add_argument("--png", type=Path, help="leave them here as PNG too")
    parser.add_argument("--out", type=Path, default=PICTURES)
    parser.add_argument("--url", help="of a demo that runs already, with --log")
    parser.add_argument("--log", type=Path, help="what that demo has printed")
    return parser.parse_args()


@contextmanager
def _running_demo(folder: Path) -> Iterator[tuple[str, str]]:
    """Yield its address, and what it printed: there stands by role what lets its person in."""
    port, log = free_port(), folder / "demo.log"
    arguments = ["demo", "--port", str(port), "--sandbox-port", str(free_port())]
    with open(log, "wb") as out:
        demo = subprocess.Popen(
            [sys.executable, "-m", "gateway.cli", *arguments, "--data-dir", str(folder / "data")],
            stdout=out,
            stderr=out,
        )
    try:
        yield f"http://127.0.0.1:{port}", _alive(demo, log)
    finally:
        demo.send_signal(signal.SIGTERM)
        demo.wait(60)


def _alive(demo: subprocess.Popen[bytes], log: Path) -> str:
    """Return what it printed until its day was told."""
    until = time.monotonic() + _ALIVE_SECONDS
    while time.monotonic() < until and demo.poll() is None:
        said = log.read_text(encoding="utf-8", errors="replace")
        if _ALIVE in said:
            return said
        time.sleep(0.5)
    raise SystemExit(f"The demo did not come to life:\n{log.read_text(errors='replace')[-2000:]}")


async def _take_all(options: argparse.Namespace, url: str, said: str) -> None:
    failed: list[str] = []
    token = _TOKEN.search(said)
    async with chromium() as browser:
        camera = Camera(
            browser, url, dict(_DOOR.findall(said)), token[1] if token else "", options.out, options.png
        )
        for language in _LANGUAGES:
            for shot in sorted(SHOTS, key=lambda one: (one.role, one.theme, one.path != "/")):
                if language not in shot.languages or (options.only and shot.name not in options.only):
                    continue
                try:
                    size = await _taken(camera, shot, language)
                    print(f"{language}/{shot.name}.webp {size // 1000} kB", flush=True)
                except Exception as err:
                    failed.append(
                        f"{language}/{shot.name}: {(str(err) or type(err).__name__).splitlines()[0]}"
                    )
    print("\n".join(failed))
    raise SystemExit(1 if failed else 0)


async def _taken(camera: Camera, shot: Shot, language: str) -> int:
    """Return its bytes. A page that draws no more would be waited for without end: it is opened once more."""
    try:
        async with asyncio.timeout(_SHOT_SECONDS):
            return await camera.take(shot, language)
    except TimeoutError:
        async with asyncio.timeout(_SHOT_SECONDS):
            return await camera.take(shot, language)


if __name__ == "__main__":
    main()
