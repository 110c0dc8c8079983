"""Pages say that the CRM takes no key, until another one is given."""

from __future__ import annotations

from datetime import UTC, datetime, timedelta

import asyncpg
import pytest

from crm.amocrm.store import PgTokenStore
from crm.amocrm.tokens import StoredToken
from gateway.web.crm_away.told import crm_away_of

_BROKEN = {"token": {"warning": "broken"}}


async def _tell(pool: asyncpg.Pool, account: str, body: dict[str, object], at: datetime) -> None:
    await pool.execute(
        "INSERT INTO worker_report (account_id, report, at, body) VALUES ($1, 'crm', $2, $3)"
        " ON CONFLICT (account_id, report) DO UPDATE SET at = $2, body = $3",
        account,
        at,
        body,
    )


@pytest.mark.parametrize(
    ("told_ago", "began_ago", "key_ago", "is_said"),
    [
        (5, None, 60, True),  # told of this very key
        (10, None, 5, False),  # told of the one before
        (5, 300, 10, False),  # what began with the one before has not been tried anew yet
        (5, 300, 90, True),  # nor will it be: this one is not taken either
        (5, 7, 10, True),  # it began with this one
    ],
)
async def test_the_old_keys_trouble_is_not_told_of_the_new_one(
    pool: asyncpg.Pool, account: str, told_ago: int, began_ago: int | None, key_ago: int, is_said: bool
) -> None:
    now = datetime.now(UTC)
    await PgTokenStore(pool, account).save(StoredToken(kind="long_lived", access_token="key"))
    await pool.execute("UPDATE crm_token SET updated_at = $1", now - timedelta(seconds=key_ago))
    body: dict[str, object] = dict(_BROKEN)
    if began_ago is not None:
        began = now - timedelta(seconds=began_ago)
        body["writer"] = {"reason": "crm-unauthorised", "reason_since": began.isoformat()}
    await _tell(pool, account, body, now - timedelta(seconds=told_ago))
    async with pool.acquire() as conn:
        away = await crm_away_of(conn, account, now)
    assert (away is not None) == is_said
