"""Rows of the pages of missed calls. Pure."""

from __future__ import annotations

from collections.abc import Iterable, Mapping, Sequence
from dataclasses import dataclass
from datetime import datetime
from typing import Literal

from gateway.decisions.names_then import NamesThen
from gateway.store.calls.case_lists import ClosedCase
from gateway.store.outbound.of_clients import OpenCallBack
from gateway.web.missed.reading import BesideCases
from gateway.web.now.reading import Waiting
from gateway.web.now.waiting import tone_of
from gateway.web.words.clients import client_in_words, name_or_number
from gateway.web.words.phones import phone
from gateway.web.words.words import Words
from routing.client import ClientKind, Ref
from routing.missed_calls import Case
from routing.texts.catalogue import Phrase, phrase


@dataclass(frozen=True, slots=True, kw_only=True)
class MissedLine:
    """waits, overdue: seconds, the first of working time. is_new: the CRM did not know the client when they called. card: name of
    the card that the task stands on; card_kind, card_id: which, "" = there is none yet. calling: how far a call back is that was ordered. can_touch: by who looks at it."""

    case_id: str
    call_id: str
    client: str | Phrase
    is_new: bool
    number: str
    waits: int
    overdue: float | None
    due_at: datetime
    tone: Literal["bad", "warn", ""]
    line: str
    count: int
    person: str
    person_id: str | None
    card: str | Phrase
    card_kind: str
    card_id: str
    calling: Phrase | None
    can_touch: bool


@dataclass(frozen=True, slots=True, kw_only=True)
class ClosedLine:
    case_id: str
    call_id: str
    at: datetime
    client: str | Phrase
    how: Phrase
    waited: int | None


def missed_lines(
    found: Iterable[Waiting], known: BesideCases, touchable: frozenset[str], words: Words
) -> list[MissedLine]:
    """touchable: ids of cases."""
    return [_line(case, seconds, known, case.id in touchable, words) for case, seconds in found]


def _line(case: Case, seconds: int, known: BesideCases, can_touch: bool, words: Words) -> MissedLine:
    call_id = case.missed_calls[-1]
    first, came = known.calls.get(case.id), known.calls.get(call_id)
    line = ""
    if came is not None:
        line = phone(came.line) if came.line else known.connections.get(came.connection_id, "")
    name = known.names.get(case.client)
    over = (words.now - case.task_due_at).total_seconds()
    card, kind = known.cards.get(case.id), first.client_kind if first else None
    return MissedLine(
        case_id=case.id,
        call_id=call_id,
        client=client_in_words(name, case.client, kind, words),
        is_new=kind is ClientKind.NEW if kind else name is None,
        number=words.phone(case.client),
        waits=seconds,
        overdue=over if over > 0 else None,
        due_at=case.task_due_at,
        tone=tone_of(case, words.now),
        line=line,
        count=len(case.missed_calls),
        person=known.people.user(case.owner_id) if case.owner_id else "",
        person_id=case.owner_id,
        card=_card_in_words(card, known, words),
        card_kind=card.kind if card and card.id else "",
        card_id=(card.id or "") if card else "",
        calling=_calling(known.call_backs.get(case.client), words),
        can_touch=can_touch,
    )


def _calling(found: OpenCallBack | None, words: Words) -> Phrase | None:
    if found is None:
        return None
    attempt = found.attempts + 1
    if found.is_under_way:
        return phrase("missed.calling.now", n=attempt)
    if found.not_before <= words.now:
        if found.waits_for and (why := f"outbound.reason.{found.waits_for}") in words.texts.sentences:
            return phrase("missed.calling.waits", n=attempt, why=phrase(why))
        return phrase("missed.calling.soon", n=attempt)
    return phrase("missed.calling.at", n=attempt, at=words.time(found.not_before))


def _card_in_words(card: Ref | None, known: BesideCases, words: Words) -> str | Phrase:
    if card is None:
        return phrase("missed.card.none")
    if not card.id:
        return phrase(f"missed.card.coming.{card.kind}")
    entity = known.entities.get((card.kind, card.id))
    return words.text(entity.name) if entity and entity.name else phrase(f"missed.card.{card.kind}")


def closed_lines(
    found: Sequence[ClosedCase], names: Mapping[str, str], people: NamesThen, words: Words
) -> list[ClosedLine]:
    return [
        ClosedLine(
            case_id=one.case_id,
            call_id=one.call_id,
            at=one.closed_at,
            client=_client(one, names, words),
            how=_how(one, people, words),
            waited=one.waited_seconds,
        )
        for one in found
    ]


def _client(one: ClosedCase, names: Mapping[str, str], words: Words) -> str | Phrase:
    return name_or_number(names.get(one.client), one.client, words) or phrase("missed.emptied")


def _how(one: ClosedCase, people: NamesThen, words: Words) -> Phrase:
    by = (people.user(one.closed_by) if one.closed_by.isdigit() else one.closed_by) if one.closed_by else ""
    if one.closed_note:
        return phrase("missed.how.note", note=words.text(one.closed_note), by=by)
    if one.closed_by_call is None:
        return phrase("missed.how.crm", by=by) if by else phrase("missed.how.crm.unknown")
    if one.answered_direction == "inbound":
        return phrase("missed.how.client")
    return phrase("missed.how.called", by=by) if by else phrase("missed.how.called.unknown")
