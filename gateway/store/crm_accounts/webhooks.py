"""CRM webhooks that wait for a worker, and OAuth grants under way, as rows."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from datetime import datetime, timedelta

from runtime.database import channels
from runtime.database.errors import storable
from runtime.database.pool import Conn
from runtime.database.sealed_columns import opened, sealed
from runtime.database.sealing import Place
from runtime.tokens import hash_of, new_secret

GRANT_SECRET = Place("oauth_state", "client_secret", ("account_id", "state"))
_HASHED = "sha256:"
"""Before a state that is kept as its hash. No state has a colon."""


async def keep_webhooks(conn: Conn, webhooks: Sequence[tuple[str, bytes]]) -> None:
    """(account, body) each, in their order; all or none."""
    await conn.execute(
        "WITH kept AS (INSERT INTO crm_webhook (account_id, body)"
        " SELECT account_id, body FROM unnest($1::text[], $2::bytea[]) WITH ORDINALITY AS w (account_id, body, place)"
        " ORDER BY place RETURNING account_id)"
        " SELECT pg_notify($3, account_id) FROM (SELECT DISTINCT account_id FROM kept) AS told",
        [account_id for account_id, _ in webhooks],
        [body for _, body in webhooks],
        channels.WEBHOOKS,
    )


async def next_webhooks(conn: Conn, account_id: str, limit: int = 500) -> list[tuple[int, bytes]]:
    """(id, body), oldest first, but for those that were set aside."""
    rows = await conn.fetch(
        "SELECT webhook_id, body FROM crm_webhook WHERE account_id = $1 AND aside_at IS NULL"
        " ORDER BY webhook_id LIMIT $2",
        account_id,
        limit,
    )
    return [(r["webhook_id"], r["body"]) for r in rows]


async def delete_webhooks_older_than(conn: Conn, before: datetime, *, limit: int) -> int:
    """Delete what was told earlier of an account that is off, or was set aside: the polls bring it. How many."""
    done: str = await conn.execute(
        "DELETE FROM crm_webhook WHERE (account_id, webhook_id) IN (SELECT account_id, webhook_id FROM crm_webhook"
        " WHERE received_at < $1 LIMIT $2)",
        before,
        limit,
    )
    return int(done.split()[-1])


async def webhook_failed(
    conn: Conn, account_id: str, webhook_id: int, error: str, *, most_tries: int
) -> None:
    """Note that this one cannot be taken over; set aside when it has failed so often."""
    await conn.execute(
        "UPDATE crm_webhook SET tries = tries + 1, error = $3, aside_at = CASE WHEN tries + 1 >= $4 THEN now() END"
        " WHERE account_id = $1 AND webhook_id = $2",
        account_id,
        webhook_id,
        storable(error)[:2000],
        most_tries,
    )


async def webhooks_done(conn: Conn, account_id: str, refusals: Mapping[int, str | None]) -> None:
    """By id why it could not be read, None for what was taken over; a refused one is dropped all the same, the polls
    bring what it told."""
    refused = [storable(refusal) for refusal in refusals.values() if refusal is not None]
    async with conn.transaction():
        await conn.execute(
            "DELETE FROM crm_webhook WHERE account_id = $1 AND webhook_id = ANY($2)",
            account_id,
            list(refusals),
        )
        await conn.execute(
            "INSERT INTO crm_webhook_seen AS seen (account_id, last_at, applied, refused, last_refusal, last_refused_at)"
            " VALUES ($1, now(), $2::bigint, $3::bigint, $4, CASE WHEN $3::bigint > 0 THEN now() END)"
            " ON CONFLICT (account_id) DO UPDATE SET last_at = now(),"
            " applied = seen.applied + $2::bigint, refused = seen.refused + $3::bigint,"
            " last_refusal = coalesce($4, seen.last_refusal),"
            " last_refused_at = coalesce(excluded.last_refused_at, seen.last_refused_at)",
            account_id,
            len(refusals) - len(refused),
            len(refused),
            refused[-1] if refused else None,
        )


@dataclass(frozen=True, slots=True, kw_only=True)
class Grant:
    """session: of the pages that began it, None = begun elsewhere."""

    account_id: str
    client_id: str
    client_secret: str
    redirect_uri: str
    session: str | None = None


def _kept(state: str) -> str:
    """Return what stands in the row: whoever reads the table can come back with none of them."""
    return f"{_HASHED}{hash_of(state)}"


async def begin_grant(conn: Conn, grant: Grant, minutes: int = 30) -> str:
    """Begin a grant; return the state to send along; the return is taken only with it."""
    state = new_secret()
    kept = _kept(state)
    expires: timedelta = timedelta(minutes=minutes)
    await conn.execute(
        "INSERT INTO oauth_state (account_id, state, client_id, client_secret, redirect_uri, expires_at, session_id)"
        " VALUES ($1, $2, $3, $4, $5, now() + $6, $7)",
        grant.account_id,
        kept,
        grant.client_id,
        await sealed(conn, GRANT_SECRET, (grant.account_id, kept), grant.client_secret),
        grant.redirect_uri,
        expires,
        grant.session,
    )
    return state


async def take_grant(conn: Conn, state: str, now: datetime) -> Grant | None:
    """Take the grant of this state, once; None when it is unknown, used or expired."""
    row = await conn.fetchrow(
        "DELETE FROM oauth_state WHERE state = ANY($1) RETURNING account_id, state, client_id, client_secret,"
        " redirect_uri, expires_at, session_id",
        # As it is: begun by a process of a version that kept it so. A hash, which has a colon, is no state.
        [_kept(state)] if ":" in state else [_kept(state), state],
    )
    if row is None or row["expires_at"] < now:
        return None
    return Grant(
        account_id=row["account_id"],
        client_id=row["client_id"],
        client_secret=opened(conn, GRANT_SECRET, (row["account_id"], row["state"]), row["client_secret"]),
        redirect_uri=row["redirect_uri"],
        session=row["session_id"],
    )


async def delete_expired_grants(conn: Conn, before: datetime, *, limit: int) -> int:
    """Of grants that nobody came back with; each holds the integration's secret."""
    done: str = await conn.execute(
        "DELETE FROM oauth_state WHERE state IN (SELECT state FROM oauth_state WHERE expires_at < $1 LIMIT $2)",
        before,
        limit,
    )
    return int(done.split()[-1])
