"""What may come in between while deals pass from one person to another: each as a person would have it."""

from __future__ import annotations

from typing import Any

import asyncpg
import pytest

from crm.errors import CrmTooLarge, CrmUnavailable
from gateway.admin.operations import shift_change as service
from gateway.shift_change import moving
from routing.shift_change.policy import ExcludedField
from tests.integration.shift_change.shift_bench import POLICY, USERS, ShiftBench

WAIT = POLICY.wait_seconds + 1


@pytest.fixture
async def bench(pool: asyncpg.Pool) -> ShiftBench:
    return await ShiftBench(pool).open()


async def test_case_42_who_returns_in_the_middle_keeps_the_rest_and_gets_back_the_others(
    bench: ShiftBench,
) -> None:
    await bench.add_deals(1000, "anna")
    bench.leave("anna")
    bench.pass_time(WAIT)
    for _ in range(20):
        await bench.turn()
        if bench.count()["anna"] < 1000:
            break
    moved = 1000 - bench.count()["anna"]
    assert 0 < moved < 1000
    bench.come("anna")
    await bench.work()
    assert (await bench.runs())[0][2:] == ("broken_off", "came_back")
    kept = bench.count()["anna"]
    assert kept >= 1000 - moved - moving.AHEAD - moving.SLICE
    await bench.work(WAIT)
    assert bench.count() == {"anna": 1000}


async def test_case_42_a_second_person_leaves_meanwhile(bench: ShiftBench) -> None:
    await bench.add_deals(300, "anna")
    await bench.add_deals(300, "boris", first=500)
    bench.leave("anna")
    bench.pass_time(WAIT)
    await bench.turn()
    bench.leave("boris")
    await bench.work()
    given_after = await bench.pool.fetchval(
        "SELECT count(*) FROM shift_move WHERE employee_id = 'boris' AND position >= 250"
    )
    assert given_after == 0, "who has gone gets nothing more"
    await bench.work(WAIT)
    assert bench.count() == {"clara": 600}
    bench.come("anna")
    await bench.work(WAIT)
    assert bench.count() == {"clara": 300, "anna": 300}


async def test_case_42_the_last_one_and_all_at_once(bench: ShiftBench) -> None:
    await bench.add_deals(3, "anna")
    for name in USERS:
        bench.leave(name)
    await bench.work(WAIT)
    assert await bench.runs() == []
    assert bench.count() == {"anna": 3}
    bench.come("clara")
    await bench.work(WAIT)
    assert bench.count() == {"clara": 3}
    bench.leave("clara")
    await bench.work(WAIT)
    assert bench.count() == {"clara": 3}, "the last one on shift moves nothing away"


async def test_case_43_only_what_was_theirs_from_the_beginning_and_untouched_comes_back(
    bench: ShiftBench,
) -> None:
    await bench.add_deals(6, "anna")
    await bench.add("deal", "given", "boris")
    await bench.by_hand("given", owner_id=USERS["anna"])
    bench.leave("anna")
    await bench.work(WAIT)
    assert bench.count()["anna"] == 0
    await bench.by_hand("100", owner_id="99")
    await bench.by_hand("101", stage_id="142", is_open=False)
    await bench.by_hand("102", pipeline_id="11")
    there = bench.owners()["103"]
    await bench.by_hand("103", owner_id="99")
    await bench.by_hand("103", owner_id=USERS[there])
    before = bench.owners()
    bench.come("anna")
    await bench.work(WAIT)
    after = bench.owners()
    assert {id for id, owner in after.items() if owner == "anna"} == {"104", "105"}
    assert {id: after[id] for id in ("100", "101", "102", "103", "given")} == {
        id: before[id] for id in ("100", "101", "102", "103", "given")
    }


@pytest.mark.parametrize(
    "changes", [{"returns": "off"}, {"excluded_deals": ("100", "101", "102")}, {"pipelines": ("11",)}]
)
async def test_case_43_nothing_comes_back_where_it_is_switched_off_or_left_out(
    bench: ShiftBench, changes: dict[str, object]
) -> None:
    await bench.add_deals(3, "anna")
    bench.leave("anna")
    await bench.work(WAIT)
    await bench.set(POLICY.model_copy(update=changes))
    bench.come("anna")
    await bench.work(WAIT)
    assert bench.count()["anna"] == 0


async def test_case_43_deals_left_out_by_id_tag_and_field_stay(bench: ShiftBench) -> None:
    await bench.set(
        POLICY.model_copy(
            update={
                "excluded_deals": ("100",),
                "excluded_tags": ("vip",),
                "excluded_fields": (ExcludedField(field_id="5", value="нет"),),
            }
        )
    )
    await bench.add_deals(2, "anna")
    await bench.add("deal", "300", "anna", tags=("vip",))
    await bench.add("deal", "301", "anna", fields='{"5":"нет"}')
    await bench.add("deal", "302", "anna", fields='{"5":"да"}')
    await bench.add("deal", "303", "anna", pipeline_id="11")
    bench.leave("anna")
    await bench.work(WAIT)
    assert {id for id, owner in bench.owners().items() if owner == "anna"} == {"100", "300", "301", "303"}
    journal = await bench.journal()
    assert {id: why for id, (state, why) in journal.items() if state == "left"} == {
        "100": "excluded_deal",
        "300": "excluded_tag",
        "301": "excluded_field",
    }


async def test_clients_of_one_person_only_stay_with_that_person(bench: ShiftBench) -> None:
    await bench.pool.execute(
        "UPDATE account SET settings = jsonb_set(settings, '{one_person}', $1)",
        {"clients": {"contact:7": "anna", "deal:301": "boris"}},
    )
    await bench.add("contact", "7", "anna")
    await bench.add("deal", "300", "anna", contact_ids=("7",))
    await bench.add("deal", "301", "anna")
    await bench.add("deal", "302", "anna")
    async with bench.pool.acquire() as conn:
        found = await service.preview(conn, "a", "anna", "away", bench.presences)
    assert (found.deals, found.stay) == (2, {"for_one_person": 1})
    bench.leave("anna")
    await bench.work(WAIT)
    assert {id for id, owner in bench.owners().items() if owner == "anna"} == {"300"}
    journal = await bench.journal()
    assert {id: why for id, (state, why) in journal.items() if state == "left"} == {"300": "for_one_person"}


@pytest.mark.parametrize("was_applied", [True, False])
async def test_case_44_a_504_in_the_middle_moves_each_deal_once(bench: ShiftBench, was_applied: bool) -> None:
    ids = await bench.add_deals(260, "anna")
    bench.crm.fail("update_entities", CrmTooLarge("504"), has_effect=was_applied)
    bench.leave("anna")
    await bench.work(WAIT)
    await bench.work(600)
    assert bench.count() == {"boris": 130, "clara": 130}
    journal = await bench.journal()
    assert journal == dict.fromkeys(ids, ("moved", ""))
    given = await bench.pool.fetch("SELECT entity_id, given_to FROM shift_move")
    assert {row["entity_id"]: row["given_to"] for row in given} == {
        id: USERS[owner] for id, owner in bench.owners().items()
    }
    assert await bench.pool.fetchval("SELECT count(*) FROM distribution_journal") == 260


async def test_case_45_a_deal_closed_merged_or_deleted_during_the_move_stays_where_it_is(
    bench: ShiftBench,
) -> None:
    await bench.add_deals(600, "anna")
    bench.leave("anna")
    bench.pass_time(WAIT)
    await bench.turn()
    waiting = [
        row["entity_id"]
        for row in await bench.pool.fetch(
            "SELECT entity_id FROM shift_move WHERE state = 'planned' ORDER BY position"
        )
    ]
    closed, merged, deleted, taken = waiting[:4]
    await bench.by_hand(closed, stage_id="142", is_open=False)
    bench.crm.remove("deal", merged)
    bench.crm.remove("deal", deleted)
    await bench.forget(merged)
    await bench.by_hand(taken, owner_id="99")
    await bench.work()
    journal = await bench.journal()
    assert journal[closed] == ("left", "closed")
    assert journal[merged] == ("left", "gone")
    assert journal[deleted] == ("left", "gone"), "the CRM says so where our directory did not know yet"
    assert journal[taken] == ("left", "changed")
    assert bench.owners()[taken] == "99"
    ordered = await bench.pool.fetchval("SELECT count(*) FROM effect WHERE client = $1", f"deal:{taken}")
    assert ordered == 0, "the CRM was not even asked for what is a person's matter by now"
    assert sum(state == "moved" for state, _ in journal.values()) == 596
    assert await bench.pool.fetchval("SELECT count(*) FROM effect WHERE state = 'dead'") == 0
    open_entries = await bench.pool.fetchval(
        "SELECT count(*) FROM distribution_journal WHERE undone_at IS NULL"
    )
    assert open_entries == 596, "what did not move is taken back from the template's journal"


async def test_case_46_a_contact_of_two_deals_goes_once_and_only_from_its_owner(bench: ShiftBench) -> None:
    await bench.set(POLICY.model_copy(update={"goes_along": ("contact", "company")}))
    await bench.add("contact", "5", "anna")
    await bench.add("contact", "6", "boris")
    await bench.add("company", "7", "anna")
    await bench.add("deal", "100", "anna", contact_ids=("5",), main_contact_id="5", company_ids=("7",))
    await bench.add("deal", "101", "boris", contact_ids=("5",), main_contact_id="5")
    await bench.add("deal", "102", "anna", contact_ids=("5", "6"), main_contact_id="6")
    bench.leave("anna")
    await bench.work(WAIT)
    deals, contacts = bench.owners(), bench.owners("contact")
    assert deals["101"] == "boris"
    assert contacts == {"5": deals["100"], "6": "boris"}, "it goes with the first of its deals, once"
    assert bench.owners("company") == {"7": deals["100"]}
    bench.come("anna")
    await bench.work(WAIT)
    assert bench.owners("contact") == {"5": "anna", "6": "boris"}
    assert bench.owners("company") == {"7": "anna"}
    assert bench.owners() == {"100": "anna", "101": "boris", "102": "anna"}


async def test_case_47_open_tasks_of_others_on_the_same_deal_stay(bench: ShiftBench) -> None:
    await bench.set(POLICY.model_copy(update={"goes_along": ("deal_tasks",)}))
    await bench.add("deal", "100", "anna")
    bench.add_task("1", "anna", ("deal", "100"))
    bench.add_task("2", "boris", ("deal", "100"))
    bench.add_task("3", "anna", ("contact", "5"))
    bench.leave("anna")
    await bench.work(WAIT)
    names = {user: name for name, user in USERS.items()}

    def owners() -> dict[str, str]:
        return {task.id: names[task.owner_id or ""] for task in bench.crm.all_tasks()}

    assert owners() == {"1": bench.owners()["100"], "2": "boris", "3": "anna"}
    bench.come("anna")
    await bench.work(WAIT)
    assert owners() == {"1": "anna", "2": "boris", "3": "anna"}


async def test_what_somebody_waits_for_goes_first(bench: ShiftBench) -> None:
    await bench.add_deals(3, "anna")
    bench.add_task("1", "anna", ("deal", "101"), hours=0)
    bench.leave("anna")
    await bench.work(WAIT)
    first = await bench.pool.fetchval("SELECT entity_id FROM shift_move ORDER BY position LIMIT 1")
    assert first == "101"


async def test_new_deals_of_who_is_away_go_on_and_what_is_given_back_by_hand_stays(bench: ShiftBench) -> None:
    """S1.13, and a person's change by hand wins."""
    await bench.set(POLICY.model_copy(update={"new_only": True}))
    await bench.add_deals(2, "anna")
    bench.pass_time(60)
    bench.leave("anna")
    await bench.work(WAIT)
    await bench.add_deals(1, "anna", first=500)
    await bench.work(5)
    owners = bench.owners()
    assert (owners["100"], owners["101"]) == ("anna", "anna")
    assert owners["500"] != "anna"
    await bench.by_hand("500", owner_id=USERS["anna"])
    await bench.work(3600)
    assert bench.owners()["500"] == "anna"


async def test_a_run_by_hand_goes_whatever_presence_says_can_be_paused_and_stopped(bench: ShiftBench) -> None:
    await bench.set(POLICY.model_copy(update={"is_on": False}))
    await bench.add_deals(1000, "anna")
    async with bench.pool.acquire() as conn:
        begun = await service.start(conn, "a", "anna", "away", "me")
        with pytest.raises(service.ShiftRefused) as refused:
            await service.start(conn, "a", "anna", "return", "me")
        assert refused.value.code == "shift-run-open"
        await bench.turn()
        paused = await service.change(conn, "a", begun.run.run_id, "pause")
        await bench.work(60)
        moved = 1000 - bench.count()["anna"]
        assert 0 < moved < 1000
        assert paused.run.state == "paused"
        await service.change(conn, "a", begun.run.run_id, "resume")
        await bench.turn()
        await bench.turn()
        stopped = await service.change(conn, "a", begun.run.run_id, "stop")
        assert (stopped.run.state, stopped.run.reason) == ("stopped", "stopped")
        await bench.work(60)
        assert 0 < bench.count()["anna"] < 1000
        back = await service.start(conn, "a", "anna", "return", "me")
        await bench.work()
        ended = await service.progress(conn, "a", back.run.run_id)
    assert bench.count() == {"anna": 1000}
    assert ended.run.state == "done"
    assert ended.counts.waiting == 0


async def test_a_crm_in_trouble_is_waited_for(bench: ShiftBench) -> None:
    await bench.set(POLICY.model_copy(update={"goes_along": ("deal_tasks",)}))
    await bench.add_deals(2, "anna")
    bench.crm.fail("open_tasks", CrmUnavailable("503"))
    bench.leave("anna")
    await bench.work(WAIT)
    assert (await bench.runs())[0][2:] == ("running", "crm-unavailable")
    await bench.work(30)
    assert bench.count()["anna"] == 0


async def test_an_account_that_is_off_for_a_while_goes_on_later_with_what_still_holds(
    bench: ShiftBench,
) -> None:
    await bench.add_deals(400, "anna")
    bench.leave("anna")
    bench.pass_time(WAIT)
    await bench.moves.turn()
    await bench.moves.turn()
    await bench.pool.execute("UPDATE account SET state = 'off'")
    await bench.writer.drain()
    await bench.moves.turn()
    assert bench.count() == {"anna": 400}
    await bench.by_hand("100", owner_id="99")
    await bench.pool.execute("UPDATE account SET state = 'on'")
    await bench.work()
    assert bench.count()["anna"] == 0
    assert bench.owners()["100"] == "99"


@pytest.mark.parametrize(
    ("lacks", "code"), [({"pipelines": ()}, "shift-no-pipeline"), ({"template": ""}, "shift-no-template")]
)
async def test_a_preview_of_what_could_not_begin_says_what_is_not_set(
    bench: ShiftBench, lacks: dict[str, Any], code: str
) -> None:
    """Else it would say "0 deals, nobody is left", as if everything were set."""
    await bench.set(POLICY.model_copy(update={"is_on": False, **lacks}))
    await bench.add_deals(3, "anna")
    for kind in ("away", "return"):
        async with bench.pool.acquire() as conn:
            with pytest.raises(service.ShiftRefused) as refused:
                await service.preview(conn, "a", "anna", kind, bench.presences)
        assert refused.value.code == code
        assert "is set for shift change" in refused.value.message


async def test_a_preview_says_what_a_move_would_do(bench: ShiftBench) -> None:
    await bench.set(POLICY.model_copy(update={"goes_along": ("contact",), "excluded_deals": ("100",)}))
    await bench.add("contact", "5", "anna")
    await bench.add_deals(300, "anna", contact_ids=("5",))
    bench.leave("clara")

    async with bench.pool.acquire() as conn:
        found = await service.preview(conn, "a", "anna", "away", bench.presences)
    assert (found.deals, found.stay, found.contacts, found.receivers) == (
        299,
        {"excluded_deal": 1},
        1,
        ("boris",),
    )
    assert (found.requests, found.requests_usual) == (3, 7)
    assert not bench.crm.requests
