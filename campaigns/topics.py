"""Topics and comments of a call: when they are asked for, and the one new deal into which they go."""

from __future__ import annotations

from dataclasses import dataclass, field
from datetime import datetime, timedelta

from campaigns.model import TopicRules
from routing.client import Client, Ref
from routing.effects import AddNote, ChangeNote, CreateContact, CreateDeal, Effect, UpdateEntity
from routing.triggers.model import StagePlace

_AFTER_END = tuple(timedelta(minutes=n) for n in (0, 1, 5, 15, 30))
_LAST_AFTER_START = timedelta(minutes=60)


@dataclass(frozen=True, slots=True, kw_only=True)
class CallTopics:
    """topics: by name. What operators fill in while they wrap up, and correct afterwards."""

    topics: tuple[str, ...] = ()
    comment: str = ""

    @property
    def is_empty(self) -> bool:
        return not self.topics and not self.comment


def questions_of(started_at: datetime, ended_at: datetime) -> tuple[datetime, ...]:
    """Return when a call is asked about: at its end and some minutes after, for the last time an hour after it began. One that
    went on for longer is asked about once."""
    last = max(started_at + _LAST_AFTER_START, ended_at)
    return tuple(sorted({*(ended_at + after for after in _AFTER_END if ended_at + after < last), last}))


def next_question(started_at: datetime, ended_at: datetime, now: datetime) -> datetime | None:
    """Return the first one after now; None: there was the last."""
    return next((at for at in questions_of(started_at, ended_at) if at > now), None)


@dataclass(frozen=True, slots=True, kw_only=True)
class TopicCall:
    """key: of the call, for ever. made_deal: key of the effect by which the matrix made a deal for this very call. had_deal: the
    client had an open deal before the call."""

    key: str
    number: str
    client: Client
    had_deal: bool
    made_deal: str | None = None
    owner_id: str | None = None
    contact_name: str = ""
    contact_fields: dict[str, str] = field(default_factory=dict)


def place_of(rules: TopicRules, *, had_deal: bool) -> StagePlace | None:
    return rules.deal_there if had_deal else rules.no_deal


def deal_effects(call: TopicCall, rules: TopicRules, deal_name: str) -> tuple[Effect, ...]:
    """Return what makes the deal: a new one though the client has an open one, in a stage of its own. A deal that the call has
    made already is that one. Keys are the call's: told again, nothing is made anew."""
    place = place_of(rules, had_deal=call.had_deal)
    if place is None:
        return ()
    if call.made_deal is not None:
        order = UpdateEntity(
            target=Ref(kind="deal", effect=call.made_deal),
            pipeline_id=place.pipeline_id,
            stage_id=place.stage_id,
        )
        return (Effect(key=f"topics:{call.key}:stage", order=order),)
    contact, effects = _contact(call)
    deal = CreateDeal(
        name=deal_name,
        contact=contact,
        owner_id=call.owner_id,
        pipeline_id=place.pipeline_id,
        stage_id=place.stage_id,
    )
    return (*effects, Effect(key=_deal_key(call.key), order=deal))


def _contact(call: TopicCall) -> tuple[Ref, tuple[Effect, ...]]:
    known = [*call.client.of("contact"), *call.client.of("company")]
    if known:
        return known[0].ref, ()
    key = f"topics:{call.key}:contact"
    order = CreateContact(
        name=call.contact_name or call.number,
        number=call.number,
        owner_id=call.owner_id,
        fields=call.contact_fields,
    )
    return Ref(kind="contact", effect=key), (Effect(key=key, order=order),)


def note_effect(call_key: str, made_deal: str | None, text: str) -> Effect:
    """Return the one note of the call. Told again, it is not written again."""
    return Effect(key=_note_key(call_key), order=AddNote(target=_deal(call_key, made_deal), text=text))


def rewritten_note(call_key: str, made_deal: str | None, text: str, question: int) -> Effect:
    """Return what puts this text into that note. question: how often the call was asked about before."""
    order = ChangeNote(note=_note_key(call_key), target=_deal(call_key, made_deal), text=text)
    return Effect(key=f"{_note_key(call_key)}:{question}", order=order)


def _deal(call_key: str, made_deal: str | None) -> Ref:
    return Ref(kind="deal", effect=made_deal or _deal_key(call_key))


def _note_key(call_key: str) -> str:
    return f"topics:{call_key}:note"


def _deal_key(call_key: str) -> str:
    return f"topics:{call_key}:deal"
