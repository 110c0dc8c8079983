"""Tokens of amoCRM accounts as rows of `crm_token`."""

from __future__ import annotations

import asyncio
from collections.abc import AsyncIterator, Mapping, Sequence
from contextlib import asynccontextmanager
from datetime import datetime

import asyncpg
from asyncpg.pool import PoolConnectionProxy

from crm.amocrm.tokens import StoredToken
from crm.errors import CrmUnavailable
from runtime.database import locks
from runtime.database.pool import Conn
from runtime.database.sealed_columns import opened, opened_or_none, sealed
from runtime.database.sealing import Place, SealingError

TOKEN_SECRETS = tuple(
    Place("crm_token", column) for column in ("access_token", "refresh_token", "client_secret")
)


class PgTokenStore:
    """`crm.amocrm.tokens.TokenStore` of one account. Each refresh holds one connection of the pool meanwhile.

    refreshing: shared by all accounts of a process, so that keys that are slow to come do not use up its pool.
    """

    def __init__(
        self, pool: asyncpg.Pool, account_id: str, refreshing: asyncio.Semaphore | None = None
    ) -> None:
        self._pool, self._account_id = pool, account_id
        self._refreshing = refreshing or asyncio.Semaphore(1)

    async def read(self) -> StoredToken | None:
        async with self._pool.acquire() as conn:
            return await read_token(conn, self._account_id)

    async def save(self, token: StoredToken, moved_to: str | None = None) -> StoredToken:
        async with self._pool.acquire() as conn:
            return await store_token(conn, self._account_id, token, moved_to)

    @asynccontextmanager
    async def exclusive(self) -> AsyncIterator[PgHeldTokens]:
        """Hold a session lock and not a row lock: what is committed inside must be seen by all before the refresh is over.

        PostgreSQL lets go of it when this process dies.
        """
        lock = locks.token_refresh(self._account_id)
        async with self._refreshing, self._pool.acquire() as conn:
            async with _ends_with_its_session(conn):
                await locks.take_for_session(conn, lock, timeout=120)
            try:
                yield PgHeldTokens(conn, self._account_id)
            finally:
                async with _ends_with_its_session(conn):
                    await locks.release(conn, lock)


@asynccontextmanager
async def _ends_with_its_session(conn: PoolConnectionProxy) -> AsyncIterator[None]:
    """Where it is not known whether the lock is held, the session ends: no later user of the connection may have it."""
    try:
        yield
    except BaseException:
        conn.terminate()
        raise


class PgHeldTokens:
    """`crm.amocrm.tokens.HeldTokens`."""

    def __init__(self, conn: PoolConnectionProxy, account_id: str) -> None:
        self._conn, self._account_id = conn, account_id

    async def read(self) -> StoredToken | None:
        return await read_token(self._conn, self._account_id)

    async def mark_sent(self, at: datetime) -> None:
        await self._conn.execute(
            "UPDATE crm_token SET refresh_sent_at = $2 WHERE account_id = $1", self._account_id, at
        )

    async def clear_sent(self) -> None:
        await self._conn.execute(
            "UPDATE crm_token SET refresh_sent_at = NULL WHERE account_id = $1", self._account_id
        )

    async def save(self, token: StoredToken, moved_to: str | None = None) -> StoredToken:
        return await store_token(self._conn, self._account_id, token, moved_to)


async def store_token(
    conn: PoolConnectionProxy, account_id: str, token: StoredToken, moved_to: str | None
) -> StoredToken:
    """Replace whatever authorisation the account had. moved_to: as of `TokenStore.save`."""
    async with conn.transaction():
        if moved_to is not None:
            await conn.execute("UPDATE account SET base_url = $2 WHERE account_id = $1", account_id, moved_to)
        return await _save(conn, account_id, token)


async def read_token(conn: Conn, account_id: str) -> StoredToken | None:
    """Read the account's row. Raises CrmUnavailable where what is stored cannot be opened."""
    row = await conn.fetchrow("SELECT * FROM crm_token WHERE account_id = $1", account_id)
    if row is None:
        return None
    try:
        return _token(
            row,
            {p.column: opened(conn, p, [account_id], row[p.column]) for p in TOKEN_SECRETS if row[p.column]},
        )
    except SealingError as err:
        raise CrmUnavailable(f"the key to the CRM cannot be used: {err}; {err.remedy}") from err


async def read_tokens(conn: Conn, account_ids: Sequence[str] | None) -> dict[str, StoredToken]:
    """Of these accounts, None = of all that have one. What cannot be opened is empty: this is for showing how they stand."""
    rows = await conn.fetch(
        "SELECT * FROM crm_token WHERE $1::text[] IS NULL OR account_id = ANY($1)", account_ids
    )
    return {row["account_id"]: _token(row, _shown(conn, row)) for row in rows}


def _shown(conn: Conn, row: asyncpg.Record) -> dict[str, str | None]:
    found = {p.column: opened_or_none(conn, p, [row["account_id"]], row[p.column]) for p in TOKEN_SECRETS}
    return {**found, "access_token": found["access_token"] or ""}


async def store_long_lived_token(
    conn: Conn, account_id: str, token: str, expires_at: datetime | None = None
) -> None:
    """Replace whatever authorisation the account had; the same token again changes nothing. Run it inside a transaction."""
    row = await conn.fetchrow("SELECT * FROM crm_token WHERE account_id = $1 FOR UPDATE", account_id)
    if row is None or _shown(conn, row)["access_token"] != token:
        await _save(
            conn, account_id, StoredToken(kind="long_lived", access_token=token, expires_at=expires_at)
        )


async def _save(conn: Conn, account_id: str, token: StoredToken) -> StoredToken:
    secrets = {
        place.column: await sealed(conn, place, [account_id], text)
        for place in TOKEN_SECRETS
        if (text := getattr(token, place.column)) is not None
    }
    row = await conn.fetchrow(
        "INSERT INTO crm_token (account_id, kind, access_token, refresh_token, client_id, client_secret,"
        " redirect_uri, expires_at) VALUES ($1, $2, $3, $4, $5, $6, $7, $8)"
        " ON CONFLICT (account_id) DO UPDATE SET kind = $2, access_token = $3, refresh_token = $4,"
        " client_id = $5, client_secret = $6, redirect_uri = $7, expires_at = $8,"
        " generation = crm_token.generation + 1, refresh_sent_at = NULL, updated_at = now()"
        " RETURNING *",
        account_id,
        token.kind,
        secrets["access_token"],
        secrets.get("refresh_token"),
        token.client_id,
        secrets.get("client_secret"),
        token.redirect_uri,
        token.expires_at,
    )
    assert row is not None
    return _token(row, {place.column: getattr(token, place.column) for place in TOKEN_SECRETS})


def _token(row: asyncpg.Record, secrets: Mapping[str, str | None]) -> StoredToken:
    """secrets: the columns that are sealed in the row, opened."""
    return StoredToken(**{key: value for key, value in row.items() if key != "account_id"} | dict(secrets))
