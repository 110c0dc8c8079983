"""The front-end files that the build made (gateway/web/built): what they are called, and how they are sent."""

from __future__ import annotations

import re
from collections.abc import Mapping
from pathlib import Path

import orjson
import structlog
from aiohttp import web

log = structlog.get_logger(__name__)

FOLDER = Path(__file__).parent / "built"
_NAME = re.compile(r"[A-Za-z0-9_-]+(\.[A-Za-z0-9_-]+)+")
_TYPES = {
    ".css": "text/css; charset=utf-8",
    ".js": "text/javascript; charset=utf-8",
    ".svg": "image/svg+xml",
    ".woff2": "font/woff2",
    ".png": "image/png",
    ".ico": "image/x-icon",
    ".txt": "text/plain; charset=utf-8",
    ".webmanifest": "application/manifest+json",
}
_FOREVER = "public, max-age=31536000, immutable"


class BuiltFiles:
    """names: what a page calls a file -> its name with the hash of its content."""

    def __init__(self, folder: Path = FOLDER) -> None:
        self.folder = folder
        self.names: Mapping[str, str] = self._manifest()

    def _manifest(self) -> Mapping[str, str]:
        """Without the build pages are plain HTML, and work."""
        try:
            names: Mapping[str, str] = orjson.loads((self.folder / "manifest.json").read_bytes())
        except FileNotFoundError:
            log.error("front-end-files-missing", folder=str(self.folder), remedy="run 'make setup'")
            return {}
        return names

    def address(self, name: str) -> str:
        """Return where browsers get it. Raises KeyError for what the build did not make."""
        return f"/static/{self.names[name]}" if self.names else f"/static/{name}"

    async def handle(self, request: web.Request) -> web.StreamResponse:
        name = request.match_info["name"]
        path = self.folder / name
        if not _NAME.fullmatch(name) or path.suffix not in _TYPES or not path.is_file():
            return web.Response(status=404, text="404")
        headers = {"Content-Type": _TYPES[path.suffix], "Cache-Control": _FOREVER}
        packed = path.with_name(path.name + ".gz")
        if packed.is_file():
            headers["Vary"] = "Accept-Encoding"
            if "gzip" in request.headers.get("Accept-Encoding", ""):
                headers["Content-Encoding"] = "gzip"
                path = packed
        return web.Response(body=path.read_bytes(), headers=headers)
