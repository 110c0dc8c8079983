"""Messenger channels over API and command line: connected, shared out, written in; keys are written and never shown."""

from __future__ import annotations

import json
from datetime import UTC, datetime
from typing import Any

import pytest

from crm.port import CrmUser
from crm.store.metadata import store_users
from gateway.calls.client_job import ClientJob
from gateway.channels.chat_job import ChatJob
from gateway.store.admin.accounts import add_api_token
from gateway.store.admin.bindings import Bindings
from gateway.store.admin.roles import Role
from routing.matrix.presets import recommended
from tests.fakes.channels.sandbox import client_message, tell
from tests.fakes.matrices import PublishedMatrix
from tests.integration.api.client import ACCOUNT, ANNA, SENIOR, Api
from tests.integration.api.command_line import callmatrix
from tests.waiting import until

PATH = "{a}/channels"
SHOP = {"name": "WhatsApp «Опт»", "kind": "sandbox", "keys": {"token": "hush"}, "rules": {"pipeline_id": "7"}}


async def connected(api: Api, **more: Any) -> dict[str, Any]:
    added: dict[str, Any] = await api.ask("POST", PATH, body={**SHOP, **more}, status=201)
    return added


async def told(api: Api, channel: dict[str, Any], *updates: dict[str, Any]) -> None:
    """Through the gateway's own door; then the worker's job."""
    address = (await api.ask("GET", f"{PATH}/{channel['id']}/address"))["url"]
    path = "/channels/" + address.partition("/channels/")[2]
    assert set(await tell(api.http, api.url + path, list(updates))) == {200}
    job = ChatJob(
        api.pool, ClientJob(api.pool, PublishedMatrix(recommended()), now=lambda: datetime.now(UTC))
    )
    for row in await api.pool.fetch("SELECT DISTINCT client_key FROM channel_update WHERE state = 'pending'"):
        await job.run(ACCOUNT, row["client_key"])


async def anna(api: Api, name: str = "anna", role: Role = "manager") -> str:
    """Somebody who is this employee; the role to ask with."""
    async with api.pool.acquire() as conn:
        api.tokens[name] = await add_api_token(
            conn, name=name, role=role, bound=Bindings(account_id=ACCOUNT, employee=name)
        )
    headers = {"Authorization": f"Bearer {api.tokens[name]}"}

    async def is_known() -> bool:
        async with api.http.get(f"{api.url}/api/v1/accounts/{ACCOUNT}/dialogues", headers=headers) as answer:
            return answer.status == 200

    await until(is_known, "the gateway has read the token", seconds=40)
    return name


async def test_a_channel_is_connected_changed_and_removed_and_its_keys_are_never_shown(api: Api) -> None:
    added = await connected(api)
    one = f"{PATH}/{added['id']}"
    assert (added["keys"], added["is_on"], added["state"], added["rules"]["pipeline_id"]) == (
        ["token"],
        True,
        "active",
        "7",
    )
    assert (await api.ask("POST", PATH, body=SHOP, status=409))["code"] == "already-exists"
    await connected(api, name="Telegram")
    taken = await api.ask("PATCH", one, body={"name": "Telegram"}, status=409)
    assert taken["code"] == "already-exists"
    changed = await api.ask("PATCH", one, body={"name": "Опт", "is_on": False, "rules": None})
    assert (changed["name"], changed["is_on"], changed["rules"]["pipeline_id"], changed["keys"]) == (
        "Опт",
        False,
        None,
        ["token"],
    )
    address = (await api.ask("GET", one + "/address"))["url"]
    listed = json.dumps(await api.ask("GET", PATH))
    audit = json.dumps(await api.ask("GET", "/audit", what="channel"))
    assert "hush" not in listed + audit
    assert address.rpartition("/")[2] not in listed + audit
    await api.ask("GET", one + "/address", role="manager", status=403)
    await api.ask("GET", one, role="other", status=404)
    await told(api, added, client_message("m1"))
    refused = await api.ask("DELETE", one, status=409)
    assert (refused["code"], [p["use"] for p in refused["problems"]]) == (
        "channel-in-use",
        ["1 dialogues", "1 messages"],
    )
    await api.ask("DELETE", one, even_if_used="true", status=204)
    await api.ask("GET", one, status=404)
    assert await api.pool.fetchval("SELECT count(*) FROM chat_message") == 0


@pytest.mark.parametrize(
    ("change", "field"),
    [
        ({"kind": "pigeon"}, "kind"),
        ({"name": " x "}, "name"),
        ({"keys": {"tokn": "x"}}, "keys"),
        ({"settings": {"colour": "red"}}, "settings"),
        ({"settings": {"poll_seconds": "soon"}}, "settings"),
        ({"rules": {"owner": "template"}}, "rules"),
        ({"rules": {"owner": "lottery"}}, "rules"),
        ({"rules": {"stage_id": "1"}}, "rules"),
        ({"rules": {"copies": "weekly"}}, "rules"),
        ({"rules": {"keeps_deleted_text": "perhaps"}}, "rules"),
    ],
)
async def test_what_is_wrong_is_refused_by_its_field(api: Api, change: dict[str, Any], field: str) -> None:
    refused = await api.ask("POST", PATH, body={**SHOP, **change}, status=400)
    assert refused["field"] == field
    assert await api.pool.fetchval("SELECT count(*) FROM channel") == 0


async def test_cases_41_and_42_rights_hold_everywhere_and_the_default_channel_follows_them(api: Api) -> None:
    first, second = await connected(api), await connected(api, name="Второй")
    await told(api, first, client_message("m1", chat="1"))
    await told(api, second, client_message("m1", chat="2"))
    (in_first,) = (await api.ask("GET", "{a}/dialogues", channel=first["id"]))["items"]
    who = await anna(api)

    async def seen() -> list[str]:
        return [d["channel"] for d in (await api.ask("GET", "{a}/dialogues", role=who))["items"]]

    async def share(channel: dict[str, Any], right: str | None) -> dict[str, bool]:
        items = (await api.ask("PUT", f"{PATH}/{channel['id']}/rights", body={"rights": {"anna": right}}))[
            "items"
        ]
        return {i["employee"]: i["is_default"] for i in items}

    one = f"{{a}}/dialogues/{in_first['id']}"
    assert await seen() == []
    await api.ask("GET", one, role=who, status=404)
    await api.ask("GET", one + "/messages", role=who, status=404)
    await api.ask("POST", one + "/messages", body={"key": "k", "text": "x"}, role=who, status=404)
    assert await share(first, "read") == {"anna": False}
    assert await seen() == [first["id"]]
    refused = await api.ask("POST", one + "/messages", body={"key": "k", "text": "x"}, role=who, status=409)
    assert refused["problems"][0]["reason"] == "no-right"
    assert await share(first, "send") == {"anna": True}  # the only one
    assert await share(second, "send") == {"anna": False}
    await api.ask("PUT", f"{PATH}/{second['id']}/default", body={"employee": "anna"}, status=204)
    assert (await api.ask("GET", f"{PATH}/{first['id']}/rights"))["items"][0]["is_default"] is False
    assert await share(second, "none") == {"anna": False}
    assert (await api.ask("GET", f"{PATH}/{first['id']}/rights"))["items"][0]["is_default"] is True
    assert await share(first, None) == {}
    assert await seen() == []
    unknown = await api.ask(
        "PUT", f"{PATH}/{first['id']}/rights", body={"rights": {"nobody": "read"}}, status=400
    )
    assert unknown["field"] == "rights"
    assert (await api.ask("GET", "{a}/dialogues", role="manager"))["items"] == []  # a token that is nobody's


async def test_case_43_own_dialogues_and_those_of_nobody_until_they_are_somebody_elses(api: Api) -> None:
    channel = await connected(api)
    await told(api, channel, client_message("m1"))
    await api.ask("PUT", f"{PATH}/{channel['id']}/rights", body={"rights": {"anna": "send", "boss": "send"}})
    await api.ask("PUT", "{a}/settings", body={"dialogues": {"visibility": "own"}})
    who = await anna(api)
    (one,) = (await api.ask("GET", "{a}/dialogues", role=who))["items"]
    path = f"{{a}}/dialogues/{one['id']}"
    await api.ask(
        "POST", path + "/messages", body={"key": "k1", "text": "Да", "employee": "boss"}, status=201
    )
    await api.ask("GET", path, role=who, status=404)
    await api.ask("PUT", "{a}/settings", body={"dialogues": {"visibility": "own", "observers": ["anna"]}})
    assert (await api.ask("GET", path, role=who))["owner"] == "boss"
    refused = await api.ask("POST", path + "/messages", body={"key": "k2", "text": "x"}, role=who, status=409)
    assert refused["problems"][0]["reason"] == "observer"  # case 44: an observer answers nobody
    assert "observers see all dialogues" in refused["title"], "in English, as all titles are"
    assert "'A message goes out'" in refused["detail"]


async def test_whoever_the_crm_has_switched_off_reads_and_writes_nothing_and_is_told_why(
    api: Api, database_url: str
) -> None:
    channel = await connected(api)
    await told(api, channel, client_message("m1"))
    await api.ask("PUT", f"{PATH}/{channel['id']}/rights", body={"rights": {"anna": "send", "boss": "send"}})
    who = await anna(api)
    (one,) = (await api.ask("GET", "{a}/dialogues", role=who))["items"]
    path = f"{{a}}/dialogues/{one['id']}"
    await _crm_users(api, boss=True)
    assert await api.ask("GET", path, role=who), "of somebody just hired nothing is known yet"
    await _crm_users(api, anna=False, boss=True)

    async def is_closed() -> bool:
        url = f"{api.url}/api/v1/accounts/{ACCOUNT}/dialogues/{one['id']}"
        headers = {"Authorization": f"Bearer {api.tokens[who]}"}
        async with api.http.get(url, headers=headers) as answer:
            return answer.status == 403

    await until(is_closed, "the gateway knows who has left", seconds=40)
    for address in ("{a}/dialogues", path, path + "/messages"):
        assert "switched off" in (await api.ask("GET", address, role=who, status=403))["title"]
    for key, role, more in (("k1", who, {}), ("k2", "admin", {"employee": "anna"})):
        body = {"key": key, "text": "x", **more}
        refused = await api.ask("POST", path + "/messages", body=body, role=role, status=409)
        assert (refused["code"], refused["problems"][0]["reason"]) == ("message-not-taken", "gone")
        first = {**body, "channel": channel["id"], "number": "+79161234567"}
        refused = await api.ask("POST", "{a}/dialogues", body=first, role=role, status=409)
        assert refused["problems"][0]["reason"] == "gone"
    refused = await api.ask("PUT", f"{PATH}/{channel['id']}/default", body={"employee": "anna"}, status=400)
    assert "switched off in the CRM" in refused["title"]
    written = ("channel", "write", "x", "--number", "+79161234567", "--employee", "anna")
    said = await callmatrix(database_url, *written, "--channel", channel["name"], "--account", ACCOUNT)
    assert "switched off" in said.stderr, said
    assert await api.pool.fetchval("SELECT count(*) FROM chat_message") == 1
    body = {"key": "k3", "text": "x", "employee": "boss"}
    await api.ask("POST", path + "/messages", body=body, status=201)


async def _crm_users(api: Api, **active: bool) -> None:
    """As they were read: those of the employees that are named, on or off."""
    users = {ANNA.id: ANNA.crm_user_id, SENIOR.id: SENIOR.crm_user_id}
    async with api.pool.acquire() as conn:
        read = [CrmUser(id=users[id] or "", name=id, email="", is_active=on) for id, on in active.items()]
        await store_users(conn, ACCOUNT, read)


async def test_a_dialogue_names_contact_and_deal_once_the_crm_has_them(api: Api) -> None:
    channel = await connected(api)
    await told(api, channel, client_message("m1", name="Мурат \u202eотаруМ\n"))
    (one,) = (await api.ask("GET", "{a}/dialogues"))["items"]
    assert (one["contact"], one["deal"], one["name"]) == (None, None, "Мурат отаруМ")
    await api.pool.execute(
        "UPDATE effect SET state = 'done', crm_id = CASE what WHEN 'create_deal' THEN '700' ELSE '800' END"
    )
    for told_of in (
        (await api.ask("GET", "{a}/dialogues"))["items"][0],
        await api.ask("GET", f"{{a}}/dialogues/{one['id']}"),
    ):
        assert (told_of["contact"], told_of["deal"]) == ("800", "700")


async def test_nobody_is_written_for_who_is_not_there(api: Api) -> None:
    channel = await connected(api)
    await told(api, channel, client_message("m1"))
    (one,) = (await api.ask("GET", "{a}/dialogues"))["items"]
    path, body = f"{{a}}/dialogues/{one['id']}/messages", {"key": "k", "text": "x"}
    refused = await api.ask("POST", path, body={**body, "employee": "nobody"}, status=400)
    assert "there is no employee 'nobody'" in str(refused)
    refused = await api.ask("POST", path, body={**body, "employee": "anna"}, role="manager", status=400)
    assert "with this token nobody writes in the name of others" in str(refused)


async def test_a_message_is_written_once_read_in_pages_and_told_in_the_record_of_changes(api: Api) -> None:
    channel = await connected(api)
    await told(
        api, channel, *(client_message(f"m{n}", text=str(n), at=f"2026-03-02T07:0{n}:00Z") for n in range(3))
    )
    await api.ask("PUT", f"{PATH}/{channel['id']}/rights", body={"rights": {"anna": "send", "boss": "send"}})
    (one,) = (await api.ask("GET", "{a}/dialogues"))["items"]
    path = f"{{a}}/dialogues/{one['id']}/messages"
    body = {"key": "k1", "text": "Здравствуйте", "employee": "anna"}
    first = await api.ask("POST", path, body=body, status=201)
    assert (await api.ask("POST", path, body=body, status=201))["id"] == first["id"]
    assert (first["status"], first["employee"], first["author"]) == ("waiting", "anna", "employee")
    other = await api.ask("POST", path, body={**body, "text": "Другое"}, status=409)
    assert other["code"] == "key-of-another-message"
    taken = await api.ask("POST", path, body={"key": "k2", "text": "x", "employee": "boss"}, status=409)
    assert (taken["code"], taken["problems"]) == ("message-not-taken", [{"reason": "taken", "owner": "anna"}])
    assert "Анна" in json.dumps(taken, ensure_ascii=False)
    await api.ask(
        "POST", path, body={"key": "k2", "text": "x", "employee": "boss", "is_anyway": True}, status=201
    )
    await api.ask("POST", path, body={"key": "k3", "text": "x"}, status=400)
    texts, after = [], ""
    while True:
        page = await api.ask("GET", path, limit=2, after=after)
        texts += [m["parts"][0]["text"] for m in page["items"]]
        after = page["next"]
        if not after:
            break
    assert texts == ["x", "Здравствуйте", "2", "1", "0"]
    audit = await api.ask("GET", "/audit", what="message")
    assert [entry["action"] for entry in audit["items"]] == ["written", "written"]
    assert "Здравствуйте" not in json.dumps(audit, ensure_ascii=False)
    for id in ("0", "x", "9" * 30):
        await api.ask("GET", f"{{a}}/dialogues/{id}", status=404)


async def test_a_client_is_written_to_first_from_the_channel_that_is_ones_own(
    api: Api, database_url: str
) -> None:
    channel = await connected(api)
    body = {"key": "k1", "text": "Добрый день", "employee": "anna", "number": "8 916 123-45-67"}
    path = "{a}/dialogues"
    unsaid = await api.ask("POST", path, body=body, status=400)
    assert unsaid["field"] == "channel"
    await api.ask("PUT", f"{PATH}/{channel['id']}/rights", body={"rights": {"anna": "send"}})
    first = await api.ask("POST", path, body=body, status=201)
    assert (await api.ask("POST", path, body=body, status=201))["id"] == first["id"]
    assert (first["status"], first["employee"]) == ("waiting", "anna")
    dialogue = await api.ask("GET", f"{path}/{first['dialogue']}")
    assert (dialogue["number"], dialogue["owner"]) == ("+79161234567", "anna")
    for wrong, field in (({"number": "12"}, "number"), ({"chat": "x"}, "number"), ({"number": ""}, "number")):
        assert (await api.ask("POST", path, body={**body, **wrong}, status=400))["field"] == field
    taken = await api.ask("POST", path, body={**body, "text": "x"}, status=409)
    assert taken["code"] == "key-of-another-message"
    words = (
        "channel",
        "write",
        "Ещё",
        "--number",
        "+79161234567",
        "--employee",
        "anna",
        "--account",
        ACCOUNT,
    )
    told = await callmatrix(database_url, *words, "--key", "k2", "--json")
    assert json.loads(told.stdout)["dialogue"] == first["dialogue"], told.stderr
    again = await callmatrix(database_url, *words, "--key", "k2", "--json")
    assert again.stdout == told.stdout
    refused = await callmatrix(
        database_url, *words[:-4], "--employee", "boss", "--channel", "SHOP", "--account", ACCOUNT
    )
    assert refused.returncode != 0


async def test_channels_at_the_command_line(api: Api, database_url: str) -> None:
    async def said(*words: str, stdin: str = "") -> str:
        done = await callmatrix(database_url, "channel", *words, "--account", ACCOUNT, stdin=stdin)
        assert done.returncode == 0, done.stderr
        return done.stdout

    added = json.loads(
        await said(
            "add",
            "Shop",
            "--kind",
            "sandbox",
            "--key",
            "token=-",
            "--rule",
            "pipeline_id=7",
            "--json",
            stdin="hush\n",
        )
    )
    assert (added["keys"], added["rules"], "/channels/" in added["address"]) == (
        ["token"],
        {"pipeline_id": "7"},
        True,
    )
    given = ("employees=anna,boss", "authors.77=anna", "pipeline_id=", "copies=day", "keeps_deleted_text=yes")
    rules = [told for rule in given for told in ("--rule", rule)]
    changed = json.loads(await said("set", "Shop", "--name", "Опт", *rules, "--json"))
    assert (changed["name"], changed["rules"]) == (
        "Опт",
        {
            "employees": ["anna", "boss"],
            "authors": {"77": "anna"},
            "copies": "day",
            "keeps_deleted_text": True,
        },
    )
    await said("share", "Опт", "--right", "anna=send", "--right", "boss=read")
    assert "1 " not in await said("share", "Опт", "--right", "boss=out", "--right", "anna=read")
    assert "is off" in await said("off", "Опт")
    listed = await said("list")
    assert ("Опт" in listed, "hush" in listed) == (True, False)
    await said("remove", added["id"], "--yes")
    assert "No messenger channel" in await said("list")


async def test_case_49_a_gap_is_told_of_the_channel_and_of_dialogues_that_one_may_see(
    api: Api, database_url: str
) -> None:
    channel = await connected(api)
    await told(api, channel, client_message("m1"))
    [dialogue] = (await api.ask("GET", "{a}/dialogues"))["items"]
    await api.pool.execute(
        "INSERT INTO channel_gap (account_id, channel_id, from_at, to_at, state, created_at)"
        " VALUES ($1, $2, now() - interval '2 hours', now(), 'open', now())",
        ACCOUNT,
        channel["id"],
    )
    [gap] = (await api.ask("GET", f"{PATH}/{channel['id']}/gaps"))["items"]
    assert (gap["state"], gap["found"]) == ("open", 0)
    path = f"{{a}}/dialogues/{dialogue['id']}/gaps"
    assert (await api.ask("GET", path))["items"] == [gap]
    await api.ask("GET", path, role=await anna(api), status=404)
    listed = await callmatrix(database_url, "channel", "gaps", channel["name"], "--account", ACCOUNT)
    assert "open" in listed.stdout, listed.stderr


async def test_a_channel_without_its_key_is_not_said_to_work(api: Api, database_url: str) -> None:
    bot = await api.ask("POST", PATH, body={"name": "Bot", "kind": "telegram"}, status=201)
    assert (bot["lacks"], bot["state"]) == (["token"], "waiting")
    listed = await callmatrix(database_url, "channel", "list", "--account", ACCOUNT)
    assert "lacks token" in listed.stdout
    assert "active" not in listed.stdout
    given = await api.ask("PATCH", f"{PATH}/{bot['id']}", body={"keys": {"token": "1:t"}})
    assert (given["lacks"], given["state"]) == ([], "active")


async def test_who_has_no_right_in_a_channel_is_told_so_by_command(api: Api, database_url: str) -> None:
    channel = await connected(api)
    words = (
        "channel",
        "write",
        "Hello",
        "--number",
        "+79161234567",
        "--employee",
        "anna",
        "--account",
        ACCOUNT,
    )
    refused = await callmatrix(database_url, *words, "--channel", channel["name"])
    assert refused.returncode == 1
    assert f"'anna' has no right in the channel '{channel['name']}'" in refused.stderr
    assert f'channel share "{channel["name"]}" --right anna=send' in refused.stderr
    unknown = await callmatrix(database_url, *words, "--channel", "elsewhere")
    assert "there is no channel 'elsewhere'" in unknown.stderr


async def test_the_record_says_what_a_right_was_and_what_it_is(api: Api) -> None:
    channel = await connected(api)
    for right in ("send", "none", None):
        await api.ask("PUT", f"{PATH}/{channel['id']}/rights", body={"rights": {"anna": right}})
    lines = [
        line
        for line in (await api.ask("GET", "/audit", what="channel"))["items"]
        if line["action"] == "shared"
    ]
    told = [(line["before"], line["after"]) for line in sorted(lines, key=lambda line: line["at"])]
    assert told == [
        ({"anna": "out"}, {"anna": "send"}),
        ({"anna": "send"}, {"anna": "none"}),
        ({"anna": "none"}, {"anna": "out"}),
    ]
