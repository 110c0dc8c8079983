"""Campaigns on pages: made, filled, started, paused, ended; who was reached, and what was said of the calls."""

from __future__ import annotations

from datetime import UTC, datetime, timedelta
from typing import Any

import aiohttp

from campaigns.model import CampaignSettings
from gateway.store.admin.accounts import account
from gateway.store.campaigns.campaigns import CampaignRow, campaign_of
from gateway.store.campaigns.members import listed_members
from tests.integration.api.client import ACCOUNT
from tests.integration.web.browser import PERSON_HEADER, Browser, Site
from tests.integration.web.selling import open_shop

ONE = "/messages/campaigns/spring"


def form(**changes: Any) -> dict[str, Any]:
    values = {"name": "spring", "connection": "office", "target": "employee:anna", "leaves_traces": "on"}
    return {name: value for name, value in {**values, **changes}.items() if value is not None}


async def row(site: Site) -> CampaignRow:
    async with site.pool.acquire() as conn:
        found = await campaign_of(conn, ACCOUNT, "spring")
    assert found is not None
    return found


async def members(site: Site) -> list[tuple[str, str, str]]:
    async with site.pool.acquire() as conn:
        found = await listed_members(conn, await row(site), limit=100)
    return [(one.number, one.name, one.state) for one in found]


async def sent_file(admin: Browser, name: str, body: bytes, text: str = "") -> int:
    assert admin.person is not None
    data = aiohttp.FormData()
    data.add_field("csrf", admin.person.csrf)
    data.add_field("text", text)
    data.add_field("file", body, filename=name, content_type="text/csv")
    headers = {"Sec-Fetch-Site": "same-origin", PERSON_HEADER: admin.person.login}
    async with admin.http.post(
        f"http://localhost{ONE}/numbers", data=data, headers=headers, allow_redirects=False
    ) as answer:
        return answer.status


async def test_one_is_made_filled_started_paused_and_finished_for_good(site: Site) -> None:
    await open_shop(site.pool)
    admin = site.as_("admin")
    assert "никому не позвоним, пока она не запущена" in (await admin.get("/messages/campaigns")).words
    made = await admin.post("/messages/new-campaign", form())
    assert made.location == ONE
    empty = await admin.post(f"{ONE}/command", {"command": "start"})
    assert (empty.status, "сначала добавьте номера" in empty.words) == (422, True)
    pasted = "+7 916 000-00-01; Анна; 7\n8 916 000 00 02\nnobody\n101\n+79160000001"
    assert (await admin.post(f"{ONE}/numbers", {"text": pasted})).location == f"{ONE}#lists"
    assert await members(site) == [("+79160000001", "Анна", "held"), ("+79160000002", "", "held")]
    page = await admin.get(ONE)
    lists = page.page.by_id("lists").text
    for said in ("Строк 5, в кампании по ним 2", "строка 3", "это не телефонный номер", "внутренний номер"):
        assert said in lists, said
    assert "уже стоит выше" in lists
    assert "+7 916 000-00-01" in page.page.by_id("members").text
    for command, state in (("start", "running"), ("pause", "paused"), ("start", "running")):
        assert (await admin.post(f"{ONE}/command", {"command": command})).status == 303
        assert (await row(site)).state == state
    page = await admin.get(ONE)
    assert "идёт обзвон" in page.words
    assert (
        "через АТС office нельзя звонить" in page.page.one("div", cls="cm-note-bad").text
    )  # the double places no calls
    asked = await admin.get(f"{ONE}/ending?command=finish")
    assert "Ещё не обзвонено: 2" in asked.words
    assert "Вернуть нельзя" in asked.words
    assert (await row(site)).state == "running"
    assert (await admin.post(f"{ONE}/command", {"command": "finish"})).status == 303
    page = await admin.get(ONE)
    assert "Завершена: добавить нельзя" in page.words
    late = await admin.post(f"{ONE}/numbers", {"text": "+79160000003"})
    assert (late.status, "Завершена: добавить нельзя" in late.words) == (409, True)
    again = await admin.post(f"{ONE}/command", {"command": "start"})
    assert (again.status, (await row(site)).state) == (409, "finished")


async def test_a_file_is_read_by_a_worker_and_what_is_no_list_is_refused(site: Site) -> None:
    await open_shop(site.pool)
    admin = site.as_("admin", language="en")
    await admin.post("/messages/new-campaign", form())
    assert await sent_file(admin, "clients.csv", "Телефон;Имя\n+79160000001;Anna\n".encode()) == 303
    page = await admin.get(ONE)
    assert "Being read: clients.csv" in page.words
    assert await sent_file(admin, "clients.csv", b"  ") == 422
    for text, said in (("", "Paste numbers or choose a file"), ("x" * 200_001, "bring it as a file")):
        answer = await admin.post(f"{ONE}/numbers", {"text": text})
        assert (answer.status, said in answer.words) == (422, True)
    assert await members(site) == []


async def test_what_is_wrong_stands_at_its_field_and_what_is_right_comes_back(site: Site) -> None:
    await open_shop(site.pool)
    admin = site.as_("admin")
    for changes, field, said in (
        ({"name": "a/b"}, "name", "60 знаков"),
        ({"connection": None}, "connection", "Выберите АТС"),
        ({"connection": "gone"}, "connection", "Такой АТС нет"),
        ({"target": "employee:gone"}, "target", "внутренний номер, связанный"),
        ({"engine": "pbx"}, "engine", "нет контакт-центра"),
        ({"topics_on": "on"}, "topics_on", "оба этапа"),
        ({"unreached_stage": "1:99"}, "unreached_stage", "Такого этапа"),
        ({"own_hours": "on", "opens": "21:00", "closes": "09:00", "days": ["1"]}, "opens", "09:00–21:00"),
        ({"own_hours": "on"}, "opens", "хотя бы один день"),
        ({"priority": "-1"}, "priority", "от 0 до 100"),
    ):
        answer = await admin.post("/messages/new-campaign", form(**changes))
        assert answer.status == 422, changes
        assert said in answer.page.by_id(f"{field}-error").text, changes
    full = form(
        own_hours="on", opens="10:00", closes="24:00", days=["1", "2"], is_strict="on", endless="on", topics_on="on",
        deal_there="1:11", no_deal="1:12", unreached_task="on", unreached_stage="1:12", priority="3",
        lines="+74951230000",
    )  # fmt: skip
    assert (await admin.post("/messages/new-campaign", full)).location == ONE
    settings = (await row(site)).settings
    assert settings.hours is not None
    assert (settings.hours.closes, settings.hours.days, settings.endless) == ("24:00", (1, 2), True)
    taken = await admin.post("/messages/new-campaign", full)
    assert "не повторяются" in taken.page.by_id("name-error").text
    page = (await admin.get(f"{ONE}/edit")).page
    version = page.one("input", name="version")["value"]
    assert (await admin.post(f"{ONE}/edit", {**full, "version": version})).status == 303
    assert (await row(site)).settings == settings
    await admin.post(f"{ONE}/edit", {**full, "version": version, "endless": ""})
    late = await admin.post(f"{ONE}/edit", {**full, "version": version, "priority": "9"})
    assert (late.status, late.page.by_id("priority")["value"]) == (409, "9")


async def test_who_was_reached_is_filtered_told_and_taken_along(site: Site) -> None:
    await open_shop(site.pool)
    admin, senior = site.as_("admin", language="en"), site.as_("senior_manager", language="en")
    await admin.post("/messages/new-campaign", form())
    await admin.post(f"{ONE}/numbers", {"text": "+79160000001;=Anna\n+79160000002\n+79160000003"})
    await site.pool.execute(
        "UPDATE outbound_item SET state = 'succeeded', reason = 'talked', ended_at = now() WHERE client = '+79160000001'"
    )
    page = await senior.get(f"{ONE}?state=succeeded")
    text = page.page.by_id("members").text
    assert ("+7 916 000-00-01" in text, "000-00-02" in text) == (True, False)
    assert "1 of 3" in page.words
    table = (await senior.get(f"{ONE}/members.csv?state=succeeded")).text
    assert table.count("\n") == 2
    assert "'+79160000001,'=Anna," in table
    taken = await admin.post(f"{ONE}/take-out", {"number": "+79160000002"})
    assert taken.status == 303
    assert ("+79160000002", "", "cleared") in await members(site)
    again = await admin.post(f"{ONE}/take-out", {"number": "+79160000001"})
    assert (again.status, "does not wait any more" in again.words) == (409, True)


async def test_topics_say_how_long_they_may_still_be_written(site: Site) -> None:
    await open_shop(site.pool)
    admin = site.as_("admin")
    topics = {"topics_on": "on", "deal_there": "1:11", "no_deal": "1:12"}
    await admin.post("/messages/new-campaign", form(**topics))
    made, now = await row(site), datetime.now(UTC)
    for n, ago in enumerate((timedelta(minutes=20, seconds=-20), timedelta(hours=2))):
        await site.pool.execute(
            "INSERT INTO campaign_topic (account_id, call_id, campaign_id, item_id, connection, call_key, client, employee_id,"
            " started_at, ended_at, next_ask_at, topics, comment) VALUES ($1, $2, $3, '', 'office', $2, '+79160000001', 'anna',"
            " $4, $4, $5, $6, $7)",
            ACCOUNT, f"c{n}", made.campaign_id, now - ago, None if n else now, ["Цена"] if n else [],
            "Дорого" if n else "",
        )  # fmt: skip
    text = (await admin.get(ONE)).page.by_id("topics").text
    assert "писать ещё 40 мин" in text
    assert "Цена Дорого" in text
    assert "больше не меняется" in text


async def test_seniors_command_and_administrators_change(site: Site) -> None:
    await open_shop(site.pool)
    admin, senior = site.as_("admin"), site.as_("senior_manager")
    await admin.post("/messages/new-campaign", form())
    await admin.post(f"{ONE}/numbers", {"text": "+79160000001"})
    page = (await senior.get(ONE)).page
    assert page.all("textarea", name="text") == []
    assert (await senior.post(f"{ONE}/command", {"command": "start"})).status == 303
    for path in ("numbers", "take-out", "edit", "plan", "close"):
        assert (await senior.post(f"{ONE}/{path}", {"text": "+79160000002"})).status == 403, path
    assert (await site.as_("manager").get(ONE)).status == 403
    assert (await admin.get("/messages/campaigns/none")).status == 404
    listed = await senior.get("/messages/campaigns")
    assert "0 из 1" in listed.words
    assert (await admin.post("/messages/campaigns-switches", {"from_pipeline": "on"})).status == 303
    async with site.pool.acquire() as conn:
        policy = (await account(conn, ACCOUNT)).settings.campaigns
    assert (policy.leaves_traces, policy.from_pipeline) == (False, True)


async def test_one_is_planned_by_the_clock_of_the_account(site: Site) -> None:
    await open_shop(site.pool)
    admin = site.as_("admin")
    await admin.post("/messages/new-campaign", form())
    for typed in ("", "tomorrow", "2020-01-01T10:00"):
        answer = await admin.post(f"{ONE}/plan", {"starts_at": typed})
        assert (answer.status, "ещё не прошли" in answer.words) == (422, True)
    assert (await admin.post(f"{ONE}/plan", {"starts_at": "2099-01-01T10:00"})).status == 303
    made = await row(site)
    assert (made.state, made.starts_at) == ("planned", datetime(2099, 1, 1, 7, tzinfo=UTC))
    assert isinstance(made.settings, CampaignSettings)


async def test_of_two_editors_the_later_one_sees_what_differs_and_can_still_save(site: Site) -> None:
    await open_shop(site.pool)
    admin = site.as_("admin")
    await admin.post("/messages/new-campaign", form())
    seen = str((await row(site)).version)
    assert (await admin.post(f"{ONE}/edit", form(version=seen, priority="7"))).status == 303
    late = await admin.post(f"{ONE}/edit", form(version=seen, priority="9", endless="on"))
    said = late.page.by_id("conflict")
    assert (late.status, [one.text for one in said.all("ins")]) == (409, ["да", "9"])
    assert "Сохранить моё" in said.text
    mine = late.page.one("input", name="version")["value"]
    assert (await admin.post(f"{ONE}/edit", form(version=mine, priority="9"))).status == 303
    assert (await row(site)).settings.priority == 9


async def test_pasted_numbers_come_in_beside_a_file_and_a_broken_workbook_brings_neither(site: Site) -> None:
    await open_shop(site.pool)
    admin = site.as_("admin")
    await admin.post("/messages/new-campaign", form())
    assert await sent_file(admin, "a.xlsx", b"PK\x03\x04 none", "+79160000007") == 422
    assert await members(site) == []
    assert "Не прочитан" not in (await admin.get(ONE)).words
    assert await sent_file(admin, "a.csv", b"phone\n+79160000008\n", "+79160000007") == 303
    assert [number for number, _, _ in await members(site)] == ["+79160000007"]
    lists = (await admin.get(ONE)).page.by_id("lists").text
    assert ("a.csv" in lists, "вставлено" in lists) == (True, True)


async def test_who_was_taken_out_was_not_called(site: Site) -> None:
    await open_shop(site.pool)
    admin = site.as_("admin")
    await admin.post("/messages/new-campaign", form())
    await admin.post(f"{ONE}/numbers", {"text": "+79160000001\n+79160000002"})
    await admin.post(f"{ONE}/command", {"command": "start"})
    await admin.post(f"{ONE}/command", {"command": "finish"})
    assert (await row(site)).state == "finished"
    for path in (ONE, "/messages/campaigns"):
        words = (await admin.get(path)).words
        assert ("0 из 2" in words, "2 из 2" in words) == (True, False), path


async def test_how_calls_are_repeated_is_set_in_the_form(site: Site) -> None:
    await open_shop(site.pool)
    admin = site.as_("admin")
    page = (await admin.get("/messages/new-campaign")).page.by_id("retries")
    assert page.by_id("retry-client_busy")["value"] == "5"
    minutes, most = ["7", "90", "0", "60", "2", "5"], ["1", "0", "1", "2", "3", "20"]
    wrong = await admin.post(
        "/messages/new-campaign", form(retry_minutes=["often", *minutes[1:]], retry_most=most)
    )
    assert (wrong.status, "Повторы" in wrong.page.by_id("retries-error").text) == (422, True)
    assert wrong.page.by_id("retry-client_busy")["value"] == "often"
    assert (
        await admin.post("/messages/new-campaign", form(retry_minutes=minutes, retry_most=most))
    ).location == ONE
    retries = (await row(site)).settings.retries
    assert (retries.client_busy.minutes, retries.client_busy.most) == (7, 1)
    assert (retries.client_no_answer.most, retries.operator_hung_up.most) == (0, 20)
    shown = (await admin.get(f"{ONE}/edit")).page
    assert shown.by_id("retry-client_no_answer")["value"] == "90"
    await admin.post(f"{ONE}/edit", form())
    assert (await row(site)).settings.retries == retries, "what was not sent stays"


async def test_a_line_of_several_connections_is_named_once(site: Site) -> None:
    await open_shop(site.pool)
    line = "+74951230000"
    await site.pool.execute("UPDATE connection SET lines = $1", [line, line])
    assert (await site.as_("admin").get("/messages/new-campaign")).words.count(line) == 1


async def test_what_only_a_contact_centre_has_stands_apart_so_that_it_is_shown_with_it_alone(
    site: Site,
) -> None:
    await open_shop(site.pool)
    page = (await site.as_("admin").get("/messages/new-campaign")).page
    apart = page.one("form", cls="cm-campaign").all("div", cls="cm-if-pbx")
    fields = {name for part in apart for name in ("engine_ref", "topics_on") if part.all("input", name=name)}
    assert fields == {"engine_ref", "topics_on"}
