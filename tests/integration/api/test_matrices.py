"""Matrices through the API: drafts, what keeps them from being published, versions, tries."""

from __future__ import annotations

import asyncio
from collections.abc import Callable
from typing import Any

import asyncpg
import pytest

from gateway.store.admin import accounts
from gateway.store.admin.roles import Role
from routing.conditions import Condition
from routing.matrix.actions import Action, ChangeStage, Deadline, MakeContact, MakeDeal, MakeLead, MakeTask
from routing.matrix.model import CELLS, Matrix, ParameterField, PipelineRule, SelectionRule
from routing.matrix.presets import recommended, unsorted
from runtime.tokens import hash_of
from tests.integration.api.client import ACCOUNT, ANNA, Api

CELL = "inbound.missed.new/end"
WHERE = f"default/{CELL}#1"
STAGES = [
    {"id": s, "name": f"Этап {s}", "sort": 10, "is_closed": s == "142", "is_unsorted": False}
    for s in ("11", "12", "142")
]


@pytest.fixture
async def crm(api: Api) -> Api:
    """The API of an account whose CRM's catalogues were read: pipelines 1 and 2, fields, users 1 and 11, 12 is gone."""
    pool = api.pool
    await pool.execute(
        "INSERT INTO crm_account (account_id, crm_id, name, is_unsorted_on, are_filters_on, task_types, read_at)"
        " VALUES ($1, '1', 'Acme', true, false, '{\"7\": \"visit\"}', now())",
        ACCOUNT,
    )
    for id, is_archived, stages in (("1", False, STAGES), ("2", True, [{**STAGES[0], "id": "21"}])):
        await pool.execute(
            "INSERT INTO crm_pipeline (account_id, pipeline_id, name, is_main, is_archived, is_unsorted_on, stages)"
            " VALUES ($1, $2, $3, $4, $5, true, $6)",
            ACCOUNT,
            id,
            f"Воронка {id}",
            id == "1",
            is_archived,
            stages,
        )
    for kind, id, code in (("contact", "501", "PHONE"), ("deal", "601", "UTM_SOURCE")):
        await pool.execute(
            "INSERT INTO crm_field (account_id, kind, field_id, code, name, type) VALUES ($1, $2, $3, $4, $4, 'text')",
            ACCOUNT,
            kind,
            id,
            code,
        )
    for id, is_active in (("1", True), ("11", True), ("12", False)):
        await pool.execute(
            "INSERT INTO crm_user (account_id, user_id, name, is_active) VALUES ($1, $2, $2, $3)",
            ACCOUNT,
            id,
            is_active,
        )
    for id, user in (("gone", "12"), ("unmapped", None)):
        await pool.execute(
            "INSERT INTO employee (account_id, employee_id, name, crm_user_id) VALUES ($1, $2, $2, $3)",
            ACCOUNT,
            id,
            user,
        )
    await add_token(api, "senior_manager", "senior_manager")
    await add_token(api, "colleague", "admin")
    return api


async def add_token(api: Api, name: str, role: Role) -> None:
    async with api.pool.acquire() as conn:
        token = api.tokens[name] = await accounts.add_api_token(conn, name=name, role=role)
    while hash_of(token) not in api.gateway.configuration.now.tokens:
        await asyncio.sleep(0.02)


def changed(cells: dict[str, tuple[Action, ...]] | None = None, **settings: Any) -> Matrix:
    table = recommended().tables["default"]
    table = table.model_copy(update={"cells": {**table.cells, **(cells or {})}})
    return recommended().model_copy(update={"tables": {"default": table}, **settings})


def body_of(matrix: Matrix) -> dict[str, Any]:
    return matrix.model_dump(mode="json", exclude={"version"})


async def save(api: Api, matrix: Matrix, *, role: str = "admin", status: int = 200) -> Any:
    draft = await api.ask("GET", "{a}/matrix/draft")
    body = {"revision": draft["revision"], "matrix": body_of(matrix)}
    return await api.ask("PUT", "{a}/matrix/draft", body=body, role=role, status=status)


async def publish(api: Api, matrix: Matrix, why: str = "because", *, status: int = 201) -> Any:
    saved = await save(api, matrix)
    body = {"revision": saved["revision"], "why": why}
    return await api.ask("POST", "{a}/matrix/publish", body=body, status=status)


def one(action: Action) -> Matrix:
    return changed({CELL: (action,)})


def without_cell() -> Matrix:
    table = recommended().tables["default"]
    cells = {k: v for k, v in table.cells.items() if k != CELL}
    return recommended().model_copy(update={"tables": {"default": table.model_copy(update={"cells": cells})}})


ON_LINE = (Condition(parameter="pool", values=("ads",)),)
FIRST = PipelineRule(when=ON_LINE, pipeline_id="1")

BROKEN: dict[str, tuple[Callable[[], Matrix], str]] = {
    "cell-missing": (without_cell, f"default/{CELL}"),
    "matrix-missing": (lambda: changed(default="nowhere"), "default"),
    "rule-never-applies": (lambda: changed(pipeline_rules=(FIRST, FIRST)), "pipeline_rules#2"),
    "default-unreachable": (
        lambda: changed(selection=(SelectionRule(when=(), matrix="default"),)),
        "selection#1",
    ),
    "pipeline-gone": (lambda: one(MakeDeal(pipeline_id="99")), WHERE),
    "pipeline-archived": (lambda: one(MakeDeal(pipeline_id="2")), WHERE),
    "stage-gone": (lambda: one(ChangeStage(stage_id="13")), WHERE),
    "stage-elsewhere": (lambda: one(MakeDeal(pipeline_id="1", stage_id="21")), WHERE),
    "separate-stage-missing": (lambda: one(MakeDeal(when_open="separate_stage")), WHERE),
    "person-gone": (lambda: one(MakeContact(responsible="employee:nobody")), WHERE),
    "person-unmapped": (lambda: one(MakeContact(responsible="employee:unmapped")), WHERE),
    "person-inactive": (lambda: one(MakeContact(responsible="employee:gone")), WHERE),
    "template-unknown": (lambda: one(MakeContact(responsible="template:night")), WHERE),
    "field-unknown": (lambda: one(MakeDeal(fields={"700": "{{ pool }}"})), WHERE),
    "template-refused": (lambda: one(MakeTask(text="{{ client.__class__ }}")), WHERE),
    "task-type-unknown": (lambda: one(MakeTask(text="x", type="8")), WHERE),
}


@pytest.mark.parametrize("code", BROKEN)
async def test_a_draft_with_an_error_is_saved_but_not_published_and_the_message_names_cell_and_remedy(
    crm: Api, code: str
) -> None:
    make, cell = BROKEN[code]
    saved = await save(crm, make())
    assert not saved["can_be_published"]
    refused = await crm.ask(
        "POST", "{a}/matrix/publish", body={"revision": saved["revision"], "why": "x"}, status=422
    )
    assert refused["code"] == "matrix-not-publishable"
    found = next(p for p in refused["problems"] if p["code"] == code)
    assert (found["severity"], found["cell"]) == ("error", cell)
    assert found["message"]
    assert found["remedy"]
    assert refused["field"] == cell or len({p["cell"] for p in refused["problems"]}) > 1
    versions = (await crm.ask("GET", "{a}/matrix/versions"))["items"]
    assert [v["version"] for v in versions] == [1], "nothing was published"


async def test_an_unknown_field_of_a_parameter_is_refused_with_its_name(crm: Api) -> None:
    mapping = ParameterField(parameter="roistat", field="ROISTAT")
    refused = await publish(crm, changed(parameters=(mapping,)), status=422)
    (found,) = [p for p in refused["problems"] if p["severity"] == "error"]
    assert (found["cell"], "ROISTAT" in found["message"]) == ("parameters#1", True)


async def test_no_senior_manager_is_an_error_where_one_is_needed(crm: Api) -> None:
    await crm.pool.execute("UPDATE employee SET is_senior = false")
    refused = await publish(crm, recommended(), status=422)
    assert {p["code"] for p in refused["problems"] if p["severity"] == "error"} == {"senior-missing"}


async def test_warnings_do_not_keep_a_draft_from_being_published(crm: Api) -> None:
    await crm.pool.execute("UPDATE crm_account SET is_unsorted_on = false")
    saved = await save(crm, unsorted())
    warned = {p["code"]: p for p in saved["problems"]}
    assert warned["unsorted-off"]["severity"] == "warning"
    assert "employee-unmapped" in warned
    assert saved["can_be_published"]
    assert (await publish(crm, unsorted()))["version"] == 2


async def test_two_admins_at_once_the_second_is_told_by_whom_and_nothing_is_overwritten(crm: Api) -> None:
    seen = await crm.ask("GET", "{a}/matrix/draft")
    mine, theirs = one(MakeContact(name="моё")), one(MakeContact(name="чужое"))
    bodies = [{"revision": seen["revision"], "matrix": body_of(m)} for m in (theirs, mine)]
    await crm.ask("PUT", "{a}/matrix/draft", body=bodies[0], role="colleague")
    refused = await crm.ask("PUT", "{a}/matrix/draft", body=bodies[1], status=409)
    assert (refused["code"], refused["title"]) == ("draft-conflict", "colleague saved the draft meanwhile")
    assert refused["problems"][0]["by"] == "colleague"
    draft = await crm.ask("GET", "{a}/matrix/draft")
    assert draft["matrix"]["tables"]["default"]["cells"][CELL][0]["name"] == "чужое"
    assert draft["saved_by"] == "colleague"


async def test_who_publishes_a_draft_begun_before_another_version_is_told_and_may_take_it_over(
    crm: Api,
) -> None:
    await publish(crm, one(MakeContact(name="первая")))
    saved = await save(crm, one(MakeContact(name="моё")))
    await crm.ask(
        "POST", "{a}/matrix/versions/1/restore", body={"why": "wrong"}, role="colleague", status=201
    )
    body = {"revision": saved["revision"], "why": "x"}
    refused = await crm.ask("POST", "{a}/matrix/publish", body=body, status=409)
    assert refused["title"] == "colleague published version 3 meanwhile"
    taken = await crm.ask("POST", "{a}/matrix/draft/rebase", body={"revision": saved["revision"]})
    assert (taken["based_on"], taken["is_changed"]) == (3, True)
    body = {"revision": taken["revision"], "why": "x"}
    assert (await crm.ask("POST", "{a}/matrix/publish", body=body, status=201))["version"] == 4


async def test_what_decides_like_the_published_version_is_not_published_again(crm: Api) -> None:
    matrix = one(MakeContact(name="первая"))
    await publish(crm, matrix)
    again = await publish(crm, matrix, status=409)
    assert (again["code"], "decides like version 2" in again["title"]) == ("nothing-to-publish", True)
    same = await crm.ask("POST", "{a}/matrix/versions/2/restore", body={"why": "x"}, status=409)
    assert same["code"] == "nothing-to-publish"
    assert [v["version"] for v in (await crm.ask("GET", "{a}/matrix/versions"))["items"]] == [2, 1]


async def test_versions_say_who_when_and_why_differ_in_words_and_are_rolled_back_in_one_step(
    crm: Api,
) -> None:
    published = await publish(crm, one(MakeContact(name="Новый")), "пробуем")
    assert (published["version"], published["published_by"], published["why"]) == (2, "admin", "пробуем")
    words = await crm.ask("GET", "{a}/matrix/difference", old="1", new="2")
    assert {c["kind"] for c in words["items"]} == {"changed", "removed"}
    assert all("входящий, пропущен, новый клиент" in c["text"] for c in words["items"])
    back = await crm.ask("POST", "{a}/matrix/versions/1/restore", body={"why": "двойные сделки"}, status=201)
    assert (back["version"], back["restored"]) == (3, 1)
    assert (await crm.ask("GET", "{a}/matrix/difference", old="1", new="3"))["items"] == []
    third = await crm.ask("GET", "{a}/matrix/versions/3")
    assert third["matrix"]["tables"] == body_of(recommended())["tables"]
    listed = (await crm.ask("GET", "{a}/matrix/versions"))["items"]
    assert [v["version"] for v in listed] == [3, 2, 1]
    await crm.ask("GET", "{a}/matrix/versions/9", status=404)
    await crm.ask("GET", "{a}/matrix/versions/99999999999999999999", status=404)


async def test_a_reset_forgets_unpublished_changes(crm: Api) -> None:
    saved = await save(crm, one(MakeContact()))
    fresh = await crm.ask("POST", "{a}/matrix/draft/reset", body={"revision": saved["revision"]})
    assert (fresh["is_changed"], fresh["revision"]) == (False, saved["revision"] + 1)
    await crm.ask("POST", "{a}/matrix/draft/reset", body={"revision": saved["revision"]}, status=409)


async def test_roles_read_only_reads_a_senior_manager_tries_and_an_admin_publishes(crm: Api) -> None:
    await crm.ask("GET", "{a}/matrix/draft", role="read_only")
    await save(crm, recommended(), role="read_only", status=403)
    await save(crm, recommended(), role="manager", status=403)
    saved = await save(crm, recommended(), role="senior_manager")
    body = {"number": "89161234567", "answered_by": "101"}
    await crm.ask("POST", "{a}/matrix/dry-run", body=body, role="read_only", status=403)
    await crm.ask("POST", "{a}/matrix/dry-run", body=body, role="senior_manager")
    publication = {"revision": saved["revision"], "why": "x"}
    await crm.ask("POST", "{a}/matrix/publish", body=publication, role="senior_manager", status=403)
    await crm.ask(
        "POST", "{a}/matrix/versions/1/restore", body={"why": "x"}, role="senior_manager", status=403
    )


async def test_presets_are_complete_and_the_vocabulary_names_every_cell_and_variable(crm: Api) -> None:
    presets = {p["id"]: p["matrix"] for p in (await crm.ask("GET", "{a}/matrix/presets"))["items"]}
    assert set(presets) == {"recommended", "update_only", "unsorted"}
    assert all(set(p["tables"]["default"]["cells"]) == set(CELLS) for p in presets.values())
    words = await crm.ask("GET", "{a}/matrix/vocabulary")
    assert [c["name"] for c in words["cells"]] == list(CELLS)
    assert {"client.number", "employee.name", "pool"} <= {v["name"] for v in words["variables"]}
    assert {"date", "phone"} <= {f["name"] for f in words["filters"]}


async def test_a_template_shows_its_text_for_samples_and_for_a_made_up_call(crm: Api) -> None:
    body: dict[str, Any] = {"template": "{{ employee.name }} {{ client.number | phone('digits') }}"}
    sample = await crm.ask("POST", "{a}/matrix/preview", body=body)
    assert sample == {"text": "Пётр Смирнов 79161234567", "variables": ["employee.name", "client.number"]}
    call = {"number": "8 903 555-11-22", "answered_by": "101"}
    shown = await crm.ask("POST", "{a}/matrix/preview", body={**body, "call": call})
    assert shown["text"] == f"{ANNA.name} 79035551122"
    refused = await crm.ask("POST", "{a}/matrix/preview", body={"template": "{{ 1 + 1 }}"}, status=400)
    assert (refused["code"], refused["field"]) == ("template-refused", "template")


async def everything(pool: asyncpg.Pool) -> list[int]:
    tables = ("call", "decision", "effect", "inbox", "matrix_version", "procrastinate_jobs")
    return [await pool.fetchval(f"SELECT count(*) FROM {table}") for table in tables]


async def test_a_dry_run_says_what_a_call_would_leave_in_the_form_of_explain_and_writes_nothing(
    crm: Api,
) -> None:
    task = MakeTask(responsible="senior", text="{{ pool }}", due=Deadline(minutes=30, is_working=False))
    await save(crm, one(task))
    await crm.ask("GET", "{a}/matrix/versions")
    before = await everything(crm.pool)
    call = {
        "number": "8 (903) 555-11-22",
        "line": "84951230000",
        "at": "2026-03-02T10:00:00+03:00",
        "outcome": "missed",
        "wait_seconds": 20,
        "params": {"pool": "Реклама"},
    }
    draft = await crm.ask("POST", "{a}/matrix/dry-run", body=call)
    assert [d["outcome"]["moment"] for d in draft["decisions"]] == ["ring", "end"]
    end = draft["decisions"][-1]
    assert (end["outcome"]["cell"], end["client"], end["inputs"]["client_kind"]) == (
        CELL,
        "+79035551122",
        "new",
    )
    (effect,) = end["effects"]
    assert (effect["what"], effect["state"], effect["order"]["text"]) == ("create_task", "dry_run", "Реклама")
    assert effect["order"]["due_at"].startswith("2026-03-02T07:30:30")
    assert draft["would"] == [effect["message"]]
    assert "Ольга" in effect["message"]
    assert [s["verdict"] for s in end["steps"]][-1] == "decided"
    published = await crm.ask("POST", "{a}/matrix/dry-run", body={**call, "version": "1"})
    assert [e["what"] for e in published["decisions"][-1]["effects"]] == [
        "create_contact",
        "create_deal",
        "attach_call",
        "create_task",
    ]
    assert await everything(crm.pool) == before


async def test_a_dry_run_of_an_answered_call_knows_who_answers(crm: Api) -> None:
    answered = {"number": "+79035551122", "answered_by": "101", "talk_seconds": 90}
    found = await crm.ask("POST", "{a}/matrix/dry-run", body=answered)
    orders = [e["order"] for d in found["decisions"] for e in d["effects"]]
    assert {o["owner_id"] for o in orders} == {"11"}
    assert [o["talk_seconds"] for o in orders if o["do"] == "attach_call"] == [90]
    unknown = await crm.ask("POST", "{a}/matrix/dry-run", body={**answered, "answered_by": "177"})
    assert any("177" in line for line in unknown["would"])


@pytest.mark.parametrize(
    ("number", "reason"), [("anonymous", "anonymous"), ("101", "internal"), ("84951230000", "own_number")]
)
async def test_a_dry_run_without_a_client_says_why_nothing_would_be_left(
    crm: Api, number: str, reason: str
) -> None:
    found = await crm.ask("POST", "{a}/matrix/dry-run", body={"number": number})
    assert [d["reason"] for d in found["decisions"]] == [reason]
    assert found["would"] == []


async def test_bad_input_of_a_try_is_refused_by_name(crm: Api) -> None:
    for body, field in (
        ({"number": "+79035551122", "connection": "nowhere"}, "connection"),
        ({"number": "+79035551122", "talk_seconds": -1}, "talk_seconds"),
        ({"number": "+79035551122", "at": "9999-12-31T23:59:59Z"}, "at"),
        ({"number": "+79035551122", "version": "last"}, "version"),
        ({"number": "+79035551122", "colour": "red"}, "colour"),
    ):
        refused = await crm.ask("POST", "{a}/matrix/dry-run", body=body, status=400)
        assert refused["field"] == field
    await crm.ask("POST", "{a}/matrix/dry-run", body={"number": "1", "version": "77"}, status=404)
    await crm.ask("POST", "{a}/matrix/replays", body={"version": "77"}, status=404)


async def test_a_lead_in_the_draft_is_only_tried_not_made(crm: Api) -> None:
    await save(crm, one(MakeLead()))
    found = await crm.ask("POST", "{a}/matrix/dry-run", body={"number": "+79035551122", "outcome": "missed"})
    assert [e["what"] for e in found["decisions"][-1]["effects"]] == ["create_lead"]
    assert await crm.pool.fetchval("SELECT count(*) FROM effect") == 0


async def test_long_work_that_waits_is_shown_and_stopped(crm: Api) -> None:
    asked = await crm.ask("POST", "{a}/matrix/replays", body={"days": 2}, status=202)
    assert (asked["state"], asked["asked"]["days"], asked["asked_by"]) == ("waiting", 2, "admin")
    shown = await crm.ask("GET", f"{{a}}/work/{asked['id']}", role="read_only")
    assert (shown["state"], shown["total"], shown["result"]) == ("waiting", None, None)
    stopped = await crm.ask("POST", f"{{a}}/work/{asked['id']}/stop")
    assert (stopped["state"], stopped["is_stopped"]) == ("cancelled", True)
    assert [w["id"] for w in (await crm.ask("GET", "{a}/work", kind="replay"))["items"]] == [asked["id"]]
    await crm.ask("GET", "{a}/work/nothing", status=404)


async def test_too_many_replays_at_once_are_refused(crm: Api) -> None:
    for _ in range(5):
        await crm.ask("POST", "{a}/matrix/replays", body={}, status=202)
    refused = await crm.ask("POST", "{a}/matrix/replays", body={}, status=409)
    assert refused["code"] == "too-much-work"
