"""What the demo shows of distribution: two templates, a schedule, presence and shift change, on a pipeline of their own."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass
from typing import Any

import aiohttp
import asyncpg

from gateway.admin.accounts import save_settings
from gateway.admin.distribution.templates import attach, save_template
from gateway.admin.operations.shift_change import save_policy
from gateway.admin.schedules.saved import save_schedule
from gateway.demo.data import ACCOUNT
from gateway.demo.pipelines import pipeline_of, stage_ids
from gateway.store.admin.accounts import account as account_of
from gateway.store.distribution.templates import Attachment, template_versions
from routing.distribution.template import DistributionTemplate, TemplateHours, TemplateMember
from routing.schedules.model import Schedule, WorkPlan
from routing.settings import PresencePolicy
from routing.shift_change.policy import ShiftPolicy
from runtime.database.pool import Conn

PIPELINE = "Распределение"
STAGES = ("Новые заявки", "Заявки по долям", "В работе")
TURNS, SHARES, SHIFTS = "По очереди", "По долям", "График"
_EARLIER = "turns"
"""What TURNS was called before."""
GOES_OFF = "manager101"
_BY = "demo"
_DAY_AND_NIGHT = dict.fromkeys(range(1, 8), (("00:00", "24:00"),))
_NEVER: dict[int, Any] = dict.fromkeys(range(1, 8), ())
_SAMPLE_DEALS = 3


@dataclass(frozen=True, slots=True, kw_only=True)
class DemoStages:
    """Ids in the CRM."""

    pipeline: int
    turns: int
    shares: int
    work: int


async def prepare_pipeline(session: aiohttp.ClientSession, sandbox_url: str) -> DemoStages:
    """Make the pipeline in the CRM, with deals of a manager who can go offline; one that is there stays as it is."""
    pipeline, is_new = await pipeline_of(session, sandbox_url, PIPELINE, STAGES)
    if is_new:
        await _add_deals(session, sandbox_url, _stages(pipeline))
    return _stages(pipeline)


def _stages(pipeline: dict[str, Any]) -> DemoStages:
    ids = stage_ids(pipeline)
    turns, shares, work = (ids[name] for name in STAGES)
    return DemoStages(pipeline=pipeline["id"], turns=turns, shares=shares, work=work)


async def _add_deals(session: aiohttp.ClientSession, sandbox_url: str, stages: DemoStages) -> None:
    """Without contacts: no number leads to them."""
    async with session.get(f"{sandbox_url}/_sandbox/state?kind=user") as response:
        users = {row["email"]: row["id"] for row in (await response.json())["rows"]}
    owner = users[f"{GOES_OFF}@demo.example"]
    for number in range(1, _SAMPLE_DEALS + 1):
        deal = {"do": "add_deal", "name": f"В работе {number}", "pipeline": stages.pipeline}
        act = {**deal, "status": stages.work, "user": owner}
        async with session.post(f"{sandbox_url}/_sandbox/act", json=act) as response:
            response.raise_for_status()


async def prepare_distribution(pool: asyncpg.Pool, stages: DemoStages) -> None:
    """At the first start only: later everything is as whoever tries it has left it."""
    async with pool.acquire() as conn, conn.transaction():
        known = [await template_versions(conn, ACCOUNT, name) for name in (TURNS, _EARLIER)]
        if not any(known):  # they outlive the template
            await _prepare(conn, stages)


async def _prepare(conn: Conn, stages: DemoStages) -> None:
    plans = {"manager106": WorkPlan(hours=_NEVER)}
    schedule = Schedule(holidays=False, everybody=WorkPlan(hours=_DAY_AND_NIGHT), people=plans)
    await save_schedule(conn, ACCOUNT, SHIFTS, schedule, by=_BY)
    for template, stage in ((_turns(), stages.turns), (_shares(), stages.shares)):
        await save_template(conn, ACCOUNT, template, by=_BY)
        attached = Attachment(pipeline_id=str(stages.pipeline), stage_id=str(stage), template=template.name)
        await attach(conn, ACCOUNT, attached, by=_BY)
    settings = (await account_of(conn, ACCOUNT)).settings
    # Nobody is asked whether they are there: only the lines to paste switch anybody.
    presence = PresencePolicy(is_on=True, idle_minutes=None, sources=())
    await save_settings(conn, ACCOUNT, settings.model_copy(update={"presence": presence}))
    policy = ShiftPolicy(
        is_on=True, pipelines=(str(stages.pipeline),), template=TURNS, wait_seconds=0, pause_minutes=0
    )
    await save_policy(conn, ACCOUNT, policy, _BY)


def _turns() -> DistributionTemplate:
    people = _members((GOES_OFF, "manager102", "manager103"))
    return DistributionTemplate(name=TURNS, employees=people, working_time=TemplateHours(mode="online"))


def _shares() -> DistributionTemplate:
    percents = {"manager104": 6000, "manager105": 3000, "manager106": 1000}
    members = tuple(TemplateMember(employee_id=id, percent=percent) for id, percent in percents.items())
    hours = TemplateHours(mode="individual", schedule=SHIFTS)
    return DistributionTemplate(
        name=SHARES, kind="load", balance="percent", employees=members, working_time=hours
    )


def _members(people: Sequence[str]) -> tuple[TemplateMember, ...]:
    return tuple(TemplateMember(employee_id=id) for id in people)


def things_to_try(url: str, sandbox_url: str, token: str, stages: DemoStages) -> str:
    """Return lines to paste, each as it stands."""
    bearer = f"-H 'Authorization: Bearer {token}'"
    api = f"{url}/api/v1/accounts/demo"

    def comes_in(stage: int) -> str:
        deal = f'{{"do":"add_deal","name":"Новая заявка","pipeline":{stages.pipeline},"status":{stage}}}'
        return (
            f"curl -s {sandbox_url}/_sandbox/act -d '{deal}' && sleep 3 &&"
            f" curl -s {bearer} '{api}/distributions?limit=1'"
        )

    presence, runs = f"{api}/employees/{GOES_OFF}/presence", f"{api}/shift-change/runs?limit=1"
    return f"""\
  a deal comes in and goes to whose turn it is, because … (template «{TURNS}»: managers 101, 102, 103)
    {comes_in(stages.turns)}
  a deal goes by percent, within a schedule (template «{SHARES}»: 104 60 %, 105 30 %, 106 10 % but off shift)
    {comes_in(stages.shares)}
  manager 101 goes offline, and their open deals of that pipeline move to 102 and 103
    curl -s -X POST {bearer} {presence}/stop && sleep 8 && curl -s {bearer} '{runs}'
  they are back, and so are the deals that were theirs
    curl -s -X POST {bearer} {presence}/start && sleep 8 && curl -s {bearer} '{runs}'"""
