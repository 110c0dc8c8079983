"""Who may sign in or ask, and what they are bound to: changed alike by API and command line, and nobody locks themselves out."""

from __future__ import annotations

import json
from typing import Any

import pytest
from hypothesis import given
from hypothesis import strategies as st

from gateway.store.admin.bindings import Bindings, freer_in, may_touch
from gateway.store.admin.roles import ROLES, Role
from tests.integration.api.client import ACCOUNT, Api
from tests.integration.api.command_line import callmatrix

BOUND = {"account": ACCOUNT, "employee": "anna", "templates": ["welcome"], "schedules": ["day", "night"]}
AS_OPTIONS = (
    "--account", ACCOUNT, "--employee", "anna", "--template", "welcome", "--schedule", "day", "--schedule", "night",
)  # fmt: skip


async def _make_named(api: Api) -> None:
    """What tokens and people are bound to here."""
    for name in ("welcome", "x", "z"):
        template = {"name": name, "employees": [{"employee_id": "anna"}]}
        await api.ask("PUT", f"{{a}}/templates/{name}", body=template)
    schedule = {"people": {"anna": {"hours": {"1": [["09:00", "18:00"]]}}}}
    for name in ("day", "night", "y"):
        await api.ask("PUT", f"{{a}}/schedules/{name}", body={"schedule": schedule})


async def test_users_and_tokens_are_bound_and_unbound_at_both_doors(api: Api, database_url: str) -> None:
    await _make_named(api)
    await api.ask("POST", "/users", status=201, body={"login": "anna", "role": "manager", **BOUND})
    assert (
        await callmatrix(database_url, "users", "add", "olga", "--role", "manager", *AS_OPTIONS)
    ).returncode == 0
    await api.ask("POST", "/tokens", status=201, body={"name": "t1", "role": "manager", **BOUND})
    assert (
        await callmatrix(database_url, "token", "add", "t2", "--role", "manager", *AS_OPTIONS)
    ).returncode == 0
    users = {u["login"]: u for u in (await api.ask("GET", "/users"))["items"]}
    tokens = {t["name"]: t for t in (await api.ask("GET", "/tokens"))["items"]}
    for who in (users["anna"], users["olga"], tokens["t1"], tokens["t2"]):
        assert {name: who[name] for name in BOUND} == BOUND
    listed = json.loads((await callmatrix(database_url, "users", "list", "--json")).stdout)
    assert {name: listed[0][name] for name in BOUND} == BOUND
    free: dict[str, Any] = {"account": None, "employee": None, "templates": [], "schedules": []}
    changed = await api.ask("PATCH", "/users/anna", body=free)
    assert {name: changed[name] for name in free} == free
    words = ("--employee", "", "--template", "", "--schedule", "", "--account", "")
    done = await callmatrix(database_url, "token", "change", "t2", *words, "--json")
    assert {name: json.loads(done.stdout)[name] for name in free} == free
    assert (await api.ask("PATCH", "/users/olga", body={"is_on": False}))[
        "employee"
    ] == "anna"  # the rest stays


@pytest.mark.parametrize(
    ("body", "words", "field", "said"),
    [
        ({"employee": "anna"}, ("--employee", "anna"), "employee", "an employee belongs to one account"),
        (
            {"account": ACCOUNT, "employee": "ghost"},
            ("--account", ACCOUNT, "--employee", "ghost"),
            "employee",
            "'ghost' is no employee",
        ),
        ({"account": "nowhere"}, ("--account", "nowhere"), "account", "there is no account 'nowhere'"),
        (
            {"templates": ["a", "a"]},
            ("--template", "a", "--template", "a"),
            "templates",
            "'a' is no name here",
        ),
        (
            {"templates": ["nosuch"]},
            ("--template", "nosuch"),
            "templates",
            "there is no template 'nosuch'",
        ),
        (
            {"account": ACCOUNT, "schedules": ["nosuch"]},
            ("--account", ACCOUNT, "--schedule", "nosuch"),
            "schedules",
            "there is no schedule 'nosuch'",
        ),
        ({"role": "king"}, ("--role", "king"), "role", "there is no role 'king'"),
    ],
)
async def test_a_wrong_binding_is_refused_alike_and_nothing_is_stored(
    api: Api, database_url: str, body: dict[str, Any], words: tuple[str, ...], field: str, said: str
) -> None:
    await api.ask("POST", "/users", status=201, body={"login": "olga", "role": "manager"})
    await api.ask("POST", "/tokens", status=201, body={"name": "reports", "role": "manager"})
    before = await _everybody(api)
    for path, new, name in (("/users", "login", "olga"), ("/tokens", "name", "reports")):
        for method, at, sent in (
            ("PATCH", f"{path}/{name}", body),
            ("POST", path, {new: "another", "role": "manager", **body}),
        ):
            told = await api.ask(method, at, status=400, body=sent)
            assert (told["field"], said in told["title"]) == (field, True)
    for command in (
        ("users", "change", "olga"),
        ("token", "change", "reports"),
        ("users", "add", "x"),
        ("token", "add", "x"),
    ):
        done = await callmatrix(database_url, *command, *words)
        assert (done.returncode, f"{field}: {said}" in done.stderr) == (1, True), done.stderr
    assert await _everybody(api) == before


async def _everybody(api: Api) -> list[dict[str, Any]]:
    """But for when a token was used: it is by asking."""
    found = [*(await api.ask("GET", "/users"))["items"], *(await api.ask("GET", "/tokens"))["items"]]
    return [{name: v for name, v in one.items() if name != "last_used_at"} for one in found]


async def test_the_last_administrator_stays_one(api: Api, database_url: str) -> None:
    await api.ask("POST", "/users", status=201, body={"login": "olga", "role": "admin"})
    await api.ask("POST", "/users", status=201, body={"login": "main", "role": "admin", "account": ACCOUNT})
    for body in ({"role": "manager"}, {"account": ACCOUNT}, {"is_on": False}):
        assert (await api.ask("PATCH", "/users/olga", status=409, body=body))["code"] == "last-admin"
    assert (await api.ask("DELETE", "/users/olga", status=409))["code"] == "last-admin"
    for words in (
        ("remove", "olga", "--yes"),
        ("change", "olga", "--off"),
        ("change", "olga", "--role", "manager"),
    ):
        done = await callmatrix(database_url, "users", *words)
        assert (done.returncode, "last-admin" in done.stderr) == (1, True)
    await api.ask("POST", "/users", status=201, body={"login": "petr", "role": "admin"})
    await api.ask("DELETE", "/users/olga", status=204)


async def test_a_token_does_not_shut_itself_out(api: Api) -> None:
    assert (await api.ask("DELETE", "/tokens/admin", status=409))["code"] == "last-admin"
    assert (await api.ask("PATCH", "/tokens/admin", status=409, body={"role": "manager"}))[
        "code"
    ] == "last-admin"
    await api.ask("POST", "/tokens", status=201, body={"name": "spare", "role": "admin"})
    await api.ask("DELETE", "/tokens/admin", status=204)


async def test_an_administrator_of_one_account_lets_people_into_that_one_only(api: Api) -> None:
    new = {"login": "olga", "role": "admin"}
    await api.ask("POST", "/users", role="other", status=403, body=new)
    await api.ask("POST", "/users", role="other", status=403, body={**new, "account": ACCOUNT})
    await api.ask("POST", "/users", role="other", status=201, body={**new, "account": "other"})
    await api.ask("PATCH", "/users/olga", role="other", status=403, body={"account": None})
    await api.ask("POST", "/users", status=201, body={"login": "petr", "role": "manager", "account": ACCOUNT})
    await api.ask(
        "POST", "/tokens", status=201, body={"name": "of main", "role": "manager", "account": ACCOUNT}
    )
    assert [u["login"] for u in (await api.ask("GET", "/users", role="other"))["items"]] == ["olga"]
    for method, path in (
        ("PATCH", "/users/petr"),
        ("PUT", "/users/petr/password"),
        ("DELETE", "/users/petr"),
    ):
        await api.ask(method, path, role="other", status=404, body={})
    await api.ask("PATCH", "/tokens/of main", role="other", status=404, body={})


_LIMITS = {"account": ACCOUNT, "employee": "anna", "templates": ["x", "z"], "schedules": ["y"]}


@pytest.mark.parametrize(
    "freed",
    [
        {"templates": []},
        {"templates": ["x", "other"]},
        {"schedules": []},
        {"employee": None},
        {"account": None, "employee": None},
        {"templates": [], "schedules": [], "employee": None},
    ],
    ids=str,
)
async def test_who_is_bound_frees_neither_themselves_nor_anybody(api: Api, freed: dict[str, Any]) -> None:
    await _make_named(api)
    made = await api.ask("POST", "/tokens", status=201, body={"name": "tt", "role": "admin", **_LIMITS})
    api.tokens["bound"] = made["token"]
    bound = {"role": "admin", **_LIMITS}
    await api.ask("POST", "/tokens", role="bound", status=201, body={"name": "same", **bound})
    await api.ask("POST", "/users", role="bound", status=201, body={"login": "same", **bound})
    before = await _everybody(api)
    for method, path, body in (
        ("PATCH", "/tokens/tt", freed),
        ("PATCH", "/tokens/same", freed),
        ("POST", "/tokens", {"name": "free", **bound, **freed}),
        ("PATCH", "/users/same", freed),
        ("POST", "/users", {"login": "free", **bound, **freed}),
    ):
        told = await api.ask(method, path, role="bound", status=403, body=body)
        assert told["code"] in ("grants-more", "forbidden")
    assert await _everybody(api) == before


async def test_who_may_more_is_out_of_reach_of_who_is_bound(api: Api) -> None:
    await _make_named(api)
    made = await api.ask("POST", "/tokens", status=201, body={"name": "tt", "role": "admin", **_LIMITS})
    api.tokens["bound"] = made["token"]
    free = {"role": "admin", "account": ACCOUNT}
    await api.ask("POST", "/users", status=201, body={"login": "free", **free})
    await api.ask("POST", "/tokens", status=201, body={"name": "free", **free})
    before = await _everybody(api)
    for method, path in (
        ("PUT", "/users/free/password"),
        ("PATCH", "/users/free"),
        ("DELETE", "/users/free"),
        ("PATCH", "/tokens/free"),
        ("DELETE", "/tokens/free"),
    ):
        told = await api.ask(method, path, role="bound", status=403, body={})
        assert (told["code"], told["field"]) == ("grants-more", "templates")
    told = await api.ask("PATCH", "/tokens/tt", role="bound", status=403, body={"employee": "boss"})
    assert (told["code"], told["field"]) == ("grants-more", "employee")  # nobody becomes somebody else
    assert await _everybody(api) == before


async def test_who_is_bound_lets_others_do_as_much_or_less(api: Api) -> None:
    await _make_named(api)
    made = await api.ask("POST", "/tokens", status=201, body={"name": "tt", "role": "admin", **_LIMITS})
    api.tokens["bound"] = made["token"]
    colleague = {**_LIMITS, "employee": "boss", "role": "admin"}
    await api.ask("POST", "/users", role="bound", status=201, body={"login": "boss", **colleague})
    screen = {"role": "read_only", "account": ACCOUNT, "templates": ["x"], "schedules": ["y"]}
    await api.ask("POST", "/tokens", role="bound", status=201, body={"name": "screen", **screen})
    await api.ask("PATCH", "/tokens/tt", role="bound", body={"templates": ["x"]})
    await api.ask("PATCH", "/users/boss", role="bound", status=403, body={"is_on": False})  # has z besides
    await api.ask("PATCH", "/users/boss", body={"templates": ["x"]})
    await api.ask("PUT", "/users/boss/password", role="bound", body={})
    await api.ask("DELETE", "/users/boss", role="bound", status=204)


_ROLES = st.sampled_from(ROLES)
_NAMES = st.lists(st.sampled_from("xyz"), unique=True, max_size=2).map(tuple)
_BINDINGS = st.builds(
    Bindings,
    account_id=st.sampled_from([None, "main", "other"]),
    employee=st.sampled_from([None, "anna", "boss"]),
    templates=_NAMES,
    schedules=_NAMES,
    counters=_NAMES,
)


@given(
    role=_ROLES,
    bound=_BINDINGS,
    than_role=_ROLES,
    than=_BINDINGS,
    needed=_ROLES,
    thing=st.sampled_from("xyz"),
)
def test_who_is_not_freer_may_touch_nothing_more(
    role: Role, bound: Bindings, than_role: Role, than: Bindings, needed: Role, thing: str
) -> None:
    assert freer_in(than_role, than, than_role, than) is None
    if freer_in(role, bound, than_role, than) is not None:
        return
    for account_id in ("main", "other"):
        for named in ({"template": thing}, {"schedule": thing}, {"counter": thing}, {}):
            asked: dict[str, Any] = {"account_id": account_id, **named}
            assert not may_touch(role, bound, needed, **asked) or may_touch(than_role, than, needed, **asked)


def test_role_and_bindings_are_asked_together() -> None:
    free = Bindings()
    assert may_touch("manager", free, "manager", account_id="main", template="t", schedule="s")
    assert not may_touch("read_only", free, "manager")
    bound = Bindings(account_id="main", employee="anna", templates=("t",), schedules=("s",))
    assert may_touch(
        "manager", bound, "senior_manager", schedule="s"
    )  # S0.39: edited by whom it was named to
    assert not may_touch("manager", bound, "admin", schedule="s")
    assert not may_touch("manager", bound, "senior_manager", schedule="r")
    assert not may_touch("manager", free, "senior_manager", schedule="s")
    assert not may_touch("read_only", bound, "senior_manager", schedule="s")
    assert may_touch("manager", bound, "manager", account_id="main", template="t", schedule="s")
    assert not may_touch("admin", bound, "manager", account_id="other")
    assert not may_touch("admin", bound, "manager", template="u")
    assert not may_touch("admin", bound, "manager", schedule="r")
    assert may_touch("read_only", bound, "admin", account_id="main", employee="anna")  # oneself
    assert not may_touch("read_only", bound, "admin", account_id="main", employee="boris")
    assert not may_touch("read_only", bound, "admin", account_id="other", employee="anna")


def test_counters_of_others_are_pressed_by_whom_they_were_named_to() -> None:
    named = Bindings(account_id="main", counters=("anna",))
    assert may_touch("read_only", named, "senior_manager", account_id="main", counter="anna")
    assert not may_touch("admin", named, "senior_manager", account_id="main", counter="boris")
    assert not may_touch("read_only", named, "senior_manager", account_id="other", counter="anna")
    assert not may_touch("read_only", named, "senior_manager", employee="anna")  # her page is not her counter
    oneself = Bindings(account_id="main", employee="boris", counters=("anna",))
    assert may_touch("read_only", oneself, "senior_manager", employee="boris", counter="boris")
    assert not may_touch("manager", Bindings(), "senior_manager", counter="anna")
    assert may_touch("senior_manager", Bindings(), "senior_manager", counter="anna")
