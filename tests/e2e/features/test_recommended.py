"""The matrix as it comes: S4 rows 3, 4 (by contrast), 7, 14, 16, 19-26, 34, 43."""

from __future__ import annotations

import pytest

from tests.e2e.features.office import API, LINE, RECORDING, Office

pytestmark = pytest.mark.asyncio(loop_scope="session")


async def test_s4_03_entities_are_created_at_answer_while_they_still_talk(office: Office) -> None:
    await office.use("recommended")
    client = office.new_number()
    call = await office.ring(client)
    await office.idle()
    assert (await office.left(client)).numbers == (0, 0, 0, 0), "nothing while it rings"
    await office.answer(call, "103")
    await office.idle()
    assert (await office.left(client)).numbers == (1, 1, 0, 0), "contact and deal to work in during the talk"
    await office.hang_up(call, answered=True)
    await office.idle()
    assert (await office.left(client)).numbers == (1, 1, 0, 1)


async def test_s4_16_recording_from_to_status_and_utm_are_passed(office: Office) -> None:
    await office.use("recommended")
    client = office.new_number()
    await office.answered(client, "104", recording=RECORDING, utm_source="ads")
    (note,) = (await office.left(client)).calls
    params = note["params"]
    assert note["note_type"] == "call_in"
    assert (params["link"], params["phone"], params["duration"], params["call_status"]) == (
        RECORDING,
        f"+{client}",
        42,
        4,
    )
    row = await office.stack.pool.fetchrow("SELECT line, facts FROM call WHERE client = $1", f"+{client}")
    assert row is not None
    assert (row["line"], row["facts"]["params"]["utm_source"]) == (f"+{LINE}", "ads")


async def test_s4_19_answered_new_client_becomes_contact_and_deal_of_who_answered_and_the_call_is_attached(
    office: Office,
) -> None:
    await office.use("recommended")
    client = office.new_number()
    await office.answered(client, "105")
    contacts, deals, tasks, calls, _ = await office.left(client)
    assert [c["responsible_user_id"] for c in contacts] == [office.user(105)]
    assert [d["responsible_user_id"] for d in deals] == [office.user(105)]
    assert tasks == []
    assert [(n["entity_id"], n["created_by"]) for n in calls] == [(deals[0]["id"], office.user(105))]


async def test_s4_20_answered_on_a_number_bound_to_nobody_asks_the_senior_to_check_the_settings(
    office: Office,
) -> None:
    await office.use("recommended")
    client = office.new_number()
    await office.answered(client, "177")
    contacts, deals, tasks, _, _ = await office.left(client)
    assert [c["responsible_user_id"] for c in (*contacts, *deals)] == [office.user(100)] * 2
    assert [(t["responsible_user_id"], "177" in t["text"]) for t in tasks] == [(office.user(100), True)]


async def test_s4_43_the_task_says_that_there_was_a_call_to_a_manager_with_an_unknown_number(
    office: Office,
) -> None:
    await office.use("recommended")
    client, _, deal = await office.known(extension=106)
    await office.answered(client, "user999@pbx")
    (task,) = (await office.left(client)).tasks
    assert task["text"].startswith("был звонок менеджеру с неизвестным номером (user999@pbx)")
    assert "привяжите" in task["text"]
    assert (task["responsible_user_id"], task["entity_id"]) == (office.user(100), deal)


async def test_s4_21_answered_known_client_gets_the_call_into_the_open_deal_and_nothing_is_created(
    office: Office,
) -> None:
    await office.use("recommended")
    client, contact, deal = await office.known(extension=107)
    await office.answered(client, "107")
    left = await office.left(client)
    assert left.numbers == (1, 1, 0, 1)
    assert ([c["id"] for c in left.contacts], [d["id"] for d in left.deals]) == ([contact], [deal])
    assert [n["entity_id"] for n in left.calls] == [deal]


async def test_s4_21_answered_client_without_deal_gets_the_call_into_the_contact(office: Office) -> None:
    await office.use("recommended")
    client, contact, _ = await office.known(extension=107, with_deal=False)
    await office.answered(client, "107")
    left = await office.left(client)
    assert left.numbers == (1, 0, 0, 1)
    assert [n["entity_id"] for n in left.calls] == [contact]


async def test_s4_22_answered_by_the_responsible_is_a_call_of_his_own_in_the_deal(office: Office) -> None:
    await office.use("recommended")
    client, _, deal = await office.known(extension=108)
    await office.answered(client, "108", recording=RECORDING)
    left = await office.left(client)
    (note,) = left.calls
    assert (note["entity_id"], note["responsible_user_id"], note["created_by"]) == (
        deal,
        office.user(108),
        office.user(108),
    )
    assert not note["params"].get("call_result"), "nothing to say about who answered"
    assert left.tasks == []


async def test_s4_23_answered_by_another_says_who_answered_and_the_owner_stays(office: Office) -> None:
    await office.use("recommended")
    client, _, _ = await office.known(extension=109)
    await office.answered(client, "102")
    left = await office.left(client)
    (note,) = left.calls
    assert "Менеджер 102" in note["params"]["call_result"]
    assert note["created_by"] == office.user(102), "it counts for the one who talked"
    owners = {e["responsible_user_id"] for e in (*left.contacts, *left.deals)}
    assert owners == {office.user(109)}


async def test_s4_24_missed_new_client_becomes_deal_and_contact_and_a_callback_task_of_the_senior(
    office: Office,
) -> None:
    await office.use("recommended")
    client = office.new_number()
    await office.missed(client)
    left = await office.left(client)
    assert left.numbers == (1, 1, 1, 1)
    owners = {e["responsible_user_id"] for e in (*left.contacts, *left.deals, *left.tasks)}
    assert owners == {office.user(100)}
    assert "Перезвонить" in left.tasks[0]["text"]


async def test_s4_25_missed_known_client_is_a_task_of_the_responsible_and_nothing_else(
    office: Office,
) -> None:
    await office.use("recommended")
    client, _, _ = await office.known(extension=101)
    await office.missed(client)
    left = await office.left(client)
    assert left.numbers == (1, 1, 1, 0)
    assert left.tasks[0]["responsible_user_id"] == office.user(101)


async def test_s4_26_a_successful_outgoing_call_with_an_open_deal_is_attached_and_nothing_else(
    office: Office,
) -> None:
    await office.use("recommended")
    client, _, deal = await office.known(extension=102)
    await office.answered(client, "102", out=True)
    left = await office.left(client)
    assert left.numbers == (1, 1, 0, 1)
    assert [(n["note_type"], n["entity_id"]) for n in left.calls] == [("call_out", deal)]


async def test_s4_06_the_journal_shows_the_call_with_its_source_and_number_and_the_crm_has_it(
    office: Office,
) -> None:
    await office.use("recommended")
    client = office.new_number()
    await office.answered(client, "103", utm_source="yandex", pool="Контекстная реклама")
    journal = await office.stack.api("GET", f"{API}/calls", client=f"+{client}")
    (line,) = journal["items"]
    assert (line["client"], line["line"], line["disposition"]) == (f"+{client}", f"+{LINE}", "answered")
    assert (line["params"]["utm_source"], line["params"]["pool"]) == ("yandex", "Контекстная реклама")
    assert [n["params"]["uniq"] for n in (await office.left(client)).calls] == [line["call_id"]]
