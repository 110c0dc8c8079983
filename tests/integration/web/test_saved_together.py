"""Two admins with one form open: neither takes back what the other saved, and of one field that both changed the second is asked."""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass, field
from typing import Any

import pytest

from gateway.web.saving.together import together
from tests.integration.api.client import ACCOUNT
from tests.integration.web.browser import Browser, Site
from tests.integration.web.chatting import connect
from tests.integration.web.forms import Sent, sent_by

_Change = Mapping[str, Any]


@dataclass(frozen=True, slots=True, kw_only=True)
class SharedPage:
    """hers: what the first saves. his: what the second changes meanwhile, other fields. both: what he would make of hers, {} =
    of such fields two cannot make different things. said: what he is told then. action: where the form goes, "" = the page."""

    page: str
    action: str = ""
    hers: _Change
    his: _Change
    both: _Change = field(default_factory=dict)
    said: str = ""

    async def opened(self, admin: Browser, **changed: Any) -> Sent:
        answer = await admin.get(self.page)
        assert answer.status == 200, answer.words
        return sent_by(answer, self.action or self.page, **changed)


PAGES = {
    "sms": SharedPage(
        page="/setup/sms/main", hers={"sender": "Kitchens"}, his={"setting": "others"},
        both={"sender": "Chairs"}, said="Тем временем сохранено: «Kitchens»",
    ),
    "pbx": SharedPage(
        page="/setup/pbx/shop", hers={"lines": "+74957654321, +74957654322"}, his={"is_on": None},
        both={"lines": ""}, said="Тем временем сохранено: «+74957654321, +74957654322»",
    ),
    "employee": SharedPage(
        page="/setup/employees/anna", hers={"group": "Sales", "deputy_id": "boss"}, his={"extensions": "177"},
        both={"group": "Stock"}, said="Тем временем сохранено: «Sales»",
    ),
    "user": SharedPage(
        page="/setup/users/vera", hers={"role": "senior_manager"}, his={"name": "Vera K."},
        both={"role": "read_only"}, said="Тем временем сохранено: «старший менеджер»",
    ),
    "crm_chats": SharedPage(
        page="/setup/channels/crm-chats", hers={"bot_id": "bot-2"}, his={"amojo_id": "amojo-2"},
        both={"bot_id": "bot-3"}, said="Тем временем сохранено: «bot-2»",
    ),
    "shift_change": SharedPage(
        page="/distribution/shift-change/settings", hers={"wait_seconds": "45", "goes_along": ["contact"]},
        his={"excluded_tags": "vip, press"}, both={"wait_seconds": "50"}, said="Тем временем сохранено: «45»",
    ),
    "campaigns": SharedPage(
        page="/messages/campaigns", action="/messages/campaigns-switches", hers={"leaves_traces": None},
        his={"from_pipeline": None},
    ),
    "visibility": SharedPage(
        page="/setup/channels/access", action="/setup/channels/access/visibility", hers={"observer": "anna"},
        his={"visibility": "own", "observer": "boss"},
    ),
}  # fmt: skip


@pytest.fixture
async def office(site: Site) -> Site:
    admin = site.as_("admin")
    made = [
        ("/setup/new-sms-provider", {
            "kind": "smsc", "name": "main", "key_name": "password", "key": "hush", "setting_name": "login", "setting": "sales",
        }),
        ("/setup/new-pbx", {"kind": "generic", "name": "shop", "lines": "+74957654321"}),
        ("/setup/users", {"login": "vera", "name": "Vera", "role": "manager"}),
        ("/setup/channels/crm-chats", {"channel_id": "chan-1", "secret": "hush-hush-hush", "bot_id": "bot-1", "amojo_id": "amojo-1"}),
    ]  # fmt: skip
    for path, form in made:
        answer = await admin.post(path, form)
        assert answer.status in (200, 303), answer.words
    await connect(site.pool, "c1", "Retail", {})
    await connect(site.pool, "c2", "Wholesale", {})
    await connect(site.pool, "c3", "Export", {})
    return site


def _stands(sent: Sent, wanted: _Change) -> bool:
    asked = {name: [] if v is None else [v] if isinstance(v, str) else v for name, v in wanted.items()}
    return all([one for one in sent.get(name, []) if one] == [v for v in asked[name] if v] for name in asked)


@pytest.mark.parametrize("name", PAGES)
async def test_what_another_admin_saved_meanwhile_stays(office: Site, name: str) -> None:
    page, admin = PAGES[name], office.as_("admin")
    first, second = await page.opened(admin, **page.hers), await page.opened(admin, **page.his)
    for form in (first, second):
        answer = await admin.post(page.action or page.page, form)
        assert answer.status == 303, answer.words
    now, both = await page.opened(admin), {**page.hers, **page.his}
    if name == "visibility":
        both["observer"] = ["anna", "boss"]
    assert _stands(now, both)
    assert not _stands(second, both)


@pytest.mark.parametrize("name", [name for name, page in PAGES.items() if page.both])
async def test_whoever_changes_the_same_field_second_is_asked_and_nothing_is_saved_until_then(
    office: Site, name: str
) -> None:
    page, admin = PAGES[name], office.as_("admin")
    action = page.action or page.page
    second = await page.opened(admin, **page.both, **page.his)
    assert (await admin.post(action, await page.opened(admin, **page.hers))).status == 303
    asked = await admin.post(action, second)
    assert (asked.status, page.said in asked.words) == (409, True), asked.words
    assert _stands(await page.opened(admin), page.hers)
    assert not _stands(await page.opened(admin), page.his)
    again = sent_by(
        asked, action
    )  # what was typed stands there, and beside it what the other saved elsewhere
    assert _stands(again, {**page.hers, **page.both, **page.his})
    assert (await admin.post(action, again)).status == 303
    assert _stands(await page.opened(admin), {**page.hers, **page.both, **page.his})


@pytest.mark.parametrize("name", ["sms", "pbx", "employee", "user"])
async def test_what_was_removed_meanwhile_does_not_come_back(office: Site, name: str) -> None:
    page, admin = PAGES[name], office.as_("admin")
    form = await page.opened(admin, **page.hers)
    removed = await admin.post(f"{page.page}/remove", {"even_if_used": "on"})
    assert removed.status == 303, removed.words
    assert (await admin.post(page.page, form)).status == 404
    assert (await admin.get(page.page)).status == 404


async def test_a_secret_stands_in_no_form_and_stays_when_nothing_is_typed(office: Site) -> None:
    admin = office.as_("admin")
    for name in ("sms", "crm_chats"):
        page = PAGES[name]
        assert "hush" not in str(await page.opened(admin))
        assert (await admin.post(page.page, await page.opened(admin, **page.hers))).status == 303
    keys = await office.pool.fetchval("SELECT secret FROM crm_chat_channel WHERE account_id = $1", ACCOUNT)
    assert keys


async def test_a_form_that_does_not_say_what_it_was_opened_with_is_saved_as_it_stands(office: Site) -> None:
    admin, page = office.as_("admin"), PAGES["employee"]
    opened = {name: values for name, values in (await page.opened(admin)).items() if name != "was"}
    assert (await admin.post(page.page, {**opened, "group": "Sales"})).status == 303
    assert (await admin.post(page.page, {**opened, "group": "Stock"})).status == 303
    assert _stands(await page.opened(admin), {"group": "Stock"})
    odd = await admin.post(page.page, {**opened, "was": "{", "group": "Sales"})
    assert odd.status == 422


async def test_rights_and_the_channel_somebody_writes_from_are_saved_one_by_one(office: Site) -> None:
    admin, path = office.as_("admin"), "/setup/channels/access"
    await admin.post(f"{path}/everybody", {"channel": "*", "do": "send"})

    async def opened(**cells: str) -> dict[str, Any]:
        form: dict[str, Any] = dict(sent_by(await admin.get(path), path))
        at = {cell: n for n, cell in enumerate(form["cell"])}
        for star in [name for name in cells if name.startswith("star:")]:
            form[star] = cells.pop(star)
        for cell, may in cells.items():
            form["may"][at[cell]] = may
        return form

    hers = await opened(**{"c1 anna": "read", "star:boss": "c2"})
    his = await opened(**{"c2 anna": "none"})
    third = await opened(**{"c1 anna": "none", "c1 boss": "read", "star:boss": "c3"})
    for form in (hers, his):
        assert (await admin.post(path, form)).status == 303
    now = await opened()
    stands = dict(zip(now["cell"], now["may"], strict=True))
    assert (stands["c1 anna"], stands["c2 anna"], now["star:boss"]) == ("read", "none", ["c2"])
    asked = await admin.post(path, third)
    assert asked.status == 409, asked.words
    assert "осталось так, как сохранено там: Анна" in asked.words
    now = await opened()
    stands = dict(zip(now["cell"], now["may"], strict=True))
    assert (stands["c1 anna"], stands["c1 boss"], now["star:boss"]) == ("read", "read", ["c2"])


def test_a_field_that_both_made_the_same_of_is_no_question() -> None:
    was, now = {"people": ["anna", "boss"], "name": "a"}, {"people": ["boss", "vera"], "name": "b"}
    typed = {"people": ("vera", "boss"), "name": "b"}
    assert together(was, now, typed, ("people",)).clashes == {}
    assert together(was, now, typed).clashes == {"people": ["boss", "vera"]}
    assert together(was, now, {**was, "name": ""}).values == {"people": ["boss", "vera"], "name": ""}
