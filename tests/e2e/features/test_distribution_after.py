"""S0.1 and S0.32 to S0.46: what follows a distribution, stages, rights, results and their log, what stands for the install."""

from __future__ import annotations

import csv
import io
import json
from collections import Counter
from datetime import UTC, datetime, timedelta
from typing import Any

import pytest

from crm.sandbox.seed import CHECK_ID, OPEN_STAGES, PIPELINE
from tests.e2e.features.sales import BOSS, NEW, STAGE, Sales, person, user
from tests.e2e.stack import ACCOUNT

pytestmark = pytest.mark.asyncio(loop_scope="session")

LAST = OPEN_STAGES[2]


async def test_s0_32_what_is_not_taken_to_work_in_time_goes_to_the_next_manager(sales: Sales) -> None:
    async with sales.template("taken", 101, 102, 103, taken={"minutes": 10, "rounds": 2}):
        left, worked = await sales.deals(2)
        assert await sales.given([left, worked]) == [101, 102]
        idle, busy = await sales.owners([left, worked])
        await sales.move(worked, LAST, by=busy)
        await sales.until_by(worked, "stage_changed", busy)
        await sales.until_known({left: idle, worked: busy})
        await _minutes_pass(sales, 13, "taken")

        async def is_given_on() -> bool:
            return bool((await sales.result(left))["tried"] == [person(idle - 1000000)])

        await sales.until(is_given_on)
        [second] = await sales.given([left])
        assert user(second) != idle
        assert await sales.owners([worked]) == [busy], "they moved it on: that is work"
        await sales.until_known({left: user(second)})
        await _minutes_pass(sales, 13, "taken")
        await sales.until_owned({left: user(100)})
        assert (await sales.result(left))["reason"] == "rounds_over"


async def _minutes_pass(sales: Sales, minutes: float, template: str) -> None:
    """All that this template gave is so much longer ago."""
    await sales.stack.pool.execute(
        "UPDATE distribution_item SET decided_at = decided_at - $2::interval, take_until = take_until - $2::interval,"
        " due_at = due_at - $2::interval WHERE template = $1 AND state = 'given'",
        template,
        timedelta(minutes=minutes),
    )


async def _with_everything(sales: Sales) -> tuple[int, dict[str, int], dict[str, int]]:
    """(deal, contact and company, open tasks of each) of the boss; the deal is not in the stage yet."""
    [contact], [company] = await sales.make("contacts", {}), await sales.make("companies", {})
    linked: dict[str, Any] = {"_embedded": {"contacts": [{"id": contact}], "companies": [{"id": company}]}}
    [deal] = await sales.deals(stage=NEW, **linked)
    cards = {"contact": contact, "company": company}
    about = {"leads": deal, "contacts": contact, "companies": company}
    tasks = await sales.make("tasks", *({"entity_id": id, "entity_type": type} for type, id in about.items()))
    return deal, cards, dict(zip(("deal", "contact", "company"), tasks, strict=True))


async def _owner(sales: Sales, kind: str, id: int) -> int:
    return int((await sales.row(kind, id))["responsible_user_id"])


async def test_s0_33_the_responsible_of_contact_and_company_can_change_too(sales: Sales) -> None:
    async with sales.template("cards", 101, also_change=["contact", "company"]):
        deal, cards, tasks = await _with_everything(sales)
        await sales.move(deal)
        await sales.until_owned({deal: user(101)})
        for kind, id in cards.items():
            await sales.until_owned({id: user(101)}, kind)
        assert await _owner(sales, "task", tasks["deal"]) == BOSS


async def test_s0_34_open_tasks_of_deal_contact_and_company_can_pass_to_the_new_responsible(
    sales: Sales,
) -> None:
    also = ["deal_tasks", "contact_tasks", "company_tasks"]
    async with sales.template("tasks", 101, also_change=also):
        deal, cards, tasks = await _with_everything(sales)
        [done, others] = await sales.make(
            "tasks",
            {"entity_id": deal, "entity_type": "leads"},
            {"entity_id": deal, "entity_type": "leads", "responsible_user_id": user(105)},
        )
        await sales.act("complete_task", id=done)
        await sales.move(deal)
        for id in tasks.values():
            await sales.until_owned({id: user(101)}, "task")
        assert [await _owner(sales, "task", id) for id in (done, others)] == [BOSS, user(105)]
        assert [await _owner(sales, kind, id) for kind, id in cards.items()] == [BOSS, BOSS]


async def test_s0_35_a_template_is_chosen_for_a_stage_of_a_pipeline(sales: Sales) -> None:
    async with sales.template("stage-one", 101):
        await sales.save("stage-two", 102)
        await sales.attach("stage-two", LAST)
        there = {a["stage_id"]: a["template"] for a in (await sales.api("GET", "attachments"))["items"]}
        assert (there[str(STAGE)], there[str(LAST)]) == ("stage-one", "stage-two")
        [deal] = await sales.deals(stage=NEW)
        await sales.move(deal)
        assert await sales.given([deal]) == [101]
        await sales.move(deal, LAST)
        await sales.until_owned({deal: user(102)})
        await sales.api("DELETE", f"templates/stage-two/stages/{PIPELINE}/{LAST}", status=204)
    [deal] = await sales.deals()
    await sales.until_told(deal)
    assert await sales.owners([deal]) == [BOSS], "detached, it gives nothing any more"


async def test_s0_36_a_template_is_made_and_changed_where_it_is_attached(sales: Sales) -> None:
    """What the dialog of the pipeline will call: one request saves, the next attaches, neither leaves the stage."""
    token = await sales.token_of("dialog", "senior_manager")
    body = {"name": "in-dialog", "employees": [{"employee_id": person(101)}]}
    path = "templates/in-dialog"
    assert (await sales.as_somebody("PUT", path, token, body=body))[0] == 200
    stage = f"{path}/stages/{PIPELINE}/{STAGE}"
    assert (await sales.as_somebody("PUT", stage, token, body={}))[0] == 200
    assert await sales.given(await sales.deals()) == [101]
    changed = {**body, "employees": [{"employee_id": person(102)}]}
    assert (await sales.as_somebody("PUT", path, token, body=changed))[1]["version"] == 2
    assert await sales.given(await sales.deals()) == [102]
    assert (await sales.as_somebody("DELETE", stage, token))[0] == 204


async def test_s0_37_who_is_no_admin_edits_a_listed_set_of_templates_and_no_others(sales: Sales) -> None:
    await sales.save("mine", 101)
    await sales.save("not-mine", 101)
    token = await sales.token_of("editor", "senior_manager", templates=["mine"])
    for name, wanted in (("mine", 200), ("not-mine", 403)):
        body = {"name": name, "employees": [{"employee_id": person(102)}]}
        status, _ = await sales.as_somebody("PUT", f"templates/{name}", token, body=body)
        assert status == wanted, name
    looking = await sales.token_of("looking", "manager", templates=["mine"])
    body = {"name": "mine", "employees": [{"employee_id": person(103)}]}
    assert (await sales.as_somebody("PUT", "templates/mine", looking, body=body))[0] == 403
    assert (await sales.api("GET", "templates/not-mine"))["version"] == 1


async def test_s0_38_such_a_user_sees_these_templates_only(sales: Sales) -> None:
    await sales.save("seen", 101)
    await sales.save("unseen", 101)
    token = await sales.token_of("viewer", "senior_manager", templates=["seen"])
    _, listed = await sales.as_somebody("GET", "templates", token)
    assert [t["name"] for t in listed["items"]] == ["seen"]
    assert (await sales.as_somebody("GET", "templates/unseen", token))[0] == 403
    async with sales.template("unseen", 101):
        [deal] = await sales.deals()
        await sales.given([deal])
    _, results = await sales.as_somebody("GET", "distributions", token)
    assert {r["template"] for r in results["items"]} <= {"seen"}


async def test_s0_39_schedules_are_edited_and_deleted_by_whom_they_are_named_to(sales: Sales) -> None:
    for name in ("their-own", "of-others"):
        await sales.schedule(name, everybody={"hours": {"mon": "09:00-18:00"}})
    token = await sales.token_of("planner", "senior_manager", schedules=["their-own"])
    body = {"schedule": {"everybody": {"hours": {"tue": "09:00-18:00"}}}}
    for name, wanted in (("their-own", (200, 204)), ("of-others", (403, 403))):
        edited, _ = await sales.as_somebody("PUT", f"schedules/{name}", token, body=body)
        path = f"schedules/{name}?even_if_used=true"  # the token stands on it
        removed, _ = await sales.as_somebody("DELETE", path, token)
        assert (edited, removed) == wanted, name
    names = {s["name"] for s in (await sales.api("GET", "schedules"))["items"]}
    assert "of-others" in names
    assert "their-own" not in names


async def test_s0_40_only_an_admin_grants_rights_and_they_are_shown_at_the_user(sales: Sales) -> None:
    for name in ("mine", "seen"):
        await sales.save(name, 101)
    await sales.schedule("day", everybody={"hours": {"mon": "09:00-18:00"}})
    rights = {"templates": ["mine"], "schedules": ["day"], "counters": [person(101)]}
    body = {"login": "olga", "role": "senior_manager", "account": ACCOUNT, **rights}
    await sales.stack.api("POST", "/v1/users", status=201, body={**body, "password": "long enough for her"})
    [olga] = [u for u in (await sales.stack.api("GET", "/v1/users"))["items"] if u["login"] == "olga"]
    assert {name: olga[name] for name in rights} == rights
    senior = await sales.token_of("granting", "senior_manager")
    headers = {"Authorization": f"Bearer {senior}"}
    users = f"{sales.stack.url}/api/v1/users"
    async with sales.stack.http.patch(f"{users}/olga", json={"templates": []}, headers=headers) as response:
        assert response.status == 403
    changed = await sales.stack.api("PATCH", "/v1/users/olga", body={"counters": [], "templates": ["seen"]})
    assert (changed["counters"], changed["templates"]) == ([], ["seen"])


async def test_s0_41_results_show_when_which_deal_from_where_and_to_whom(sales: Sales) -> None:
    began = datetime.now(UTC)
    async with sales.template("shown", 101):
        [deal] = await sales.deals()
        await sales.given([deal])
    found = await sales.result(deal)
    assert (found["deal"], found["source"], found["employee"]) == (str(deal), "event", person(101))
    assert found["name"] == "Менеджер 101"
    assert found["url"] == f"{sales.stack.sandbox_url}/leads/detail/{deal}"
    assert began - timedelta(seconds=5) <= datetime.fromisoformat(found["decided_at"]) <= datetime.now(UTC)


async def test_s0_42_what_was_given_is_told_apart_from_what_was_not(sales: Sales) -> None:
    async with sales.template("ticks", 101, open_deals_limit=0, nobody={"do": "leave"}):
        [yellow] = await sales.deals()
        await sales.came_to([yellow], "nobody")
        await sales.save("ticks", 101)
        [green] = await sales.deals()
        await sales.given([green])
    assert [(await sales.result(d))["is_distributed"] for d in (green, yellow)] == [True, False]


async def test_s0_43_each_result_has_the_log_of_the_walk_step_by_step(sales: Sales) -> None:
    await sales.press(102, "stop")
    async with sales.template(
        "walk", 101, 102, 103, working_time={"mode": "online"}, repeat={"by": "contacts"}
    ):
        [deal] = await sales.deals()
        await sales.given([deal])
    await sales.press(102, "start")
    [decision] = (await sales.result(deal))["decisions"]
    walk = [(s["rule"], s["facts"].get("employee"), s["because"]) for s in decision["steps"]]
    assert walk == [
        ("repeat", None, "repeat_none"),
        ("person", person(102), "offline"),
        ("person", person(101), "could_get_it"),
        ("person", person(103), "could_get_it"),
        ("ledger", person(101), "turn"),
    ]
    assert all(step["message"] for step in decision["steps"])
    item = (await sales.result(deal))["id"]
    assert person(102) in sales.command("distribution", "show", item)


async def test_s0_44_results_are_filtered_by_date_deal_type_and_source(sales: Sales) -> None:
    began = datetime.now(UTC).isoformat()
    async with sales.template("by-turn", 101, kind="turn"):
        [turn] = await sales.deals()
        await sales.given([turn])
    async with sales.template("by-load", 101, kind="load"):
        [load] = await sales.deals()
        await sales.given([load])
        body = {"template": "by-load", "deal": str(turn)}
        await sales.api("POST", "distributions", status=202, body=body)
        await sales.came_to([turn], "given")

    async def deals(**query: str) -> Counter[str]:
        return Counter(r["deal"] for r in await sales.results(since=began, **query))

    async def all_are_there() -> bool:
        found = await sales.results(since=began)
        return len(found) == 3 and {r["state"] for r in found} == {"given"}

    await sales.until(all_are_there)
    assert await deals() == {str(turn): 2, str(load): 1}
    assert await deals(type="turn") == {str(turn): 1}
    assert await deals(type="load") == {str(turn): 1, str(load): 1}
    assert await deals(deal=str(load)) == {str(load): 1}
    assert await deals(source="api") == {str(turn): 1}
    assert await deals(source="event") == {str(turn): 1, str(load): 1}
    assert await deals(until=began) == {}
    listed = sales.command("distribution", "list", "--type", "turn", "--deal", str(turn), "--csv")
    [row] = csv.DictReader(io.StringIO(listed))
    assert (row["deal"], row["template"], row["source"]) == (str(turn), "by-turn", "event")


async def test_s0_45_analytics_compare_what_each_was_meant_to_get_with_what_they_got(sales: Sales) -> None:
    people = [{"employee_id": person(n), "percent": share} for n, share in ((101, 7500), (102, 2500))]
    async with sales.template("analytics", kind="load", balance="percent", employees=people):
        await sales.given(await sales.deals(4))
    [report] = (await sales.api("GET", "templates/analytics/shares"))["items"]
    assert {p["employee"]: (p["meant"], p["given"]) for p in report["people"]} == {
        person(101): (3.0, 3),
        person(102): (1.0, 1),
    }
    assert report["words"]


async def test_s0_01_an_account_is_connected_by_allowing_the_integration_in_the_crm(sales: Sales) -> None:
    """What stands for the install: the operator opens the address that is told, allows there, and comes back to us."""
    stack = sales.stack
    told = json.loads(
        sales.command(
            "account", "add", ACCOUNT, "--url", stack.sandbox_url, "--client-id", CHECK_ID, "--client-secret", "-",
            "--json", typed="check-secret",
        )
    )  # fmt: skip
    async with stack.http.get(told["open"] + "&approve=1") as page:
        assert page.status == 200, await page.text()
        assert str(page.url).startswith(f"{stack.url}/crm/oauth")
    assert (await sales.api("GET", ""))["state"] == "on"
    async with sales.template("connected", 101):
        assert await sales.given(await sales.deals()) == [101]
    assert "check" in str(await stack.sandbox("rates")), "from now on it is this integration that works"
