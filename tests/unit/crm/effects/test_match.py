"""What tells a thing of ours from others in the CRM, for sends whose outcome is unknown."""

from __future__ import annotations

from datetime import UTC, datetime, timedelta

import pytest

from crm.effects import match
from crm.port import CrmEntity, CrmNote, CrmTask
from routing.client import Ref
from routing.effects import AddNote, AttachCall, CreateContact, CreateDeal, CreateLead, CreateTask

SENT = datetime(2026, 3, 2, 9, tzinfo=UTC)
DEAL = CreateDeal(name="Call", contact=Ref(kind="contact", id="5"))


def a_deal(**more: object) -> CrmEntity:
    values = {"kind": "deal", "id": "9", "name": "Call", "contact_ids": ("5",), "created_at": SENT, **more}
    return CrmEntity(**values)  # type: ignore[arg-type]


@pytest.mark.parametrize(
    ("stored", "is_same"),
    [
        ("+7 (916) 123-45-67", True),
        ("8 916 1234567", True),
        ("9161234567", True),
        ("0079161234567", True),
        ("+79161234568", False),
        ("1234567", False),
        ("+179161234567", False),
        ("", False),
    ],
)
def test_a_number_is_known_in_any_russian_spelling_and_never_by_its_tail_alone(
    stored: str, is_same: bool
) -> None:
    assert match.same_number(stored, "+79161234567") is is_same


def test_a_foreign_number_is_never_known_by_its_last_digits() -> None:
    assert not match.same_number("9161234567", "+19161234567")


def test_of_several_contacts_with_the_number_the_oldest_is_used() -> None:
    found = [CrmEntity(kind="contact", id=i, numbers=("+79161234567",)) for i in ("12", "11")]
    assert match.contact(CreateContact(name="x", number="+79161234567"), SENT, found, set()) == "11"


def test_a_deleted_contact_is_not_found() -> None:
    found = [CrmEntity(kind="contact", id="1", numbers=("+79161234567",), is_deleted=True)]
    assert match.contact(CreateContact(name="x", number="+79161234567"), SENT, found, set()) is None


@pytest.mark.parametrize(
    ("contact", "found"),
    [
        (CrmEntity(kind="contact", id="3", name="Oleg", created_at=SENT), "3"),
        (CrmEntity(kind="contact", id="3", name="Oleg", created_at=SENT - timedelta(hours=1)), None),
        (CrmEntity(kind="contact", id="3", name="Oleg", created_at=SENT, numbers=("+79161234567",)), None),
        (CrmEntity(kind="contact", id="3", name="Anna", created_at=SENT), None),
        (CrmEntity(kind="contact", id="2", name="Oleg", created_at=SENT), None),
    ],
)
def test_a_contact_without_a_number_is_known_by_name_and_creation_unless_another_order_made_it(
    contact: CrmEntity, found: str | None
) -> None:
    assert match.contact(CreateContact(name="Oleg"), SENT, [contact], {"2"}) == found


@pytest.mark.parametrize(
    ("deal", "found"),
    [
        (a_deal(), "9"),
        (a_deal(created_at=SENT - timedelta(minutes=4)), "9"),  # the CRM's clock is behind
        (a_deal(created_at=SENT - timedelta(minutes=6)), None),
        (a_deal(name="Other"), None),
        (a_deal(contact_ids=("6",)), None),
        (a_deal(contact_ids=(), company_ids=("5",)), None),
        (a_deal(kind="contact"), None),
    ],
)
def test_a_deal_is_known_by_contact_name_and_creation(deal: CrmEntity, found: str | None) -> None:
    assert match.deal(DEAL, SENT, [deal], set()) == found


def test_a_backfilled_deal_is_known_by_the_date_it_was_given() -> None:
    at = SENT - timedelta(days=2)
    order = DEAL.model_copy(update={"created_at": at})
    assert match.deal(order, SENT, [a_deal(created_at=at)], set()) == "9"


def test_what_stands_for_another_effect_is_not_taken() -> None:
    assert match.deal(DEAL, SENT, [a_deal(), a_deal(id="8")], {"9"}) == "8"


def test_a_call_note_is_known_by_its_uniq_alone() -> None:
    order = AttachCall(
        target=None,
        uniq="c1",
        direction="inbound",
        number="+79161234567",
        at=SENT,
        talk_seconds=0,
        status="no_answer",
    )
    notes = [
        CrmNote(id=i, target_kind="deal", target_id="1", uniq=u, text=None, created_at=None)
        for i, u in (("1", "c2"), ("2", "c1"))
    ]
    assert match.call_note(order, notes) == "2"
    assert match.call_note(order, notes[:1]) is None


def test_a_plain_note_is_known_by_entity_text_and_time() -> None:
    order = AddNote(target=Ref(kind="deal", id="1"), text="t")

    def found(**more: object) -> str | None:
        values = {
            "id": "3",
            "target_kind": "deal",
            "target_id": "1",
            "uniq": None,
            "text": "t",
            "created_at": SENT,
        }
        return match.note(order, SENT, [CrmNote(**(values | more))], set())  # type: ignore[arg-type]

    assert found() == "3"
    assert found(text="u") is None
    assert found(target_id="2") is None
    assert found(created_at=SENT - timedelta(hours=1)) is None


def test_a_task_is_known_by_entity_text_and_deadline() -> None:
    due = SENT + timedelta(minutes=15, microseconds=400)
    order = CreateTask(target=Ref(kind="deal", id="1"), owner_id=None, text="t", due_at=due)

    def found(**more: object) -> str | None:
        values = {
            "id": "3",
            "target_kind": "deal",
            "target_id": "1",
            "owner_id": None,
            "text": "t",
            "due_at": SENT + timedelta(minutes=15),
            "is_completed": True,
            "created_at": SENT,
        }
        return match.task(order, SENT, [CrmTask(**(values | more))], set())  # type: ignore[arg-type]

    assert found() == "3"
    assert found(due_at=due + timedelta(seconds=1)) is None
    assert found(target_id="2") is None
    assert found(text="u") is None
    assert found(created_at=SENT - timedelta(hours=1)) is None


def test_a_lead_is_known_by_its_source_uid() -> None:
    order = CreateLead(
        source_uid="u1", source_name="s", name="n", contact_name="c", number="+79161234567", called_at=SENT
    )
    leads = [CrmEntity(kind="lead", id=i, source_uid=u) for i, u in (("1", None), ("2", "u1"))]
    assert match.lead(order, leads) == "2"


def test_reading_on_stops_where_nothing_can_be_ours_any_more() -> None:
    old = a_deal(created_at=SENT - timedelta(hours=1))
    assert match.is_past([old], SENT, None)
    assert not match.is_past([old, a_deal()], SENT, None)
    assert not match.is_past([old], SENT, SENT - timedelta(days=2))
    assert not match.is_past([a_deal(created_at=None)], SENT, None)
