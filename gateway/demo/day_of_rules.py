"""What the admin and the senior manager of the demo have ordered: matrices, shifts, who is here, a template that waits."""

from __future__ import annotations

import asyncio
from collections.abc import Iterable
from datetime import UTC, date, datetime, timedelta
from zoneinfo import ZoneInfo

import asyncpg

from gateway.admin import matrices
from gateway.admin.distribution.templates import attach, save_template
from gateway.admin.presence.people import switch_presence
from gateway.admin.schedules.saved import save_schedule
from gateway.demo.data import ACCOUNT
from gateway.demo.people import THE_ADMIN, THE_SENIOR, as_person
from gateway.store.admin import matrices as stored
from gateway.store.admin.accounts import account
from gateway.store.distribution.templates import Attachment
from gateway.store.shift_change.runs import runs_of
from routing.conditions import Condition
from routing.distribution.template import DistributionTemplate, TemplateHours, TemplateMember
from routing.matrix.actions import Action, ChangeStage, Deadline, MakeDeal, MakeTask, SetFields
from routing.matrix.model import Matrix, PipelineRule
from routing.schedules.model import Leave, Period, Schedule, WorkPlan
from runtime.database.pool import Conn

SERVICE, SERVICE_STAGES = "Сервис", ("Новая заявка", "Выезд мастера")
NIGHT = "Ночные заявки"
HERE = ("101", "102", "103", "104", "105", "107")
AWAY = ("106", "108")
LEAVES = "103"
_MISSED, _WITH_DEAL = "inbound.missed.new/end", "inbound.answered.known_with_deal/end"
_MISSED_WITH_DEAL = "inbound.missed.known_with_deal/end"
_SHIFTS_AHEAD, _ON, _EVERY = 62, 2, 4
_PASSING_SECONDS = 40


async def order_rules(pool: asyncpg.Pool, pipeline: int, new: int, visit: int) -> None:
    """Publish a rule by which calls of a network go to the service, and that its clients come up again."""
    rule = PipelineRule(
        name="Заявки из соцсети ведёт сервис",
        when=(Condition(parameter="utm_source", values=("vk",)),),
        pipeline_id=str(pipeline),
        stage_id=str(visit),
    )
    back = ChangeStage(pipeline_id=str(pipeline), stage_id=str(new), only_from=(str(visit),))
    async with pool.acquire() as conn:
        before = (await stored.draft(conn, ACCOUNT)).matrix
        wanted = before.model_copy(update={"pipeline_rules": (*before.pipeline_rules, rule)})
        wanted = _with_cell(wanted, _WITH_DEAL, (*_cell(wanted, _WITH_DEAL), back))
        wanted = _with_cell(wanted, _MISSED_WITH_DEAL, map(_at_once, _cell(wanted, _MISSED_WITH_DEAL)))
        with as_person(THE_ADMIN) as by:
            why = "Заявки из соцсети теперь принимает сервис"
            await matrices.publish_matrix(conn, ACCOUNT, wanted, by=by, why=why)


async def mend_rules(pool: asyncpg.Pool, pipeline: int, gone: int) -> None:
    """Publish without the stage that is gone, and leave a draft of somebody else that still names it."""
    async with pool.acquire() as conn:
        published = (await stored.draft(conn, ACCOUNT)).matrix
        kept = tuple(one for one in _cell(published, _WITH_DEAL) if not isinstance(one, ChangeStage))
        mended = _with_cell(published, _WITH_DEAL, kept)
        with as_person(THE_ADMIN) as by:
            why = "Этап «Новая заявка» удалён в CRM"
            await matrices.publish_matrix(conn, ACCOUNT, mended, by=by, why=why)
        draft = await stored.draft(conn, ACCOUNT)
        changed = _with_fault(draft.matrix, pipeline, gone)
        with as_person(THE_SENIOR) as by:
            await matrices.save_draft(conn, ACCOUNT, changed, revision=draft.revision, by=by)


def _with_fault(matrix: Matrix, pipeline: int, gone: int) -> Matrix:
    place = {"pipeline_id": str(pipeline), "stage_id": str(gone), "ignores_rules": True}
    missed = [
        action.model_copy(update=place) if isinstance(action, MakeDeal) else action
        for action in _cell(matrix, _MISSED)
    ]
    tag = SetFields(tags=("звонил повторно",))
    changed = _with_cell(matrix, _MISSED, missed)
    return _with_cell(changed, _WITH_DEAL, (*_cell(changed, _WITH_DEAL), tag))


def _at_once(action: Action) -> Action:
    """Let who has a deal be called back at once: such tasks are overdue soon."""
    if not isinstance(action, MakeTask):
        return action
    return action.model_copy(update={"due": Deadline(minutes=1, is_working=False)})


def _cell(matrix: Matrix, cell: str) -> tuple[Action, ...]:
    return matrix.tables[matrix.default].cells[cell]


def _with_cell(matrix: Matrix, cell: str, actions: Iterable[Action]) -> Matrix:
    table = matrix.tables[matrix.default]
    changed = table.model_copy(update={"cells": {**table.cells, cell: tuple(actions)}})
    return matrix.model_copy(update={"tables": {**matrix.tables, matrix.default: changed}})


async def order_shifts(pool: asyncpg.Pool) -> None:
    """Make a weekly schedule with a leave, and shifts by day for those who work at night; some are here, some have left."""
    async with pool.acquire() as conn:
        of_account = await account(conn, ACCOUNT)
        now = datetime.now(UTC)
        today = now.astimezone(ZoneInfo(of_account.time_zone)).date()
        with as_person(THE_ADMIN) as by:
            await save_schedule(conn, ACCOUNT, "Офис", _office(today), by=by)
            await save_schedule(conn, ACCOUNT, "Ночные смены", _nights(today), by=by)
        with as_person(THE_SENIOR):
            for number in (*HERE, *AWAY):
                await switch_presence(conn, of_account, f"manager{number}", now, is_on=True)
            for number in AWAY:
                await switch_presence(conn, of_account, f"manager{number}", now, is_on=False)


def _office(today: date) -> Schedule:
    """Of nobody whom the demo's lines to paste count on, whatever the hour."""
    monday = today + timedelta(days=7 - today.weekday())
    leave = Leave(first=monday, last=monday + timedelta(days=4), substitute="manager109", why="Отпуск")
    five_days = range(1, 6)
    return Schedule(
        people={
            "senior100": WorkPlan(hours=dict.fromkeys(five_days, (("09:00", "18:00"),))),
            "manager108": WorkPlan(hours=dict.fromkeys(five_days, (("10:00", "19:00"),)), leave=(leave,)),
        },
    )


def _nights(today: date) -> Schedule:
    """Two nights on, two off."""
    first = today.replace(day=1)
    plans = {}
    for place, employee in enumerate(("manager106", "manager109", "manager110")):
        days = [first + timedelta(days=n) for n in range(_SHIFTS_AHEAD) if (n + 2 * place) % _EVERY < _ON]
        periods = tuple(Period(first=day, last=day, hours=(("21:00", "09:00"),)) for day in days)
        plans[employee] = WorkPlan(periods=periods)
    return Schedule(kind="by_day", people=plans)


async def somebody_leaves(pool: asyncpg.Pool) -> None:
    """Let who was given deals go away and come back: their deals pass to those who are here, and return."""
    await _switch(pool, is_on=False)
    await _until_passed_on(pool)
    await _switch(pool, is_on=True)


async def _switch(pool: asyncpg.Pool, *, is_on: bool) -> None:
    async with pool.acquire() as conn:
        of_account = await account(conn, ACCOUNT)
        with as_person(THE_SENIOR):
            await switch_presence(conn, of_account, f"manager{LEAVES}", datetime.now(UTC), is_on=is_on)


async def _until_passed_on(pool: asyncpg.Pool) -> None:
    """Wait until the deals of who left are somebody else's, for a while."""
    for _ in range(_PASSING_SECONDS):
        async with pool.acquire() as conn:
            begun = await runs_of(conn, ACCOUNT)
        if any(run.state == "done" for run in begun):
            return
        await asyncio.sleep(1)


async def order_waiting(conn: Conn, pipeline: int, stage: int) -> None:
    """Make a template of people who are all away: what comes by it waits."""
    members = tuple(TemplateMember(employee_id=f"manager{number}") for number in AWAY)
    template = DistributionTemplate(name=NIGHT, employees=members, working_time=TemplateHours(mode="online"))
    with as_person(THE_ADMIN) as by:
        await save_template(conn, ACCOUNT, template, by=by)
        attached = Attachment(pipeline_id=str(pipeline), stage_id=str(stage), template=NIGHT)
        await attach(conn, ACCOUNT, attached, by=by)
