"""Distribution over HTTP: stages given as long work, simulation, shares, results as a table; two templates and one stage."""

from __future__ import annotations

import csv
import io
import json
from datetime import UTC, datetime, timedelta
from functools import partial
from typing import Any

import aiohttp
import asyncpg
import pytest

from crm.port import CrmEntity
from crm.store.directory import apply_entities
from crm.store.metadata import store_pipelines
from gateway.distribution.distributor import Distributor
from gateway.distribution.give import Giver
from gateway.distribution.simulate import simulation_work
from gateway.distribution.stage_run import stage_work
from gateway.store.admin.staff import replace_staff
from gateway.worker.long_tasks import LongWork
from routing.settings import NumberPolicy
from runtime.database.listen import Listener
from tests.integration.api.client import ACCOUNT, ANNA, SENIOR, Api
from tests.integration.api.command_line import callmatrix
from tests.integration.distribution.shop import PIPELINE

BORIS = ANNA.model_copy(update={"id": "boris", "name": "=Борис", "crm_user_id": "12", "extensions": ("102",)})
STAGE = {"pipeline": "1", "stage": "20"}
TEMPLATE = {
    "name": "ads",
    "kind": "load",
    "balance": "percent",
    "employees": [{"employee_id": "anna", "percent": 7500}, {"employee_id": "boris", "percent": 2500}],
}


@pytest.fixture
async def ads(api: Api) -> Api:
    """Two people with three and one part of the deals, and a stage of a pipeline."""
    async with api.pool.acquire() as conn:
        await replace_staff(conn, ACCOUNT, [SENIOR, ANNA, BORIS])
        await store_pipelines(conn, ACCOUNT, [PIPELINE])
    await api.ask("PUT", "{a}/templates/ads", body=TEMPLATE)
    return api


async def _deals(pool: asyncpg.Pool, count: int) -> None:
    """They stand in the stage."""
    began = datetime.now(UTC) - timedelta(hours=1)
    deals = [
        CrmEntity(
            kind="deal",
            id=str(n),
            owner_id="1",
            pipeline_id="1",
            stage_id="20",
            created_at=began + timedelta(seconds=n),
            updated_at=began,
        )
        for n in range(count)
    ]
    async with pool.acquire() as conn, conn.transaction():
        await apply_entities(conn, ACCOUNT, deals, NumberPolicy())


async def _work(api: Api, database_url: str) -> None:
    """What a worker does with all that was asked for."""
    giver = Giver()
    kinds = {
        "distribution_stage": partial(stage_work, api.pool, giver),
        "distribution_simulation": partial(simulation_work, api.pool, giver.availability),
    }
    worker = LongWork(api.pool, Listener(database_url), kinds)
    while await worker.do_one():
        pass


async def _given(api: Api) -> list[Any]:
    found = (await api.ask("GET", "{a}/distributions", limit=1000))["items"]
    return list(reversed(found))


async def _csv(api: Api, url: str, **query: Any) -> tuple[aiohttp.ClientResponse, list[list[str]]]:
    """The answer, and what a spreadsheet reads in it."""
    headers = {"Authorization": f"Bearer {api.tokens['admin']}"}
    async with api.http.get(url, params=query, headers=headers) as response:
        return response, list(csv.reader(io.StringIO(await response.text(), newline="")))


async def _table(api: Api, **query: Any) -> list[list[str]]:
    """Of one page."""
    response, lines = await _csv(api, f"{api.url}/api/v1/accounts/{ACCOUNT}/distributions-csv", **query)
    assert (response.status, response.content_type, response.charset) == (200, "text/csv", "utf-8")
    assert response.headers["Content-Disposition"] == 'attachment; filename="distributions.csv"'
    assert response.links == {}
    return lines


async def test_a_table_is_read_page_by_page_and_what_is_wrong_with_the_question_is_no_table(
    ads: Api, database_url: str
) -> None:
    await _deals(ads.pool, 5)
    await ads.ask("POST", "{a}/templates/ads/stage-runs", body=STAGE, status=202)
    await _work(ads, database_url)
    url = f"{ads.url}/api/v1/accounts/{ACCOUNT}/distributions-csv"
    first, lines = await _csv(ads, url, limit=3)
    second, more = await _csv(ads, str(first.links["next"]["url"]))
    assert lines[0] == more[0]
    assert [line[1] for line in (*lines[1:], *more[1:])] == ["4", "3", "2", "1", "0"]
    assert second.links == {}
    wrong, _ = await _csv(ads, url, state="bogus")
    assert (wrong.status, wrong.content_type) == (400, "application/problem+json")


async def test_the_deals_of_a_stage_are_counted_given_once_and_told_as_table_and_shares(
    ads: Api, database_url: str
) -> None:
    await _deals(ads.pool, 44)
    assert (await ads.ask("POST", "{a}/templates/ads/stage-preview", body=STAGE))["deals"] == 44
    assert await _given(ads) == []

    run = await ads.ask("POST", "{a}/templates/ads/stage-runs", body=STAGE, status=202)
    assert (run["state"], run["done"]) == ("waiting", 0)
    await ads.ask("POST", "{a}/templates/ads/stage-runs", body=STAGE, status=409)
    await _work(ads, database_url)
    done = await ads.ask("GET", f"{{a}}/work/{run['id']}")
    assert (done["state"], done["result"]) == ("done", {"deals": 44, "outcomes": {"given": 44}})

    given = await _given(ads)
    assert [g["deal"] for g in given if g["employee"] == "boris"] == [str(n) for n in range(1, 44, 4)]
    assert {(g["source"], g["state"], g["is_distributed"]) for g in given} == {("stage", "given", True)}
    lanes = await ads.pool.fetch("SELECT DISTINCT lane FROM effect")
    assert [row["lane"] for row in lanes] == [4]  # behind all that comes in now

    [shares] = (await ads.ask("GET", "{a}/templates/ads/shares"))["items"]
    assert {p["employee"]: (p["meant"], p["given"], p["credit"]) for p in shares["people"]} == {
        "anna": (33, 33, 0),
        "boris": (11, 11, 0),
    }

    head, *lines = await _table(ads, employee="boris", limit=11)
    assert len(lines) == 11
    assert {line[head.index("responsible")] for line in lines} == {"'=Борис"}  # no spreadsheet runs a name


@pytest.mark.parametrize(
    ("stage", "field", "words"),
    [
        ({"pipeline": "1", "stage": "21"}, "stage", "stage 21 is none of this pipeline"),
        ({"pipeline": "1", "stage": "142"}, "stage", "stage 142 holds no open deals"),
        ({"pipeline": "2", "stage": "20"}, "pipeline", "the CRM has no pipeline 2"),
    ],
)
async def test_a_stage_that_the_crm_does_not_have_is_refused_and_not_told_as_empty(
    ads: Api, stage: dict[str, str], field: str, words: str
) -> None:
    for what in ("stage-preview", "stage-runs"):
        told = await ads.ask("POST", f"{{a}}/templates/ads/{what}", body=stage, status=400)
        assert (told["field"], told["title"]) == (field, words)
        assert "20 «" in told["detail"] or field == "pipeline"


async def test_where_the_pipelines_were_never_read_a_stage_must_still_be_a_number(
    ads: Api, database_url: str
) -> None:
    await ads.pool.execute("DELETE FROM crm_pipeline")
    empty = {"pipeline": "7", "stage": "8"}
    assert (await ads.ask("POST", "{a}/templates/ads/stage-preview", body=empty))["deals"] == 0
    said = await callmatrix(
        database_url, "distribution", "stage", "ads", "abc", "20", "--yes", "--account", ACCOUNT
    )
    assert said.returncode == 1
    assert "'abc' is no number of the CRM" in said.stderr


async def test_a_run_over_a_stage_that_is_stopped_leaves_the_rest_as_it_is(
    ads: Api, database_url: str
) -> None:
    await _deals(ads.pool, 30)
    run = await ads.ask("POST", "{a}/templates/ads/stage-runs", body=STAGE, status=202)
    stopped = await ads.ask("POST", f"{{a}}/work/{run['id']}/stop")
    assert stopped["is_stopped"] or stopped["state"] == "cancelled"
    await _work(ads, database_url)
    assert (await ads.ask("GET", f"{{a}}/work/{run['id']}"))["state"] == "cancelled"
    assert await _given(ads) == []


@pytest.mark.parametrize(
    ("hours", "first"), [({}, "given"), ({"mode": "individual", "schedule": "never"}, "waiting")]
)
async def test_a_stage_that_two_people_give_is_given_once(
    ads: Api, database_url: str, hours: dict[str, str], first: str
) -> None:
    never = {"schedule": {"kind": "weekly", "everybody": {"hours": {}}}}
    await ads.ask("PUT", "{a}/schedules/never", body=never)
    await ads.ask("PUT", "{a}/templates/ads", body={**TEMPLATE, "working_time": hours})
    await _deals(ads.pool, 3)
    for outcome in (first, "already"):
        run = await ads.ask("POST", "{a}/templates/ads/stage-runs", body=STAGE, status=202)
        await _work(ads, database_url)
        assert (await ads.ask("GET", f"{{a}}/work/{run['id']}"))["result"]["outcomes"] == {outcome: 3}
    assert len(await _given(ads)) == 3


async def test_a_draft_is_simulated_on_what_came_and_on_made_up_deals_and_changes_nothing(
    ads: Api, database_url: str
) -> None:
    await _deals(ads.pool, 8)
    await ads.ask("POST", "{a}/templates/ads/stage-runs", body=STAGE, status=202)
    await _work(ads, database_url)
    before = await ads.pool.fetchval("SELECT ledgers FROM distribution_template")
    draft = {"name": "ads", "employees": [{"employee_id": "anna"}, {"employee_id": "boris"}]}
    asked = [
        await ads.ask("POST", "{a}/templates/ads/simulations", body=body, status=202)
        for body in ({"draft": draft, "days": 1}, {"made_up": 100})
    ]
    await ads.ask("POST", "{a}/templates/ads/simulations", body={"days": 1, "made_up": 1}, status=400)
    await _work(ads, database_url)
    past, made_up = [(await ads.ask("GET", f"{{a}}/work/{one['id']}"))["result"] for one in asked]
    assert {p["employee"]: p["given"] for p in past["people"]} == {"anna": 4, "boris": 4}
    assert {p["employee"]: p["given"] for p in made_up["people"]} == {"anna": 75, "boris": 25}
    assert await ads.pool.fetchval("SELECT ledgers FROM distribution_template") == before
    assert len(await _given(ads)) == 8


async def test_a_new_template_is_tried_on_deals_of_others_and_where_there_are_none_on_created_ones(
    ads: Api, database_url: str
) -> None:
    draft = {"name": "new", "employees": [{"employee_id": "anna"}, {"employee_id": "boris"}]}

    async def tried() -> tuple[str, int]:
        body = {"draft": draft, "days": 1}
        asked = await ads.ask("POST", "{a}/templates/new/simulations", body=body, status=202)
        await _work(ads, database_url)
        result = (await ads.ask("GET", f"{{a}}/work/{asked['id']}"))["result"]
        return result["of"], result["items"]

    await _deals(ads.pool, 9)
    assert await tried() == ("created", 9)
    await ads.ask("POST", "{a}/templates/ads/stage-runs", body=STAGE, status=202)
    await _work(ads, database_url)
    await ads.pool.execute("DELETE FROM distribution_item WHERE entity_id = '0'")
    assert await tried() == ("others", 8)


async def test_the_command_line_simulates_by_the_hours_by_which_a_worker_gives(
    ads: Api, database_url: str
) -> None:
    """One works now and stands alone, one has no hours in the schedule: both doors say the same."""
    schedule = {"people": {"anna": {"hours": {str(day): [["00:00", "24:00"]] for day in range(1, 8)}}}}
    await ads.ask("PUT", "{a}/schedules/shifts", body={"schedule": schedule})
    hours = {"mode": "individual", "schedule": "shifts"}
    await ads.ask("PUT", "{a}/templates/ads", body={**TEMPLATE, "working_time": hours})
    done = await callmatrix(
        database_url, "template", "simulate", "ads", "--account", ACCOUNT, "--made-up", "12", "--json"
    )
    people = {p["employee"]: p for p in json.loads(done.stdout)["people"]}
    assert people["anna"]["given"] == 12
    assert people["boris"]["left_out"] == {"not_in_schedule": 12}


async def test_who_stands_beside_groups_is_meant_to_get_their_share_in_a_simulation(
    ads: Api, database_url: str
) -> None:
    group = {"name": "sales", "percent": 5000, "members": [{"employee_id": "boris", "percent": 10000}]}
    beside = {"employee_id": "anna", "percent": 5000}
    async with ads.pool.acquire() as conn:
        await replace_staff(conn, ACCOUNT, [SENIOR, ANNA, BORIS.model_copy(update={"group": "sales"})])
    await ads.ask("PUT", "{a}/templates/ads", body={**TEMPLATE, "groups": [group], "employees": [beside]})
    asked = await ads.ask("POST", "{a}/templates/ads/simulations", body={"made_up": 10}, status=202)
    await _work(ads, database_url)
    found = (await ads.ask("GET", f"{{a}}/work/{asked['id']}"))["result"]
    assert {p["employee"]: (p["meant"], p["given"]) for p in found["people"]} == {
        "anna": (5, 5),
        "boris": (5, 5),
    }


async def test_a_stage_has_one_template_and_loses_it_with_the_template(ads: Api) -> None:
    await ads.ask("PUT", "{a}/templates/other", body={**TEMPLATE, "name": "other"})
    await ads.ask("PUT", "{a}/templates/ads/stages/1/20", body={})
    taken = await ads.ask("PUT", "{a}/templates/other/stages/1/20", body={}, status=409)
    assert taken["code"] == "stage-has-template"
    await ads.ask("DELETE", "{a}/templates/other/stages/1/20", status=404)
    await ads.ask("DELETE", "{a}/templates/ads/stages/1/20", status=204)
    await ads.ask("PUT", "{a}/templates/other/stages/1/20", body={})
    [attached] = (await ads.ask("GET", "{a}/attachments"))["items"]
    assert attached["template"] == "other"
    await ads.ask("DELETE", "{a}/templates/other", status=204)
    assert (await ads.ask("GET", "{a}/attachments"))["items"] == []
    await ads.ask("PUT", "{a}/templates/other/stages/1/20", body={}, status=404)


async def test_one_deal_is_given_by_hand_explained_step_by_step_and_given_up_while_it_waits(ads: Api) -> None:
    await _deals(ads.pool, 2)
    ask = {"template": "ads", "deal": "0"}
    item = await ads.ask("POST", "{a}/distributions", body=ask, status=202)
    assert (item["state"], item["source"]) == ("waiting", "api")
    gone = await ads.ask("POST", f"{{a}}/distributions/{item['id']}/give-up")
    assert gone["state"] == "cancelled"
    await ads.ask("POST", f"{{a}}/distributions/{item['id']}/give-up", status=409)
    await ads.ask("POST", f"{{a}}/distributions/{item['id']}/retry")
    await Distributor(ads.pool, Giver()).turn()
    full = await ads.ask("GET", f"{{a}}/distributions/{item['id']}")
    assert (full["state"], full["employee"], full["reason"]) == ("given", "anna", "percent")
    [decision] = full["decisions"]
    assert [s["because"] for s in decision["steps"]] == ["could_get_it", "could_get_it", "percent"]
    again = await ads.ask("GET", f"/decisions/{full['decision_id']}/recomputed")
    assert again["is_same"]
    await ads.ask("POST", "{a}/distributions", body={"template": "ads", "deal": "77"}, status=400)


async def test_what_waits_longer_than_its_template_allows_raises_an_alarm(ads: Api) -> None:
    hours = {"mode": "online", "wait": True, "age_limit_hours": 2}
    await ads.ask("PUT", "{a}/templates/ads", body={**TEMPLATE, "working_time": hours})
    await _deals(ads.pool, 2)
    for deal, hours_ago in (("0", 1), ("1", 3)):
        item = await ads.ask("POST", "{a}/distributions", body={"template": "ads", "deal": deal}, status=202)
        await ads.pool.execute(
            "UPDATE distribution_item SET entered_at = now() - make_interval(hours => $2) WHERE item_id = $1",
            item["id"],
            hours_ago,
        )
    [told] = [
        f for f in (await ads.ask("GET", "{a}/status"))["findings"] if f["code"] == "deals-wait-too-long"
    ]
    assert told["is_warning"]
    await ads.pool.execute("UPDATE distribution_item SET entered_at = now()")
    codes = {f["code"] for f in (await ads.ask("GET", "{a}/status"))["findings"]}
    assert "deals-waiting" in codes
    assert "deals-wait-too-long" not in codes
