"""An account's configuration goes out into a file and comes back: checked, all or nothing, and a second time without effect."""

from __future__ import annotations

import contextlib
import random

import asyncpg
import pytest

from gateway.admin.accounts import change_account
from gateway.admin.campaigns.commands import command_campaign
from gateway.admin.config_document import ConfigRefused, DocumentProblem, as_yaml, read_yaml
from gateway.admin.config_import import Imported, export_config, import_config
from gateway.admin.connections import ConnectionOrder, add_connection
from gateway.admin.employees import save_employee
from gateway.admin.refused import InputRefused
from gateway.pbx.kinds import KINDS
from gateway.store.admin import accounts
from gateway.store.admin.matrices import current_version, matrix_at, versions
from gateway.store.admin.staff import staff_of, stored_employees
from gateway.store.campaigns.campaigns import campaign_of
from gateway.store.triggers.triggers import triggers_of
from routing.staff import Employee
from runtime.tokens import hash_of
from tests.integration.api.client import ACCOUNT, Api

FILE = """
callmatrix: 1
name: Продажи
settings:
  calls: {settle_seconds: 3}
employees:
  - {id: boss, name: Ольга, crm_user_id: "1", extensions: [100], is_senior: true}
  - {id: ivan, name: Иван, crm_user_id: "12", extensions: ["0102"], numbers: ["8 (916) 000-00-01"], deputy_id: boss}
connections:
  - {name: office, kind: generic, lines: ["8 495 123 00 00"]}
  - {name: shop, kind: generic, lines: ["+7 495 123 00 01"], is_on: false}
"""


async def take(pool: asyncpg.Pool, text: str, *, is_dry_run: bool = False) -> Imported:
    async with pool.acquire() as conn:
        return await import_config(
            conn, ACCOUNT, read_yaml(text), by="test", kinds=KINDS, is_dry_run=is_dry_run, language="en"
        )


async def exported(pool: asyncpg.Pool) -> str:
    async with pool.acquire() as conn:
        return as_yaml(await export_config(conn, ACCOUNT))


async def test_an_import_tells_what_changes_and_changes_it(pool: asyncpg.Pool, account: str) -> None:
    done = await take(pool, FILE)
    assert "settings.calls.settle_seconds: 10 → 3" in done.changes
    assert "name: Main → Продажи" in done.changes
    assert {"employee anna: removed", "employee ivan: added", "connection shop: added"} <= set(done.changes)
    assert [s.connection for s in done.new_secrets] == ["shop"]
    async with pool.acquire() as conn:
        assert (await accounts.account(conn, ACCOUNT)).settings.calls.settle_seconds == 3
        staff = await staff_of(conn, ACCOUNT)
        assert staff.by_id["ivan"].extensions == ("0102",)
        assert staff.by_id["ivan"].numbers == ("+79160000001",)
        shop = {c.name: c for c in await accounts.connections(conn, ACCOUNT)}["shop"]
        assert not shop.is_on
        assert shop.secret_hash == hash_of(done.new_secrets[0].secret)


async def test_a_second_import_of_the_same_file_changes_nothing(pool: asyncpg.Pool, account: str) -> None:
    await take(pool, FILE)
    async with pool.acquire() as conn:
        before = (await accounts.account(conn, ACCOUNT), await accounts.connections(conn, ACCOUNT))
        again = await take(pool, FILE)
        after = (await accounts.account(conn, ACCOUNT), await accounts.connections(conn, ACCOUNT))
    assert again.changes == ()
    assert again.new_secrets == ()
    assert before == after  # the version of the staff included


async def test_a_connection_keeps_its_secret_and_keys(pool: asyncpg.Pool, account: str) -> None:
    async with pool.acquire() as conn:
        await accounts.change_connection(conn, "office", keys={"api_key": "k"})
        before = (await accounts.connections(conn, ACCOUNT))[0]
        await take(pool, FILE)
        after = {c.name: c for c in await accounts.connections(conn, ACCOUNT)}["office"]
    assert (after.secret_hash, after.keys) == (before.secret_hash, {"api_key": "k"})


async def test_no_secret_stands_in_an_export(pool: asyncpg.Pool, account: str) -> None:
    async with pool.acquire() as conn:
        await accounts.change_connection(conn, "office", keys={"api_salt": "salt-of-the-pbx"})
        webhook_secret = (await accounts.account(conn, ACCOUNT)).webhook_secret
    text = await exported(pool)
    assert "salt-of-the-pbx" not in text
    assert webhook_secret not in text
    assert hash_of("s") not in text


async def test_an_export_comes_back_as_it_went(pool: asyncpg.Pool, account: str) -> None:
    await take(pool, FILE)
    text = await exported(pool)
    async with pool.acquire() as conn:
        document = await export_config(conn, ACCOUNT)
    assert read_yaml(text) == document
    assert (await take(pool, text)).changes == ()


async def test_a_dry_run_tells_the_same_and_leaves_everything(pool: asyncpg.Pool, account: str) -> None:
    before = await exported(pool)
    told = await take(pool, FILE, is_dry_run=True)
    assert await exported(pool) == before
    assert told.new_secrets == ()
    assert told.changes == (await take(pool, FILE)).changes


async def test_a_changed_matrix_becomes_the_next_version_once(pool: asyncpg.Pool, account: str) -> None:
    text = (await exported(pool)).replace("Звонок {{ client.number }}", "Заявка {{ client.number }}")
    done = await take(pool, text)
    assert done.version == 2
    assert any("Заявка" in change for change in done.changes)
    assert (await take(pool, text)).version is None
    async with pool.acquire() as conn:
        assert [v.version for v in await versions(conn, ACCOUNT)] == [2, 1]
        assert "Заявка" in (await matrix_at(conn, ACCOUNT, 2)).model_dump_json()


@pytest.mark.parametrize(
    ("text", "path"),
    [
        ("employees: [{id: a, name: A, extension: ['1']}]", "employees.0.extension"),
        ("settings: {calls: {settle_seconds: -1}}", "settings.calls.settle_seconds"),
        ("connections: [{name: office, kind: pigeon}]", "connections.0 «office».kind"),
        ("connections: [{name: office, kind: generic, lines: [abc]}]", "connections.0 «office».lines"),
        ("employees: [{id: a, name: A, numbers: ['12']}]", "employees.0 «a».numbers"),
        ("employees: [{id: a, name: A, deputy_id: b}]", "employees.0 «a».deputy_id"),
        ("time_zone: Europe/Nowhere", "time_zone"),
        ("region: QQ", "region"),
        ("employees: [{id: a, name: A}, {id: a, name: B}]", "employees"),
        ("name: A\nname: B", "line 2, column 1"),
        ("name: [", "line 1, column 8"),
        ("just text", "the file"),
        ("matrix: {tables: {default: {name: x, cells: {nowhere: []}}}}", "matrix.tables.default.cells"),
        ("matrix: {tables: {}}", "matrix.default"),
    ],
)
async def test_a_bad_file_is_refused_with_the_place_and_changes_nothing(
    pool: asyncpg.Pool, account: str, text: str, path: str
) -> None:
    before = await exported(pool)
    with pytest.raises(ConfigRefused) as refused:
        await take(pool, "name: Другое\n" + text if "name: A" not in text and ":" in text else text)
    found = refused.value.problems[0][0]
    assert found == path or (path.startswith("line") and found.startswith("line")), refused.value.problems
    assert await exported(pool) == before


async def test_yaml_surprises_do_not_turn_extensions_into_other_numbers() -> None:
    document = read_yaml("employees: [{id: a, name: no, extensions: [0101, 101, 1:30], group: 2026-03-01}]")
    assert document.employees is not None
    person = document.employees[0]
    assert (person.name, person.extensions, person.group) == ("no", ["0101", "101", "1:30"], "2026-03-01")


TESTS = """
tests:
  - name: пропущенный от нового
    expect: {orders: [create_contact, create_deal, attach_call, create_task], owner: boss, table: default}
  - name: отвеченный
    answered_by: "101"
    expect: {owner: anna}
"""


async def test_golden_calls_of_the_file_are_played(pool: asyncpg.Pool, account: str) -> None:
    assert (await take(pool, TESTS)).tests == 2


async def test_a_file_whose_calls_come_out_otherwise_is_refused_whole(
    pool: asyncpg.Pool, account: str
) -> None:
    with pytest.raises(ConfigRefused) as refused:
        await take(pool, "name: Другое\n" + TESTS.replace("owner: anna", "owner: boss"))
    assert refused.value.problems == [
        DocumentProblem("tests.1 «отвеченный»", "created for anna, expected boss")
    ]
    async with pool.acquire() as conn:
        assert (await accounts.account(conn, ACCOUNT)).name == "Main"
        assert len(await stored_employees(conn, ACCOUNT)) == 2
        assert await current_version(conn, ACCOUNT) == 1


async def test_the_api_gives_and_takes_the_same_document(api: Api) -> None:
    document = await api.ask("GET", "{a}/config")
    assert (await api.ask("PUT", "{a}/config", body=document))["changes"] == []
    document["employees"] = document["employees"][:1]
    told = await api.ask("PUT", "{a}/config", body=document, dry_run="true")
    assert told["changes"] == [
        f"сотрудник {'boss' if document['employees'][0]['id'] == 'anna' else 'anna'}: удалено"
    ]
    assert len((await api.ask("GET", "{a}/employees"))["items"]) == 2
    bad = {"employees": [{"id": "x", "name": "X", "numbers": ["12"]}]}
    refused = await api.ask("PUT", "{a}/config", body=bad, status=422)
    assert (refused["code"], refused["field"]) == ("config-refused", "employees.0 «x».numbers")
    await api.ask("PUT", "{a}/config", body={"account": "another"}, status=422)
    await api.ask("GET", "{a}/config", role="manager", status=403)


_REGIONS = ("RU", "KZ", "DE", "AR", "BR", "MX", "US", "GB", "IT")
_NUMBERS = (
    "8 903 111 22 44", "+7 495 123-45-67", "84951234567", "0049 30 1234567", "+54 9 11 1234 5678", "011 15 1234 5678",
    "+55 11 91234 5678", "+52 1 55 1234 5678", "2025550123", "020 7946 0958", "+39 06 698 12345", "7 727 250 11 22",
    "30 1234567", "+1 202 555 0123", "91234-5678",
)  # fmt: skip


async def _done_in_any_order(pool: asyncpg.Pool, choose: random.Random) -> int:
    """Orders of a person, most of which are taken. How many."""
    taken = 0
    for turn in range(14):
        region, numbers = choose.choice(_REGIONS), choose.sample(_NUMBERS, choose.randint(0, 3))
        line = ConnectionOrder(
            name=f"c{turn}",
            kind=choose.choice(sorted(KINDS)),
            region=choose.choice([None, region]),
            lines=numbers,
        )
        person = Employee(id=f"e{turn}", name=choose.choice(["yes", "0101", "Анна"]), numbers=tuple(numbers))
        async with pool.acquire() as conn:
            with contextlib.suppress(InputRefused):
                match choose.randrange(5):
                    case 0:
                        await change_account(
                            conn, ACCOUNT, name="~", time_zone="Europe/Moscow", region=region
                        )
                    case 1 | 2:
                        await add_connection(conn, ACCOUNT, line, "s", KINDS)
                    case _:
                        await save_employee(conn, ACCOUNT, person)
                taken += 1
    return taken


@pytest.mark.parametrize("seed", range(12))
async def test_whatever_was_taken_can_be_written_out_and_taken_again(
    pool: asyncpg.Pool, account: str, seed: int
) -> None:
    taken = await _done_in_any_order(pool, random.Random(seed))
    again = await take(pool, await exported(pool))
    assert (again.changes, taken > 3) == ((), True)


DISTRIBUTION = """
callmatrix: 1
settings:
  lookup: {availability: skip, schedule: shifts, template: ads}
  presence: {is_on: true, idle_minutes: 20}
  working_time:
    holidays: RU
    days: {"2026-12-31": {kind: working, name: "Сокращённый", hours: [["09:00", "15:00"]]}}
  one_person: {tags: {VIP: olga}, fields: {"7": {"*": ""}}}
employees:
  - {id: olga, name: Ольга, crm_user_id: "1", extensions: ["100"], is_senior: true, group: sales}
  - {id: ivan, name: Иван, crm_user_id: "12", extensions: ["102"], group: sales}
connections: []
schedules:
  shifts: {people: {ivan: {hours: {1: [["22:00", "06:00"]]}}, olga: {hours: {2: [["09:00", "18:00"]]}}}}
templates:
  - name: ads
    kind: load
    balance: percent
    employees: [{employee_id: olga, percent: 2500}, {employee_id: ivan, percent: 7500}]
    working_time: {mode: individual, schedule: shifts}
    repeat: {by: both, exclusions: [olga]}
    taken: {minutes: 30}
  - {name: all, groups: [{name: sales}], quiet_hours: [["22:00", "08:00"]]}
attachments:
  - {pipeline: "1", stage: "20", template: ads}
  - {pipeline: "1", stage: "30", template: all, created: false}
shift_change: {is_on: true, pipelines: ["1"], template: all}
"""


async def test_what_one_account_exports_an_empty_one_takes_and_exports_the_same(
    pool: asyncpg.Pool, account: str
) -> None:
    done = await take(pool, DISTRIBUTION)
    assert {"template ads: added", "deals of stage 1/20: ads: added", "schedule shifts: added"} <= set(
        done.changes
    )
    text = await exported(pool)
    async with pool.acquire() as conn:
        await accounts.add_account(conn, account_id="empty", name="Empty", base_url="http://crm.example")
        whole = await export_config(conn, ACCOUNT)
        moved = read_yaml(text).model_copy(update={"account": None, "connections": None})
        await import_config(conn, "empty", moved, by="test", kinds=KINDS)
        there = await export_config(conn, "empty")
        again = await import_config(conn, "empty", moved, by="test", kinds=KINDS)
    same = {"account": None, "connections": None}
    assert there.model_copy(update=same) == whole.model_copy(update=same)
    assert again.changes == ()


async def test_a_file_moves_stages_and_removes_no_template(pool: asyncpg.Pool, account: str) -> None:
    await take(pool, DISTRIBUTION)
    done = await take(
        pool,
        "templates: [{name: all, groups: [{name: sales}]}]\n"
        'attachments: [{pipeline: "1", stage: "20", template: all}]',
    )
    assert "deals of stage 1/20.template: ads → all" in done.changes
    assert "template 'ads' is not in the file; it stays as it is" in done.warnings
    assert any(line.startswith("the deals of stage 1/30 go on") for line in done.warnings)
    assert "name: ads" in await exported(pool)


@pytest.mark.parametrize(
    ("text", "path", "code"),
    [
        ("templates: [{name: t}]", "templates.0 «t».employees", "template-not-usable"),
        ("templates: [{name: a/b, groups: [{name: sales}]}]", "templates.0 «a/b».name", "invalid-input"),
        ("templates: [{name: t, employee: []}]", "templates.0.employee", "invalid-input"),
        (
            "templates: [{name: t, groups: [{name: sales}]}, {name: t, groups: [{name: sales}]}]",
            "templates",
            "invalid-input",
        ),
        (
            "attachments: [{pipeline: '1', stage: '2', template: no}]",
            "attachments.0 «1/2».template",
            "invalid-input",
        ),
        ("settings: {lookup: {template: no}}", "settings.lookup.template", "invalid-input"),
    ],
)
async def test_a_bad_template_in_a_file_is_refused_as_the_api_refuses_it(
    pool: asyncpg.Pool, account: str, text: str, path: str, code: str
) -> None:
    await take(pool, DISTRIBUTION)
    before = await exported(pool)
    with pytest.raises(ConfigRefused) as refused:
        await take(pool, "name: Другое\n" + text)
    assert (refused.value.problems[0].path, refused.value.problems[0].code) == (path, code)
    assert await exported(pool) == before


TRIGGERS = """
callmatrix: 1
triggers:
  - name: big deals
    pipeline_id: "1"
    events: [{on: price_crossed, amount: 50000}]
    conditions: [{of: price, test: at_least, values: [50000]}]
    action: {do: callback, connection: office, target: {kind: employee, employee_id: anna}}
    is_on: true
  - {name: t, pipeline_id: "1", events: [{on: won}], action: {do: campaign, campaign: autumn}}
"""


async def test_triggers_go_out_and_come_back_checked(pool: asyncpg.Pool, account: str) -> None:
    done = await take(pool, TRIGGERS)
    assert {"trigger big deals: added", "trigger t: added"} <= set(done.changes)
    assert any("There is no campaign «autumn»" in warned for warned in done.warnings)
    text = await exported(pool)
    assert "kind: employee" in text
    assert "price_crossed" in text
    assert (await take(pool, text)).changes == ()
    assert await exported(pool) == text
    later = await take(pool, TRIGGERS[: TRIGGERS.index("  - {name: t")].replace("is_on: true", "position: 3"))
    assert set(later.changes) == {"trigger big deals.position: 0 → 3"}, "what a file does not say stays on"
    assert "trigger 't' is not in the file; it stays as it is" in later.warnings
    with pytest.raises(ConfigRefused) as refused:
        await take(pool, TRIGGERS.replace("connection: office", "connection: gone"))
    assert [(p.path, p.code) for p in refused.value.problems] == [
        ("triggers.0 «big deals».action.connection", "trigger-not-usable")
    ]
    async with pool.acquire() as conn:
        assert {s.name for s in await triggers_of(conn, ACCOUNT)} == {"big deals", "t"}


CAMPAIGNS = """
callmatrix: 1
campaigns:
  - name: autumn
    settings: {connection: office, target: {kind: responsible}, retries: {client_busy: {minutes: 7, most: 2}}, endless: true}
triggers:
  - {name: t, pipeline_id: "1", events: [{on: won}], action: {do: campaign, campaign: autumn}}
"""


async def test_campaigns_go_out_and_come_back_as_drafts_and_what_has_finished_stays_so(
    pool: asyncpg.Pool, account: str
) -> None:
    done = await take(pool, CAMPAIGNS)
    assert "campaign autumn: added" in done.changes
    assert not any("autumn" in warned for warned in done.warnings)  # the trigger finds it there
    text = await exported(pool)
    assert (await take(pool, text)).changes == ()
    assert await exported(pool) == text
    async with pool.acquire() as conn:
        autumn = await campaign_of(conn, ACCOUNT, "autumn")
        assert autumn is not None
        assert (autumn.state, autumn.settings.retries.client_busy.minutes) == ("draft", 7)
        changed = await take(pool, CAMPAIGNS.replace("minutes: 7", "minutes: 9"))
        assert changed.changes == ("campaign autumn.settings.retries.client_busy.minutes: 7 → 9",)
        with pytest.raises(ConfigRefused) as refused:
            await take(pool, CAMPAIGNS.replace("connection: office", "connection: gone"))
        assert [(p.path, p.code) for p in refused.value.problems] == [
            ("campaigns.0 «autumn».connection", "campaign-not-usable")
        ]
        await command_campaign(conn, ACCOUNT, "autumn", "finish")
        with pytest.raises(ConfigRefused) as refused:
            await take(pool, CAMPAIGNS)
        assert [p.code for p in refused.value.problems] == ["campaign-state"]
        again = await take(pool, CAMPAIGNS.replace("minutes: 7", "minutes: 9"))
        assert "campaign 'autumn' has finished: no file starts it again" in again.warnings
        autumn = await campaign_of(conn, ACCOUNT, "autumn")
        assert autumn is not None
        assert autumn.state == "finished"
    assert "autumn" not in (await exported(pool)).partition("triggers:")[0]
