"""Rules of a channel are judged against what the CRM, the templates and the staff have, whichever way they come."""

from __future__ import annotations

import json
from typing import Any

import asyncpg
import pytest

from crm.port import CrmUser, Pipeline, Stage
from crm.store.metadata import store_pipelines, store_users
from gateway.admin.config_document import ConfigRefused, read_yaml
from gateway.admin.config_import import import_config
from gateway.pbx.kinds import KINDS
from gateway.store.admin.staff import replace_staff
from routing.settings import DialoguePolicy
from tests.integration.api.client import ACCOUNT, ANNA, SENIOR, Api
from tests.integration.api.command_line import callmatrix
from tests.integration.api.test_channels import PATH, connected

BORIS = ANNA.model_copy(update={"id": "boris", "name": "Борис", "crm_user_id": "12", "extensions": ("102",), "numbers": ()})  # fmt: skip
UNLINKED = ANNA.model_copy(update={"id": "guest", "name": "Гость", "crm_user_id": None, "extensions": (), "numbers": ()})  # fmt: skip
FILLED = {
    "pipeline_id": "7",
    "stage_id": "72",
    "employees": ["anna"],
    "authors": {"p1": "anna"},
    "copies": "day",
    "eight_to_seven": False,
    "keeps_deleted_text": True,
}
WRONG: list[tuple[dict[str, Any], str, str]] = [
    ({"pipeline_id": "999"}, "pipeline_id", "7 «Sales»"),
    ({"pipeline_id": "abc"}, "pipeline_id", "7 «Sales»"),
    ({"pipeline_id": "7", "stage_id": "81"}, "stage_id", "71 «Новая»"),
    ({"pipeline_id": "7", "stage_id": "142"}, "stage_id", "closes deals"),
    ({"pipeline_id": "7", "stage_id": "143"}, "stage_id", "closes deals"),
    ({"pipeline_id": "7", "stage_id": "70"}, "stage_id", "Unsorted"),
    ({"employees": ["anna", "nosuch"]}, "employees", "nosuch"),
    ({"employees": ["boris"]}, "employees", "cannot be given work"),
    ({"employees": ["guest"]}, "employees", "cannot be given work"),
    ({"authors": {"p1": "nosuch"}}, "authors", "nosuch"),
    ({"authors": {"p1": "boris"}}, "authors", "cannot be given work"),
    ({"authors": {"": "anna"}}, "authors", "empty"),
    ({"owner": "template", "template": "gone"}, "template", "gone"),
    ({"owner": "template"}, "template", "needs the name of a template"),
    ({"owner": "lottery"}, "owner", "first_answer, template"),
    ({"copies": "weekly"}, "copies", "each, hour, day, none"),
    ({"employees": "anna"}, "employees", "a list"),
    ({"keeps_deleted_text": "perhaps"}, "keeps_deleted_text", "true or false"),
    ({"colour": "red"}, "colour", "known: pipeline_id"),
]


def pipeline(id: str, name: str, *stages: str) -> Pipeline:
    names = {"70": "Неразобранное", "71": "Новая", "142": "Успешно", "143": "Закрыто"}
    return Pipeline(
        id=id,
        name=name,
        is_main=id == "7",
        is_archived=False,
        is_unsorted_on=True,
        stages=tuple(
            Stage(id=s, name=names.get(s, s), sort=n, is_closed=s in ("142", "143"), is_unsorted=s == "70")
            for n, s in enumerate(stages)
        ),
    )


@pytest.fixture
async def shop(api: Api) -> Api:
    """Two pipelines as they were read; Boris is deactivated in the CRM, the guest is not linked to it."""
    async with api.pool.acquire() as conn, conn.transaction():
        await replace_staff(conn, ACCOUNT, [SENIOR, ANNA, BORIS, UNLINKED])
        known = [pipeline("7", "Sales", "70", "71", "72", "142", "143"), pipeline("8", "Service", "81")]
        await store_pipelines(conn, ACCOUNT, known)
        await store_users(conn, ACCOUNT, [_user("1"), _user("11"), _user("12", is_active=False)])
    return api


def _user(id: str, *, is_active: bool = True) -> CrmUser:
    return CrmUser(id=id, name=id, email="", is_active=is_active)


async def rules(api: Api) -> dict[str, Any]:
    (one,) = (await api.ask("GET", PATH))["items"]
    found: dict[str, Any] = one["rules"]
    return found


async def test_of_rules_only_what_is_named_changes_and_null_is_the_default(shop: Api) -> None:
    added = await connected(shop, rules=FILLED)
    whole = await rules(shop)
    for name, value in {
        "pipeline_id": None,
        "stage_id": "71",
        "employees": ["boss"],
        "authors": {"p2": "boss"},
        "copies": "each",
        "eight_to_seven": True,
        "keeps_deleted_text": False,
        "after_closing": "last_closed",
    }.items():
        change = {name: value} if name != "pipeline_id" else {"pipeline_id": None, "stage_id": None}
        for told in (change, dict.fromkeys(change), dict.fromkeys(change)):
            before = await rules(shop)
            await shop.ask("PATCH", f"{PATH}/{added['id']}", body={"rules": told})
            assert {n for n, v in (await rules(shop)).items() if v != before[n]} <= set(told)
        put_back = {n: whole[n] for n in change}
        await shop.ask("PATCH", f"{PATH}/{added['id']}", body={"rules": put_back})
        assert await rules(shop) == whole, name
    await shop.ask("PATCH", f"{PATH}/{added['id']}", body={"rules": {}})
    assert await rules(shop) == whole
    await shop.ask("PATCH", f"{PATH}/{added['id']}", body={"rules": None})
    assert (await rules(shop))["pipeline_id"] is None
    assert (await rules(shop))["copies"] == "hour"


async def test_the_command_line_changes_one_rule_and_takes_one_back(shop: Api, database_url: str) -> None:
    await connected(shop, name="Shop", rules=FILLED)
    whole = await rules(shop)
    for rule, name, value in (
        ("copies=none", "copies", "none"),
        ("copies=", "copies", "hour"),
        ("employees=", "employees", []),
        ("authors.p2=boss", "authors", {"p1": "anna", "p2": "boss"}),
        ("authors.p1=", "authors", {"p2": "boss"}),
    ):
        done = await callmatrix(database_url, "channel", "set", "Shop", "--account", ACCOUNT, "--rule", rule)
        assert done.returncode == 0, done.stderr
        whole[name] = value
        assert await rules(shop) == whole, rule
    refused = await callmatrix(
        database_url, "channel", "set", "Shop", "--account", ACCOUNT, "--rule", "stage_id=142"
    )
    assert "closes deals" in refused.stderr
    assert await rules(shop) == whole


async def test_a_rule_that_cannot_be_is_named_with_what_may_be_and_nothing_is_stored(shop: Api) -> None:
    added = await connected(shop, rules=FILLED)
    before = await shop.pool.fetchrow("SELECT * FROM channel")
    for told, rule, said in WRONG:
        body = {"name": "New", "kind": "sandbox", "rules": told}
        refused = await shop.ask("POST", PATH, body=body, status=400)
        change = {"rules": told, "name": "X"}
        changed = await shop.ask("PATCH", f"{PATH}/{added['id']}", body=change, status=400)
        for answer in (refused, changed):
            assert answer["field"] == "rules"
            text = json.dumps(answer, ensure_ascii=False)
            assert f"{rule}: " in text
            assert said in text
            assert "Value error" not in text
    assert await shop.pool.fetchrow("SELECT * FROM channel") == before
    assert await shop.pool.fetchval("SELECT count(*) FROM channel") == 1


async def test_a_file_is_judged_alike(shop: Api) -> None:
    for told, rule, _ in WRONG:
        document = {"callmatrix": 1, "channels": [{"name": "New", "kind": "sandbox", "rules": told}]}
        async with shop.pool.acquire() as conn:
            with pytest.raises(ConfigRefused) as refused:
                await import_config(conn, ACCOUNT, read_yaml(json.dumps(document)), by="test", kinds=KINDS)
        assert "channels.0" in str(refused.value)
        assert rule in str(refused.value)
    assert await shop.pool.fetchval("SELECT count(*) FROM channel") == 0


async def test_what_stands_there_is_not_judged_again_when_something_else_changes(shop: Api) -> None:
    added = await connected(shop, rules=FILLED)
    async with shop.pool.acquire() as conn, conn.transaction():
        await store_users(conn, ACCOUNT, [_user("1"), _user("11", is_active=False)])
        await store_pipelines(conn, ACCOUNT, [pipeline("8", "Service", "81")])
    changed = await shop.ask(
        "PATCH", f"{PATH}/{added['id']}", body={"name": "Y", "rules": {"copies": "each"}}
    )
    assert (changed["name"], changed["rules"]["copies"]) == ("Y", "each")
    await shop.ask(
        "PATCH", f"{PATH}/{added['id']}", body={"rules": {"stage_id": "71"}}
    )  # of one that is gone
    await shop.ask("PATCH", f"{PATH}/{added['id']}", body={"rules": {"employees": ["boris"]}}, status=400)


async def test_an_observer_exists_and_who_is_named_by_a_channel_is_in_use(shop: Api) -> None:
    body = {"dialogues": {"visibility": "own", "observers": ["nosuch"]}}
    refused = await shop.ask("PUT", "{a}/settings", body=body, status=400)
    assert (refused["field"], "nosuch" in str(refused)) == ("dialogues.observers", True)
    assert (await shop.ask("GET", "{a}/settings"))["dialogues"]["visibility"] == "all"
    await shop.ask("PUT", "{a}/settings", body={"dialogues": {"observers": ["anna"]}})
    await connected(shop, name="First", rules={"employees": ["anna"]})
    await connected(shop, name="Phone", rules={"authors": {"p1": "anna"}})
    used = await shop.ask("DELETE", "{a}/employees/anna", status=409)
    assert [one["use"] for one in used["problems"]] == ["channel First", "channel Phone", "observers"]


async def test_where_the_pipelines_were_never_read_a_number_is_taken_as_it_is(
    api: Api, pool: asyncpg.Pool, database_url: str
) -> None:
    added = await connected(api, rules={"pipeline_id": "7", "stage_id": "81"})
    assert added["rules"]["stage_id"] == "81"
    await api.ask("PATCH", f"{PATH}/{added['id']}", body={"rules": {"pipeline_id": "abc"}}, status=400)
    async with pool.acquire() as conn, conn.transaction():
        await store_pipelines(conn, ACCOUNT, [pipeline("7", "Sales", "71"), pipeline("8", "Service", "81")])
    checked = await callmatrix(database_url, "check")
    assert "stage_id: stage 81" in checked.stdout + checked.stderr


@pytest.mark.parametrize("left_out", DialoguePolicy.model_fields)
async def test_what_is_left_out_of_settings_shows_nobody_more(shop: Api, left_out: str) -> None:
    """However the settings are replaced: of what says who sees dialogues, what is not named stays."""
    closed = {"visibility": "own", "observers": ["anna"], "in_crm": True}
    assert set(closed) == set(DialoguePolicy.model_fields)
    await shop.ask("PUT", "{a}/settings", body={"dialogues": closed})
    named = {name: value for name, value in closed.items() if name != left_out}
    bodies: list[dict[str, Any]] = [{"dialogues": named}, {"dialogues": {}}, {"language": "en"}]
    for body in bodies:
        answered = await shop.ask("PUT", "{a}/settings", body=body)
        assert answered["dialogues"] == (await shop.ask("GET", "{a}/settings"))["dialogues"] == closed
    opened = {"visibility": "all", "observers": [], "in_crm": False}
    assert (await shop.ask("PUT", "{a}/settings", body={"dialogues": opened}))["dialogues"] == opened


async def test_who_is_switched_off_in_the_crm_is_given_no_right_and_may_lose_one(shop: Api) -> None:
    channel = await connected(shop)
    rights = f"{PATH}/{channel['id']}/rights"
    await shop.ask("PUT", rights, body={"rights": {"boris": None, "anna": "read"}})
    for right in ("read", "send"):
        refused = await shop.ask("PUT", rights, body={"rights": {"anna": "send", "boris": right}}, status=400)
        assert "boris" in str(refused)
        assert "switched off in the CRM" in str(refused)
    given = {row["employee"]: row["may"] for row in (await shop.ask("GET", rights))["items"]}
    assert given == {"anna": "read"}, "nothing of it was taken"
    async with shop.pool.acquire() as conn:
        await store_users(conn, ACCOUNT, [_user("1"), _user("11", is_active=False), _user("12")])
    await shop.ask("PUT", rights, body={"rights": {"anna": "read", "boris": "send"}})
    await shop.ask("PUT", rights, body={"rights": {"anna": "none"}})
