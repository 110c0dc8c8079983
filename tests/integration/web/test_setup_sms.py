"""SMS providers: connected with keys that nobody sees again, tried with a text, changed and taken away."""

from __future__ import annotations

import pytest

from gateway.store.sms.connections import SavedSmsConnection, sms_connection
from gateway.web.texts.sentences import TEXTS
from routing.texts.catalogue import Language
from sms.kinds import SMS_KINDS
from tests.integration.api.client import ACCOUNT
from tests.integration.web.browser import Site

PATH = "/setup/sms"
NEW = "/setup/new-sms-provider"


async def _saved(site: Site, name: str = "main") -> SavedSmsConnection | None:
    async with site.pool.acquire() as conn:
        return await sms_connection(conn, ACCOUNT, name)


def _form(**changes: str) -> dict[str, object]:
    named = {"key_name": ["password"], "setting_name": ["login"]}
    return {"kind": "smsc", "name": "main", "key": ["hush"], "setting": ["sales"], **named, **changes}


@pytest.mark.parametrize("language", TEXTS)
def test_kinds_keys_and_settings_have_words(language: Language) -> None:
    wanted = {f"setup.sms.kind.{name}" for name in SMS_KINDS}
    for kind in SMS_KINDS.values():
        wanted |= {f"setup.sms.key.{key}" for key in (*kind.keys, *kind.more_keys)}
        wanted |= {f"setup.sms.setting.{name}" for name in kind.settings}
    assert wanted - TEXTS[language].sentences.keys() == set()


async def test_a_provider_is_connected_and_its_key_is_never_shown_again(site: Site) -> None:
    admin = site.as_("admin")
    page = await admin.get(PATH)
    assert "Ни одного провайдера" in page.words
    assert len(page.page.all("a", cls="cm-card-choice")) == len(SMS_KINDS)
    refused = await admin.post(NEW, _form(name="Главный"))
    assert "Название не подходит" in refused.page.by_id("name-error").text
    assert "hush" not in refused.text
    assert refused.page.by_id("setting-login")["value"] == "sales"
    assert (await admin.post(NEW, _form())).location == f"{PATH}/main"
    saved = await _saved(site)
    assert saved is not None
    assert (saved.connection.keys, saved.connection.settings) == ({"password": "hush"}, {"login": "sales"})
    one = await admin.get(f"{PATH}/main")
    assert "hush" not in one.text
    assert "Задан. Пусто — останется прежний" in one.words
    assert "/sms/main/main/" in one.page.by_id("reports_to")["value"]
    assert "работает" in (await admin.get(PATH)).words
    taken = await admin.post(NEW, _form())
    assert "Такой провайдер уже есть" in taken.page.by_id("name-error").text
    row = await site.pool.fetchrow("SELECT action, object, after FROM audit WHERE what = 'sms'")
    assert row is not None
    assert (row["action"], row["object"], "hush" in str(row["after"])) == ("added", "main", False)


async def test_what_is_changed_keeps_the_keys_that_were_not_typed(site: Site) -> None:
    admin = site.as_("admin", language="en")
    await admin.post(NEW, _form())
    changed = await admin.post(f"{PATH}/main", _form(sender="Kitchens", key="", setting="others", is_on="on"))
    assert changed.status == 303
    saved = await _saved(site)
    assert saved is not None
    assert (saved.sender, saved.connection.keys) == ("Kitchens", {"password": "hush"})
    assert saved.connection.settings == {"login": "others"}
    await admin.post(f"{PATH}/main", _form(key="", setting="others"))
    assert "switched off" in (await admin.get(PATH)).words
    off = await admin.post(f"{PATH}/main/test", {"number": "89161234567", "text": "Hello"})
    assert "the provider is off" in off.page.by_id("text-error").text


async def test_a_text_is_sent_to_try_and_a_wrong_number_is_refused(site: Site) -> None:
    admin = site.as_("admin")
    await admin.post(NEW, {"kind": "sandbox", "name": "main"})
    wrong = await admin.post(f"{PATH}/main/test", {"number": "nine", "text": "Hello"})
    assert "нужен мобильный" in wrong.page.by_id("number-error").text
    assert wrong.page.by_id("text").text == "Hello"
    sent = await admin.post(f"{PATH}/main/test", {"number": "8 916 123 45 67", "text": "Hello"})
    assert (sent.status, sent.location) == (303, "/messages/texts?provider=main")
    assert "Hello" in (await admin.get(sent.location)).words
    assert (await admin.post(f"{PATH}/main/check")).status == 303
    assert "Удалить провайдера main?" in (await admin.get(f"{PATH}/main/remove")).words
    assert (await admin.post(f"{PATH}/main/remove")).location == PATH
    assert await _saved(site) is None
    assert (await admin.get(f"{PATH}/main")).status == 404
    assert (await site.as_("senior_manager").get(PATH)).status == 403


async def test_a_setting_that_is_a_switch_is_a_check_box(site: Site) -> None:
    admin = site.as_("admin")
    new = (await admin.get(f"{NEW}?kind=smsru")).page.by_id("setting-is_test")
    assert (new["type"], new["value"]) == ("checkbox", "is_test")
    form = {
        "kind": "smsru",
        "name": "main",
        "key_name": ["api_id"],
        "key": ["hush"],
        "switch_name": "is_test",
    }
    await admin.post(NEW, {**form, "switch": "is_test"})
    saved = await _saved(site)
    assert saved is not None
    assert saved.connection.is_set("is_test")
    assert (await admin.get(f"{PATH}/main")).page.all("input", id="setting-is_test", checked="")
    await admin.post(f"{PATH}/main", {**form, "key": [""], "is_on": "on"})
    saved = await _saved(site)
    assert saved is not None
    assert not saved.connection.is_set("is_test")
    assert not (await admin.get(f"{PATH}/main")).page.all("input", id="setting-is_test", checked="")
