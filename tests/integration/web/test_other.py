"""The settings of an account that have no page of their own: shown, changed part by part, refused at their field."""

from __future__ import annotations

import pytest

from gateway.store.admin.accounts import account
from gateway.web.setup.other_fields import PARTS, read_fields, shown_fields
from routing.settings import AccountSettings
from tests.integration.api.client import ACCOUNT, ANNA, SENIOR
from tests.integration.web.browser import Browser, Site

PATH = "/setup/other"


async def _settings(site: Site) -> AccountSettings:
    async with site.pool.acquire() as conn:
        return (await account(conn, ACCOUNT)).settings


@pytest.mark.parametrize("part", PARTS)
def test_what_is_shown_and_sent_back_is_the_same(part: str) -> None:
    for settings in (AccountSettings(), AccountSettings.model_validate(_UNUSUAL)):
        typed = {n: v for n, v in shown_fields(settings, part).items() if v is not False}  # type: ignore[arg-type]
        read = read_fields(settings, part, typed)  # type: ignore[arg-type]
        assert read.errors == {}
        assert AccountSettings.model_validate(read.dumped) == settings


_UNUSUAL = {
    "language": "en",
    "lookup": {"priority": ["deal", "contact", "lead"], "group": ["101", "102"], "availability": "skip"},
    "working_time": {"hours": {1: [["09:00", "13:00"], ["14:00", "24:00"]], 7: []}, "holidays": "RU"},
    "cases": {"quiet_hours": [["21:00", "09:00"]], "seniors": ["boss"], "escalate_minutes": 60},
    "alerts": {"emails": ["a@x.example"], "pbx_silent_minutes": None},
    "personal_data": {"number_days": 30},
    "presence": {"is_on": True, "idle_minutes": None},
}


async def test_each_part_is_changed_by_itself_and_nothing_else_with_it(site: Site) -> None:
    admin, before = site.as_("admin"), await _settings(site)
    assert "Часовой пояс" in (await admin.get(PATH)).words
    hours = {f"day_{n}": "09:00-18:00" for n in range(1, 6)} | {"day_6": "10:00 — 15:00, 16-17", "day_7": ""}
    assert (await admin.post(f"{PATH}/hours", {**hours, "holidays": "RU"})).location == f"{PATH}?part=hours"
    form = {"escalate_minutes": "30", "max_escalations": "2", "quiet_hours": "21:00–09:00", "seniors": ""}
    assert (
        await admin.post(f"{PATH}/missed", {**form, "settle_seconds": "5", "lost_hangup_minutes": "60"})
    ).status == 303
    after = await _settings(site)
    assert after.working_time.hours[6] == (("10:00", "15:00"), ("16:00", "17:00"))
    assert (after.working_time.hours.get(7, ()), after.working_time.working_saturdays) == ((), False)
    assert (after.cases.escalate_minutes, after.cases.quiet_hours, after.calls.settle_seconds) == (
        30,
        (("21:00", "09:00"),),
        5,
    )
    assert (after.lookup, after.alerts, after.personal_data) == (
        before.lookup,
        before.alerts,
        before.personal_data,
    )
    told = await site.pool.fetchval("SELECT count(*) FROM audit WHERE what = 'settings'")
    assert told == 2
    assert 'value="10:00–15:00, 16:00–17:00"' in (await admin.get(f"{PATH}?part=hours")).text


async def test_what_cannot_be_is_refused_at_its_field_and_stays_as_typed(site: Site) -> None:
    admin, before = site.as_("admin", language="en"), await _settings(site)
    for part, field, text in (
        ("missed", "settle_seconds", "-1"),
        ("missed", "quiet_hours", "all night"),
        ("missed", "seniors", "nobody"),
        ("alarms", "emails", "not an address"),
        ("hours", "day_1", "18:00–09:99"),
        ("rings", "ring_seconds", "1,5"),
        ("rings", "priority", "deal,deal,deal"),
        ("kept", "number_days", "1"),
        ("numbers", "own_numbers", "+74951230009, 12"),
        ("account", "time_zone", "Moscow"),
        ("account", "support_phone", "911x"),
    ):
        shown = shown_fields(before, part)  # type: ignore[arg-type]
        own = {"name": "Main", "time_zone": "Europe/Moscow", "region": "RU"} if part == "account" else {}
        typed = {name: value for name, value in {**own, **shown}.items() if value is not False}
        refused = await admin.post(f"{PATH}/{part}", {**typed, field: text})
        assert (refused.status, part, field) == (422, part, field), refused.words
        assert refused.page.all(id=f"{field}-error"), (field, refused.words)
        if refused.page.by_id(field).tag == "input":
            assert refused.page.by_id(field)["value"] == text
    assert await _settings(site) == before


async def test_two_who_change_different_fields_both_have_theirs_and_of_one_field_the_second_is_asked(
    site: Site,
) -> None:
    anna, boris = site.as_("admin"), site.as_("admin", language="en")

    async def opened(who: Browser) -> dict[str, str]:
        page = (await who.get(f"{PATH}?part=account")).page
        fields = [one for one in page.by_id("content").all("input") if one.get("name") not in (None, "csrf")]
        chosen = page.by_id("language").one("option", selected="")
        return {one["name"]: one.get("value") or "" for one in fields} | {"language": chosen["value"]}

    hers, his = await opened(anna), await opened(boris)
    assert (await anna.post(f"{PATH}/account", {**hers, "name": "Кухни"})).status == 303
    assert (await boris.post(f"{PATH}/account", {**his, "support_phone": "+74951234567"})).status == 303
    async with site.pool.acquire() as conn:
        found = await account(conn, ACCOUNT)
    assert (found.name, found.settings.support_phone) == ("Кухни", "+74951234567")
    asked = await boris.post(f"{PATH}/account", {**his, "name": "Kitchens"})
    assert asked.status == 409
    assert "Saved meanwhile: “Кухни”" in asked.page.by_id("name-error").text
    again = asked.page.all("input", name="was")[0]["value"]
    assert (await boris.post(f"{PATH}/account", {**his, "was": again, "name": "Kitchens"})).status == 303


async def test_our_own_numbers_are_kept_as_calls_are_compared_with_them(site: Site) -> None:
    admin = site.as_("admin")
    form = {
        "own_numbers": "8 (495) 123-00-09",
        "eight_is_plus_seven": "on",
        "area_code": "",
        "internal_digits": "4",
    }
    assert (await admin.post(f"{PATH}/numbers", form)).status == 303
    assert (await _settings(site)).numbers.own_numbers == {"+74951230009"}
    page = await admin.get("/setup/numbers?number=84951230009")
    assert "Это номер компании" in page.words
    assert page.page.all("a", href=f"{PATH}?part=numbers")


async def test_the_account_is_renamed_and_only_an_admin_may(site: Site) -> None:
    admin = site.as_("admin")
    form = {
        "name": "Кухни",
        "time_zone": "Asia/Yekaterinburg",
        "region": "kz",
        "language": "en",
        "support_phone": "+74951234567",
    }
    assert (await admin.post(f"{PATH}/account", {**form, "requests_per_second": "5"})).status == 303
    async with site.pool.acquire() as conn:
        found = await account(conn, ACCOUNT)
    assert (found.name, found.time_zone, found.region, found.settings.language) == (
        "Кухни",
        "Asia/Yekaterinburg",
        "KZ",
        "en",
    )
    assert (await site.as_("senior_manager").get(PATH)).status == 403
    assert (await admin.post(f"{PATH}/nonsense", {})).status in (404, 405)


async def test_a_refused_value_of_the_account_says_what_the_field_takes(site: Site) -> None:
    admin = site.as_("admin")
    fine = {
        "name": "Лад",
        "time_zone": "Europe/Moscow",
        "region": "RU",
        "language": "ru",
        "requests_per_second": "7",
    }
    for name, typed, said in (
        ("time_zone", "Москва", "Такого часового пояса нет"),
        ("region", "ZZ", "Такой страны нет"),
        ("support_phone", "чушь", "Это не номер телефона"),
    ):
        answer = await admin.post(f"{PATH}/account", {**fine, name: typed})
        assert (answer.status, said in answer.page.by_id(f"{name}-error").text) == (422, True), name
        assert answer.page.by_id(name)["value"] == typed


async def test_people_zones_and_countries_are_chosen_from_lists(site: Site) -> None:
    admin = site.as_("admin")
    page = (await admin.get(f"{PATH}?part=missed")).page
    assert [o.text for o in page.by_id("seniors-0").all("option")] == ["никто", ANNA.name, SENIOR.name]
    form = {"escalate_minutes": "30", "max_escalations": "2", "quiet_hours": "", "settle_seconds": "5"}
    people = {"seniors.0": "", "seniors.1": ANNA.id, "lost_hangup_minutes": "60"}
    assert (await admin.post(f"{PATH}/missed", {**form, **people})).status == 303
    assert (await _settings(site)).cases.seniors == (ANNA.id,)
    chosen = (await admin.get(f"{PATH}?part=missed")).page.by_id("seniors-0")
    assert [o["value"] for o in chosen.all("option", selected="")] == [ANNA.id]
    account_page = (await admin.get(PATH)).page
    zones = account_page.by_id(account_page.by_id("time_zone")["list"])
    assert "Asia/Yekaterinburg" in [o["value"] for o in zones.all("option")]
    countries = account_page.by_id(account_page.by_id("region")["list"])
    assert {o["value"]: o.text for o in countries.all("option")}["KZ"] == "+7"


async def test_the_places_of_who_gets_missed_calls_stand_apart(site: Site) -> None:
    page = (await site.as_("admin").get(f"{PATH}?part=missed")).page
    assert page.all("fieldset", cls="cm-stack", id="seniors")


async def test_a_name_that_is_too_long_is_refused_in_words(site: Site) -> None:
    form = {"time_zone": "Europe/Moscow", "region": "RU", "language": "ru", "requests_per_second": "7"}
    refused = await site.as_("admin").post(f"{PATH}/account", {**form, "name": "К" * 308})
    assert refused.status == 422
    assert "от 1 до 200 знаков" in refused.page.by_id("name-error").text
