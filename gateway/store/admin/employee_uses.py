"""What names an employee: who is this person by token or login, and what rings, texts, or gives deals, hours or clients to them."""

from __future__ import annotations

from runtime.database.pool import Conn

# Anywhere in a template: members, those of groups, the one who gets what nobody else can. Exclusions give nothing to anybody.
_NAMED = """
SELECT 'token ' || name AS what FROM api_token WHERE account_id = $1 AND ($2 = employee OR $2 = ANY(counters))
    AND (expires_at IS NULL OR expires_at > now())
UNION ALL SELECT 'user ' || login FROM admin_user WHERE account_id = $1 AND ($2 = employee OR $2 = ANY(counters))
UNION ALL SELECT 'template ' || h.name FROM distribution_template h
    JOIN distribution_version v USING (account_id, name, version)
    WHERE h.account_id = $1 AND h.removed_at IS NULL
    AND jsonb_path_exists(v.body, '$.**.employee_id ? (@ == $id)', jsonb_build_object('id', $2::text))
UNION ALL SELECT 'trigger ' || h.name FROM pipeline_trigger h
    JOIN pipeline_trigger_version v USING (account_id, name, version)
    WHERE h.account_id = $1 AND h.removed_at IS NULL AND (
        v.body->'action'->'target'->>'employee_id' = $2
        OR v.body->'action'->'to'->'employees' @> to_jsonb($2::text)
        OR jsonb_path_exists(v.body, '$.conditions[*].values[*] ? (@ == $of)',
            jsonb_build_object('of', 'employee:' || $2::text)))
UNION ALL SELECT 'campaign ' || name FROM campaign
    WHERE account_id = $1 AND state <> 'finished' AND settings->'target'->>'employee_id' = $2
UNION ALL SELECT DISTINCT 'matrix' FROM matrix_version m WHERE m.account_id = $1
    AND (m.version = callmatrix_published_matrix($1) OR EXISTS (SELECT FROM matrix_trial t
        WHERE t.account_id = $1 AND t.version = m.version AND t.outcome IS NULL))
    AND strpos(m.body::text, to_jsonb('employee:' || $2::text)::text) > 0
UNION ALL SELECT 'schedule ' || h.name FROM schedule h JOIN schedule_version v USING (account_id, name, version)
    WHERE h.account_id = $1 AND h.removed_at IS NULL AND (v.body->'people' ? $2
        OR jsonb_path_exists(v.body, '$.**.substitute ? (@ == $id)', jsonb_build_object('id', $2::text)))
UNION ALL SELECT 'deputy of ' || employee_id FROM employee WHERE account_id = $1 AND deputy_id = $2 AND employee_id <> $2
UNION ALL SELECT 'one_person' FROM account WHERE account_id = $1
    AND jsonb_path_exists(settings->'one_person', '$.** ? (@ == $id)', jsonb_build_object('id', $2::text))
UNION ALL SELECT 'channel ' || name FROM channel WHERE account_id = $1 AND (rules->'employees' ? $2
    OR jsonb_path_exists(rules->'authors', '$.* ? (@ == $id)', jsonb_build_object('id', $2::text)))
UNION ALL SELECT CASE WHEN a.is_default THEN 'default channel ' ELSE 'access to channel ' END || c.name FROM channel_access a
    JOIN channel c USING (account_id, channel_id) WHERE a.account_id = $1 AND a.employee_id = $2 AND a.may <> 'none'
UNION ALL SELECT 'observers' FROM account WHERE account_id = $1 AND settings->'dialogues'->'observers' ? $2
ORDER BY what
"""


async def uses_of_employee(conn: Conn, account_id: str, employee_id: str) -> list[str]:
    """Return e.g. "token anna", "user anna", "template ads", "trigger big deals", "campaign autumn", "matrix", "schedule shop",
    "deputy of boris", "one_person", "channel WhatsApp", "access to channel WhatsApp", "default channel Telegram", "observers"."""
    return [row["what"] for row in await conn.fetch(_NAMED, account_id, employee_id)]
