"""Shift change on its pages: set, looked at before it begins, each move deal by deal, stopped, and what came back."""

from __future__ import annotations

from datetime import UTC, datetime, timedelta

import asyncpg
import pytest

from crm.port import Pipeline
from crm.store.metadata import store_pipelines
from gateway.admin.distribution.templates import save_template
from gateway.admin.operations.shift_change import save_policy
from gateway.store.admin.bindings import Bindings
from gateway.store.shift_change import moves, runs
from gateway.store.shift_change.moves import OrderedMove, PlannedMove
from gateway.store.shift_change.policies import policy_of
from routing.distribution.template import DistributionTemplate, TemplateMember
from routing.shift_change.policy import ExcludedField, ShiftPolicy
from routing.shift_change.turns import RunKind
from tests.integration.api.client import ACCOUNT, ANNA, SENIOR
from tests.integration.web.browser import Site

RUNS = "/distribution/shift-change"
SETTINGS = f"{RUNS}/settings"
NOW = datetime.now(UTC)


@pytest.fixture
async def office(site: Site) -> Site:
    pipeline = Pipeline(
        id="1", name="Продажи", is_main=True, is_archived=False, is_unsorted_on=False, stages=()
    )
    members = (TemplateMember(employee_id=ANNA.id), TemplateMember(employee_id=SENIOR.id))
    async with site.pool.acquire() as conn:
        await store_pipelines(conn, ACCOUNT, [pipeline])
        await save_template(conn, ACCOUNT, DistributionTemplate(name="all", employees=members), by="t")
    return site


async def _moved(pool: asyncpg.Pool, kind: RunKind, deals: tuple[str, ...], to: str) -> int:
    """A run of these deals, the last of which stays."""
    user, owner = str(ANNA.crm_user_id), str(ANNA.crm_user_id)
    async with pool.acquire() as conn:
        run = await runs.begin(conn, ACCOUNT, kind, ANNA.id, user, by="", now=NOW)
        planned = [
            PlannedMove(kind="deal", entity_id=id, deal_id=id, position=n, owner_was=owner)
            for n, id in enumerate(deals)
        ]
        await moves.plan(conn, ACCOUNT, run.run_id, kind, planned)
        ordered = [
            OrderedMove(
                kind="deal", entity_id=id, given_to=to, employee_id=SENIOR.id, effect_key=f"{kind}{id}"
            )
            for id in deals[:-1]
        ]
        await moves.set_ordered(conn, ACCOUNT, run.run_id, ordered, NOW)
        done = [("deal", id, to) for id in deals[:-1]]
        await moves.set_moved(conn, ACCOUNT, run.run_id, kind, done, NOW + timedelta(seconds=5))  # type: ignore[arg-type]
        await moves.set_left(conn, ACCOUNT, run.run_id, [("deal", deals[-1], "excluded_tag")], NOW)
        await runs.set_total(conn, ACCOUNT, run.run_id, len(deals))
    return run.run_id


async def _end(pool: asyncpg.Pool, run_id: int) -> None:
    async with pool.acquire() as conn:
        await runs.set_state(conn, ACCOUNT, run_id, "done", now=NOW)


async def test_it_is_set_refused_at_its_field_and_kept_as_it_was(office: Site) -> None:
    admin = office.as_("admin")
    assert "Пересменка выключена" in (await admin.get(RUNS)).words
    wrong = await admin.post(SETTINGS, {"is_on": "on", "wait_seconds": "-5", "excluded_deals": "12, x"})
    assert wrong.status == 422
    assert "Нужно целое число от 0 до 3600" in wrong.page.by_id("wait_seconds-error").text
    assert wrong.page.by_id("excluded_deals-error").text
    unset = await admin.post(SETTINGS, {"is_on": "on"})
    assert "Отметьте воронку" in unset.page.by_id("pipeline-error").text
    assert "Выберите шаблон" in unset.page.by_id("template-error").text
    fields = {
        "field_id": ["7", ""],
        "field_value": ["да", ""],
        "excluded_tags": "vip, свои",
        "goes_along": "contact",
    }
    done = await admin.post(SETTINGS, {"is_on": "on", "pipeline": "1", "template": "all", **fields})
    assert (done.status, done.location) == (303, RUNS)
    async with office.pool.acquire() as conn:
        policy = await policy_of(conn, ACCOUNT)
    assert policy == ShiftPolicy(
        is_on=True,
        pipelines=("1",),
        template="all",
        goes_along=("contact",),
        excluded_tags=("vip", "свои"),
        excluded_fields=(ExcludedField(field_id="7", value="да"),),
    )
    assert "больше нет" in (await admin.get(SETTINGS)).page.by_id("field-1").text, (
        "a field unknown to the CRM"
    )
    assert "Пересменка включена" in (await admin.get(RUNS)).words
    for role in ("senior_manager", "manager"):
        assert (await office.as_(role).get(SETTINGS)).status == 403
    assert (await office.as_("manager").get(RUNS)).status == 403


async def test_a_move_is_told_deal_by_deal_with_what_came_back(office: Site) -> None:
    senior = office.as_("senior_manager")
    assert "Сделки ещё никому не переходили" in (await senior.get(RUNS)).words
    away = await _moved(office.pool, "away", ("701", "702", "703"), str(SENIOR.crm_user_id))
    running = (await senior.get(f"{RUNS}/runs/{away}")).page
    assert "Передано 2, осталось 1" in running.text
    assert running.one("progress")["value"] == "3"
    await _end(office.pool, away)
    back = await _moved(office.pool, "return", ("701", "999"), str(ANNA.crm_user_id))
    await _end(office.pool, back)
    page = await senior.get(f"{RUNS}/runs/{away}")
    assert "Из переданных вернулось: 1" in page.words
    rows = [[cell.text for cell in row.all("td")] for row in page.page.one("tbody").all("tr")]
    assert [row[:2] for row in rows] == [[ANNA.name, SENIOR.name], [ANNA.name, SENIOR.name], [ANNA.name, "–"]]
    assert "исключена по тегу" in rows[2][2]
    assert [row[3] for row in rows][1:] == ["нет", "–"]
    left = (await senior.get(f"{RUNS}/runs/{away}?state=left")).page.one("tbody")
    assert [row.one("a").text.split()[0] for row in left.all("tr")] == ["703"]
    listed = (await senior.get(RUNS)).page.one("tbody").all("tr")
    assert ["2 из 3" in row.text for row in listed] == [False, True]
    assert (await senior.get(f"{RUNS}/runs/12345")).status == 404


async def test_a_running_move_is_paused_and_stopped_with_a_question(office: Site) -> None:
    senior = office.as_("senior_manager")
    run_id = await _moved(office.pool, "away", ("701", "702"), str(SENIOR.crm_user_id))
    path = f"{RUNS}/runs/{run_id}"
    assert (await senior.post(f"{path}/pause")).status == 303
    assert "Продолжить" in (await senior.get(path)).words
    assert (await senior.post(f"{path}/resume")).status == 303
    assert "Передано 1, осталось 0" in (await senior.get(f"{path}/stop")).words
    assert (await senior.post(f"{path}/stop")).status == 303
    over = await senior.post(f"{path}/stop")
    assert (over.status, "уже не идёт" in over.words) == (409, True)


async def test_a_move_by_hand_is_looked_at_first_and_refused_in_words(office: Site) -> None:
    senior = office.as_("senior_manager")
    move = f"{RUNS}/move"
    unset = await senior.get(f"{move}?employee={ANNA.id}")
    assert unset.status == 409
    assert "Отметьте воронку" in unset.words
    async with office.pool.acquire() as conn:
        policy = ShiftPolicy(pipelines=("1",), template="all")
        await save_policy(conn, ACCOUNT, policy, "t")
        await conn.execute(
            "INSERT INTO directory_entity (account_id, kind, entity_id, owner_id, name, is_open, pipeline_id)"
            " VALUES ($1, 'deal', '801', $2, 'Кухня', true, '1')",
            ACCOUNT,
            ANNA.crm_user_id,
        )
    shown = await senior.get(f"{move}?employee={ANNA.id}&kind=away")
    assert "Перейдёт сделок: 1" in shown.words
    assert SENIOR.name in shown.words
    begun = await senior.post(move, {"employee": ANNA.id, "kind": "away"})
    assert begun.status == 303
    assert (
        f"вручную: {senior.person.name if senior.person else ''}" in (await senior.get(begun.location)).words
    )
    twice = await senior.post(move, {"employee": ANNA.id, "kind": "away"})
    assert (twice.status, "уже передаются" in twice.words) == (409, True)
    assert (await senior.get(f"{move}?employee=ghost")).status == 404
    bound = office.as_("senior_manager", bound=Bindings(account_id=ACCOUNT, templates=("x",)))
    assert "не распространяются" in (await bound.get(RUNS)).words
