"""What every CRM behind `crm.port.Crm` must do: the fake that other tests build on, and amoCRM over HTTP."""

from __future__ import annotations

from collections.abc import AsyncIterator, Callable
from dataclasses import dataclass
from datetime import UTC, datetime, timedelta
from itertools import pairwise
from typing import Any

import aiohttp
import pytest

from crm.amocrm.adapter import AmoCrm
from crm.budget import Budget
from crm.lane import Lane
from crm.port import (
    Crm,
    CrmEntity,
    CrmEventKind,
    CrmUser,
    CrmWebhook,
    DealWithContact,
    ItemOutcome,
    Keyed,
    Refused,
    Written,
)
from crm.sandbox.server import Sandbox
from routing.client import Ref
from routing.effects import (
    AddNote,
    AttachCall,
    ChangeNote,
    ChangeTask,
    CreateContact,
    CreateDeal,
    CreateLead,
    CreateTask,
    NoteForm,
    ShowCard,
    UpdateEntity,
)
from tests.fakes.crm import FakeCrm
from tests.fakes.tokens import FixedToken

NOW = datetime.now(UTC).replace(microsecond=0)
NEW = "+79995550001"


# Where the vendor's behaviour is not known (or differs), the other way round: all of it must come out the same.
OTHERWISE = {
    "filters_on": True,
    "query_match": "raw",
    "page_beyond_end": "empty_list",
    "unsorted_deal_readable": False,
    "calls_mixed_batch": "refuse_400",
    "patch_unknown_id": "ignore",
    "notes_created_at": "ignore",
    "over_250_on_get": "refuse",
}
PROFILES: dict[str, str | dict[str, Any]] = {"amocrm": "amocrm", "kommo": "kommo", "otherwise": OTHERWISE}


@dataclass(frozen=True)
class Office:
    """A CRM, and the numbers of the call cards that people there have been shown."""

    crm: Crm
    cards: Callable[[], list[str]]


@pytest.fixture(params=["fake", *PROFILES])
async def office(request: pytest.FixtureRequest) -> AsyncIterator[Office]:
    if request.param == "fake":
        fake = FakeCrm(users=[a_user("11"), a_user("12"), a_user("13", is_active=False)], clock=None)
        for n in range(1, 4):
            fake.seed(CrmEntity(kind="contact", id=str(n), name=f"Contact {n}", updated_at=NOW))
        yield Office(fake, lambda: [card.number for card in fake.cards])
        return
    async with (
        Sandbox(contacts=3, profile=PROFILES[request.param]) as sandbox,
        aiohttp.ClientSession() as session,
    ):
        tokens = FixedToken(sandbox.url, sandbox.token())
        crm = AmoCrm(sandbox.url, tokens, Budget(7), session)
        yield Office(crm, lambda: [row["phone_number"] for row in sandbox.state.table("cards").select()])


@pytest.fixture
def crm(office: Office) -> Crm:
    return office.crm


def a_user(user_id: str, *, is_active: bool = True) -> CrmUser:
    return CrmUser(id=user_id, name=f"User {user_id}", email=f"{user_id}@example.com", is_active=is_active)


async def active_user(crm: Crm) -> str:
    return next(user.id for user in await crm.users(Lane.SYNC) if user.is_active)


def a_contact(number: str = NEW, *, owner: str | None = None, key: str = "k:contact") -> Keyed[CreateContact]:
    return Keyed(key=key, order=CreateContact(name=f"Caller {number}", number=number, owner_id=owner))


async def new_contact(crm: Crm, number: str = NEW, owner: str | None = None) -> str:
    return written(await crm.create_contacts([a_contact(number, owner=owner)], Lane.EVENTS))[0].id


async def new_deal(crm: Crm, contact_id: str | None, owner: str | None = None) -> str:
    ref = Ref(kind="contact", id=contact_id) if contact_id else None
    order = CreateDeal(name="Call", contact=ref, owner_id=owner)
    return written(await crm.create_deals([Keyed(key="k:deal", order=order)], Lane.EVENTS))[0].id


def a_call(
    target: Ref | None, *, number: str = NEW, owner: str | None = None, uniq: str = "c-1"
) -> AttachCall:
    return AttachCall(
        target=target,
        uniq=uniq,
        direction="inbound",
        number=number,
        at=NOW,
        talk_seconds=42,
        status="talked",
        recording="https://example.com/1.mp3",
        owner_id=owner,
    )


def written(outcomes: list[ItemOutcome]) -> list[Written]:
    assert all(isinstance(outcome, Written) for outcome in outcomes), outcomes
    return [outcome for outcome in outcomes if isinstance(outcome, Written)]


async def test_the_account_says_who_it_is_and_its_pipelines_have_one_main_and_two_closed_stages(
    crm: Crm,
) -> None:
    account = await crm.account(Lane.SYNC)
    assert account.id
    assert account.time_zone
    pipelines = await crm.pipelines(Lane.SYNC)
    assert sum(pipeline.is_main for pipeline in pipelines) == 1
    for pipeline in pipelines:
        assert {stage.id for stage in pipeline.stages if stage.is_closed} == {"142", "143"}
        assert sum(stage.is_unsorted for stage in pipeline.stages) <= 1


async def test_users_tell_active_from_deactivated(crm: Crm) -> None:
    assert {user.is_active for user in await crm.users(Lane.SYNC)} == {True, False}


async def test_a_new_contact_is_found_by_its_number_and_by_its_id(crm: Crm) -> None:
    owner = await active_user(crm)
    contact_id = await new_contact(crm, owner=owner)
    [found] = await crm.find_by_number("contact", NEW, Lane.REALTIME)
    assert (found.id, found.owner_id, found.numbers) == (contact_id, owner, (NEW,))
    [again] = await crm.by_ids("contact", [contact_id], Lane.SYNC)
    assert again.id == contact_id
    assert await crm.find_by_number("company", NEW, Lane.REALTIME) == []
    assert await crm.find_by_number("contact", "+79995559999", Lane.REALTIME) == []


async def test_by_ids_leaves_out_what_does_not_exist(crm: Crm) -> None:
    ids = [await new_contact(crm, f"+7999555000{n}") for n in range(3)]
    found = await crm.by_ids("contact", [ids[2], "99999999", ids[0]], Lane.SYNC)
    assert {entity.id for entity in found} == {ids[0], ids[2]}
    assert await crm.by_ids("deal", ["99999999"], Lane.SYNC) == []


async def test_one_bad_item_is_refused_and_its_neighbours_are_written(crm: Crm) -> None:
    items = [
        a_contact("+79995550001", key="good-1"),
        a_contact("+79995550002", owner="99999999", key="bad"),
        a_contact("+79995550003", key="good-2"),
    ]
    first, second, third = await crm.create_contacts(items, Lane.EVENTS)
    assert isinstance(first, Written)
    assert first.key == "good-1"
    assert isinstance(second, Refused)
    assert (second.key, second.code) == ("bad", "NotSupportedChoice")
    assert "responsible_user_id" in second.field
    assert isinstance(third, Written)
    assert len(await crm.find_by_number("contact", "+79995550001", Lane.SYNC)) == 1
    assert await crm.find_by_number("contact", "+79995550002", Lane.SYNC) == []


async def test_a_deal_and_its_new_contact_are_made_and_linked_in_one_request(crm: Crm) -> None:
    owner = await active_user(crm)
    pairs = [
        DealWithContact(
            deal=Keyed(key=f"deal-{n}", order=CreateDeal(name=f"Deal {n}", owner_id=owner, tags=("call",))),
            contact=a_contact(f"+7999555010{n}", owner=owner, key=f"contact-{n}"),
        )
        for n in range(3)
    ]
    outcomes = written(await crm.create_deals_with_contacts(pairs, Lane.EVENTS))
    assert [outcome.key for outcome in outcomes] == ["deal-0", "deal-1", "deal-2"]
    deals = {deal.id: deal for deal in await crm.by_ids("deal", [o.id for o in outcomes], Lane.SYNC)}
    for outcome in outcomes:
        deal = deals[outcome.id]
        assert deal.contact_ids == (outcome.extra["contact"],)
        assert deal.main_contact_id == outcome.extra["contact"]
        assert (deal.owner_id, deal.is_open) == (owner, True)
    [contact] = await crm.find_by_number("contact", "+79995550101", Lane.SYNC)
    assert contact.id == outcomes[1].extra["contact"]
    assert contact.deal_ids == (outcomes[1].id,)


async def test_a_bad_pair_is_refused_under_the_deals_key_and_the_others_are_written(crm: Crm) -> None:
    pairs = [
        DealWithContact(
            deal=Keyed(key=f"deal-{n}", order=CreateDeal(name="Deal")),
            contact=a_contact(f"+7999555010{n}", owner="99999999" if n == 1 else None, key=f"contact-{n}"),
        )
        for n in range(3)
    ]
    outcomes = await crm.create_deals_with_contacts(pairs, Lane.EVENTS)
    assert [type(outcome) for outcome in outcomes] == [Written, Refused, Written]
    assert outcomes[1].key == "deal-1"


async def test_an_attached_call_is_recognised_by_its_uniq(crm: Crm) -> None:
    owner = await active_user(crm)
    deal_id = await new_deal(crm, await new_contact(crm), owner)
    ref = Ref(kind="deal", id=deal_id)
    items = [Keyed(key=f"note-{n}", order=a_call(ref, owner=owner, uniq=f"c-{n}")) for n in range(2)]
    outcomes = written(await crm.attach_calls(items, Lane.EVENTS))
    notes = await crm.notes("deal", [deal_id], Lane.EVENTS)
    assert {(n.id, n.uniq) for n in notes if n.uniq} == {(outcomes[0].id, "c-0"), (outcomes[1].id, "c-1")}
    assert {(n.target_kind, n.target_id) for n in notes} == {("deal", deal_id)}


async def test_notes_of_several_contacts_come_newest_first_and_only_theirs(crm: Crm) -> None:
    ids = [await new_contact(crm, f"+7999555000{n}") for n in range(3)]
    items = [
        Keyed(key=f"n-{i}", order=AddNote(target=Ref(kind="contact", id=i), text=f"of {i}")) for i in ids
    ]
    written(await crm.add_notes(items, Lane.EVENTS))
    notes = await crm.notes("contact", ids[:2], Lane.EVENTS)
    assert {(n.target_id, n.text) for n in notes} == {(i, f"of {i}") for i in ids[:2]}
    assert all(int(a.id) > int(b.id) for a, b in pairwise(notes))


async def test_notes_of_sms_and_of_the_program_are_taken_and_found_again_by_their_text(crm: Crm) -> None:
    target = Ref(kind="contact", id=await new_contact(crm))
    forms: tuple[NoteForm, ...] = ("sms_out", "sms_in", "service")
    notes = [
        AddNote(
            target=target,
            text=f"Заказ готов ({form})",
            form=form,
            number=None if form == "service" else "+79161234567",
        )
        for form in forms
    ]
    written(await crm.add_notes([Keyed(key=note.form, order=note) for note in notes], Lane.EVENTS))
    found = await crm.notes("contact", [target.id or ""], Lane.EVENTS)
    assert {n.text for n in found} == {n.text for n in notes}
    assert all(n.is_whole for n in found)


@pytest.mark.parametrize("form", ["common", "service"])
async def test_a_note_is_rewritten_and_one_that_is_not_there_spares_its_neighbours(
    crm: Crm, form: NoteForm
) -> None:
    target = Ref(kind="contact", id=await new_contact(crm))
    notes = [Keyed(key=text, order=AddNote(target=target, text=text, form=form)) for text in ("one", "other")]
    first, other = written(await crm.add_notes(notes, Lane.EVENTS))
    changes = [
        (id, Keyed(key=text, order=ChangeNote(note="n", target=target, text=text, form=form)))
        for id, text in ((first.id, "two"), ("99999999", "gone"), (first.id, "three"))
    ]
    outcomes = await crm.change_notes(changes, Lane.EVENTS)
    assert [type(outcome) for outcome in outcomes] == [Written, Refused, Written]
    assert isinstance(outcomes[1], Refused)
    assert outcomes[1].is_entity
    found = {n.id: n.text for n in await crm.notes("contact", [target.id or ""], Lane.EVENTS)}
    assert found == {first.id: "three", other.id: "other"}


async def test_a_call_by_number_goes_to_who_has_it_and_is_refused_as_not_found_elsewhere(crm: Crm) -> None:
    contact_id = await new_contact(crm)
    items = [
        Keyed(key="known", order=a_call(None)),
        Keyed(key="unknown", order=a_call(None, number="+79995558888", uniq="c-2")),
    ]
    known, unknown = await crm.attach_calls_by_number(items, Lane.EVENTS)
    assert isinstance(known, Written)
    assert known.extra["target_id"] == contact_id
    assert isinstance(unknown, Refused)
    assert unknown.code == "not-found"
    [alone] = await crm.attach_calls_by_number(items[1:], Lane.EVENTS)
    assert isinstance(alone, Refused)
    assert alone.code == "not-found"


async def test_a_task_is_made_changed_and_completed(crm: Crm) -> None:
    owner = await active_user(crm)
    contact_id = await new_contact(crm)
    ref = Ref(kind="contact", id=contact_id)
    due = NOW + timedelta(hours=1)
    order = CreateTask(target=ref, owner_id=owner, text="Call back", due_at=due)
    [made] = written(await crm.create_tasks([Keyed(key="task", order=order)], Lane.EVENTS))
    [task] = await crm.tasks("contact", [contact_id], Lane.EVENTS)
    assert (task.id, task.owner_id, task.text, task.due_at) == (made.id, owner, "Call back", due)
    assert not task.is_completed
    changes = [
        (made.id, Keyed(key="retext", order=ChangeTask(task="task", text="Call back, 2nd"))),
        (made.id, Keyed(key="done", order=ChangeTask(task="task", is_completed=True, result="returned"))),
        ("99999999", Keyed(key="nothing", order=ChangeTask(task="task", is_completed=True))),
    ]
    outcomes = await crm.change_tasks(changes, Lane.EVENTS)
    assert [type(outcome) for outcome in outcomes] == [Written, Written, Refused]
    [task] = await crm.tasks("contact", [contact_id], Lane.EVENTS)
    assert (task.text, task.is_completed) == ("Call back, 2nd", True)
    assert made.id in {t.id for t in await crm.tasks(None, [], Lane.EVENTS)}


async def test_open_tasks_of_a_user_are_those_still_to_be_done_due_first(crm: Crm) -> None:
    owner, other = [user.id for user in await crm.users(Lane.SYNC) if user.is_active][:2]
    ref = Ref(kind="contact", id=await new_contact(crm))
    orders = [
        CreateTask(target=ref, owner_id=who, text=text, due_at=NOW + timedelta(hours=hours))
        for who, text, hours in (
            (owner, "late", 3),
            (owner, "soon", 1),
            (owner, "done", 2),
            (other, "theirs", 1),
        )
    ]
    made = written(await crm.create_tasks([Keyed(key=o.text, order=o) for o in orders], Lane.EVENTS))
    ids = {one.key: one.id for one in made}
    done = Keyed(key="d", order=ChangeTask(task_id=ids["done"], is_completed=True))
    written(await crm.change_tasks([(ids["done"], done)], Lane.EVENTS))
    assert isinstance(crm, FakeCrm | AmoCrm)
    page = await crm.open_tasks(owner, Lane.MOVES)
    assert [t.text for t in page.items if t.id in ids.values()] == ["soon", "late"]
    assert {t.owner_id for t in page.items} == {owner}


async def test_a_change_of_what_is_not_there_is_blamed_on_that_card_and_spares_its_neighbours(
    crm: Crm,
) -> None:
    there = await new_contact(crm)
    orders = {
        id: UpdateEntity(target=Ref(kind="contact", id=id), tags=("vip",)) for id in (there, "999999999")
    }
    told = await crm.update_entities([Keyed(key=id, order=o) for id, o in orders.items()], Lane.EVENTS)
    outcomes = {outcome.key: outcome for outcome in told}
    assert isinstance(outcomes[there], Written)
    gone = outcomes["999999999"]
    assert isinstance(gone, Refused)
    assert gone.is_entity


async def test_an_update_changes_what_it_names_and_nothing_else(crm: Crm) -> None:
    owner = await active_user(crm)
    deal_id = await new_deal(crm, await new_contact(crm))
    [before] = await crm.by_ids("deal", [deal_id], Lane.SYNC)
    order = UpdateEntity(target=Ref(kind="deal", id=deal_id), owner_id=owner, tags=("vip",))
    written(await crm.update_entities([Keyed(key="u", order=order)], Lane.EVENTS))
    [after] = await crm.by_ids("deal", [deal_id], Lane.SYNC)
    assert after.owner_id == owner
    assert (after.name, after.stage_id, after.pipeline_id) == (
        before.name,
        before.stage_id,
        before.pipeline_id,
    )
    assert after.contact_ids == before.contact_ids


async def test_a_deal_moved_to_a_closed_stage_is_not_open(crm: Crm) -> None:
    deal_id = await new_deal(crm, None)
    pipeline = next(p for p in await crm.pipelines(Lane.SYNC) if p.is_main)
    order = UpdateEntity(target=Ref(kind="deal", id=deal_id), pipeline_id=pipeline.id, stage_id="143")
    written(await crm.update_entities([Keyed(key="u", order=order)], Lane.EVENTS))
    [deal] = await crm.by_ids("deal", [deal_id], Lane.SYNC)
    assert (deal.is_open, deal.stage_id) == (False, "143")


async def test_a_lead_keeps_its_owner_number_and_our_mark(crm: Crm) -> None:
    owner = await active_user(crm)
    order = CreateLead(
        source_uid="call-1",
        source_name="Callmatrix",
        name="Missed call",
        contact_name="Caller",
        number=NEW,
        owner_id=owner,
        called_at=NOW,
    )
    [made] = written(await crm.create_leads([Keyed(key="lead", order=order)], Lane.EVENTS))
    page = await crm.page("lead", Lane.SYNC)
    [lead] = [entity for entity in page.items if entity.source_uid == "call-1"]
    assert (lead.id, lead.owner_id, lead.numbers) == (made.id, owner, (NEW,))
    [again] = await crm.by_ids("lead", [made.id], Lane.SYNC)
    assert (again.id, again.owner_id) == (made.id, owner)


async def test_pages_are_complete_and_ordered(crm: Crm) -> None:
    items = [a_contact(f"+7999666{n:04}", key=f"c-{n}") for n in range(250)]
    made = {outcome.id for outcome in written(await crm.create_contacts(items, Lane.EVENTS))}
    assert len(made) == 250
    seen: list[str] = []
    number = 1
    while True:
        page = await crm.page("contact", Lane.SYNC, page=number)
        seen += [entity.id for entity in page.items]
        number += 1
        if not page.has_next:
            break
    assert made <= set(seen)
    assert seen == sorted(seen, key=int)
    newest = await crm.page("contact", Lane.SYNC, newest="id")
    assert newest.has_next
    assert [e.id for e in newest.items] == sorted(seen, key=int, reverse=True)[:250]
    recent = (await crm.page("contact", Lane.SYNC, newest="updated")).items
    times = [entity.updated_at for entity in recent]
    assert times == sorted(times, key=lambda at: at or NOW, reverse=True)


async def test_the_feed_tells_what_was_added_since(crm: Crm) -> None:
    contact_id = await new_contact(crm)
    page = await crm.events(datetime(2026, 1, 1, tzinfo=UTC), Lane.SYNC, kinds={"added", "deleted"})
    mine = [event for event in page.items if event.entity_id == contact_id and event.kind == "added"]
    assert [event.entity_kind for event in mine] == ["contact"]
    assert all(a.at >= b.at for a, b in pairwise(page.items))
    later = await crm.events(page.items[0].at + timedelta(days=1), Lane.SYNC, kinds={"added"})
    assert later.items == ()


async def test_the_feed_tells_only_the_kinds_and_the_time_that_were_asked_for(crm: Crm) -> None:
    contact_id = await new_contact(crm)
    since = datetime(2026, 1, 1, tzinfo=UTC)
    at = (await crm.events(since, Lane.SYNC, kinds={"added"})).items[0].at

    async def told(kinds: set[CrmEventKind], until: datetime | None) -> set[str]:
        page = await crm.events(since, Lane.SYNC, kinds=kinds, until=until)
        assert {event.kind for event in page.items} <= kinds
        return {event.entity_id for event in page.items}

    assert contact_id in await told({"added", "linked"}, None)
    assert contact_id in await told({"added"}, at)
    assert contact_id not in await told({"added"}, at - timedelta(seconds=1))
    assert contact_id not in await told({"deleted", "merged"}, None)


async def test_an_empty_list_is_an_empty_page(crm: Crm) -> None:
    page = await crm.page("contact", Lane.SYNC, page=50)
    assert (page.items, page.has_next) == ((), False)


async def test_registering_a_webhook_twice_leaves_one(crm: Crm) -> None:
    destination = "https://example.com/crm/a/webhooks/secret"
    await crm.register_webhook(destination, Lane.SYNC)
    await crm.register_webhook(destination, Lane.SYNC)
    hooks = [hook for hook in await crm.webhooks(Lane.SYNC) if hook.destination == destination]
    assert hooks == [CrmWebhook(destination=destination)]


async def test_a_card_is_shown_without_an_answer_to_wait_for(office: Office) -> None:
    user = await active_user(office.crm)
    await office.crm.show_card(ShowCard(number=NEW, user_ids=(user,)), Lane.REALTIME)
    assert office.cards() == [NEW]


async def test_a_person_gets_an_address_for_every_kind(crm: Crm) -> None:
    assert all(crm.url_of(kind, "7").startswith("http") for kind in ("lead", "contact", "company", "deal"))


async def test_a_leads_owner_is_that_of_the_deal_inside_and_a_list_costs_one_request_whatever_it_holds() -> (
    None
):
    async with Sandbox(contacts=30) as sandbox, aiohttp.ClientSession() as session:
        budget = Budget(7)
        crm = AmoCrm(sandbox.url, FixedToken(sandbox.url, sandbox.token()), budget, session)
        before = (await crm.page("lead", Lane.SYNC)).items
        owner = next(u.id for u in await crm.users(Lane.SYNC) if u.is_active and u.id != before[0].owner_id)
        asked = budget.use().lanes[Lane.SYNC].requests
        assert (await crm.page("lead", Lane.SYNC)).items == before
        assert budget.use().lanes[Lane.SYNC].requests == asked + 1
        deal = Ref(kind="deal", id=before[0].deal_id)
        order = UpdateEntity(target=deal, owner_id=owner)
        written(await crm.update_entities([Keyed(key="u", order=order)], Lane.EVENTS))
        [inside] = await crm.deals_in_leads([before[0].deal_id or ""], Lane.SYNC)
        assert inside.owner_id == owner
        after = (await crm.page("lead", Lane.SYNC)).items
        assert after[0].owner_id == owner
        assert after[1:] == before[1:]
        assert budget.use().lanes[Lane.SYNC].requests == asked + 1 + 2
