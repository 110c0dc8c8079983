"""Rows of the pages of missed calls. Pure."""

from __future__ import annotations

from collections.abc import Iterable, Mapping, Sequence
from dataclasses import dataclass
from datetime import datetime
from typing import Literal

from gateway.decisions.names_then import NamesThen
from gateway.store.calls.case_lists import ClosedCase
from gateway.web.missed.reading import BesideCases
from gateway.web.now.reading import Waiting
from gateway.web.now.waiting import tone_of
from gateway.web.words.phones import phone
from gateway.web.words.words import Words
from routing.missed_calls import Case
from routing.texts.catalogue import Phrase, phrase


@dataclass(frozen=True, slots=True, kw_only=True)
class MissedLine:
    """waits, overdue: seconds, the first of working time. deal: name of the card that the task stands on; deal_kind, deal_id: which.
    can_touch: by who looks at it."""

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
    deal: str | Phrase
    deal_kind: str
    deal_id: str
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
    came = known.lines.get(call_id)
    line = ""
    if came is not None:
        line = phone(came.line) if came.line else known.connections.get(came.connection_id, "")
    name = known.names.get(case.client)
    over = (words.now - case.task_due_at).total_seconds()
    target = case.target
    entity = known.deals.get((target.kind, target.id)) if target and target.id else None
    if entity is not None and entity.name:
        deal: str | Phrase = words.text(entity.name)
    else:
        deal = phrase(f"missed.card.{target.kind}") if target and target.id else phrase("missed.card.none")
    return MissedLine(
        case_id=case.id,
        call_id=call_id,
        client=words.text(name) if name else phrase("missed.new_client"),
        is_new=name is None,
        number=words.phone(case.client),
        waits=seconds,
        overdue=over if over > 0 else None,
        due_at=case.task_due_at,
        tone=tone_of(case, words.now),
        line=line,
        count=len(case.missed_calls),
        person=known.people.user(case.owner_id) if case.owner_id else "",
        person_id=case.owner_id,
        deal=deal,
        deal_kind=target.kind if target and target.id else "",
        deal_id=(target.id or "") if target else "",
        can_touch=can_touch,
    )


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
    if one.client in names:
        return words.text(names[one.client])
    return words.phone(one.client) or phrase("missed.emptied")


def _how(one: ClosedCase, people: NamesThen, words: Words) -> Phrase:
    by = (people.user(one.closed_by) if one.closed_by.isdigit() else one.closed_by) if one.closed_by else ""
    if one.closed_note:
        return phrase("missed.how.note", note=words.text(one.closed_note), by=by)
    if one.closed_by_call is None:
        return phrase("missed.how.crm", by=by) if by else phrase("missed.how.crm.unknown")
    if one.answered_direction == "inbound":
        return phrase("missed.how.client")
    return phrase("missed.how.called", by=by) if by else phrase("missed.how.called.unknown")
