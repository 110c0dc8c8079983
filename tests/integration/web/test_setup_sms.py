"""SMS providers: connected with keys that nobody sees again, tried with a text, changed and taken away."""

from __future__ import annotations

from datetime import UTC, datetime
from decimal import Decimal

import pytest

from gateway.sms.news import take_news
from gateway.store.sms.connections import SavedSmsConnection, sms_connection
from gateway.store.sms.turns import save_balance
from gateway.web.texts.sentences import TEXTS
from routing.texts.catalogue import Language
from sms.kinds import SMS_KINDS
from sms.port import SmsLinkTold, SmsNews
from sms.reasons import SmsReason
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
    assert "ещё не проверен" in (await admin.get(PATH)).words
    async with site.pool.acquire() as conn:
        await save_balance(conn, ACCOUNT, "main", (Decimal(100), "RUB"), "", datetime.now(UTC))
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


_SMPP = {
    "kind": "smpp",
    "name": "centre",
    "key_name": ["password"],
    "key": ["hush"],
    "setting_name": ["host", "port", "system_id"],
    "setting": ["smpp.example", "2775", "office"],
}


async def _link(site: Site, told: SmsLinkTold) -> None:
    saved = await _saved(site, "centre")
    assert saved is not None
    async with site.pool.acquire() as conn, conn.transaction():
        await take_news(conn, saved, SmsNews(link=told), datetime.now(UTC))


@pytest.mark.parametrize(
    ("setting", "ru", "en"),
    [
        (["smpp.example", "soon", "office"], "Порт: «soon» не подходит. Порт — целое число от 1", "Port: “soon” does not fit"),
        (["https://smpp.example", "2775", "office"], "Впишите имя или адрес сервера", "Write the server’s name"),
        (["smpp.example", "99999", "office"], "от 1 до 65535", "from 1 to 65535"),
    ],
)  # fmt: skip
async def test_a_wrong_setting_is_named_and_marked_and_what_was_typed_stays(
    site: Site, setting: list[str], ru: str, en: str
) -> None:
    wrong = "setting-host" if "//" in setting[0] else "setting-port"
    in_languages: list[tuple[Language, str]] = [("ru", ru), ("en", en)]
    for language, said in in_languages:
        admin = site.as_("admin", language=language)
        refused = await admin.post(NEW, {**_SMPP, "setting": setting})
        field = refused.page.by_id(wrong)
        assert (refused.status, field["aria-invalid"]) == (422, "true")
        assert f"{wrong}-error" in field["aria-describedby"]
        assert said in refused.page.by_id(f"{wrong}-error").text
        assert refused.page.all("a", href=f"#{wrong}")
        typed = [refused.page.by_id(f"setting-{name}")["value"] for name in ("host", "port", "system_id")]
        assert typed == setting
        marked = [one["id"] for one in refused.page.all("input", **{"aria-invalid": "true"})]
        assert marked == [wrong]
    assert await _saved(site, "centre") is None


async def test_no_window_of_nothing_is_taken(site: Site) -> None:
    form = {
        **_SMPP,
        "setting_name": ["host", "window", "system_id"],
        "setting": ["smpp.example", "0", "office"],
    }
    refused = await site.as_("admin").post(NEW, form)
    assert "от 1 до 999999" in refused.page.by_id("setting-window-error").text


async def test_a_key_that_would_go_to_another_address_is_asked_for_at_its_field(site: Site) -> None:
    admin = site.as_("admin")
    await admin.post(NEW, _SMPP)
    moved = {**_SMPP, "key": [""], "setting": ["other.example", "2775", "office"], "is_on": "on"}
    refused = await admin.post(f"{PATH}/centre", moved)
    assert "введите ещё раз" in refused.page.by_id("key-password-error").text
    assert refused.page.by_id("setting-host")["value"] == "other.example"


@pytest.mark.parametrize(
    ("language", "badge", "todo", "toast"),
    [
        ("ru", "ключа ещё нет", "Возьмите его в кабинете провайдера", "ещё не уходят"),
        ("en", "no key yet", "Take it from the provider’s cabinet", "no texts go out through it yet"),
    ],
)
async def test_a_provider_without_its_key_is_not_said_to_be_connected(
    site: Site, language: Language, badge: str, todo: str, toast: str
) -> None:
    admin = site.as_("admin", language=language)
    added = await admin.post(NEW, _form(key=""))
    cookie = added.headers["Set-Cookie"].split(";")[0]
    page = (await admin.get(f"{PATH}/main", Cookie=cookie)).words
    assert badge in page
    assert todo in page
    assert toast in page
    assert "Провайдер подключён" not in page
    assert badge in (await admin.get(PATH)).words


async def test_a_provider_works_only_by_what_was_heard_of_it_last(site: Site) -> None:
    admin = site.as_("admin")
    await admin.post(NEW, _SMPP)

    async def state() -> str:
        return (await admin.get(PATH)).page.one("tbody").text

    assert "ещё не проверен" in await state()
    await _link(site, SmsLinkTold(is_up=False, reason=SmsReason.NOT_REACHED, words="Connection refused"))
    assert "нет связи" in await state()
    one = (await admin.get(f"{PATH}/centre")).words
    assert "Связи нет с" in one
    assert "Connection refused" in one
    assert "нет связи с провайдером centre" in (await admin.get("/")).words
    await _link(site, SmsLinkTold(is_up=True))
    assert "работает" in await state()
    assert "Связи нет" not in (await admin.get(f"{PATH}/centre")).words
    await admin.post(f"{PATH}/centre", {**_SMPP, "key": ["other"], "is_on": "on"})
    assert "ещё не проверен" in await state(), "with another key nobody has heard anything yet"
    await admin.post(f"{PATH}/centre", {**_SMPP, "key": [""]})
    assert "выключен" in await state()


async def test_a_provider_that_answers_no_question_is_not_said_to_work(site: Site) -> None:
    admin = site.as_("admin")
    await admin.post(NEW, _form())
    async with site.pool.acquire() as conn:
        await save_balance(conn, ACCOUNT, "main", None, "sms-provider-refused: wrong", datetime.now(UTC))
    assert "не отвечает" in (await admin.get(PATH)).page.one("tbody").text
    assert "sms-provider-refused: wrong" in (await admin.get(f"{PATH}/main")).words
