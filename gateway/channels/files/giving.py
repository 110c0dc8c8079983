"""A file of a dialogue as it is given out: what it is by its own bytes, and nothing that a browser would run."""

from __future__ import annotations

from collections.abc import Mapping
from urllib.parse import quote

import asyncpg
from aiohttp import web

from gateway.store.channels.files import ChatFile, piece_of
from sms.channels.media import INLINE_TYPES, UNKNOWN_TYPE

_PIECE = 256 * 1024
_MOST_NAME = 150
_ENDINGS = {"image/jpeg": "jpg", "audio/mpeg": "mp3", "audio/mp4": "m4a"}


def file_headers(file: ChatFile) -> dict[str, str]:
    """Return what it is given out with: pictures, sounds and films may be shown, all else is only saved."""
    is_shown = file.media_type in INLINE_TYPES
    return {
        "Content-Type": file.media_type if is_shown else UNKNOWN_TYPE,
        "Content-Disposition": _disposition("inline" if is_shown else "attachment", _name(file)),
        "X-Content-Type-Options": "nosniff",
        "Content-Security-Policy": "default-src 'none'; sandbox",
        "Cache-Control": "private, no-store",
        "Cross-Origin-Resource-Policy": "same-origin",
    }


async def give_file(
    request: web.Request, pool: asyncpg.Pool, file: ChatFile, more: Mapping[str, str] | None = None
) -> web.StreamResponse:
    """Give it out, or the part of it that is asked for. more: headers besides."""
    size = file.size or 0
    start, end, status = _range(request, size)
    headers = {**file_headers(file), **(more or {}), "Accept-Ranges": "bytes"}
    if status == 416:
        return web.Response(status=416, headers={"Content-Range": f"bytes */{size}"})
    if status == 206:
        headers["Content-Range"] = f"bytes {start}-{end - 1}/{size}"
    response = web.StreamResponse(status=status, headers={**headers, "Content-Length": str(end - start)})
    await response.prepare(request)
    while start < end:  # the reader may be slow, and holds no connection to the database meanwhile
        async with pool.acquire() as conn:
            piece = await piece_of(conn, file, start, min(_PIECE, end - start))
        if not piece:
            break
        await response.write(piece)
        start += len(piece)
    await response.write_eof()
    return response


def _range(request: web.Request, size: int) -> tuple[int, int, int]:
    """Return from where, to before where, and the status that says so."""
    try:
        wanted = request.http_range
    except ValueError:
        return 0, size, 416
    if wanted.start is None and wanted.stop is None:
        return 0, size, 200
    start = max(0, size + wanted.start) if (wanted.start or 0) < 0 else wanted.start or 0
    end = size if wanted.stop is None else min(wanted.stop, size)
    return (start, end, 206) if start < end else (0, size, 416)


def _name(file: ChatFile) -> str:
    told = " ".join("".join(c if c.isprintable() else " " for c in file.name).split())
    name = told.replace("\\", "/").rpartition("/")[2].strip(". ")[-_MOST_NAME:]
    kind = file.media_type.partition("/")
    ending = _ENDINGS.get(file.media_type, kind[2]) if file.media_type in INLINE_TYPES else "bin"
    return name or f"file-{file.file_id}.{ending}"


def _disposition(how: str, name: str) -> str:
    plain = "".join(c if c.isascii() and c not in '"\\%' else "_" for c in name)
    return f"{how}; filename=\"{plain}\"; filename*=UTF-8''{quote(name, safe='')}"
