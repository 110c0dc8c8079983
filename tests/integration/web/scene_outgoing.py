"""Of the scene: campaigns in every state with their numbers and topics, what triggers fired on, deals that a template was tried on."""

from __future__ import annotations

from datetime import UTC, datetime, timedelta
from typing import Any

import asyncpg

from campaigns.model import CampaignSettings
from campaigns.states import CampaignStep
from gateway.admin.campaigns.saved import make_campaign
from gateway.admin.distribution.orders import SIMULATION
from gateway.store.campaigns import campaigns, lists, members
from gateway.store.campaigns.campaigns import CampaignRow
from gateway.store.campaigns.members import NewMember
from routing.distribution.template import DistributionTemplate, TemplateMember
from runtime.database.pool import Conn
from tests.integration.api.client import ACCOUNT, ANNA

CAMPAIGNS = ("spring", "summer", "autumn", "winter", "gone")
FIRINGS = ("f1", "f2", "f3", "f4")
WORK = "work1"
_MINUTE, _HOUR = timedelta(minutes=1), timedelta(hours=1)
_STEPS: dict[str, CampaignStep] = {
    "spring": CampaignStep("running", "by_command"),
    "summer": CampaignStep("planned", ""),
    "winter": CampaignStep("paused", "by_command"),
    "gone": CampaignStep("finished", "finished_by_hand"),
}
_BECAME = (
    ("succeeded", "talked"), ("failed", "client_no_answer"), ("unknown", "pbx_away"), ("dialling", ""), ("waiting", ""),
    ("held", ""), ("cleared", "taken_out"), ("expired", "client_busy"),
)  # fmt: skip
"""Of the campaign's numbers, one after the other: state and reason."""
_FIRED = (
    ("f1", "queued", "fires"),
    ("f2", "skipped", "not_met"),
    ("f3", "failed", "crm_silent"),
    ("f4", "reading", ""),
)


async def play_outgoing(pool: asyncpg.Pool, client: str, employee: str, note: str) -> None:
    """client, employee: what they are called. note: what was written of a call."""
    async with pool.acquire() as conn, conn.transaction():
        for name in CAMPAIGNS:
            await _campaign(conn, name)
        await _numbers(conn, client)
        await _topics(conn, note)
        await _firings(conn)
        await _tried(conn, employee)


async def _campaign(conn: Conn, name: str) -> None:
    values: dict[str, Any] = {"connection": "office", "target": {"kind": "employee", "employee_id": ANNA.id}}
    row = await make_campaign(conn, ACCOUNT, name, CampaignSettings.model_validate(values), by="olga")
    if name in _STEPS:
        starts_at = datetime.now(UTC) + 24 * _HOUR if name == "summer" else None
        await campaigns.move(conn, row, _STEPS[name], starts_at=starts_at)


async def _row(conn: Conn) -> CampaignRow:
    row = await campaigns.lock_campaign(conn, ACCOUNT, "spring")
    assert row is not None
    return row


async def _numbers(conn: Conn, client: str) -> None:
    """A list that was read, with rows that are no numbers; and each number at another point."""
    row = await _row(conn)
    await lists.keep_list(conn, row, "u1", "clients.csv", {}, b"", "olga")
    refused = [{"row": 3, "said": "nine", "fault": "bad_number"}]
    report = {"rows": 9, "added": 8, "faults": {"bad_number": 1}, "refused": refused}
    await lists.list_read(conn, row, "u1", report)
    numbers = [f"+7916000000{n}" for n in range(len(_BECAME))]
    found = [NewMember(number=one, name=client, data={}) for one in numbers]
    await members.add_members(conn, row, found, source="list", upload="u1")
    for number, (state, reason) in zip(numbers, _BECAME, strict=True):
        await conn.execute(
            "UPDATE outbound_item SET state = $3, reason = $4,"
            " ended_at = CASE WHEN $3 IN ('held', 'waiting', 'dialling') THEN NULL ELSE now() END"
            " WHERE account_id = $1 AND client = $2 AND campaign = 'spring'",
            ACCOUNT, number, state, reason,
        )  # fmt: skip


async def _topics(conn: Conn, note: str) -> None:
    row, now = await _row(conn), datetime.now(UTC)
    for n, ago in enumerate((20 * _MINUTE, 2 * _HOUR)):
        await conn.execute(
            "INSERT INTO campaign_topic (account_id, call_id, campaign_id, item_id, connection, call_key, client, employee_id,"
            " started_at, ended_at, next_ask_at, topics, comment) VALUES ($1, $2, $3, '', 'office', $2, '+79160000001', $4,"
            " $5, $5, $6, $7, $8)",
            ACCOUNT, f"t{n}", row.campaign_id, ANNA.id, now - ago, None if n else now, [] if n else [note], "" if n else note,
        )  # fmt: skip


async def _firings(conn: Conn) -> None:
    for n, (id, state, reason) in enumerate(_FIRED):
        facts = {"cause": "entered", "pipeline": "1", "stage": "11"}
        verdict = "decided" if state == "queued" else "excluded"
        steps = [{"rule": "call", "verdict": verdict, "because": reason, "facts": facts}] if reason else []
        cause = {"on": "entered", "pipeline_id": "1", "stage_id": "11"}
        await conn.execute(
            "INSERT INTO firing (account_id, firing_id, trigger, version, deal_id, cause_key, cause, source, state, reason,"
            " steps, happened_at) VALUES ($1, $2, 'call', 1, $3, $2, $4, 'event', $5, $6, $7, $8)",
            ACCOUNT, id, str(700 + n), cause, state, reason, steps, datetime.now(UTC) - n * _MINUTE,
        )  # fmt: skip


async def _tried(conn: Conn, employee: str) -> None:
    """A template tried on deals that are made up, one for somebody and one for nobody."""
    template = DistributionTemplate(name="turns", employees=(TemplateMember(employee_id=ANNA.id),))
    at = datetime.now(UTC).isoformat()
    step = {"rule": "turns", "verdict": "decided", "because": "turn", "facts": {"employee": ANNA.id}}
    rows = [
        {"deal": "made-up-1", "at": at, "employee": ANNA.id, "reason": "turn", "steps": [step]},
        {"deal": "702", "at": at, "employee": None, "reason": "nobody", "steps": []},
    ]
    person = {"employee": ANNA.id, "name": employee, "meant": 2, "given": 1, "kept": 0, "left_out": {}}
    counted = {"outcomes": {"given": 1, "nobody": 1}, "reasons": {"turn": 1}}
    result = {"items": 2, **counted, "people": [person], "list": rows}
    await conn.execute(
        "INSERT INTO long_work (account_id, work_id, kind, state, asked, asked_by, done, total, result, ended_at)"
        " VALUES ($1, $2, $3, 'done', $4, 'olga', 2, 2, $5, now())",
        ACCOUNT, WORK, SIMULATION, {"template": template.model_dump(mode="json"), "made_up": 2}, result,
    )  # fmt: skip
