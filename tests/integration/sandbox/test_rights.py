"""A user who may see or change less than everything, through roles or rights of one's own."""

from __future__ import annotations

from typing import Any

import pytest

from crm.sandbox import seed
from tests.integration.sandbox.client import Api

MINE, COLLEAGUE = seed.manager(101), seed.manager(102)


async def limited(api: Api, letter: str, **more: Any) -> None:
    """The speaker is manager 101 from now on, and sees and edits what `letter` says."""
    actions = {"view": letter, "edit": letter, "add": more.pop("add", "A")}
    rights = dict.fromkeys(("leads", "contacts", "companies"), actions)
    tasks = {"tasks": {"edit": letter, "delete": "D"}}
    await api.control("act", {"do": "set_rights", "user": MINE, "rights": {**rights, **tasks}, **more})
    api.token = (await api.control(f"token?user={MINE}"))["access_token"]


async def owners_of(api: Api, plural: str) -> set[int]:
    answer = await api.get(f"{plural}?limit=250")
    rows = answer.body["_embedded"][plural] if answer.status == 200 else []
    return {row["responsible_user_id"] for row in rows}


@pytest.mark.parametrize("plural", ["leads", "contacts", "companies"])
async def test_ones_own_are_seen_and_found(plural: str, api: Api) -> None:
    mine = await api.make(plural, name="Моё", responsible_user_id=MINE)
    other = await api.make(plural, name="Чужое", responsible_user_id=COLLEAGUE)
    await limited(api, "M")
    assert await owners_of(api, plural) == {MINE}
    assert (await api.get(f"{plural}?query=Чужое")).status == 204
    assert ((await api.get(f"{plural}/{mine}")).status, (await api.get(f"{plural}/{other}")).status) == (
        200,
        204,
    )


async def test_a_group_sees_what_is_the_groups(api: Api) -> None:
    for user in (MINE, COLLEAGUE):
        await api.control("act", {"do": "set_rights", "user": user, "rights": {}, "group": 7})
    await limited(api, "G", group=7)
    assert await owners_of(api, "contacts") == {MINE, COLLEAGUE}


async def test_who_is_denied_sees_nothing_and_adds_nothing(api: Api) -> None:
    await limited(api, "D", add="D")
    assert [(await api.get(path)).status for path in ("leads", "contacts", "leads/unsorted")] == [204] * 3
    assert (await api.post("contacts", [{"name": "x"}])).status == 403
    assert (await api.post("leads/complex", [{"name": "x"}])).status == 403


async def test_what_is_not_ones_own_is_not_changed(api: Api) -> None:
    mine = await api.make("leads", name="Моё", responsible_user_id=MINE)
    other = await api.make("leads", name="Чужое", responsible_user_id=COLLEAGUE)
    task = await api.make("tasks", text="x", complete_till=1800000000, responsible_user_id=COLLEAGUE)
    await limited(api, "M")
    assert (await api.patch(f"leads/{mine}", {"name": "Новое"})).status == 200
    assert (await api.patch(f"leads/{other}", {"name": "Новое"})).status == 403
    assert (await api.patch("leads", [{"id": mine, "name": "y"}, {"id": other, "name": "y"}])).status == 403
    assert (await api.patch(f"tasks/{task}", {"text": "y"})).status == 403
    note = {"note_type": "common", "params": {"text": "x"}}
    assert (await api.post(f"leads/{other}/notes", [note])).status == 400
    names = [row["name"] for id in (mine, other) for row in await api.rows("deal", id=id)]
    assert names == ["Новое", "Чужое"]


async def test_requests_in_unsorted_follow_the_rights_on_leads(api: Api) -> None:
    await api.control("act", {"do": "receive_mail", "email": "a@client.example", "by": MINE})
    await limited(api, "M")
    rows = (await api.get("leads/unsorted")).body["_embedded"]["unsorted"]
    deals = [await api.rows("deal", id=row["_embedded"]["leads"][0]["id"]) for row in rows]
    assert {deal[0]["responsible_user_id"] for deal in deals} == {MINE}


async def test_a_role_counts_before_ones_own_rights(api: Api) -> None:
    own = dict.fromkeys(("view", "edit", "add", "delete", "export"), "M")
    everything = {**own, "view": "A"}
    sent = {"name": "Новичок", "rights": {"leads": everything, "contacts": own, "companies": own}}
    made = await api.post("roles", [{**sent, "request_id": "r"}])
    assert made.status == 201
    [role] = made.body["_embedded"]["roles"]
    assert (role["request_id"], role["rights"]["leads"]["view"]) == ("r", "A")
    rights = {"role_id": role["id"], "leads": dict.fromkeys(own, "D")}
    user = {"name": "Новый", "email": "new@demo.example", "password": "aA1aaa", "rights": rights}
    added = await api.post("users", [user])
    assert added.status == 201
    [shown] = added.body["_embedded"]["users"]
    assert shown["rights"]["leads"]["view"] == "A"
    read = (await api.get(f"users/{shown['id']}?with=role")).body
    assert [one["name"] for one in read["_embedded"]["roles"]] == ["Новичок"]
    listed = (await api.get("roles?with=users")).body["_embedded"]["roles"]
    assert [one["_embedded"]["users"] for one in listed] == [[shown["id"]]]
    assert (await api.call("DELETE", f"roles/{role['id']}")).status == 400
    await api.patch(f"roles/{role['id']}", {"rights": {"leads": own}})
    api.token = (await api.control(f"token?user={shown['id']}"))["access_token"]
    assert (await api.get("leads")).status == 204
