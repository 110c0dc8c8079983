"""Sealing what is kept of secrets: plain text of earlier versions at the start, and everything when the key changes."""

from __future__ import annotations

import asyncio
from collections.abc import Callable
from dataclasses import dataclass

import asyncpg
import structlog

from gateway.store.admin import sealed_rows as store
from gateway.store.admin.audit import AuditChange, record
from runtime.database.pool import Conn
from runtime.database.sealed_columns import keys_of
from runtime.database.sealing import SealingError, SecretsKeyMissing

log = structlog.get_logger(__name__)

_BATCH = 100
_PASSES = 5
"""Rows that others change meanwhile are looked at again."""


class NoSecretsKey(SealingError):
    """There is no key to seal with."""

    code = "no-secrets-key"

    def __init__(self) -> None:
        super().__init__(
            "no key for secrets is configured",
            "make one with 'callmatrix secrets generate' and name its file in CALLMATRIX_SECRETS_KEY_FILE",
        )


@dataclass(frozen=True, slots=True, kw_only=True)
class Rotated:
    """sealed: how many rows were sealed anew. left: how many secrets are not under the newest key yet."""

    key: str
    sealed: int
    left: int


async def prepare_secrets(pool: asyncpg.Pool) -> None:
    """Before a process works: refuse where a key is missing, else seal what still stands in plain text.

    Without any key plain text stays as it is and is warned of: an installation that was brought up to date goes on.
    Any number of processes may do it at once, and be killed meanwhile. Raises SecretsKeyMissing; nothing is changed then.
    """
    async with pool.acquire() as conn:
        counts = await store.key_counts(conn)
        keys = keys_of(conn)
        if missing := keys.missing([key for key in counts if key is not None]):
            raise SecretsKeyMissing(missing)
        # Without a key this may be the wrong folder, or the key is lost: whoever has it must still be known.
        if keys:
            await store.forget_unused_keys(conn, [*keys.ids, *filter(None, counts)])
        if not counts.get(None):
            return
        if not keys:
            log.warning("secrets-in-plain-text", count=counts[None])
            return
        count = await _seal_all(conn, lambda _done: None)
        log.info("secrets-sealed", count=count, key=keys.ids[0])


async def rotate_secrets(conn: Conn, say: Callable[[int], None]) -> Rotated:
    """Seal everything with the newest key, beside running processes; done again it goes on where it was ended.

    say: told how many rows are done. Raises NoSecretsKey, SecretsKeyMissing.
    """
    keys = keys_of(conn)
    if not keys:
        raise NoSecretsKey
    counts = await store.key_counts(conn)
    if missing := keys.missing([key for key in counts if key is not None]):
        raise SecretsKeyMissing(missing)
    done = await _seal_all(conn, say)
    counts = await store.key_counts(conn)
    left = sum(count for key, count in counts.items() if key != keys.ids[0])
    if done:
        said = {"rows": done, "left": left}
        await record(conn, AuditChange(what="secrets", object=keys.ids[0], action="rotated", after=said))
    if not left:
        await store.forget_unused_keys(conn, [keys.ids[0]])
    return Rotated(key=keys.ids[0], sealed=done, left=left)


async def _seal_all(conn: Conn, say: Callable[[int], None]) -> int:
    done = 0
    for _ in range(_PASSES):
        before = done
        for place in store.PLACES:
            after: list[str] | None = None
            while True:
                changed, after = await store.seal_some(conn, place, after, limit=_BATCH)
                done += changed
                say(done)
                await asyncio.sleep(0)
                if after is None:
                    break
        if done == before:
            break
    return done
