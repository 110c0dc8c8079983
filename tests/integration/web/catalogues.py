"""The CRM's catalogues as they were read: pipeline 1 with two stages, a field, users 1, 11 and 12."""

from __future__ import annotations

import asyncpg

from tests.integration.api.client import ACCOUNT

_STAGES = [
    {"id": id, "name": name, "sort": sort, "is_closed": False, "is_unsorted": False}
    for id, name, sort in (("11", "Новая", 1), ("12", "В работе", 2))
]


async def read_catalogues(pool: asyncpg.Pool) -> None:
    await pool.execute(
        "INSERT INTO crm_account (account_id, crm_id, name, is_unsorted_on, are_filters_on, task_types, read_at)"
        " VALUES ($1, '1', 'Acme', true, false, '{}', now())",
        ACCOUNT,
    )
    await pool.execute(
        "INSERT INTO crm_pipeline (account_id, pipeline_id, name, is_main, is_archived, is_unsorted_on, stages, stage_colours)"
        " VALUES ($1, '1', 'Sales', true, false, true, $2, '{\"11\": \"#99ccff\"}')",
        ACCOUNT,
        _STAGES,
    )
    await pool.execute(
        "INSERT INTO crm_field (account_id, kind, field_id, code, name, type)"
        " VALUES ($1, 'deal', '601', 'UTM_SOURCE', 'Source', 'text')",
        ACCOUNT,
    )
    for id in ("1", "11", "12"):
        await pool.execute(
            "INSERT INTO crm_user (account_id, user_id, name, is_active) VALUES ($1, $2, $2, true)",
            ACCOUNT,
            id,
        )
