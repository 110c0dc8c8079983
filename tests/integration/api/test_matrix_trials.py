"""Through the API: a version on trial, drafts of two people put together, and who has the draft open."""

from __future__ import annotations

from datetime import timedelta
from typing import Any

import pytest

from gateway.store.admin.matrices import draft, save_draft
from gateway.store.admin.matrix.editing import EDITOR_STAYS, editors, left_editing, seen_editing
from routing.matrix.actions import MakeContact
from routing.matrix.model import ParameterField
from routing.matrix.presets import recommended
from tests.integration.api.client import ACCOUNT, Api
from tests.integration.api.test_matrices import CELL, body_of, changed, crm, one, publish, save

__all__ = ["crm"]
OTHER = "inbound.answered.known_with_deal/end"


@pytest.fixture
async def on_trial(crm: Api) -> Api:
    await crm.pool.execute("UPDATE connection SET lines = '{+74951230000}'")
    saved = await save(crm, one(MakeContact(name="проба")))
    body = {"revision": saved["revision"], "why": "пробуем", "percent": 20}
    begun = await crm.ask("POST", "{a}/matrix/trial", body=body, status=201)
    assert begun["version"] == 2
    return crm


async def test_while_a_version_is_on_trial_nothing_else_is_published(on_trial: Api) -> None:
    assert (await on_trial.ask("GET", "{a}/matrix/versions/current"))["version"] == 1
    refused = await publish(on_trial, one(MakeContact(name="другая")), status=409)
    assert (refused["code"], refused["title"]) == (
        "trial-running",
        "version 2 is on trial for 20 % of the clients",
    )
    back = {"why": "назад"}
    assert (await on_trial.ask("POST", "{a}/matrix/versions/1/restore", body=back, status=409))["code"]
    again = {
        "revision": (await on_trial.ask("GET", "{a}/matrix/draft"))["revision"],
        "why": "x",
        "percent": 5,
    }
    assert (await on_trial.ask("POST", "{a}/matrix/trial", body=again, status=409))["code"] == "trial-running"
    listed = (await on_trial.ask("GET", "{a}/matrix/versions"))["items"]
    assert [(v["version"], v["trial"]) for v in listed] == [(2, "running"), (1, None)]


async def test_a_trial_that_is_published_is_the_version_and_its_draft_is_done_with(on_trial: Api) -> None:
    shown = await on_trial.ask("GET", "{a}/matrix/trial", role="senior_manager")
    assert (shown["version"], shown["against"], shown["percent"], shown["outcome"]) == (2, 1, 20, None)
    body = {"outcome": "publish", "why": "лучше"}
    await on_trial.ask("POST", "{a}/matrix/trial/end", body=body, role="senior_manager", status=403)
    ended = await on_trial.ask("POST", "{a}/matrix/trial/end", body=body)
    assert (ended["outcome"], ended["ended_by"], ended["ended_why"]) == ("published", "admin", "лучше")
    seen = await on_trial.ask("GET", "{a}/matrix/draft")
    assert (seen["current_version"], seen["based_on"], seen["is_changed"]) == (2, 2, False)
    assert (await on_trial.ask("POST", "{a}/matrix/trial/end", body=body, status=409))["code"] == "no-trial"
    actions = [e["action"] for e in (await on_trial.ask("GET", "/audit", what="matrix"))["items"]]
    assert actions[:2] == ["saved", "published"]
    assert "trial begun" in actions


async def test_a_trial_that_is_taken_back_leaves_the_draft_and_its_number(on_trial: Api) -> None:
    await on_trial.ask("POST", "{a}/matrix/trial/end", body={"outcome": "take_back", "why": "хуже"})
    seen = await on_trial.ask("GET", "{a}/matrix/draft")
    assert (seen["current_version"], seen["based_on"], seen["is_changed"]) == (1, 1, True)
    assert (await publish(on_trial, one(MakeContact(name="дальше"))))["version"] == 3
    listed = (await on_trial.ask("GET", "{a}/matrix/versions"))["items"]
    assert [v["trial"] for v in listed] == [None, "taken_back", None]
    [only] = (await on_trial.ask("GET", "{a}/matrix/trials"))["items"]
    assert only["outcome"] == "taken_back"


@pytest.mark.parametrize(
    ("part", "says"),
    [
        ({}, "it is not clear which calls are meant"),
        ({"percent": 10, "line": "+74951230000"}, "it is not clear which calls are meant"),
        ({"line": "+74959999999"}, "'+74959999999' is none of the account's lines"),
    ],
)
async def test_a_trial_of_no_calls_or_of_all_is_refused(crm: Api, part: dict[str, Any], says: str) -> None:
    body = {"revision": 0, "why": "x", **part}
    refused = await crm.ask("POST", "{a}/matrix/trial", body=body, status=400)
    assert refused["title"] == says


async def test_two_people_at_different_cells_are_both_saved(crm: Api) -> None:
    seen = await crm.ask("GET", "{a}/matrix/draft")
    theirs = changed({OTHER: ()}, parameters=(ParameterField(parameter="pool", field="601"),))
    await crm.ask("PUT", "{a}/matrix/draft", body={"revision": seen["revision"], "matrix": body_of(theirs)})
    mine = {"revision": seen["revision"], "matrix": body_of(one(MakeContact(name="моё")))}
    saved = await crm.ask("POST", "{a}/matrix/draft/merge", body=mine, role="colleague")
    cells = saved["matrix"]["tables"]["default"]["cells"]
    assert (cells[CELL][0]["name"], cells[OTHER]) == ("моё", [])
    assert saved["matrix"]["parameters"] == body_of(theirs)["parameters"]
    assert (saved["saved_by"], saved["revision"]) == ("colleague", seen["revision"] + 2)
    told = (await crm.ask("GET", "/audit", what="matrix"))["items"]
    assert "colleague" in {entry["who"] for entry in told}


async def test_a_cell_that_both_changed_is_asked_about_and_taken_as_chosen(crm: Api) -> None:
    seen = await crm.ask("GET", "{a}/matrix/draft")
    theirs = {"revision": seen["revision"], "matrix": body_of(one(MakeContact(name="чужое")))}
    await crm.ask("PUT", "{a}/matrix/draft", body=theirs, role="colleague")
    mine = {"revision": seen["revision"], "matrix": body_of(one(MakeContact(name="моё")))}
    refused = await crm.ask("POST", "{a}/matrix/draft/merge", body=mine, status=409)
    [problem] = refused["problems"]
    assert (refused["code"], problem["where"]) == ("draft-parts-conflict", f"default/{CELL}")
    assert problem["by"] == "colleague"
    unchanged = await crm.ask("GET", "{a}/matrix/draft")
    assert unchanged["matrix"]["tables"]["default"]["cells"][CELL][0]["name"] == "чужое"
    chosen = {**mine, "choices": {f"default/{CELL}": "mine"}}
    saved = await crm.ask("POST", "{a}/matrix/draft/merge", body=chosen)
    assert saved["matrix"]["tables"]["default"]["cells"][CELL][0]["name"] == "моё"


async def test_a_draft_begun_at_what_is_kept_no_longer_is_not_put_together(crm: Api) -> None:
    async with crm.pool.acquire() as conn:
        for n in range(203):
            matrix = one(MakeContact(name=f"{n}"))
            await save_draft(conn, ACCOUNT, matrix, revision=(await draft(conn, ACCOUNT)).revision, by="x")
    mine = {"revision": 2, "matrix": body_of(recommended())}
    assert (await crm.ask("POST", "{a}/matrix/draft/merge", body=mine, status=409))[
        "code"
    ] == "draft-conflict"


async def test_who_has_the_draft_open_is_told_until_their_page_is_not_heard_of(crm: Api) -> None:
    async with crm.pool.acquire() as conn:
        await seen_editing(conn, ACCOUNT, "anna", CELL)
        await seen_editing(conn, ACCOUNT, "boris", "")
        await seen_editing(conn, ACCOUNT, "anna", OTHER)
        items = (await crm.ask("GET", "{a}/matrix/draft/editors"))["items"]
        assert [(e["who"], e["place"]) for e in items] == [("anna", OTHER), ("boris", "")]
        late = EDITOR_STAYS + timedelta(seconds=1)
        await conn.execute(
            "UPDATE matrix_editor SET seen_at = seen_at - $1::interval WHERE who = 'anna'", late
        )
        assert [e.who for e in await editors(conn, ACCOUNT)] == ["boris"]
        await left_editing(conn, ACCOUNT, "boris")
        assert await editors(conn, ACCOUNT) == []


async def test_whoever_looks_on_is_told_of_drafts_versions_and_editors(crm: Api) -> None:
    heard: list[str] = []
    async with crm.pool.acquire() as listening, crm.pool.acquire() as conn:
        await listening.add_listener("callmatrix_changes", lambda *told: heard.append(told[-1]))
        await seen_editing(conn, ACCOUNT, "anna", "")
        await save_draft(conn, ACCOUNT, one(MakeContact()), revision=0, by="anna")
        await listening.fetchval("SELECT 1")
        await listening.reset()
    assert heard.count(f"{ACCOUNT} matrix") == 2
