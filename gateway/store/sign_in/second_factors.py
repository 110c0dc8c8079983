"""Second factors, as rows: the sealed secret of the app that shows codes, and codes for when the phone is lost."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass
from datetime import datetime

from runtime.database.pool import Conn
from runtime.database.sealed_columns import opened, sealed
from runtime.database.sealing import Place

TOTP_SECRET = Place("admin_user", "totp_secret", ("login",))


@dataclass(frozen=True, slots=True, kw_only=True)
class SecondFactor:
    """is_on: it was confirmed with a code. last_step: the half minute of the last code that was taken. codes_left: of those
    for a lost phone."""

    secret: str
    is_on: bool
    last_step: int
    codes_left: int


async def second_factor_of(conn: Conn, login: str, *, for_update: bool = False) -> SecondFactor | None:
    """Return what is stored, confirmed or not. Raises SealingError."""
    row = await conn.fetchrow(
        "SELECT totp_secret, totp_on_at, totp_step,"  # noqa: S608 - one of two fixed endings
        " (SELECT count(*) FROM recovery_code AS c WHERE c.login = u.login) AS codes_left"
        f" FROM admin_user AS u WHERE login = $1 AND totp_secret IS NOT NULL{' FOR UPDATE' if for_update else ''}",
        login,
    )
    if row is None:
        return None
    return SecondFactor(
        secret=opened(conn, TOTP_SECRET, (login,), row["totp_secret"]),
        is_on=row["totp_on_at"] is not None,
        last_step=row["totp_step"] or 0,
        codes_left=row["codes_left"],
    )


async def has_second_factor(conn: Conn, login: str) -> bool:
    found = await conn.fetchval(
        "SELECT TRUE FROM admin_user WHERE login = $1 AND totp_on_at IS NOT NULL AND totp_secret IS NOT NULL",
        login,
    )
    return bool(found)


async def offer_secret(conn: Conn, login: str, secret: str) -> None:
    """Not asked for yet. Changes nothing where one is on. Raises SecretsKeyMissing."""
    await conn.execute(
        "UPDATE admin_user SET totp_secret = $2, totp_step = NULL WHERE login = $1 AND totp_on_at IS NULL",
        login,
        await sealed(conn, TOTP_SECRET, (login,), secret),
    )


async def switch_second_factor_on(
    conn: Conn, login: str, step: int, hashes: Sequence[str], now: datetime
) -> None:
    """hashes: of the codes for a lost phone; earlier ones are forgotten."""
    await conn.execute(
        "UPDATE admin_user SET totp_on_at = $2, totp_step = $3 WHERE login = $1", login, now, step
    )
    await replace_recovery_codes(conn, login, hashes)


async def replace_recovery_codes(conn: Conn, login: str, hashes: Sequence[str]) -> None:
    await conn.execute("DELETE FROM recovery_code WHERE login = $1", login)
    await conn.execute(
        "INSERT INTO recovery_code (login, code_hash) SELECT $1, * FROM unnest($2::text[])",
        login,
        list(hashes),
    )


async def switch_second_factor_off(conn: Conn, login: str) -> bool:
    """Whether one was on."""
    had = await has_second_factor(conn, login)
    await conn.execute("DELETE FROM recovery_code WHERE login = $1", login)
    await conn.execute(
        "UPDATE admin_user SET totp_secret = NULL, totp_on_at = NULL, totp_step = NULL WHERE login = $1",
        login,
    )
    return had


async def take_step(conn: Conn, login: str, step: int) -> bool:
    """Whether no code of this half minute, or a later one, was taken before."""
    done: str = await conn.execute(
        "UPDATE admin_user SET totp_step = $2 WHERE login = $1 AND coalesce(totp_step, 0) < $2", login, step
    )
    return done != "UPDATE 0"


async def take_recovery_code(conn: Conn, login: str, code_hash: str) -> bool:
    """Whether there was one."""
    done: str = await conn.execute(
        "DELETE FROM recovery_code WHERE login = $1 AND code_hash = $2", login, code_hash
    )
    return done != "DELETE 0"
