"""`/channels/files/{secret}/{name}`: a file that is sent, for the messenger that was given this address, and for a while only."""

from __future__ import annotations

from datetime import UTC, datetime

import asyncpg
from aiohttp import web

from gateway.channels.files.giving import give_file
from gateway.http.connection import vouch
from gateway.http.problems import problem
from gateway.http.strangers import Strangers
from gateway.store.channels.files import file_of_link
from runtime.database.errors import DATABASE_ERRORS
from runtime.tokens import hash_of


class FileDoor:
    def __init__(self, pool: asyncpg.Pool, strangers: Strangers) -> None:
        self._pool, self._strangers = pool, strangers

    async def handle(self, request: web.Request) -> web.StreamResponse:
        """404 for a secret that never was as for one whose time is over."""
        try:
            async with self._pool.acquire() as conn:
                file = await file_of_link(conn, hash_of(request.match_info["secret"]), datetime.now(UTC))
        except DATABASE_ERRORS:
            return problem(503, "unavailable", "The database does not answer.")
        if file is None:
            absent = problem(404, "no-such-file", "There is no file at this address, or not any more.")
            return self._strangers.of("channels", request, absent)
        vouch(request)
        return await give_file(request, self._pool, file, {"X-Robots-Tag": "noindex"})
