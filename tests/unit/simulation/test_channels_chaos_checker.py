"""The checker of the chaos over channels finds what it is there to find."""

from __future__ import annotations

from collections.abc import Callable
from dataclasses import replace
from datetime import UTC, datetime, timedelta
from typing import Any

import pytest

from tests.chaos.channels.checker import channel_faults
from tests.chaos.channels.evidence import Row, SeenChannels
from tests.chaos.channels.history import history
from tests.chaos.channels.plan import plan
from tests.chaos.channels.records import CHANNELS, MessengerTruth, SeenAnswer, SeenSending, WrittenByClient

AT = datetime(2026, 3, 2, 9, tzinfo=UTC)
NUMBER = "+79161234567"
DEAL = {"kind": "deal", "id": None, "effect": "d"}


def a_truth() -> MessengerTruth:
    """A client wrote twice, corrected the second, and was answered by one of two; the messenger told that it was read."""
    written = [
        WrittenByClient("sandbox", "7", "m00001", "m00001", AT, 0, "m00001 said", number=NUMBER),
        WrittenByClient("sandbox", "7", "m00002", "m00002", AT + timedelta(seconds=1), 0, "m00002 edited", edits=1, number=NUMBER),
    ]  # fmt: skip
    return MessengerTruth(
        written=written,
        sendings=[SeenSending("sandbox", "7", "a00003", 10.0, "none", outside_id="s1")],
        answers=[
            SeenAnswer("sandbox", "7", "a00003", "manager101", "accepted"),
            SeenAnswer("sandbox", "7", "a00004", "manager102", "taken", owner="manager101"),
        ],
        statuses={"a00003": ["delivered", "read"]},
    )


def a_row(token: str, **more: Any) -> dict[str, Any]:
    return {
        "message_id": int(token[1:]), "channel": "sandbox", "chat": "7", "outside_id": token, "own_key": None, "token": token,
        "text": f"{token} said", "direction": "in", "deleted_at": None, "status": "delivered", "reason": "", "deal": DEAL,
        **more,
    }  # fmt: skip


def a_note(*lines: str) -> Row:
    return {"id": 5, "entity_id": 2, "params": {"text": "\n".join(lines)}}


def what_must_be() -> dict[str, list[Any]]:
    return {
        "messages": [
            a_row("m00001"),
            a_row("m00002", text="m00002 edited"),
            a_row("a00003", text="a00003 answered", direction="out", own_key="key-a00003", outside_id="s1", status="read"),
        ],
        "dialogues": [{"channel": "sandbox", "chat": "7", "owner": "manager101", "deal": DEAL}],
        "effects": [{"effect_key": "d", "state": "done", "crm_id": "2", "error_code": None}],
        "contacts": [{"id": 1, "name": "Oleg", "phones": [NUMBER], "is_deleted": 0}],
        "deals": [
            {"id": 2, "contacts": [1], "created_at": 200, "is_deleted": 0, "status_id": 1, "responsible_user_id": 1_000_101}
        ],
        "notes": [
            a_note("Sandbox", "12:00 Oleg: m00001 said", "12:00 Oleg: m00002 edited (m00002 said)", "12:01 Anna: a00003 answered")
        ],
    }  # fmt: skip


def faults(truth: MessengerTruth | None = None, **changed: list[Any]) -> set[str]:
    seen = SeenChannels(**{**what_must_be(), **changed}, since=100.0)
    return {kind for kind, _ in channel_faults(truth or a_truth(), seen)}


def changed(name: str, number: int, **fields: Any) -> dict[str, list[Any]]:
    rows = what_must_be()[name]
    rows[number] = {**rows[number], **fields}
    return {name: rows}


def doubled(name: str, number: int = 0, **fields: Any) -> dict[str, list[Any]]:
    rows = what_must_be()[name]
    return {name: [*rows, {**rows[number], **fields}]}


def without(name: str, number: int) -> dict[str, list[Any]]:
    rows = what_must_be()[name]
    return {name: rows[:number] + rows[number + 1 :]}


def test_what_must_be_is_no_fault() -> None:
    assert faults() == set()


VIOLATED: dict[str, tuple[dict[str, list[Any]], str]] = {
    "a message that was accepted is gone": (without("messages", 0), "lost"),
    "a message stands there twice": (doubled("messages", 0, outside_id="m1b", message_id=9), "doubled"),
    "an edit is lost": (changed("messages", 1, text="m00002 said"), "wrong"),
    "what was not taken back is": (changed("messages", 0, deleted_at=AT), "wrong"),
    "somebody else's chat": (changed("messages", 0, chat="8"), "wrong"),
    "nobody wrote it": ({"messages": [*what_must_be()["messages"], a_row("m00099")]}, "unexpected"),
    "the order is another": ({"messages": [what_must_be()["messages"][n] for n in (1, 0, 2)]}, "disorder"),
    "an echo of ours beside it": (doubled("messages", 2, own_key=None, outside_id="s2", message_id=9), "doubled"),
    "an accepted answer is gone": (without("messages", 2), "lost"),
    "a status is lower than what was told": (changed("messages", 2, status="delivered"), "wrong"),
    "an answer that was sent counts as refused": (changed("messages", 2, status="refused"), "wrong"),
    "the chat is two dialogues": (doubled("dialogues"), "doubled"),
    "nobody owns it": (changed("dialogues", 0, owner=None), "wrong"),
    "another owns it": (changed("dialogues", 0, owner="manager102"), "wrong"),
    "two contacts": (doubled("contacts", 0, id=11), "doubled"),
    "no contact": (without("contacts", 0), "lost"),
    "two deals": (doubled("deals", 0, id=12), "doubled"),
    "no deal": (without("deals", 0), "lost"),
    "the deal is another's": (changed("deals", 0, responsible_user_id=1_000_102), "wrong"),
    "no note": (without("notes", 0), "lost"),
    "two notes": (doubled("notes"), "doubled"),
    "a note with the former text": ({"notes": [a_note("m00001 said", "m00002 said", "a00003 answered")]}, "wrong"),
    "a note in another deal": (changed("notes", 0, entity_id=3), "wrong"),
    "an effect on the desk": (changed("effects", 0, state="dead"), "dead"),
    "an update that could not be worked on": (
        {"updates": [{"channel_id": "c", "about": None, "state": "dead", "error": "?"}]},
        "dead",
    ),
    "a status that was never applied": (
        {"updates": [{"channel_id": "c", "about": "s1", "state": "early", "error": None}]},
        "lost",
    ),
    "a status that was lowered": ({"lowered": ["read > sent"]}, "lowered"),
    "eight requests in a second": (
        {
            "ledger": [
                {"at": 1 + n / 10, "method": "POST", "path": "/api/v4/leads", "status": 200, "integration": "callmatrix"}
                for n in range(8)
            ]
        },
        "over-limit",
    ),
}  # fmt: skip


@pytest.mark.parametrize("what", VIOLATED)
def test_what_must_not_be_is_found(what: str) -> None:
    rows, kind = VIOLATED[what]
    assert kind in faults(None, **rows)


def in_unsorted(kind: str = "deal") -> dict[str, list[Any]]:
    """The client waits in Unsorted: the dialogue belongs to the lead, which knows the deal that it will be."""
    deals = changed("deals", 0, responsible_user_id=1_000_102, created_at=50)["deals"]
    of_lead = {"kind": "lead", "id": "abc", "effect": None}
    messages = [{**row, "deal": of_lead} for row in what_must_be()["messages"]]
    leads = [{"uid": "abc", "lead_id": 2 if kind == "deal" else 3}]
    return {"deals": deals, "leads": leads, "messages": messages, **changed("dialogues", 0, deal=of_lead)}


def test_a_client_in_unsorted_has_one_deal_that_nobody_is_responsible_for_yet() -> None:
    assert faults(None, **in_unsorted()) == set()
    assert faults(None, **in_unsorted("another")) == {"wrong"}


def _sent_again(truth: MessengerTruth) -> None:
    truth.sendings.append(replace(truth.sendings[0], at=11.0, outside_id="s2"))


def _sent_after_doubt(truth: MessengerTruth) -> None:
    truth.sendings.insert(0, replace(truth.sendings[0], at=9.0, fault="swallowed", outside_id=""))


def _taken_of_the_second(truth: MessengerTruth) -> None:
    truth.sendings.append(SeenSending("sandbox", "7", "a00004", 12.0, "none", outside_id="s3"))


def _two_first(truth: MessengerTruth) -> None:
    truth.answers[1] = replace(truth.answers[1], result="accepted")


def _into_another_chat(truth: MessengerTruth) -> None:
    truth.sendings[0] = replace(truth.sendings[0], chat="8")


def _never_sent(truth: MessengerTruth) -> None:
    truth.sendings.clear()


@pytest.mark.parametrize(
    ("does", "kind"),
    [
        (_sent_again, "doubled"),
        (_sent_after_doubt, "doubled"),
        (_taken_of_the_second, "wrong"),
        (_two_first, "doubled"),
        (_into_another_chat, "wrong"),
        (_never_sent, "wrong"),
    ],
)
def test_what_messengers_must_not_get_is_found(does: Callable[[MessengerTruth], None], kind: str) -> None:
    truth = a_truth()
    does(truth)
    assert kind in faults(truth)


def test_what_may_be_sent_again_is_and_what_nobody_knows_is_said_to_be_unknown() -> None:
    truth = a_truth()
    truth.sendings.insert(0, replace(truth.sendings[0], at=9.0, fault="busy", outside_id=""))
    assert faults(truth) == set()
    truth.sendings[:] = [replace(truth.sendings[0], fault="swallowed")]
    truth.statuses.clear()
    assert faults(truth) == {"wrong"}
    assert faults(truth, **changed("messages", 2, status="unknown", outside_id=None)) == set()


def test_what_was_missed_and_is_told_by_nobody_need_not_be_there() -> None:
    truth = a_truth()
    truth.written[0].is_missed = True
    assert faults(truth, **without("messages", 0)) == set()


def test_of_what_is_violated_everything_known_is_shown() -> None:
    seen = SeenChannels(**what_must_be())  # type: ignore[arg-type]
    (told,) = history(["the client got a00003 2 times"], a_truth(), seen)
    assert all(
        word in told for word in ("sent SeenSending", "answer SeenAnswer", "stored", "note 5 on 2", "'read'")
    )


def test_the_same_seed_plans_the_same_and_there_is_some_of_everything() -> None:
    chats = plan(3, 60, 60)
    assert chats == plan(3, 60, 60)
    assert chats != plan(4, 60, 60)
    messages = [message for chat in chats for message in chat.messages]
    assert {chat.channel for chat in chats} == set(CHANNELS)
    assert len({message.token for message in messages}) == len(messages)
    for kind in ("edits", "deleted_after", "album", "is_together", "is_echo"):
        assert any(getattr(message, kind) for message in messages), kind
    assert any(chat.calls_at is not None for chat in chats)
    assert any(chat.answers and len(chat.answers.employees) > 1 for chat in chats)
    numbers = [chat.number for chat in chats if chat.number]
    assert len(numbers) > len(set(numbers)), "somebody writes in two messengers"
