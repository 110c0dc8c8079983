"""Campaigns over the API: made, changed, ordered, and who is in them."""

from __future__ import annotations

from tests.integration.api.client import Api

SETTINGS = {"connection": "office", "target": {"kind": "employee", "employee_id": "anna"}}
PATH = "{a}/campaigns/spring"


async def test_a_campaign_is_made_changed_ordered_and_ends_for_good(api: Api) -> None:
    made = await api.ask(
        "POST", "{a}/campaigns", body={"name": "spring", "settings": SETTINGS}, status=201, lang="en"
    )
    assert (made["state"], made["version"], made["message"]) == ("draft", 1, "is being prepared")
    said = await api.ask("POST", "{a}/campaigns", body={"name": "spring", "settings": SETTINGS}, status=409)
    assert said["code"] == "already-exists"
    wrong = {"name": "b", "settings": {**SETTINGS, "connection": "none"}}
    said = await api.ask("POST", "{a}/campaigns", body=wrong, status=422)
    assert (said["code"], said["field"]) == ("campaign-not-usable", "connection")
    changed = await api.ask("PUT", PATH, body={**SETTINGS, "endless": True}, version=1)
    assert (changed["version"], changed["settings"]["endless"]) == (2, True)
    said = await api.ask("PUT", PATH, body=SETTINGS, version=1, status=409)
    assert said["code"] == "campaign-conflict"
    await api.ask("PUT", PATH, body=SETTINGS, version=2)
    assert (await api.ask("POST", PATH + "/start", status=409))["code"] == "campaign-empty"
    assert (await api.ask("POST", PATH + "/pause", status=409))["code"] == "campaign-state"
    said = await api.ask("POST", PATH + "/plan", body={"starts_at": "2020-01-01T10:00:00Z"}, status=400)
    assert said["field"] == "starts_at"

    add = {"number": "8 (916) 123-45-67", "name": "Ольга", "client_id": "c-1"}
    assert (await api.ask("POST", PATH + "/members", body=add, status=201))["is_new"] is True
    assert (await api.ask("POST", PATH + "/members", body=add, status=201))["is_new"] is False
    for number in ("101", "nonsense", "+74951230000"):
        said = await api.ask("POST", PATH + "/members", body={"number": number}, status=409)
        assert said["code"] == "member-refused"
    await api.ask("POST", PATH + "/members", body={"number": "+79160000002"}, status=201)
    listed = await api.ask("GET", PATH + "/members", role="read_only", limit=1)
    assert [(m["number"], m["client_id"], m["state"]) for m in listed["items"]] == [
        ("+79161234567", "c-1", "held")
    ]
    rest = await api.ask("GET", PATH + "/members", after=listed["next"])
    assert [m["number"] for m in rest["items"]] == ["+79160000002"]
    await api.ask("DELETE", PATH + "/members/+79160000002", status=204)
    said = await api.ask("DELETE", PATH + "/members/+79160000002", status=409)
    assert said["code"] == "member-refused"
    await api.ask("DELETE", PATH + "/members/+79160000009", status=404)

    assert (await api.ask("POST", PATH + "/start"))["state"] == "running"
    assert (await api.ask("POST", PATH + "/finish"))["state"] == "finished"
    for order in ("start", "pause", "stop"):
        assert (await api.ask("POST", f"{PATH}/{order}", status=409))["code"] == "campaign-state"
    await api.ask("POST", PATH + "/members", body=add, status=409)
    await api.ask("POST", PATH + "/start", role="manager", status=403)
    await api.ask("GET", "{a}/campaigns/none", status=404)
    actions = [e["action"] for e in (await api.ask("GET", "/audit", what="campaign"))["items"]]
    assert actions == ["finished", "running", "changed", "changed", "added"]
