"""A person asks that one deal be given: asked twice it costs one turn, and a typo in a filter is told."""

from __future__ import annotations

from typing import Any

import pytest

from crm.port import CrmEntity
from crm.store.directory import apply_entities
from gateway.distribution.distributor import Distributor
from gateway.distribution.give import Giver
from gateway.store.admin.staff import replace_staff
from routing.settings import NumberPolicy
from tests.integration.api.client import ACCOUNT, ANNA, SENIOR, Api
from tests.integration.api.command_line import outcomes

BORIS = ANNA.model_copy(update={"id": "boris", "name": "Борис", "crm_user_id": "12", "extensions": ("102",)})


@pytest.fixture
async def ads(api: Api) -> Api:
    deal = CrmEntity(kind="deal", id="1", owner_id="1", pipeline_id="1", stage_id="20")
    async with api.pool.acquire() as conn, conn.transaction():
        await replace_staff(conn, ACCOUNT, [SENIOR, ANNA, BORIS])
        await apply_entities(conn, ACCOUNT, [deal], NumberPolicy())
    people = [{"employee_id": "anna"}, {"employee_id": "boris"}]
    await api.ask("PUT", "{a}/templates/ads", body={"name": "ads", "employees": people})
    return api


async def _ask(ads: Api, status: int = 202, **more: Any) -> Any:
    body = {"template": "ads", "deal": "1", **more}
    return await ads.ask("POST", "{a}/distributions", body=body, status=status)


async def _people(ads: Api) -> list[str]:
    found = (await ads.ask("GET", "{a}/distributions"))["items"]
    return [item["employee"] for item in reversed(found)]


async def test_a_deal_that_is_asked_for_twice_costs_one_turn(ads: Api) -> None:
    first, second = await _ask(ads), await _ask(ads)
    assert second["id"] == first["id"]
    distributor = Distributor(ads.pool, Giver())
    await distributor.turn()
    assert await _people(ads) == ["anna"]
    refused = await _ask(ads, 409)
    assert refused["code"] == "deal-given-already"
    assert "anna" in refused["title"]
    await distributor.turn()
    assert await _people(ads) == ["anna"]
    await _ask(ads, again=True)
    await distributor.turn()
    assert await _people(ads) == ["anna", "boris"]


async def test_a_filter_that_can_match_nothing_is_refused(ads: Api, database_url: str) -> None:
    lines = [
        ["distribution", "list", "--account", ACCOUNT, "--state", "bogus"],
        ["distribution", "list", "--account", ACCOUNT, "--source", "bogus"],
        ["distribution", "list", "--account", ACCOUNT, "--template", "adz"],
        ["distribution", "list", "--account", ACCOUNT, "--employee", "ana"],
        [
            "distribution",
            "list",
            "--account",
            ACCOUNT,
            "--template",
            "ads",
            "--employee",
            "anna",
            "--state",
            "waiting",
        ],
    ]
    said = await outcomes(database_url, lines)
    assert [code != 0 for code, _ in said] == [True, True, True, True, False], said
    assert "adz" in said[2][1]
    assert "ana" in said[3][1]


async def test_a_template_that_others_name_is_removed_only_when_that_is_said(ads: Api) -> None:
    await ads.pool.execute(
        'UPDATE account SET settings = settings || \'{"lookup": {"template": "ads"}}\' WHERE account_id = $1',
        ACCOUNT,
    )
    await ads.pool.execute(
        "INSERT INTO matrix_version (account_id, version, body, published_by) VALUES ($1, 1000, $2, 'test')",
        ACCOUNT,
        {"note": "template:ads"},
    )
    refused = await ads.ask("DELETE", "{a}/templates/ads", status=409)
    assert refused["code"] == "template-in-use"
    assert {problem["use"] for problem in refused["problems"]} == {"lookup", "matrix"}
    assert await ads.ask("GET", "{a}/templates/ads")
    await ads.ask("DELETE", "{a}/templates/ads?even_if_used=true", status=204)
    await ads.ask("GET", "{a}/templates/ads", status=404)


async def test_who_saves_over_a_version_that_they_have_not_seen_is_refused(ads: Api) -> None:
    mine = {"name": "ads", "employees": [{"employee_id": "anna"}]}
    theirs = {"name": "ads", "employees": [{"employee_id": "boris"}]}
    await ads.ask("PUT", "{a}/templates/ads?version=1", body=theirs)
    refused = await ads.ask("PUT", "{a}/templates/ads?version=1", body=mine, status=409)
    assert (refused["code"], "version 2" in refused["title"]) == ("template-conflict", True)
    await ads.ask("PUT", "{a}/templates/ads?version=0", body=mine, status=409)
    seen = await ads.ask("GET", "{a}/templates/ads")
    assert seen["template"]["employees"][0]["employee_id"] == "boris"
    assert (await ads.ask("PUT", "{a}/templates/ads?version=2", body=mine))["version"] == 3


async def test_what_was_given_is_told_as_on_its_way_until_the_crm_has_it(ads: Api) -> None:
    await _ask(ads)
    distributor = Distributor(ads.pool, Giver())
    await distributor.turn()
    [item] = (await ads.ask("GET", "{a}/distributions"))["items"]
    assert (item["state"], item["is_written"]) == ("given", False)
    assert item["message"].endswith("; в CRM ещё не записано")
    await ads.pool.execute("UPDATE effect SET state = 'done', attempts = 1, done_at = now()")
    await distributor.turn()
    [item] = (await ads.ask("GET", "{a}/distributions"))["items"]
    assert (item["is_written"], "не записано" in item["message"]) == (True, False)


async def test_what_the_crm_says_to_a_deal_stands_with_the_result(ads: Api) -> None:
    await _ask(ads)
    distributor = Distributor(ads.pool, Giver())
    await distributor.turn()
    await ads.pool.execute(
        "UPDATE effect SET state = 'dead', attempts = 1, error_code = 'NotSupportedChoice', error_field = 'status_id',"
        " error_detail = 'The value is not supported'"
    )
    await distributor.turn()
    [item] = (await ads.ask("GET", "{a}/distributions"))["items"]
    assert item["state"] == "failed"
    assert "NotSupportedChoice: status_id The value is not supported" in item["message"]
