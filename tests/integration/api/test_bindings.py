"""Whoever is bound to templates touches no others, by whatever way one is used, and is told that it is the binding that forbids."""

from __future__ import annotations

import json
from typing import Any
from urllib.parse import quote

import pytest

from crm.port import CrmEntity
from crm.store.directory import apply_entities
from crm.store.metadata import store_pipelines
from gateway.distribution.distributor import Distributor
from gateway.distribution.give import Giver
from gateway.store.admin.staff import replace_staff
from routing.settings import NumberPolicy
from tests.integration.api.client import ACCOUNT, ANNA, SENIOR, Api, give_key
from tests.integration.distribution.shop import PIPELINE
from tests.waiting import until

BORIS = ANNA.model_copy(update={"id": "boris", "name": "Борис", "crm_user_id": "12", "extensions": ("102",)})
SHIFT = {"pipelines": ["1"], "template": "theirs", "is_on": True}


@pytest.fixture
async def bound(api: Api) -> Api:
    """Two templates, of which the token `bound` has one; shift change goes by the other one."""
    deal = CrmEntity(kind="deal", id="1", owner_id="11", pipeline_id="1", stage_id="20")
    await give_key(api.pool)
    async with api.pool.acquire() as conn, conn.transaction():
        await replace_staff(conn, ACCOUNT, [SENIOR, ANNA, BORIS])
        await store_pipelines(conn, ACCOUNT, [PIPELINE])
        await apply_entities(conn, ACCOUNT, [deal], NumberPolicy())
    people = [{"employee_id": "anna"}, {"employee_id": "boris"}]
    for name in ("own", "theirs"):
        await api.ask("PUT", f"{{a}}/templates/{name}", body={"name": name, "employees": people})
    await api.ask("PUT", "{a}/shift-change", body=SHIFT)
    limits = {"role": "admin", "account": ACCOUNT, "templates": ["own"]}
    made = await api.ask("POST", "/tokens", status=201, body={"name": "bound", **limits})
    api.tokens["bound"] = made["token"]

    async def is_known() -> bool:
        return any(t.name == "bound" for t in api.gateway.configuration.now.tokens.values())

    await until(is_known, "the token is known")
    return api


@pytest.mark.parametrize(
    ("method", "path", "body"),
    [
        ("POST", "{a}/shift-change/runs", {"employee": "anna"}),
        ("POST", "{a}/shift-change/runs/1/stop", None),
        ("PUT", "{a}/shift-change", {**SHIFT, "template": "own"}),
        ("POST", "{a}/distributions", {"template": "theirs", "deal": "1"}),
        ("PUT", "{a}/templates/theirs", {"name": "theirs", "employees": [{"employee_id": "anna"}]}),
        ("DELETE", "{a}/templates/theirs", None),
        ("POST", "{a}/templates/theirs/stage-runs", {"pipeline": "1", "stage": "20"}),
    ],
)
async def test_what_uses_another_template_is_refused_and_changes_nothing(
    bound: Api, method: str, path: str, body: Any
) -> None:
    if path.endswith("/stop"):
        await bound.ask("POST", "{a}/shift-change/runs", body={"employee": "anna"}, status=201)
    before = await _everything(bound)
    said = await bound.ask(method, path, body=body, role="bound", status=403)
    assert (said["code"], said["field"]) == ("not-bound", "template")
    assert "role" not in said["title"]
    assert "own" in said["detail"]
    assert await _everything(bound) == before


async def test_no_door_puts_another_template_or_schedule_to_use(bound: Api) -> None:
    await _days(bound)
    settings = await bound.ask("GET", "{a}/settings")
    draft = await bound.ask("GET", "{a}/matrix/draft")
    by_theirs, by_own = (_chosen_by(draft["matrix"], f"template:{name}") for name in ("theirs", "own"))
    saved = await bound.ask(
        "PUT", "{a}/matrix/draft", body={"revision": draft["revision"], "matrix": by_theirs}
    )
    rings: dict[str, Any] = {"name": "rings", "pipeline_id": "1", "stage_id": "20"}
    rings["events"] = [{"on": "entered"}]
    rings["action"] = {"do": "callback", "connection": "office", "target": THEIRS}
    await bound.ask("PUT", "{a}/triggers/rings", body=rings)
    campaign = {"name": "spring", "settings": {"connection": "office", "target": THEIRS}}
    await bound.ask("POST", "{a}/campaigns", body=campaign, status=201)
    own = {"name": "own", "employees": [{"employee_id": "anna"}, {"employee_id": "boris"}]}
    at_night = {"mode": "common", "schedule": "night"}
    before = await _in_use(bound)
    for who, method, path, body in (
        ("bound", "PUT", "{a}/settings", _lookup(settings, template="theirs")),
        ("bound", "PUT", "{a}/matrix/draft", {"revision": saved["revision"], "matrix": by_own}),
        ("bound", "POST", "{a}/matrix/publish", {"revision": saved["revision"], "why": "theirs"}),
        ("bound", "PUT", "{a}/triggers/rings", {**rings, "position": 3}),
        ("bound", "PUT", "{a}/triggers/rings/switch", {"is_on": True}),
        ("bound", "POST", "{a}/triggers/rings/apply", None),
        ("bound", "DELETE", "{a}/triggers/rings", None),
        ("bound", "POST", "{a}/campaigns", {**campaign, "name": "summer"}),
        ("bound", "POST", "{a}/campaigns/spring/start", {}),
        ("bound", "POST", "{a}/campaigns/spring/members", {"number": "+79261112233"}),
        ("bound", "DELETE", "{a}/campaigns/spring/members/+79261112233", None),
        ("bound", "POST", "{a}/campaigns/spring/lists", {"name": "l.csv", "file": "KzcK"}),
        ("bound", "DELETE", "{a}/campaigns/spring/kept-open", None),
        ("bound", "PUT", "{a}/triggers/feeds", _feeding("feeds", "spring")),
        ("bound", "POST", "{a}/matrix/draft/reset", {"revision": saved["revision"]}),
        ("bound", "GET", "{a}/templates/own/hook", None),
        ("bound", "GET", "{a}/triggers/rings/hook", None),
        ("days", "GET", "{a}/triggers/rings/hook", None),
        ("days", "PUT", "{a}/settings", _lookup(settings, schedule="night")),
        ("days", "PUT", "{a}/templates/own", {**own, "working_time": at_night}),
    ):
        said = await bound.ask(method, path, body=body, role=who, status=403)
        of = "template" if who == "bound" else "schedule"
        assert (path, said["code"], said["field"]) == (path, "not-bound", of)
    assert await _in_use(bound) == before
    await bound.ask("PUT", "{a}/settings", body=_lookup(settings, template="own"), role="bound")
    await bound.ask(
        "PUT", "{a}/settings", body=_lookup(settings, schedule="day", template="own"), role="days"
    )
    await bound.ask("GET", "{a}/templates/own/hook")


async def test_campaigns_and_triggers_of_other_templates_and_what_comes_of_them_are_not_seen(
    bound: Api,
) -> None:
    for name, target in (("theirs-spring", THEIRS), ("own-spring", {**THEIRS, "name": "own"})):
        campaign = {"name": name, "settings": {"connection": "office", "target": target}}
        await bound.ask("POST", "{a}/campaigns", body=campaign, status=201)
        await bound.ask("PUT", f"{{a}}/triggers/{name}", body=_feeding(name, name))
        await bound.ask("POST", f"{{a}}/campaigns/{name}/members", body={"number": NUMBER}, status=201)
        await bound.ask(
            "POST", f"{{a}}/campaigns/{name}/lists", body={"name": "l.csv", "file": "KzcK"}, status=202
        )
        await bound.pool.execute(
            "INSERT INTO firing (account_id, firing_id, trigger, version, deal_id, cause, cause_key, source, state,"
            " happened_at) VALUES ($1, $2, $2, 1, '1', '{\"on\": \"entered\"}', $2, 'event', 'reading', now())",
            ACCOUNT,
            name,
        )
    await bound.pool.execute("UPDATE campaign SET state = 'running'")
    seen = {
        path: (await bound.ask("GET", f"{{a}}/{path}", role="bound"))["items"]
        for path in (
            "campaigns",
            "triggers",
            "firings",
            "outbound/items",
            "work",
            f"campaign-callers/{NUMBER}",
        )
    }
    assert {path: len(items) for path, items in seen.items()} == dict.fromkeys(seen, 1)
    assert "theirs-spring" not in str(seen)
    everything = await bound.ask("GET", "{a}/outbound/items")
    (item,) = (i["id"] for i in everything["items"] if i["campaign"] == "theirs-spring")
    (work,) = (
        w["id"] for w in (await bound.ask("GET", "{a}/work"))["items"] if "theirs" in w["asked"]["campaign"]
    )
    for path in (
        *(f"campaigns/theirs-spring{part}" for part in ("", "/members", "/lists", "/figures")),
        *(f"triggers/theirs-spring{part}" for part in ("", "/versions", "/versions/1")),
        "firings/theirs-spring",
        *(f"outbound/items/{item}{part}" for part in ("", "/why-not")),
        f"work/{work}",
    ):
        await bound.ask("GET", f"{{a}}/{path}", role="bound", status=404)
        await bound.ask("GET", f"{{a}}/{path}")
    settled = {"is_reached": True}
    await bound.ask("POST", f"{{a}}/outbound/items/{item}/settle", body=settled, role="bound", status=404)
    await bound.ask("POST", "{a}/triggers/theirs-spring/apply-preview", role="bound", status=404)
    said = await bound.ask(
        "POST", "{a}/outbound/queue/clear", body={"kind": "campaign"}, role="bound", status=403
    )
    assert said["code"] == "not-bound"


NUMBER = "+79261112233"


def _feeding(name: str, campaign: str) -> dict[str, Any]:
    stage: dict[str, Any] = {"pipeline_id": "1", "stage_id": "20", "events": [{"on": "entered"}]}
    return {"name": name, **stage, "action": {"do": "campaign", "campaign": campaign}}


THEIRS = {"kind": "template", "name": "theirs"}


async def _days(api: Api) -> None:
    """Two schedules, of which the token `days` has one."""
    schedule = {"people": {"anna": {"hours": {"1": [["09:00", "18:00"]]}}}}
    for name in ("day", "night"):
        await api.ask("PUT", f"{{a}}/schedules/{name}", body={"schedule": schedule})
    limits = {"role": "admin", "account": ACCOUNT, "schedules": ["day"]}
    made = await api.ask("POST", "/tokens", status=201, body={"name": "days", **limits})
    api.tokens["days"] = made["token"]
    assert [s["name"] for s in (await api.ask("GET", "{a}/schedules", role="days"))["items"]] == ["day"]


def _lookup(settings: dict[str, Any], **changes: Any) -> dict[str, Any]:
    return {**settings, "lookup": {**settings["lookup"], **changes}}


def _chosen_by(matrix: dict[str, Any], who: str) -> dict[str, Any]:
    """The same with everything that it makes or notes for this one."""
    changed: dict[str, Any] = json.loads(json.dumps(matrix))
    for table in changed["tables"].values():
        for actions in table["cells"].values():
            for action in actions:
                action.update({"responsible": who} if "responsible" in action else {})
    return changed


async def _in_use(api: Api) -> list[Any]:
    names = ("settings", "matrix/draft", "matrix/versions", "triggers", "campaigns", "templates", "work")
    return [await api.ask("GET", f"{{a}}/{name}") for name in names]


async def _everything(api: Api) -> list[Any]:
    return [
        await api.pool.fetch("SELECT * FROM shift_run"),
        await api.pool.fetch("SELECT * FROM distribution_item"),
        await api.pool.fetch("SELECT * FROM distribution_template"),
        await api.ask("GET", "{a}/shift-change"),
    ]


async def test_ones_own_template_may_be_used_everywhere(bound: Api) -> None:
    await bound.ask("PUT", "{a}/shift-change", body={**SHIFT, "template": "own"})
    run = await bound.ask(
        "POST", "{a}/shift-change/runs", body={"employee": "anna"}, role="bound", status=201
    )
    await bound.ask("POST", f"{{a}}/shift-change/runs/{run['run_id']}/stop", role="bound")
    await bound.ask(
        "POST", "{a}/distributions", body={"template": "own", "deal": "1"}, role="bound", status=202
    )


async def test_a_role_that_is_too_weak_is_named_as_the_reason(bound: Api) -> None:
    made = await bound.ask("POST", "/tokens", status=201, body={"name": "weak", "role": "read_only"})
    bound.tokens["weak"] = made["token"]
    said = await bound.ask("DELETE", "{a}/templates/own", role="weak", status=403)
    assert (said["code"], said["detail"]) == ("forbidden", "It takes: admin.")


async def test_a_configuration_as_a_file_keeps_to_the_bindings_too(bound: Api) -> None:
    await _days(bound)
    whole = await bound.ask("GET", "{a}/config")
    seen = await bound.ask("GET", "{a}/config", role="bound")
    assert [t["name"] for t in seen["templates"]] == ["own"]
    assert list((await bound.ask("GET", "{a}/config", role="days"))["schedules"]) == ["day"]
    before = [await _everything(bound), await bound.pool.fetch("SELECT * FROM schedule")]
    (theirs,) = (t for t in whole["templates"] if t["name"] == "theirs")
    changed = {"callmatrix": whole["callmatrix"], "templates": [{**theirs, "catch_up": 5}]}
    said = await bound.ask("PUT", "{a}/config", role="bound", body=changed, status=422)
    assert "not bound to" in str(said)
    emptied = {"callmatrix": whole["callmatrix"], "schedules": {"night": {"people": {}}}}
    said = await bound.ask("PUT", "{a}/config", role="days", body=emptied, status=422)
    assert "not bound to" in str(said)
    assert [await _everything(bound), await bound.pool.fetch("SELECT * FROM schedule")] == before
    (own,) = seen["templates"]
    mine = {"callmatrix": whole["callmatrix"], "templates": [{**own, "catch_up": 5}]}
    await bound.ask("PUT", "{a}/config", role="bound", body=mine)


async def test_what_belongs_to_other_templates_is_not_seen(bound: Api) -> None:
    await bound.ask("POST", "{a}/distributions", body={"template": "theirs", "deal": "1"}, status=202)
    await Distributor(bound.pool, Giver()).turn()
    [line] = (await bound.ask("GET", "/decisions", kind="distribution"))["items"]
    work = await bound.ask("POST", "{a}/templates/theirs/simulations", body={"made_up": 3}, status=202)
    run = await bound.ask("POST", "{a}/shift-change/runs", body={"employee": "anna"}, status=201)
    seen = [
        (await bound.ask("GET", "/decisions", role="bound", kind="distribution"))["items"],
        (await bound.ask("GET", "{a}/work", role="bound"))["items"],
        (await bound.ask("GET", "{a}/distributions", role="bound"))["items"],
    ]
    assert seen == [[], [], []]
    for method, path in (
        ("GET", f"/decisions/{line['decision_id']}"),
        ("GET", f"/decisions/{line['decision_id']}/recomputed"),
        ("GET", f"{{a}}/work/{work['id']}"),
        ("POST", f"{{a}}/work/{work['id']}/stop"),
    ):
        await bound.ask(method, path, role="bound", status=404)
    for path in ("runs", f"runs/{run['run_id']}", f"runs/{run['run_id']}/moves", "preview?employee=anna"):
        await bound.ask("GET", f"{{a}}/shift-change/{path}", role="bound", status=403)
    assert not (await bound.ask("GET", f"{{a}}/work/{work['id']}"))["is_stopped"]


@pytest.mark.parametrize(
    "at", ["0001-01-01T00:00:00+14:00", "9999-12-31T23:59:59-12:00", "1999-12-31T23:59:59Z"]
)
@pytest.mark.parametrize(
    "question",
    [
        "/audit?since={}",
        "/audit?until={}",
        "/decisions?after={}",
        "{a}/calls?since={}",
        "{a}/distributions?until={}",
    ],
)
async def test_a_time_at_the_edge_of_the_calendar_is_refused(api: Api, question: str, at: str) -> None:
    path = question.replace("{}", quote(at))
    assert (await api.ask("GET", path, status=400))["code"] == "invalid-input"
