"""Whoever is removed leaves no key behind: the next employee of the same id is somebody else."""

from __future__ import annotations

from typing import Any

from gateway.admin.channels.access import choose_visibility
from gateway.store.admin.staff import replace_staff
from gateway.store.triggers.triggers import save_trigger
from routing.triggers.model import Trigger
from tests.integration.api.client import ACCOUNT, ANNA, SENIOR, Api
from tests.integration.api.command_line import callmatrix
from tests.integration.api.test_channels import connected
from tests.waiting import until

BORIS = ANNA.model_copy(
    update={"id": "boris", "name": "Борис", "crm_user_id": "12", "extensions": ("102",), "numbers": ()}
)
_BOTH = [{"employee_id": "anna"}, {"employee_id": "boris"}]
_RINGS = {"do": "callback", "connection": "pbx", "target": {"kind": "employee", "employee_id": "anna"}}
_TEXTS = {"do": "sms", "template": "Hi", "provider": "texts", "to": {"employees": ["anna"]}}
_HERS = [{"of": "responsible", "values": ["employee:anna"]}]
_OTHERS = {**_TEXTS, "to": {"employees": ["boris"]}}


async def _people(api: Api) -> None:
    """Anna, with what names her; Boris has a token and a user too, which stay as they are."""
    async with api.pool.acquire() as conn, conn.transaction():
        await replace_staff(conn, ACCOUNT, [SENIOR, ANNA, BORIS])
    for employee in ("anna", "boris"):
        bound = {"role": "manager", "account": ACCOUNT, "employee": employee}
        api.tokens[employee] = await _token(api, employee, **bound)
        await api.ask("POST", "/users", status=201, body={"login": employee, **bound})


async def _token(api: Api, name: str, **bound: Any) -> str:
    made = await api.ask("POST", "/tokens", status=201, body={"name": name, "role": "manager", **bound})
    return str(made["token"])


async def _named(api: Api) -> None:
    await api.ask("PUT", "{a}/templates/ads", body={"name": "ads", "employees": _BOTH})
    triggers = {
        "rings": (_RINGS, []),
        "texts": (_TEXTS, []),
        "hers": (_OTHERS, _HERS),
        "others": (_OTHERS, []),
    }
    async with api.pool.acquire() as conn, conn.transaction():
        for name, (action, conditions) in triggers.items():
            trigger = {"name": name, "pipeline_id": "1", "events": [{"on": "entered"}], "action": action}
            saved = Trigger.model_validate({**trigger, "conditions": conditions})
            await save_trigger(conn, ACCOUNT, saved, "test")
    await api.pool.execute(
        "INSERT INTO campaign (account_id, campaign_id, name, settings, created_by) VALUES ($1, 'c', 'spring', $2, 'test')",
        ACCOUNT,
        {"target": {"kind": "employee", "employee_id": "anna"}},
    )


async def _set_up(api: Api) -> None:
    """The published matrix, two schedules, a deputy and clients of one person name Anna; a draft and an older version do not count."""
    async with api.pool.acquire() as conn, conn.transaction():
        await replace_staff(conn, ACCOUNT, [SENIOR, ANNA, BORIS.model_copy(update={"deputy_id": "anna"})])
        for version, whom in ((1, "boris"), (2, "anna")):
            matrix = {"rows": [{"do": "task", "for": f"employee:{whom}"}]}
            await conn.execute(
                "INSERT INTO matrix_version (account_id, version, body, published_by) VALUES ($1, $2, $3, 'test')",
                ACCOUNT,
                version,
                matrix,
            )
        away: dict[str, Any] = {"people": {"boris": {"absences": [{"substitute": "anna"}]}}}
        for name, body in (
            ("shop", {"people": {"anna": {}}}),
            ("leave", away),
            ("other", {"people": {"boris": {}}}),
        ):
            await conn.execute(
                "INSERT INTO schedule (account_id, name, version) VALUES ($1, $2, 1)", ACCOUNT, name
            )
            await conn.execute(
                "INSERT INTO schedule_version (account_id, name, version, body, saved_by) VALUES ($1, $2, 1, $3, 'test')",
                ACCOUNT,
                name,
                body,
            )
        await conn.execute(
            "UPDATE account SET settings = settings || $2 WHERE account_id = $1",
            ACCOUNT,
            {"one_person": {"tags": {"vip": "anna"}}},
        )


async def test_what_is_set_up_for_an_employee_names_them_too(api: Api) -> None:
    await _set_up(api)
    refused = await api.ask("DELETE", "{a}/employees/anna", status=409)
    named = [problem["use"] for problem in refused["problems"]]
    assert named == ["deputy of boris", "matrix", "one_person", "schedule leave", "schedule shop"]
    refused = await api.ask("DELETE", "{a}/employees/boris", status=409)
    assert [problem["use"] for problem in refused["problems"]] == ["schedule leave", "schedule other"]


async def test_the_next_employee_of_the_id_holds_no_right_in_a_channel(api: Api) -> None:
    async with api.pool.acquire() as conn, conn.transaction():
        await replace_staff(conn, ACCOUNT, [SENIOR, ANNA, BORIS])
    for name, right in (("Chat", "send"), ("Shop", "send"), ("Other", "read"), ("Shut", "none")):
        channel = await connected(api, name=name)
        await api.ask("PUT", f"{{a}}/channels/{channel['id']}/rights", body={"rights": {"anna": right}})
    async with api.pool.acquire() as conn:
        await choose_visibility(conn, ACCOUNT, observers=["anna"])
    refused = await api.ask("DELETE", "{a}/employees/anna", status=409)
    assert [problem["use"] for problem in refused["problems"]] == [
        "access to channel Other",
        "access to channel Shop",
        "default channel Chat",
        "observers",
    ]
    await api.ask("DELETE", "{a}/employees/anna", even_if_used="true", status=204)
    assert await api.pool.fetchval("SELECT count(*) FROM channel_access") == 0


async def _tokens(api: Api) -> dict[str, Any]:
    return {t["name"]: t for t in (await api.ask("GET", "/tokens"))["items"]}


async def _users(api: Api) -> dict[str, Any]:
    return {u["login"]: u for u in (await api.ask("GET", "/users"))["items"]}


async def test_an_employee_stays_while_something_names_them_and_takes_their_keys_with_them(api: Api) -> None:
    await _people(api)
    await _named(api)
    await _token(api, "both", account=ACCOUNT, counters=["anna", "boris"])
    await _token(api, "hers", account=ACCOUNT, counters=["anna"])
    refused = await api.ask("DELETE", "{a}/employees/anna", status=409)
    assert refused["code"] == "employee-in-use"
    assert [problem["use"] for problem in refused["problems"]] == [
        "campaign spring",
        "template ads",
        "token anna",
        "token both",
        "token hers",
        "trigger hers",
        "trigger rings",
        "trigger texts",
        "user anna",
    ]
    await api.ask("DELETE", "{a}/employees/anna", even_if_used="true", status=204)
    tokens, users = await _tokens(api), await _users(api)
    assert {"anna", "hers"} & set(tokens) == set()
    assert (tokens["both"]["counters"], tokens["boris"]["employee"]) == (["boris"], "boris")
    assert (users["anna"]["is_on"], users["anna"]["employee"]) == (False, None)
    assert (users["boris"]["is_on"], users["boris"]["employee"]) == (True, "boris")
    told = await api.ask("GET", "/audit", what="token", limit="20")
    assert {"anna", "hers"} <= {c["object"] for c in told["items"] if c["action"] == "removed"}


async def test_the_next_employee_of_the_id_is_not_who_held_the_token(api: Api) -> None:
    await _people(api)
    await api.ask("DELETE", "{a}/employees/anna", even_if_used="true", status=204)
    new = {"name": "Новый Человек", "extensions": ["101"]}
    await api.ask("PUT", "{a}/employees/anna", body=new)

    async def is_forgotten() -> bool:
        return all(t.name != "anna" for t in api.gateway.configuration.now.tokens.values())

    await until(is_forgotten, "the token is withdrawn")
    await api.ask("POST", "{a}/employees/anna/presence/start", role="anna", status=401)


async def test_whom_a_file_leaves_out_keeps_no_key(api: Api) -> None:
    await _people(api)
    rest = [{"id": "boris", "name": "Борис", "extensions": ["102"]}]
    await api.ask("PUT", "{a}/config", body={"callmatrix": 1, "employees": rest})
    assert {"anna", "boris"} & set(await _tokens(api)) == {"boris"}
    users = await _users(api)
    assert (users["anna"]["is_on"], users["boris"]["is_on"]) == (False, True)


async def test_the_command_line_names_what_is_bound_and_goes_on_when_told(
    api: Api, database_url: str
) -> None:
    await _people(api)
    listed = (await callmatrix(database_url, "token", "list")).stdout.splitlines()
    row = dict(
        zip(*(next(x for x in listed if x.startswith(n)).split("\t") for n in ("token", "anna")), strict=True)
    )
    assert (row["employee"], row["templates"], row["schedules"], row["counters"]) == (
        "anna",
        "all",
        "all",
        "by role",
    )
    removal = ["employees", "remove", "anna", "--account", ACCOUNT, "--yes"]
    refused = await callmatrix(database_url, *removal)
    assert refused.returncode == 1
    assert "token anna, user anna" in refused.stderr
    done = await callmatrix(database_url, *removal, "--even-if-used")
    assert done.returncode == 0, done.stderr
    assert "anna" not in await _tokens(api)
