"""An update is the same after it was stored, and known again when it is told again."""

from __future__ import annotations

from dataclasses import replace
from datetime import UTC, datetime
from itertools import permutations

import pytest

from sms.channels.model import (
    AuthorKind,
    AuthorTold,
    ChannelStateTold,
    ChannelUpdate,
    ChatChanged,
    ChatKind,
    ChatTold,
    DeletedTold,
    EditTold,
    FileTold,
    MessageDirection,
    MessageStatus,
    MessageTold,
    PartKind,
    PartTold,
    StatusTold,
    UnreadTold,
    later_status,
)
from sms.channels.reasons import ChannelReason, ChannelState
from sms.channels.stored import key_of, update_as_json, update_of
from sms.errors import SmsWireInvalid

AT = datetime(2026, 3, 2, 7, 0, tzinfo=UTC)
HELLO = MessageTold(
    chat=ChatTold(id="7", kind=ChatKind.GROUP, phone="+79161234567", name="Oleg", way="business:1"),
    id="7:1",
    direction=MessageDirection.IN,
    author=AuthorTold(kind=AuthorKind.CLIENT, id="7", name="Oleg"),
    parts=(
        PartTold(kind=PartKind.TEXT, text="Привет"),
        PartTold(
            kind=PartKind.IMAGE, file=FileTold(id="f1", name="a.png", media_type="image/png", expires_at=AT)
        ),
        PartTold(kind=PartKind.LOCATION, latitude=55.75, longitude=37.62),
        PartTold(kind=PartKind.OTHER, text="[poll]", vendor_kind="poll"),
    ),
    at=AT,
    sequence=2**40,
    quoted_id="7:0",
    album_id="a",
)
EDITED = replace(HELLO, parts=(PartTold(kind=PartKind.TEXT, text="Пока"),), edit=EditTold(at=AT))
UPDATES: tuple[ChannelUpdate, ...] = (
    HELLO,
    EDITED,
    DeletedTold(ids=("7:1", "7:2"), chat_id="7"),
    StatusTold(id="7:1", status=MessageStatus.REFUSED, reason=ChannelReason.BLOCKED),
    ChatChanged(chat=ChatTold(id="8", moved_from="7"), can_write=False, vendor_key="12"),
    ChannelStateTold(state=ChannelState.NO_MONEY, channel="c1"),
)


@pytest.mark.parametrize("update", UPDATES, ids=lambda u: type(u).__name__)
def test_an_update_is_the_same_after_it_was_stored(update: ChannelUpdate) -> None:
    assert update_of(update_as_json(update)) == update


def test_a_field_that_nobody_knows_is_passed_over() -> None:
    assert update_of({**update_as_json(HELLO), "reactions": [1]}) == HELLO


@pytest.mark.parametrize(
    ("spoilt", "field"),
    [
        ({"told": "rumour"}, "told"),
        ({"parts": [{"kind": "smell"}]}, "parts.0.kind"),
        ({"at": "2026-03-02T07:00:00"}, "at"),
        ({"chat": {}}, "chat.id"),
        ({"id": None}, "id"),
    ],
)
def test_what_cannot_be_read_is_refused_by_its_field(spoilt: dict[str, object], field: str) -> None:
    with pytest.raises(SmsWireInvalid) as refused:
        update_of({**update_as_json(HELLO), **spoilt})
    assert refused.value.field == field


def test_a_nul_is_kept_out_of_the_database() -> None:
    told = update_as_json(replace(HELLO, parts=(PartTold(kind=PartKind.TEXT, text="a\x00b"),)))
    assert told["parts"][0]["text"] == "a\ufffdb"


def test_a_repetition_has_the_same_key_and_nothing_else_has() -> None:
    keys = [key_of(update) for update in UPDATES[:5]]
    assert len(set(keys)) == len(keys)
    assert key_of(replace(HELLO, chat=replace(HELLO.chat, name="Олег"))) == key_of(HELLO)
    assert key_of(replace(EDITED, parts=HELLO.parts)) != key_of(EDITED)
    assert key_of(DeletedTold(ids=("7:2", "7:1"), chat_id="7")) == key_of(UPDATES[2])
    assert key_of(UnreadTold(raw=b"a", field="x", why="x")) != key_of(
        UnreadTold(raw=b"b", field="x", why="x")
    )


def test_a_channel_may_say_again_how_it_fares() -> None:
    assert key_of(UPDATES[5]) is None


def test_the_vendors_own_number_of_an_update_goes_before_what_it_says() -> None:
    assert key_of(replace(HELLO, vendor_key="5")) != key_of(replace(HELLO, vendor_key="6"))


def test_case_6_a_status_is_never_lowered_in_whatever_order_it_is_told() -> None:
    told = (MessageStatus.SENT, MessageStatus.READ, MessageStatus.DELIVERED, MessageStatus.UNKNOWN)
    for order in permutations(told):
        known = MessageStatus.SENDING
        for one in order:
            known = later_status(known, one)
        assert known is MessageStatus.READ
    assert later_status(MessageStatus.REFUSED, MessageStatus.DELIVERED) is MessageStatus.DELIVERED
    assert later_status(MessageStatus.DELIVERED, MessageStatus.REFUSED) is MessageStatus.DELIVERED
