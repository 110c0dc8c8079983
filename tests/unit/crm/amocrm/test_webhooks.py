from __future__ import annotations

from contextlib import suppress
from datetime import UTC, datetime
from urllib.parse import urlencode

import pytest
from hypothesis import given
from hypothesis import strategies as st

from crm.amocrm.rows.form import WebhookInvalid
from crm.amocrm.webhooks import parse_webhook
from crm.unread import UnreadRef


def form(**pairs: str) -> bytes:
    """Keys with the first dot-free part as head: leads__add__0__id=7 is leads[add][0][id]=7."""
    named = {}
    for key, value in pairs.items():
        head, *rest = key.split("__")
        named[head + "".join(f"[{part}]" for part in rest)] = value
    return urlencode(named).encode()


def test_a_contact_brings_owner_numbers_and_linked_deals() -> None:
    body = form(
        contacts__update__0__id="3",
        contacts__update__0__responsible_user_id="11",
        contacts__update__0__type="contact",
        contacts__update__0__updated_at="1700000100",
        contacts__update__0__linked_leads_id__19__ID="19",
        contacts__update__0__custom_fields__0__id="9",
        contacts__update__0__custom_fields__0__code="PHONE",
        contacts__update__0__custom_fields__0__values__0__value="8 (916) 123-45-67",
        contacts__update__0__custom_fields__1__id="10",
        contacts__update__0__custom_fields__1__values__0="1",
    )
    [change] = parse_webhook(body).told
    assert (change.kind, change.id, change.owner_id) == ("contact", "3", "11")
    assert (change.numbers, change.deal_ids) == (("8 (916) 123-45-67",), ("19",))
    assert change.updated_at == datetime.fromtimestamp(1700000100, UTC)


def test_what_is_not_told_is_none_and_not_nothing() -> None:
    [change] = parse_webhook(form(leads__update__0__id="7")).told
    assert (change.owner_id, change.numbers, change.is_open, change.stage_id) == (None, None, None, None)


def test_several_changes_of_one_delivery_are_all_told() -> None:
    body = form(
        leads__status__0__id="7",
        leads__status__0__status_id="143",
        leads__status__1__id="8",
        leads__status__1__status_id="10",
        leads__responsible__0__id="7",
        contacts__restore__0__id="3",
    )
    told = [(c.kind, c.what, c.id, c.is_open) for c in parse_webhook(body).told]
    assert told == [
        ("deal", "stage_changed", "7", False),
        ("deal", "stage_changed", "8", True),
        ("deal", "owner_changed", "7", None),
        ("contact", "restored", "3", None),
    ]


def test_an_accepted_lead_is_gone_and_says_what_became_of_it() -> None:
    body = form(
        unsorted__delete__0__uid="abc",
        unsorted__delete__0__action="accept",
        unsorted__delete__0__accept_result__leads__0="10",
    )
    delivery = parse_webhook(body)
    [lead] = delivery.told
    assert (lead.kind, lead.what, lead.outcome, lead.deal_ids) == ("lead", "deleted", "accepted", ("10",))
    [change] = delivery.changes
    assert (change.kind, change.id, change.what) == ("lead", "abc", "deleted")


def test_a_new_lead_brings_its_callers_number() -> None:
    body = form(
        unsorted__add__0__uid="abc",
        unsorted__add__0__source_data__phone="+79161234567",
        unsorted__add__0__source_data__from="onlinePBX",
        unsorted__add__0__user_id="0",
    )
    [lead] = parse_webhook(body).told
    assert (lead.numbers, lead.owner_id) == (("+79161234567",), None)


def test_a_note_tells_on_what_it_stands_and_is_nothing_to_the_directory() -> None:
    body = form(
        leads__note__0__note__id="5",
        leads__note__0__note__element_type="2",
        leads__note__0__note__element_id="7",
    )
    delivery = parse_webhook(body)
    [note] = delivery.told
    assert (note.kind, note.target_kind, note.target_id) == ("note", "deal", "7")
    assert delivery.changes == []


def test_a_completed_task_is_told() -> None:
    body = form(task__update__0__id="5", task__update__0__status="1", task__update__0__element_type="1")
    [task] = parse_webhook(body).told
    assert (task.kind, task.is_completed, task.target_kind) == ("task", True, "contact")


def test_kinds_of_webhooks_that_we_do_not_know_are_passed_over() -> None:
    body = form(talk__add__0__id="1", customers__add__0__id="2", leads__surprise__0__id="3")
    assert parse_webhook(body).told == ()


@pytest.mark.parametrize(
    ("body", "field"),
    [
        (form(leads__add__0__name="no id"), "leads.add.0.id"),
        (form(leads__add__0__id="seven"), "leads.add.0.id"),
        (
            form(leads__add__0__id="7", leads__add__0__responsible_user_id="x"),
            "leads.add.0.responsible_user_id",
        ),
        (form(contacts__add__0__id="7", contacts__add__0__updated_at="9" * 30), "contacts.add.0.updated_at"),
        (form(unsorted__add__0__category="sip"), "unsorted.add.0.uid"),
        (form(leads__add="7"), "leads.add"),
        (form(leads="7"), "leads"),
        (b"leads[add=7", "<9 characters>"),
        (b"leads=1&leads[add][0][id]=7", "leads.add.0.id"),
    ],
)
def test_what_cannot_be_understood_is_told_with_its_field_and_costs_itself_only(
    body: bytes, field: str
) -> None:
    delivery = parse_webhook(body + b"&contacts[delete][0][id]=5")
    assert [(c.kind, c.what, c.id) for c in delivery.told if c.id == "5"] == [("contact", "deleted", "5")]
    assert field in {fault.field for faults in delivery.unread.values() for fault in faults}


WHO = "Иван Секретов2 TOKSEKRET123"


@pytest.mark.parametrize(
    ("pairs", "fields"),
    [
        ([(f"contacts[update][{WHO}]", "x")], {"contacts.update.<27 characters>"}),
        ([(f"contacts[update][{WHO}][id]", "x")], {"contacts.update.<27 characters>.id"}),
        ([(f"leads[{WHO}", "x")], {"<33 characters>"}),
        ([("a[b]", "1"), (f"a[b][{WHO}]", "1")], {"a.b.<27 characters>"}),
        ([(f"{WHO}[a.b]", "1"), (f"{WHO}[a.b][c]", "1")], {"<27 characters>.<3 characters>.c"}),
        ([("unsorted[add][0][uid]", WHO)], {"unsorted.add.0.uid"}),
        ([("contacts[update][0][id]", "7"), ("contacts[update][0][linked_leads_id][79035554433]", "x")], {"contacts.update.0.linked_leads_id.<11 characters>.ID"}),
    ],
)  # fmt: skip
def test_what_is_logged_of_a_fault_holds_nothing_that_the_body_brought(
    pairs: list[tuple[str, str]], fields: set[str]
) -> None:
    unread = parse_webhook(urlencode(pairs).encode()).unread
    assert {fault.field for faults in unread.values() for fault in faults} == fields
    assert not any(WHO in f"{ref} {[fault.why for fault in faults]}" for ref, faults in unread.items())


@pytest.mark.parametrize("body", [b'{"contacts":{"update":[{"id":5,"name":"x&a[b"}]}}', b' [{"id": 5}]'])
def test_json_is_no_form(body: bytes) -> None:
    with pytest.raises(WebhookInvalid, match="no form: it looks like JSON"):
        parse_webhook(body)


def test_a_body_that_is_too_large_is_refused_as_a_whole() -> None:
    with pytest.raises(WebhookInvalid):
        parse_webhook(b"a=" + b"1" * 2_000_000)


def test_a_byte_that_is_no_text_costs_itself_only() -> None:
    [change] = parse_webhook(b"contacts[update][0][id]=5&contacts[update][0][name]=A%FFn%00n\xff").told
    assert (change.id, change.name) == ("5", "A\ufffdnn\ufffd")


def test_a_form_of_a_site_has_no_ids_inside_its_data() -> None:
    """As the vendor's documentation shows it: the lead itself must be read, and nothing is wrong."""
    body = form(
        unsorted__add__0__uid="ab12",
        unsorted__add__0__category="forms",
        unsorted__add__0__source="site",
        unsorted__add__0__source_data__form_id="7",
        unsorted__add__0__source_data__data__phone_1__type="multitext",
        unsorted__add__0__source_data__data__phone_1__value__0="+7 916 123-45-67",
        unsorted__add__0__data__leads__0__tags="x",
        unsorted__add__0__data__contacts__0__name="Anna",
        contacts__update__0__id="5",
    )
    delivery = parse_webhook(body)
    lead, contact = sorted(delivery.told, key=lambda change: change.kind, reverse=True)
    assert (lead.kind, lead.id, lead.deal_ids, lead.contact_ids) == ("lead", "ab12", None, None)
    assert (contact.kind, contact.id) == ("contact", "5")
    assert delivery.unread == {}


def test_a_mail_has_its_sender_as_an_object_and_no_number() -> None:
    body = form(
        unsorted__add__0__uid="ab12",
        unsorted__add__0__category="mail",
        unsorted__add__0__source_data__from__email="anna1234567@example.com",
        unsorted__add__0__source_data__from__name="Anna",
        unsorted__add__0__data__leads__0__id="10",
    )
    delivery = parse_webhook(body)
    [lead] = delivery.told
    assert (lead.numbers, lead.deal_ids) == ((), ("10",))
    assert delivery.unread == {}


def test_nobody_is_written_as_minus_one_and_an_item_without_id_harms_no_other() -> None:
    body = form(
        leads__update__0__id="",
        leads__update__0__name="Lost",
        leads__update__1__id="7",
        leads__update__1__modified_user_id="-1",
        leads__update__1__responsible_user_id="11",
    )
    delivery = parse_webhook(body)
    [deal] = delivery.told
    assert (deal.id, deal.by_user, deal.owner_id) == ("7", None, "11")
    [(ref, faults)] = delivery.unread.items()
    assert ref[0] == "webhook"
    assert [(fault.field, fault.is_lost) for fault in faults] == [("leads.update.0.id", True)]


def test_a_value_that_makes_no_sense_is_told_of_its_entity_and_the_rest_is_taken() -> None:
    body = form(
        contacts__update__0__id="7",
        contacts__update__0__type="company",
        contacts__update__0__responsible_user_id__0="11",
        contacts__update__0__name="Acme",
    )
    delivery = parse_webhook(body)
    [company] = delivery.told
    assert (company.kind, company.id, company.owner_id, company.name) == ("company", "7", None, "Acme")
    ref: UnreadRef = ("company", "7")
    assert [fault.field for fault in delivery.unread[ref]] == ["contacts.update.0.responsible_user_id"]


def test_numbers_are_masked_in_what_is_kept_of_a_value() -> None:
    body = form(contacts__update__0__id="7", contacts__update__0__created_at="call +7 916 123-45-67")
    [[fault]] = parse_webhook(body).unread.values()
    assert fault.raw == "call +7 91***67"
    assert "123-45-67" not in fault.why


KEYS = st.sampled_from(
    [
        "leads",
        "contacts",
        "unsorted",
        "task",
        "add",
        "delete",
        "note",
        "0",
        "id",
        "uid",
        "custom_fields",
        "values",
        "",
    ]
)


@given(
    st.lists(
        st.tuples(st.lists(KEYS, min_size=1, max_size=6), st.sampled_from(["", "0", "7", "x", "PHONE"])),
        max_size=8,
    )
)
def test_no_form_brings_anything_but_changes_or_a_named_refusal(pairs: list[tuple[list[str], str]]) -> None:
    body = urlencode([(k[0] + "".join(f"[{p}]" for p in k[1:]), v) for k, v in pairs]).encode()
    try:
        delivery = parse_webhook(body)
    except WebhookInvalid:
        return
    assert all(change.id for change in delivery.told)


@given(st.binary(max_size=300))
def test_no_bytes_bring_anything_but_changes_or_a_refusal(body: bytes) -> None:
    with suppress(WebhookInvalid):
        assert parse_webhook(body).told is not None
