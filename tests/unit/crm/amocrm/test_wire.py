from __future__ import annotations

from contextlib import suppress
from datetime import UTC, datetime
from typing import Any

import orjson
import pytest
from hypothesis import given
from hypothesis import strategies as st

from crm.amocrm import wire_read, wire_write
from crm.amocrm.fields import Node
from crm.amocrm.rows import events as event_rows
from crm.amocrm.rows.page import page_of
from crm.amocrm.wire import Reply, Request, error_of, lost, read_answer
from crm.amocrm.wire_write import Unwritable
from crm.amocrm.writes import Line, rounds
from crm.errors import (
    CrmBlocked,
    CrmError,
    CrmForbidden,
    CrmMoved,
    CrmOutcomeUnknown,
    CrmRefused,
    CrmTooLarge,
    CrmUnavailable,
    CrmUnpaid,
    CrmUnreadable,
)
from routing.client import Ref
from routing.effects import AttachCall, CreateContact, CreateDeal, CreateTask, UpdateEntity

READ = Request(method="GET", path="/api/v4/leads")
WRITE = Request(method="POST", path="/api/v4/leads", body=[{}])
NOW = datetime(2026, 1, 1, tzinfo=UTC)


def page(status: int) -> Reply:
    return Reply(status=status, content_type="text/html", body=b"<html>no</html>")


@pytest.mark.parametrize("status", [500, 502, 503])
def test_a_5xx_of_a_read_brought_nothing_and_of_a_write_is_unknown(status: int) -> None:
    assert isinstance(error_of(READ, page(status)), CrmUnavailable)
    assert isinstance(error_of(WRITE, page(status)), CrmOutcomeUnknown)


def test_504_asks_for_smaller_batches_and_pages_of_nothing_else() -> None:
    a_list = Request(method="GET", path="/api/v4/leads", query=(("page", "1"), ("limit", "250")))
    assert isinstance(error_of(a_list, page(504)), CrmTooLarge)
    assert isinstance(error_of(WRITE, page(504)), CrmTooLarge)
    assert isinstance(error_of(READ, page(504)), CrmUnavailable)


def test_403_as_a_page_closes_the_account_and_as_a_problem_only_this_request() -> None:
    assert isinstance(error_of(WRITE, page(403)), CrmBlocked)
    problem = Reply(status=403, content_type="application/problem+json", body=b'{"title":"Forbidden"}')
    assert isinstance(error_of(WRITE, problem), CrmForbidden)


def test_a_page_where_json_belongs_is_a_block() -> None:
    with pytest.raises(CrmBlocked):
        read_answer(READ, page(200))


def test_an_account_that_moved_says_where_it_is_now() -> None:
    there = Reply(status=301, location="https://new.amocrm.ru/api/v4/leads")
    err = error_of(READ, there)
    assert isinstance(err, CrmMoved)
    assert err.address == "https://new.amocrm.ru"
    assert not isinstance(error_of(READ, Reply(status=301, location="/login")), CrmMoved)


def test_half_an_answer_is_nothing_for_a_read_and_unknown_for_a_write() -> None:
    half = Reply(status=200, content_type="application/hal+json", body=b'{"_embedded":{"lea')
    with pytest.raises(CrmUnavailable):
        read_answer(READ, half)
    with pytest.raises(CrmOutcomeUnknown):
        read_answer(WRITE, half)


@pytest.mark.parametrize(
    ("body", "value"),
    [
        (b'{"name":"a\x00b"}', {"name": "ab"}),
        (b'{"name":"a\\u0000b"}', {"name": "ab"}),
        (b'{"name":"a\\\\u0000b"}', {"name": "a\\u0000b"}),
        (b'["a\\ud800b",{"c":["\\ud800"]}]', ["a?b", {"c": ["?"]}]),
    ],
)
def test_what_no_text_may_hold_is_taken_out_wherever_it_stands(body: bytes, value: object) -> None:
    answer = read_answer(READ, Reply(status=200, content_type="application/hal+json", body=body))
    assert answer is not None
    assert answer.value == value


def test_a_connection_that_was_never_made_carried_out_nothing() -> None:
    assert isinstance(lost(WRITE, "refused", was_sent=False), CrmUnavailable)
    assert isinstance(lost(WRITE, "reset", was_sent=True), CrmOutcomeUnknown)


def test_malformed_validation_errors_still_make_a_refusal() -> None:
    body = b'{"validation-errors":[7,{"errors":"x"},{"request_id":"0","errors":[{"path":"a"},3]}]}'
    err = error_of(WRITE, Reply(status=400, body=body))
    assert isinstance(err, CrmRefused)
    assert err.problems == (("0", "a", "", ""),)


JSON = st.recursive(
    st.one_of(st.none(), st.booleans(), st.integers(), st.floats(allow_nan=False), st.text(max_size=5)),
    lambda inner: st.one_of(
        st.lists(inner, max_size=3),
        st.dictionaries(st.sampled_from(["id", "name", "_embedded", "values", "uid", "rights"]), inner),
    ),
    max_leaves=10,
)
READERS = [
    wire_read.account,
    wire_read.user,
    wire_read.pipeline,
    wire_read.field,
    wire_read.entity_reader("contact"),
    wire_read.entity_reader("deal"),
    wire_read.lead,
    wire_read.task,
    event_rows.event,
    lambda n: wire_read.note(n, "deal"),
    lambda n: page_of(n, "leads", wire_read.entity_reader("deal")),
]


@given(value=JSON, reader=st.sampled_from(READERS))
def test_no_answer_brings_anything_but_a_value_or_an_error_with_its_field(value: Any, reader: Any) -> None:
    with suppress(CrmUnreadable):
        assert reader(Node(value)) is not None


@given(status=st.integers(300, 599), body=st.binary(max_size=60), kind=st.sampled_from([READ, WRITE]))
def test_every_status_and_body_is_one_of_our_errors(status: int, body: bytes, kind: Request) -> None:
    assert isinstance(error_of(kind, Reply(status=status, body=body)), CrmError)


def test_a_row_that_makes_no_sense_is_named_and_costs_itself_only() -> None:
    told: dict[str, list[tuple[str, bool]]] = {}
    rows = [{"id": 1}, {"id": 2, "updated_at": "soon"}, {"id": []}, "nonsense", {"id": 5}]
    page = page_of(
        Node({"_embedded": {"leads": rows}}),
        "leads",
        wire_read.entity_reader("deal"),
        lambda id, faults: told.update({id: [(fault.field, fault.is_lost) for fault in faults]}),
    )
    assert [(deal.id, deal.unread) for deal in page.items] == [
        ("1", frozenset()),
        ("2", frozenset(("updated_at",))),
        ("5", frozenset()),
    ]
    assert len(page.lost) == 2
    assert all(id.startswith("?") for id in page.lost)
    nameless = [told.pop(id) for id in page.lost]
    assert nameless == [[("id", True)], [("", True)]]
    assert told == {"1": [], "2": [("updated_at", False)], "5": []}


@pytest.mark.parametrize(
    ("metadata", "numbers"),
    [
        ({"from": "onlinePBX", "phone": 79161234567}, ("79161234567",)),
        ({"from": "+79161234567", "phone": "+74950000000"}, ("+79161234567", "+74950000000")),
        ({"form_name": "Ask us"}, ()),
        ({"from": {"email": "a@example.com", "name": "A"}, "subject": "Hello"}, ()),
        ({"from": {"name": "A"}, "phone": "+79161234567"}, ("+79161234567",)),
        ([], ()),
        (None, ()),
    ],
)
def test_a_leads_numbers_are_those_of_its_metadata(metadata: Any, numbers: tuple[str, ...]) -> None:
    assert wire_read.lead(Node({"uid": "u", "metadata": metadata})).numbers == numbers


@pytest.mark.parametrize(
    ("said", "owner"), [(11, "11"), ("11", "11"), ("Anna", None), ("+79161234567", None), (0, None)]
)
def test_a_leads_owner_is_the_user_named_in_its_metadata(said: Any, owner: str | None) -> None:
    assert wire_read.lead(Node({"uid": "u", "metadata": {"call_responsible": said}})).owner_id == owner


def a_call(**changes: Any) -> AttachCall:
    values: dict[str, Any] = {"uniq": "c", "number": "+79161234567", "at": NOW, "talk_seconds": 0}
    values |= {"target": None, "direction": "inbound", "status": "no_answer"}
    return AttachCall(**(values | changes))


def test_nothing_that_is_not_set_is_written_as_null() -> None:
    written = [
        wire_write.call_note(a_call(), "7", source="S", takes_dates=False),
        wire_write.call(a_call(), source="S"),
        wire_write.contact(CreateContact(name="N", number="+79161234567")),
        wire_write.deal(CreateDeal(name="D")),
        wire_write.task(CreateTask(target=None, owner_id=None, text="T", due_at=NOW), None, {}),
        wire_write.change(UpdateEntity(target=Ref(kind="deal", id="7"))),
    ]
    assert "None" not in repr(written)
    assert written[-1] == {"id": 7}


def test_the_creator_of_a_call_note_is_who_talked_so_that_statistics_count_him() -> None:
    note = wire_write.call_note(a_call(owner_id="11"), "7", source="S", takes_dates=True)
    assert note["created_by"] == note["responsible_user_id"] == note["params"]["call_responsible"] == 11
    assert note["created_at"] == int(NOW.timestamp())


@pytest.mark.parametrize(
    ("write", "field"),
    [
        (
            lambda: wire_write.contact(CreateContact(name="N", number="1", owner_id="me")),
            "responsible_user_id",
        ),
        (lambda: wire_write.call_note(a_call(), "uid", source="S", takes_dates=False), "entity_id"),
        (lambda: wire_write.call(a_call(direction="internal"), source="S"), "direction"),
        (lambda: wire_write.deal(CreateDeal(name="D", contact=Ref(kind="lead", id="7"))), "contact"),
        (lambda: wire_write.change(UpdateEntity(target=Ref(kind="lead", id="u"))), "target"),
        (
            lambda: wire_write.task(
                CreateTask(target=None, owner_id=None, text="T", type="fly", due_at=NOW), None, {"5": "Visit"}
            ),
            "task_type_id",
        ),
    ],
)
def test_what_amocrm_has_no_words_for_is_refused_with_the_field(write: Any, field: str) -> None:
    with pytest.raises(Unwritable) as caught:
        write()
    assert caught.value.field == field


def test_task_types_of_the_account_are_found_by_name_and_id() -> None:
    def typed(name: str) -> int:
        order = CreateTask(target=None, owner_id=None, text="T", type=name, due_at=NOW)
        found: int = wire_write.task(order, None, {"5": "Visit"})["task_type_id"]
        return found

    assert [typed(name) for name in ("call", "meeting", "visit", "77")] == [1, 2, 5, 77]


def test_fields_are_named_by_id_or_code_and_typed_where_the_type_is_known() -> None:
    order = UpdateEntity(
        target=Ref(kind="deal", id="7"), fields={"12": "да", "UTM_SOURCE": "ads", "13": "1700000000"}
    )
    written = wire_write.change(order, {"12": "checkbox", "13": "date"})["custom_fields_values"]
    assert written == [
        {"field_id": 12, "values": [{"value": True}]},
        {"field_code": "UTM_SOURCE", "values": [{"value": "ads"}]},
        {"field_id": 13, "values": [{"value": 1700000000}]},
    ]


def test_an_entity_changed_twice_goes_in_two_requests_in_order() -> None:
    lines = [Line(key, {"id": entity}) for key, entity in (("a", 1), ("b", 2), ("c", 1), ("d", 1))]
    assert [[line.key for line in part] for part in rounds(lines)] == [["a", "b"], ["c"], ["d"]]


@pytest.mark.parametrize(
    ("detail", "error"),
    [
        ("Код ошибки 244. В случае повторного возникновения ошибки, обращайтесь в поддержку", CrmUnpaid),
        ("Error code 244. If it appears again, write to our support team", CrmUnpaid),
        ("Error code: 101", CrmBlocked),
        ("Error code 999", CrmRefused),
        ("Lead 244 is closed", CrmRefused),
    ],
)
def test_an_old_code_in_a_400_that_blames_no_item_is_about_the_account(
    detail: str, error: type[CrmError]
) -> None:
    body = orjson.dumps({"title": "Bad Request", "status": 400, "detail": detail})
    reply = Reply(status=400, content_type="application/problem+json", body=body)
    assert type(error_of(WRITE, reply)) is error
