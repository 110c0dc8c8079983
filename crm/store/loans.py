"""Requests that whoever works for an account lends to whoever tries a key of it, as rows. One that is given back is gone."""

from __future__ import annotations

from typing import Literal, NamedTuple

from runtime.database import channels
from runtime.database.pool import Conn

LoanState = Literal["asked", "seen", "lent", "lost", "refused"]


class Loan(NamedTuple):
    """age_seconds: since it was lent, before that since it was asked for. closed_seconds: of one that was refused."""

    id: int
    state: LoanState
    age_seconds: float
    closed_seconds: float


_READ = (
    "SELECT loan_id, state, extract(epoch FROM clock_timestamp() - coalesce(lent_at, asked_at))::float8,"
    " coalesce(closed_seconds, 0) FROM crm_loan WHERE account_id = $1"
)


async def ask(conn: Conn, account_id: str) -> int:
    """Return by which number it is known."""
    async with conn.transaction():
        loan_id: int = await conn.fetchval(
            "INSERT INTO crm_loan (account_id) VALUES ($1) RETURNING loan_id", account_id
        )
        await channels.notify(conn, channels.LOANS, account_id)
    return loan_id


async def loan(conn: Conn, account_id: str, loan_id: int) -> Loan | None:
    """None: it is gone."""
    row = await conn.fetchrow(f"{_READ} AND loan_id = $2", account_id, loan_id)
    return None if row is None else Loan(*row)


async def see_all(conn: Conn, account_id: str) -> list[Loan]:
    """Return those that are open, oldest first, as they stood; what was asked for is seen from now on."""
    rows = await conn.fetch(f"{_READ} ORDER BY loan_id", account_id)
    if any(row["state"] == "asked" for row in rows):
        await conn.execute(
            "UPDATE crm_loan SET state = 'seen' WHERE account_id = $1 AND state = 'asked' AND loan_id = ANY($2)",
            account_id,
            [row["loan_id"] for row in rows],
        )
    return [Loan(*row) for row in rows]


async def lend(conn: Conn, account_id: str, loan_id: int) -> bool:
    """Return False where nobody waits for it any more."""
    done = await conn.execute(
        "UPDATE crm_loan SET state = 'lent', lent_at = clock_timestamp()"
        " WHERE account_id = $1 AND loan_id = $2 AND state = 'seen'",
        account_id,
        loan_id,
    )
    return bool(done == "UPDATE 1")


async def refuse(conn: Conn, account_id: str, loan_id: int, closed_seconds: float) -> None:
    """closed_seconds: how long nothing is sent."""
    await conn.execute(
        "UPDATE crm_loan SET state = 'refused', closed_seconds = $3 WHERE account_id = $1 AND loan_id = $2",
        account_id,
        loan_id,
        closed_seconds,
    )


async def give_back(conn: Conn, account_id: str, loan_id: int, *, is_lost: bool = False) -> None:
    """is_lost: it was sent, and no answer came. Harmless where it is gone."""
    async with conn.transaction():
        await conn.execute(
            "UPDATE crm_loan SET state = 'lost' WHERE account_id = $1 AND loan_id = $2"
            if is_lost
            else "DELETE FROM crm_loan WHERE account_id = $1 AND loan_id = $2",
            account_id,
            loan_id,
        )
        await channels.notify(conn, channels.LOANS, account_id)


async def forget(conn: Conn, account_id: str, loan_ids: list[int]) -> None:
    """Delete what nobody gives back."""
    await conn.execute(
        "DELETE FROM crm_loan WHERE account_id = $1 AND loan_id = ANY($2)", account_id, loan_ids
    )
