"""Schedules and the calendar, by API and on the command line."""

from __future__ import annotations

import json
from typing import Any

import asyncpg
import pytest

from gateway.admin.config_document import ConfigDocument, ConfigRefused, as_yaml, read_yaml
from gateway.admin.config_import import export_config, import_config
from gateway.pbx.kinds import KINDS
from tests.integration.api.client import ACCOUNT, Api
from tests.integration.api.command_line import callmatrix
from tests.waiting import until

OFFICE = {"everybody": {"hours": {"mon-fri": "09:00-18:00"}}}
SHIFTS = {
    "kind": "by_day",
    "people": {
        "anna": {"months": {"2026-12": {"1-15": "09:00-18:00", "16": "22:00-06:00"}}},
        "boss": {"months": {"2026-12": {"1-31": "12:00-21:00", "24": "off"}}},
    },
}


async def save(api: Api, name: str, schedule: Any, status: int = 200, **more: Any) -> Any:
    return await api.ask("PUT", f"{{a}}/schedules/{name}", body={"schedule": schedule, **more}, status=status)


def dates(first: str, last: str | None = None) -> dict[str, Any]:
    return {"from": first, "to": last} if last else {"from": first}


async def test_a_schedule_holds_as_soon_as_it_is_saved(api: Api) -> None:
    done = await save(api, "shifts", SHIFTS)
    assert (done["version"], done["problems"], done["uses"]) == (1, [], [])
    [line] = (await api.ask("GET", "{a}/schedules"))["items"]
    assert (line["name"], line["kind"], line["people"]) == ("shifts", "by_day", 2)
    on = await api.ask("GET", "{a}/schedules/shifts/on", at="2026-12-16T23:00:00+03:00")
    assert [(p["employee_id"], p["is_on"], p["reason"]) for p in on["people"]] == [
        ("anna", True, ""),
        ("boss", False, "off_shift"),
    ]
    assert on["people"][0]["until"] == "2026-12-17T03:00:00Z"


async def test_a_month_is_shown_as_a_table(api: Api) -> None:
    await save(api, "shifts", SHIFTS)
    rows = (await api.ask("GET", "{a}/schedules/shifts/spans", **dates("2026-12-15", "2026-12-17")))["items"]
    table = {row["employee_id"]: [(d["hours"], d["reason"]) for d in row["days"]] for row in rows}
    assert table == {
        "anna": [("09:00-18:00", ""), ("22:00-06:00", ""), ("", "off_shift")],
        "boss": [("12:00-21:00", "")] * 3,
    }
    whole = (await api.ask("GET", "{a}/schedules/shifts/spans", **dates("2026-12-01")))["items"]
    assert len(whole[0]["days"]) == 31
    await api.ask("GET", "{a}/schedules/shifts/spans", status=400, **dates("2026-12-02", "2026-12-01"))


async def test_each_save_is_a_version_and_the_same_again_is_none(api: Api, pool: asyncpg.Pool) -> None:
    await save(api, "office", OFFICE)
    assert (await save(api, "office", OFFICE))["version"] == 1
    assert (await save(api, "office", {**OFFICE, "zone": "Asia/Omsk"}))["version"] == 2
    assert [v["version"] for v in (await api.ask("GET", "{a}/schedules/office/versions"))["items"]] == [2, 1]
    first = await api.ask("GET", "{a}/schedules/office/versions/1")
    assert first["schedule"]["zone"] is None
    told = await pool.fetch("SELECT action, before, after FROM audit WHERE what = 'schedule' ORDER BY seq")
    assert [row["action"] for row in told] == ["added", "changed"]
    assert told[1]["after"] == {"zone": "Asia/Omsk"}


async def test_who_saves_over_another_is_told_and_overwrites_nothing(api: Api) -> None:
    await save(api, "office", OFFICE, version=0)
    taken = await save(api, "office", OFFICE, version=0, status=409)
    assert taken["code"] == "already-exists"
    await save(api, "office", {**OFFICE, "zone": "Asia/Omsk"}, version=1)
    late = await save(api, "office", {**OFFICE, "zone": "Asia/Tomsk"}, version=1, status=409)
    assert (late["code"], late["problems"][0]["version"]) == ("schedule-conflict", 2)
    assert (await api.ask("GET", "{a}/schedules/office"))["schedule"]["zone"] == "Asia/Omsk"
    gone = await save(api, "never", OFFICE, version=3, status=409)
    assert gone["code"] == "schedule-conflict"


async def test_removal_says_what_stands_on_the_schedule(api: Api, pool: asyncpg.Pool) -> None:
    await save(api, "office", OFFICE)
    await api.ask(
        "POST",
        "/tokens",
        status=201,
        body={"name": "shift lead", "role": "senior_manager", "schedules": ["office"]},
    )
    refused = await api.ask("DELETE", "{a}/schedules/office", status=409)
    assert (refused["code"], refused["problems"]) == ("schedule-in-use", [{"use": "token shift lead"}])
    assert (await api.ask("GET", "{a}/schedules/office"))["uses"] == ["token shift lead"]
    await api.ask("DELETE", "{a}/schedules/office", status=204, even_if_used="true")
    await api.ask("DELETE", "{a}/schedules/office", status=404)
    assert (await save(api, "office", OFFICE))["version"] == 2  # its numbers go on


async def test_a_schedule_is_changed_by_who_may_touch_it(api: Api) -> None:
    for name in ("office", "shifts"):
        await save(api, name, OFFICE)
    for name, schedules in (("theirs", ["office"]), ("others", ["shifts"])):
        made = await api.ask(
            "POST",
            "/tokens",
            status=201,
            body={"name": name, "role": "senior_manager", "schedules": schedules},
        )
        api.tokens[name] = made["token"]
    await api.gateway.configuration.reload()
    body = {"schedule": {**OFFICE, "zone": "Asia/Omsk"}}
    await api.ask("PUT", "{a}/schedules/office", body=body, role="theirs")
    await api.ask("PUT", "{a}/schedules/office", body=body, role="others", status=403)
    await api.ask("PUT", "{a}/schedules/new", body=body, role="theirs", status=403)
    await api.ask("GET", "{a}/schedules/office", role="read_only")
    await api.ask("PUT", "{a}/schedules/office", body=body, role="manager", status=403)


async def test_processes_work_by_what_was_saved_a_moment_ago(api: Api) -> None:
    await save(api, "office", OFFICE)

    def known() -> bool:
        return "office" in api.gateway.configuration.now.timetables[ACCOUNT].by_name

    await until(known, "the schedule in memory")
    before = api.gateway.configuration.now.timetables[ACCOUNT]
    await api.gateway.configuration.reload()
    assert api.gateway.configuration.now.timetables[ACCOUNT] is before  # with all that it remembers


REFUSED: dict[str, tuple[dict[str, Any], str, str]] = {
    "hours that are none": (
        {"everybody": {"hours": {"1": [["09:00", "25:00"]]}}},
        "everybody.hours.1",
        "«09:00»–«25:00» — не часы работы",
    ),
    "a zone on Mars": ({**OFFICE, "zone": "Mars/X"}, "zone", "нет часового пояса «Mars/X»"),
    "somebody who is nobody": (
        {"people": {"ghost": OFFICE["everybody"]}},
        "people.ghost",
        "нет сотрудника «ghost»",
    ),
    "a date in two periods": (
        {"kind": "by_day", "people": {"anna": {"periods": [
            {"first": "2026-12-01", "last": "2026-12-15", "hours": "09:00-18:00"},
            {"first": "2026-12-15", "last": "2026-12-20", "hours": "10:00-19:00"},
        ]}}},
        "people.anna.periods.1",
        "2026-12-15 стоит и в этом периоде, и в периоде 0",
    ),
    "two who stand in for each other": (
        {"people": {
            "anna": {**OFFICE["everybody"], "leave": [{"first": "2026-12-01", "last": "2026-12-05", "substitute": "boss"}]},
            "boss": {**OFFICE["everybody"], "leave": [{"first": "2026-12-05", "last": "2026-12-09", "substitute": "anna"}]},
        }},
        "people.anna.leave.0",
        "2026-12-05 boss замещает того, кто замещает его самого",
    ),
    "a period that ends before it begins": (
        {"people": {"anna": {"periods": [{"first": "2026-12-05", "last": "2026-12-01"}]}}},
        "people.anna.periods.0",
        "период заканчивается 2026-12-01, раньше чем начинается: 2026-12-05",
    ),
}  # fmt: skip


@pytest.mark.parametrize("case", REFUSED)
async def test_a_wrong_schedule_is_refused_alike_by_api_and_file_and_nothing_is_stored(
    api: Api, pool: asyncpg.Pool, case: str
) -> None:
    schedule, where, words = REFUSED[case]
    told = await save(api, "office", schedule, status=422)
    assert (told["code"], told["field"]) == ("schedule-refused", where)
    assert words in json.dumps(told, ensure_ascii=False)
    document = ConfigDocument.model_validate({"schedules": {"office": schedule}})
    async with pool.acquire() as conn:
        with pytest.raises(ConfigRefused) as refused:
            await import_config(conn, ACCOUNT, document, by="me", kinds=KINDS)
    [problem] = [p for p in refused.value.problems if p.path == f"schedules.office.{where}"]
    assert (problem.message, problem.code) == (words, "schedule-refused")
    assert await pool.fetchval("SELECT count(*) FROM schedule") == 0


async def test_what_is_exported_is_imported_without_a_change(api: Api, pool: asyncpg.Pool) -> None:
    await save(api, "shifts", SHIFTS)
    await save(
        api,
        "office",
        {**OFFICE, "people": {"anna": {"leave": [{"first": "2026-12-01", "last": "2026-12-02"}]}}},
    )
    async with pool.acquire() as conn:
        text = as_yaml(await export_config(conn, ACCOUNT))
        assert "1-15: 09:00-18:00" in text
        assert "mon-fri: 09:00-18:00" in text
        again = await import_config(conn, ACCOUNT, read_yaml(text), by="me", kinds=KINDS)
        assert again.changes == ()
        changed = text.replace("22:00-06:00", "20:00-04:00")
        done = await import_config(conn, ACCOUNT, read_yaml(changed), by="me", kinds=KINDS)
    assert any("график shifts" in change for change in done.changes)
    assert (await api.ask("GET", "{a}/schedules/shifts"))["version"] == 2
    assert (await api.ask("GET", "{a}/schedules/office"))["version"] == 1


async def test_own_days_stand_in_the_calendar_above_the_country(api: Api) -> None:
    settings = await api.ask("GET", "{a}/settings")
    settings["working_time"]["holidays"] = "RU"
    await api.ask("PUT", "{a}/settings", body=settings)
    await api.ask("PUT", "{a}/calendar/days/2027-02-20", body={"kind": "free", "name": "ремонт"})
    await api.ask(
        "PUT", "{a}/calendar/days/2027-12-30", body={"kind": "working", "hours": [["09:00", "15:00"]]}
    )
    year = await api.ask("GET", "{a}/calendar", year=2027)
    days = {d["day"]: (d["kind"], d["source"]) for d in year["days"]}
    assert year["is_known"] is True
    assert days["2027-02-20"] == ("free", "own")
    assert days["2027-02-22"] == ("free", "country")
    assert days["2027-12-30"] == ("working", "own")
    await api.ask("DELETE", "{a}/calendar/days/2027-02-20", status=204)
    year = await api.ask("GET", "{a}/calendar", year=2027)
    assert {d["day"]: (d["kind"], d["like"]) for d in year["days"]}["2027-02-20"] == ("working", 1)
    assert (await api.ask("GET", "{a}/calendar", year=2029))["is_known"] is False
    await api.ask("DELETE", "{a}/calendar/days/2027-02-20", status=404)
    await api.ask("PUT", "{a}/calendar/days/2027-02-30", status=400, body={"kind": "free"})


async def test_a_month_is_written_by_hand_on_the_command_line(
    pool: asyncpg.Pool, database_url: str, account: str
) -> None:
    async def run(*words: str, stdin: str = "") -> Any:
        done = await callmatrix(database_url, *words, "--json", stdin=stdin)
        assert done.returncode == 0, done.stderr
        return json.loads(done.stdout)

    await run("schedule", "add", "shifts", "--kind", "by-day")
    text = "1-15: 09:00-18:00\n16, 18: 22:00-06:00  # nights\n10: off\n"
    saved = await run(
        "schedule", "set", "shifts", "--person", "anna", "--month", "2026-12", "--days", "-", stdin=text
    )
    assert saved["version"] == 2
    found = await run("schedule", "who", "shifts", "--at", "2026-12-16T23:00")
    assert [(p["employee_id"], p["is_on"]) for p in found["people"]] == [("anna", True)]
    [anna] = await run("schedule", "show", "shifts", "--month", "2026-12")
    assert [day["hours"] for day in anna["days"][8:11]] == ["09:00-18:00", "", "09:00-18:00"]
    twice = await callmatrix(
        database_url,
        "schedule",
        "set",
        "shifts",
        "--person",
        "anna",
        "--month",
        "2026-12",
        "--days",
        "1-15: 9-18; 15-20: 10-19",
    )
    assert twice.returncode == 1
    assert "day 15 of 2026-12 stands twice" in twice.stderr


@pytest.mark.parametrize("year", ["0001", "9999"])
async def test_what_lies_too_far_away_is_refused_and_nothing_breaks(api: Api, year: str) -> None:
    await save(api, "shifts", SHIFTS)
    for at in (f"{year}-01-01T00:00:00Z", f"{year}-12-31T23:59:00Z"):
        assert "between the years 2000 and 2099" in str(
            await api.ask("GET", "{a}/schedules/shifts/on", at=at, status=400)
        )
    await api.ask("GET", "{a}/schedules/shifts/spans", status=400, **dates(f"{year}-12-01"))
    bad = {"kind": "by_day", "people": {"anna": {"months": {f"{year}-12": {"31": "22:00-06:00"}}}}}
    await save(api, "shifts", bad, status=400)
