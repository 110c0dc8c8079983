"""The do-not-call list as people keep it, over the API and at the command line."""

from __future__ import annotations

import json

from gateway.store.campaigns.campaigns import add_campaign
from tests.integration.api.client import ACCOUNT, Api
from tests.integration.api.in_process import Said, typed
from tests.integration.campaigns.scene import settings

LIST = "{a}/do-not-call"


async def test_numbers_are_put_on_the_list_in_any_spelling_found_and_taken_off(api: Api) -> None:
    added = await api.ask("POST", LIST, body={"number": "8 (916) 123-45-67", "note": "asked"}, role="manager")
    assert added == {"number": "+79161234567", "is_new": True, "dropped": 0}
    again = await api.ask("POST", LIST, body={"number": "+79161234567"}, role="manager")
    assert again["is_new"] is False
    campaign = {"number": "8 495 123-45-67", "campaign": "autumn"}
    assert (await api.ask("POST", LIST, body=campaign, status=400))["field"] == "campaign"
    listed = {"text": "8 495 123-45-67", "campaign": "autumn"}
    await api.ask("POST", "{a}/do-not-call-imports", body=listed, status=400)
    async with api.pool.acquire() as conn:
        await add_campaign(conn, ACCOUNT, "autumn", settings(), "ann")
    await api.ask("POST", LIST, body=campaign)
    for search, found in (("8 916 1234567", 1), ("1234567", 2), ("ASKED", 1), ("%", 0), ("nobody", 0)):
        assert len((await api.ask("GET", LIST, search=search, role="manager"))["items"]) == found, search
    [one] = (await api.ask("GET", LIST, campaign="autumn"))["items"]
    assert (one["number"], one["source"], one["said_by"]) == ("+74951234567", "admin", "admin")
    first = await api.ask("GET", LIST, limit=1)
    rest = await api.ask("GET", LIST, limit=1, after=first["next"])
    assert {p["items"][0]["number"] for p in (first, rest)} == {"+74951234567", "+79161234567"}
    assert rest["next"] is None
    said = await api.ask("DELETE", LIST + "/+74951234567", status=404)
    assert said["code"] == "not-on-list"
    await api.ask("DELETE", LIST + "/+74951234567", campaign="autumn", status=204)
    changes = (await api.ask("GET", "/audit", what="do-not-call"))["items"]
    assert [(c["action"], "1234567" in c["object"]) for c in changes] == [
        ("removed", False),
        ("added", False),
        ("added", False),
    ]


async def test_who_may_only_read_sees_no_numbers_and_a_manager_takes_none_off(api: Api) -> None:
    await api.ask("GET", LIST, role="read_only", status=403)
    await api.ask("DELETE", LIST + "/+74951234567", role="manager", status=403)
    for body, field in (({"number": "101"}, "number"), ({"number": "none"}, "number"), ({}, "number")):
        assert (await api.ask("POST", LIST, body=body, status=400))["field"] == field


async def test_a_list_is_imported_with_a_report_of_what_holds_no_number(api: Api, database_url: str) -> None:
    text = "\ufeffИмя;Телефон;Комментарий\nОльга;8 916 123-45-67;просила\n\nПётр;нет;\nРита;101;\nОльга;+79161234567;\n"
    done = await api.ask("POST", "{a}/do-not-call-imports", body={"text": text})
    assert {k: done[k] for k in ("read", "added", "already", "refused")} == {
        "read": 4,
        "added": 1,
        "already": 0,
        "refused": 2,
    }
    assert [(line["line"], line["reason"]) for line in done["lines"]] == [(4, "no_number"), (5, "extension")]
    assert (await api.ask("GET", LIST))["items"][0]["note"] == "просила"
    said = await api.ask("POST", "{a}/do-not-call-imports", body={"text": " \n"}, status=400)
    assert said["field"] == "text"

    async def at(*words: str, stdin: bytes = b"") -> Said:
        return await typed(database_url, "do-not-call", *words, "--account", ACCOUNT, stdin=stdin)

    told = await at(
        "import",
        "-",
        stdin=b"+79161234567\n8 495 123 45 67, called twice\nx1\n",
    )
    assert told.out.startswith("1 added, 1 were there already")
    assert "line 3: «x1»: это не номер телефона" in told.out
    listed = await at("list", "8 495 123 45 67", "--json")
    assert [row["note"] for row in json.loads(listed.out)] == ["called twice"]
    assert "+74951234567 may be called" in (await at("remove", "84951234567", "--yes")).out
    refused = await at("remove", "84951234567", "--yes")
    assert (refused.code, "not-on-list" in refused.err) == (1, True)
    assert json.loads((await at("add", "84951234567", "--json")).out)["is_new"]
