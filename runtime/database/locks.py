"""Every advisory lock of the installation, by what it guards; a lease has its own beside its session (lease.py).

The keys are shared with processes of other versions during an upgrade: a name or a seed is never changed.
"""

from __future__ import annotations

from collections.abc import Iterable
from dataclasses import dataclass

from runtime.database.pool import Conn


@dataclass(frozen=True, slots=True)
class Lock:
    """key: SQL of the key, made of `values`."""

    key: str
    values: tuple[int | str, ...]


def _named(name: str, seed: int) -> Lock:
    return Lock("hashtextextended($1, $2)", (name, seed))


MIGRATIONS = Lock("$1", (0x63616C6C6D78,))
TABLE_STATISTICS = _named("table statistics", 0)
CLIENT_SWEEP = _named("client sweep", 3)
RETENTION = _named("housekeeping", 4)
DISTRIBUTION_SWEEP = _named("distribution sweep", 9)


def client(account_id: str, client_key: str) -> Lock:
    """Guards all that is decided about one client."""
    return _named(f"client {account_id} {client_key}", 1)


def call(account_id: str, connection_id: str, call_key: str) -> Lock:
    """Guards one call, whose client may still be unknown."""
    return _named(f"call {account_id} {connection_id} {call_key}", 2)


def matrix_checks(account_id: str) -> Lock:
    return _named(f"matrix checks {account_id}", 5)


def crm_subject(account_id: str, subject: str) -> Lock:
    """Guards work on the events of one deal, contact or task of the CRM; taken before any client's."""
    return _named(f"crm {account_id} {subject}", 6)


def crm_account(crm_id: str) -> Lock:
    """Guards which of our accounts is connected to this account of the CRM."""
    return _named(f"crm account {crm_id}", 7)


def backfill(account_id: str) -> Lock:
    """Guards changes of one account's backfill runs."""
    return _named(f"callmatrix backfill {account_id}", 0)


def shift_change(account_id: str) -> Lock:
    """Guards which moves of an account's people are begun and broken off."""
    return _named(f"shift change {account_id}", 8)


def sign_in(kind: str, key: str) -> Lock:
    """Guards what is known of the tries of one login or from one address."""
    return _named(f"sign-in {kind} {key}", 7)


def distribution(account_id: str, template: str) -> Lock:
    """Guards that what waits for one template is looked at by one process at a time, the oldest first."""
    return _named(f"distribution {account_id} {template}", 8)


def token_refresh(account_id: str) -> Lock:
    """Guards the refresh of one account's CRM tokens; held by a session across transactions."""
    return Lock("$1, hashtext($2)", (0x746F6B65, account_id))


async def take(conn: Conn, lock: Lock) -> None:
    """Wait for it; it is held until the transaction ends."""
    await conn.execute(f"SELECT pg_advisory_xact_lock({lock.key})", *lock.values)


async def take_all(conn: Conn, named: Iterable[Lock]) -> None:
    """As `take`, of locks that have a name: one after the other, for everybody in the same order."""
    values = sorted({lock.values for lock in named})
    await conn.execute(
        "SELECT pg_advisory_xact_lock(hashtextextended(name, seed))"
        " FROM unnest($1::text[], $2::bigint[]) WITH ORDINALITY AS wanted (name, seed, place) ORDER BY place",
        [str(name) for name, _ in values],
        [int(seed) for _, seed in values],
    )


async def try_take(conn: Conn, lock: Lock) -> bool:
    """Take it until the transaction ends, unless another session holds it."""
    taken: bool = await conn.fetchval(f"SELECT pg_try_advisory_xact_lock({lock.key})", *lock.values)
    return taken


async def take_for_session(conn: Conn, lock: Lock, *, timeout: float | None = None) -> None:
    """Wait for it, `timeout` seconds at most; it is held until `release` or the end of the session."""
    await conn.execute(f"SELECT pg_advisory_lock({lock.key})", *lock.values, timeout=timeout)


async def try_take_for_session(conn: Conn, lock: Lock) -> bool:
    """Take it until `release` or the end of the session, unless another session holds it."""
    taken: bool = await conn.fetchval(f"SELECT pg_try_advisory_lock({lock.key})", *lock.values)
    return taken


async def release(conn: Conn, lock: Lock) -> None:
    """Let go of what `take_for_session` took."""
    await conn.execute(f"SELECT pg_advisory_unlock({lock.key})", *lock.values)
