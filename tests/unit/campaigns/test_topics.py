"""When a call's topics are asked for, and the one new deal into which they go."""

from __future__ import annotations

from datetime import UTC, datetime, timedelta

import pytest

from campaigns.model import TopicRules
from campaigns.topics import TopicCall, deal_effects, next_question, note_effect, questions_of
from gateway.pbx.call_log import PbxRefused, PbxThrottled
from gateway.pbx.mango.topics import parse_call_topics, parse_names
from routing.client import Client, ClientEntity, Ref
from routing.effects import CreateContact, CreateDeal, UpdateEntity

START = datetime(2026, 3, 2, 10, tzinfo=UTC)
RULES = TopicRules.model_validate(
    {
        "is_on": True,
        "deal_there": {"pipeline_id": "1", "stage_id": "30"},
        "no_deal": {"pipeline_id": "1", "stage_id": "20"},
    }
)
NUMBER = "+79160000001"


def minutes(*after: int) -> tuple[datetime, ...]:
    return tuple(START + timedelta(minutes=n) for n in after)


def test_a_call_is_asked_about_at_its_end_some_minutes_after_and_an_hour_after_its_start() -> None:
    assert questions_of(START, START + timedelta(minutes=2)) == minutes(2, 3, 7, 17, 32, 60)
    assert questions_of(START, START + timedelta(minutes=50)) == minutes(50, 51, 55, 60)
    assert questions_of(START, START + timedelta(minutes=70)) == minutes(70)
    ended = START + timedelta(minutes=2)
    assert next_question(START, ended, START + timedelta(minutes=10)) == START + timedelta(minutes=17)
    assert next_question(START, ended, START + timedelta(minutes=60)) is None


@pytest.mark.parametrize("made_by_matrix", [False, True])  # "create a deal" is off or on
@pytest.mark.parametrize("is_known", [False, True])
@pytest.mark.parametrize("had_deal", [False, True])
def test_57_s3_30_there_is_one_new_deal_whatever_the_switches_and_whatever_was_there(
    made_by_matrix: bool, is_known: bool, had_deal: bool
) -> None:
    contact = ClientEntity(ref=Ref(kind="contact", id="70"))
    call = TopicCall(
        key="k",
        number=NUMBER,
        client=Client(number=NUMBER, entities=(contact,) if is_known else ()),
        had_deal=had_deal,
        made_deal="matrix:deal" if made_by_matrix else None,
        owner_id="11",
        contact_fields={"501": "spring"},
    )
    effects = deal_effects(call, RULES, "Spring")
    assert deal_effects(call, RULES, "Spring") == effects
    orders = [effect.order for effect in effects]
    stage = "30" if had_deal else "20"
    if made_by_matrix:
        assert orders == [
            UpdateEntity(target=Ref(kind="deal", effect="matrix:deal"), pipeline_id="1", stage_id=stage)
        ]
        assert note_effect("k", "matrix:deal", "t").order.target == Ref(kind="deal", effect="matrix:deal")  # type: ignore[union-attr]
        return
    (deal,) = [order for order in orders if isinstance(order, CreateDeal)]
    made = [order for order in orders if isinstance(order, CreateContact)]
    assert (deal.stage_id, deal.owner_id) == (stage, "11")
    assert deal.contact == (contact.ref if is_known else Ref(kind="contact", effect="topics:k:contact"))
    assert [m.fields for m in made] == ([] if is_known else [{"501": "spring"}])
    assert note_effect("k", None, "t").order.target == Ref(kind="deal", effect="topics:k:deal")  # type: ignore[union-attr]


@pytest.mark.parametrize(
    ("comment", "expected"), [(b'"\xd0\xb0"', "а"), (b'["a", "", "b"]', "a\nb"), (b"null", ""), (b"[]", "")]
)
def test_59_a_comment_is_a_text_or_a_list(comment: bytes, expected: str) -> None:
    body = b'{"result": 1000, "call": {"tag_id": [5, "6"], "call_comment": ' + comment + b"}}"
    assert parse_call_topics(body) == (("5", "6"), expected)


def test_what_the_contact_centre_refuses_is_told() -> None:
    assert parse_call_topics(b'{"result": 3300}') is None
    for body, error in ((b'{"result": 5101}', PbxRefused), (b'{"result": 5008}', PbxThrottled)):
        with pytest.raises(error):
            parse_call_topics(body)
        with pytest.raises(error):
            parse_names(body)
