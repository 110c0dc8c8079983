"""The campaign that a call belongs to: by its attempt, else a running one that has the client in it."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from typing import Any

from campaigns.model import CampaignSettings
from routing.calls.campaign import CampaignOfCall
from runtime.database.pool import Conn

_BY_ATTEMPT = """
SELECT c.campaign_id, c.name AS campaign, c.settings, m.client_id, m.name, true AS is_own FROM outbound_attempt a
JOIN campaign_member m ON m.account_id = a.account_id AND m.item_id = a.item_id
JOIN campaign c ON c.account_id = m.account_id AND c.campaign_id = m.campaign_id
WHERE a.account_id = $1 AND a.attempt_id = $2
"""
_BY_NUMBER = """
SELECT c.campaign_id, c.name AS campaign, c.settings, m.client_id, m.name, false AS is_own FROM campaign_member m
JOIN campaign c ON c.account_id = m.account_id AND c.campaign_id = m.campaign_id
WHERE m.account_id = $1 AND m.number = $2 AND c.state IN ('running', 'stopping') ORDER BY m.added_at DESC LIMIT 1
"""
# A number's id there may not be read yet: then by the number.
_BY_TASK = """
SELECT c.campaign_id, c.name AS campaign, c.settings, coalesce(m.client_id, '') AS client_id, coalesce(m.name, '') AS name,
    true AS is_own
FROM campaign c JOIN connection o ON o.account_id = c.account_id AND o.name = c.settings->>'connection' AND o.connection_id = $3
LEFT JOIN campaign_member m ON m.account_id = c.account_id AND m.campaign_id = c.campaign_id AND m.number = $2
LEFT JOIN campaign_task t ON t.account_id = c.account_id AND t.campaign_id = c.campaign_id AND t.task_ref = $4
WHERE c.account_id = $1 AND c.settings->>'engine' = 'pbx' AND (t.marker IS NOT NULL OR m.number IS NOT NULL)
ORDER BY t.marker IS NOT NULL DESC, m.added_at DESC NULLS LAST LIMIT 1
"""
_UNKNOWN_THERE = CampaignOfCall(id="", name="", leaves_traces=False)
"""One of the contact centre's that the gateway does not know, while no campaign leaves traces."""


async def campaign_of_call(
    conn: Conn,
    account_id: str,
    number: str,
    attempt: str | None,
    *,
    is_inbound: bool,
    may_leave_traces: bool = True,
    there: tuple[str, str] | None = None,
) -> CampaignOfCall | None:
    """Return what the matrix has to know of it. number: the client's, E.164. attempt: by which the call was ordered.
    may_leave_traces: the account's switch over that of each campaign. there: the connection and the number's id in its contact
    centre, of a call that one of its campaigns made."""
    row: Any = None
    if there is not None:
        row = await conn.fetchrow(_BY_TASK, account_id, number, *there)
        if row is None and not may_leave_traces:
            return _UNKNOWN_THERE
    elif attempt is not None:
        row = await conn.fetchrow(_BY_ATTEMPT, account_id, attempt)
    elif is_inbound:
        row = await conn.fetchrow(_BY_NUMBER, account_id, number)
    return None if row is None else _campaign(row, may_leave_traces)[1]


_BY_ID = """
SELECT c.campaign_id, c.name AS campaign, c.settings, coalesce(m.client_id, '') AS client_id, coalesce(m.name, '') AS name,
    true AS is_own
FROM campaign c LEFT JOIN campaign_member m ON m.account_id = c.account_id AND m.campaign_id = c.campaign_id AND m.number = $3
WHERE c.account_id = $1 AND c.campaign_id = $2
"""


async def campaign_of_client(
    conn: Conn, account_id: str, campaign_id: str, number: str
) -> tuple[CampaignSettings, CampaignOfCall] | None:
    row = await conn.fetchrow(_BY_ID, account_id, campaign_id, number)
    return None if row is None else _campaign(row)


_AS_DECIDED = """
SELECT d.inputs->'campaign' AS campaign, coalesce(m.data, '{}') AS data FROM decision d
LEFT JOIN campaign_member m ON m.account_id = d.account_id AND m.campaign_id = d.inputs->'campaign'->>'id' AND m.number = d.client
WHERE d.account_id = $1 AND d.decision_id = ANY($2) AND d.inputs ? 'campaign' LIMIT 1
"""


async def campaign_as_decided(
    conn: Conn, account_id: str, decision_ids: Sequence[str]
) -> tuple[CampaignOfCall, Mapping[str, str]] | None:
    """Return the campaign by which a call was decided, and what else its list says of the client; None: by none."""
    row = await conn.fetchrow(_AS_DECIDED, account_id, list(decision_ids))
    return None if row is None else (CampaignOfCall.model_validate(row["campaign"]), row["data"])


def _campaign(row: Any, may_leave_traces: bool = True) -> tuple[CampaignSettings, CampaignOfCall]:
    settings = CampaignSettings.model_validate(row["settings"])
    said = {"campaign": row["campaign"], "campaign_id": row["campaign_id"], "client_id": row["client_id"]}
    fields = settings.contact_fields.model_dump()
    return settings, CampaignOfCall(
        id=row["campaign_id"],
        name=row["campaign"],
        client_id=row["client_id"],
        client_name=row["name"],
        contact_fields={fields[name]: text for name, text in said.items() if fields[name] and text},
        leaves_traces=(may_leave_traces and settings.leaves_traces) or not row["is_own"],
    )
