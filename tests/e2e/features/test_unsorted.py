"""Into Unsorted first, for people to sort: S4 rows 4, 29-35."""

from __future__ import annotations

from typing import Any

import pytest

from tests.e2e.features.office import API, RECORDING, Left, Office

pytestmark = pytest.mark.asyncio(loop_scope="session")


async def accept(office: Office, lead: dict[str, Any], extension: int) -> None:
    """A person accepts the request in the CRM."""
    await office.stack.act("act", {"do": "accept", "uid": lead["uid"], "by": office.user(extension)})


def open_leads(left: Left) -> list[dict[str, Any]]:
    return [lead for lead in left.leads if lead["state"] == "open"]


async def test_s4_04_calls_of_new_clients_can_go_to_unsorted_for_later_sorting(office: Office) -> None:
    await office.use("unsorted")
    client = office.new_number()
    await office.answered(client, "103")
    left = await office.left(client)
    assert len(open_leads(left)) == 1
    assert all(c["is_hidden"] for c in left.contacts), "no contact of its own before somebody accepts it"


async def test_s4_29_unsorted_answered_new_is_a_request_at_answer_on_the_senior_that_others_may_accept(
    office: Office,
) -> None:
    await office.use("unsorted")
    client = office.new_number()
    call = await office.ring(client)
    await office.answer(call, "104")
    await office.idle()
    (lead,) = open_leads(await office.left(client))
    decisions = (await office.stack.api("GET", "/v1/decisions", client=client, kind="matrix"))["items"]
    shown = [await office.stack.api("GET", f"/v1/decisions/{d['decision_id']}") for d in decisions]
    (made,) = [e for d in shown for e in d["effects"] if e["what"] == "create_lead"]
    assert made["order"]["owner_id"] == str(office.user(100))
    await accept(office, lead, 106)
    await office.hang_up(call, answered=True)
    await office.idle()
    left = await office.left(client)
    assert [e["responsible_user_id"] for e in (*left.contacts, *left.deals)] == [office.user(106)] * 2
    assert [(n["created_by"], n["params"]["duration"]) for n in left.calls] == [(office.user(104), 42)]


async def waits_for_acceptance(office: Office, client: str) -> bool:
    """The call note was refused and stands back, instead of lying on the desk."""
    return bool(
        await office.stack.pool.fetchval(
            "SELECT count(*) FROM effect WHERE client = $1 AND what = 'attach_call' AND state = 'waiting'"
            " AND error_code = 'lead-not-accepted'",
            f"+{client}",
        )
    )


@pytest.mark.parametrize("is_taken", [True, False], ids=["notes-taken", "notes-refused"])
async def test_s4_29_a_request_made_at_answer_is_completed_by_a_call_note_whether_or_not_the_crm_takes_it_before(
    office: Office, is_taken: bool
) -> None:
    await office.use("unsorted")
    await office.stack.act("profile", {"notes_on_unsorted": is_taken})
    try:
        client = office.new_number()
        call = await office.ring(client)
        await office.answer(call, "104")
        await office.idle()
        await office.hang_up(call, answered=True, recording=RECORDING)
        if is_taken:
            await office.idle()
        else:
            await office.until(lambda: waits_for_acceptance(office, client))
            await accept(office, open_leads(await office.left(client))[0], 106)

        async def is_noted() -> bool:
            return bool((await office.left(client)).calls)

        await office.until(is_noted, 60)
        (note,) = (await office.left(client)).calls
        assert (note["params"]["duration"], note["params"]["link"]) == (42, RECORDING)
    finally:
        await office.stack.act("profile", {"notes_on_unsorted": True})


async def test_s4_30_unsorted_answered_known_is_a_call_note_with_recording_in_what_exists(
    office: Office,
) -> None:
    await office.use("unsorted")
    client, _, deal = await office.known(extension=105)
    await office.answered(client, "105", recording=RECORDING)
    left = await office.left(client)
    assert left.leads == []
    assert [(n["entity_id"], n["params"]["link"]) for n in left.calls] == [(deal, RECORDING)]


async def test_s4_31_unsorted_missed_new_is_a_request_on_the_senior_whose_acceptor_becomes_the_owner(
    office: Office,
) -> None:
    await office.use("unsorted")
    client = office.new_number()
    await office.missed(client)
    (lead,) = open_leads(await office.left(client))
    await accept(office, lead, 107)
    left = await office.left(client)
    assert [e["responsible_user_id"] for e in (*left.contacts, *left.deals)] == [office.user(107)] * 2


async def test_s4_32_unsorted_missed_new_is_a_task_of_the_senior_too(office: Office) -> None:
    await office.use("unsorted")
    client = office.new_number()
    await office.missed(client)
    (task,) = await office.tasks_about(f"+{client}")
    assert (task["responsible_user_id"], task["text"][:11]) == (office.user(100), "Перезвонить")


async def test_s4_33_unsorted_repeat_missed_known_is_a_missed_note_and_a_task_of_the_responsible(
    office: Office,
) -> None:
    await office.use("unsorted")
    client, _, deal = await office.known(extension=108)
    await office.missed(client)
    left = await office.left(client)
    assert left.leads == []
    assert [(n["entity_id"], n["params"]["call_status"]) for n in left.calls] == [(deal, 6)]
    assert [t["responsible_user_id"] for t in left.tasks] == [office.user(108)]


async def test_s4_34_answered_by_an_unknown_manager_is_a_task_of_the_senior(office: Office) -> None:
    await office.use("unsorted")
    client = office.new_number()
    await office.answered(client, "178")
    assert len((await office.left(client)).leads) == 1
    (task,) = [t for t in await office.tasks_about(f"+{client}") if "178" in t["text"]]
    assert task["responsible_user_id"] == office.user(100)


async def test_s4_35_unsorted_while_the_crm_does_not_use_it_is_warned_of_and_again_when_it_changes(
    office: Office,
) -> None:
    await office.use("unsorted")

    async def is_warned(path: str) -> bool:
        checks = await office.stack.api("GET", f"{API}/matrix/{path}")
        return "unsorted-off" in {p["code"] for p in checks["problems"]}

    async def both() -> bool:
        return await is_warned("checks") and await is_warned("draft/checks")

    assert not await is_warned("draft/checks")
    await office.stack.act("profile", {"unsorted_on": False})
    try:
        await office.until(both, 20)
        checks = await office.stack.api("GET", f"{API}/matrix/checks")
        warning = next(p for p in checks["problems"] if p["code"] == "unsorted-off")
        assert (warning["severity"], "/inbound." in warning["cell"]) == ("warning", True)
        assert warning["remedy"]
    finally:
        await office.stack.act("profile", {"unsorted_on": True})

    async def is_calm() -> bool:
        return not await is_warned("draft/checks")

    await office.until(is_calm, 20)
