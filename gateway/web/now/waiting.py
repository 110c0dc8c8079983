"""Who waits for a call back, in a line each. Pure."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from datetime import datetime
from typing import Literal

from gateway.decisions.names_then import NamesThen
from gateway.store.calls.case_lists import CallOfCase
from gateway.web.now.reading import Waiting
from gateway.web.words.clients import client_in_words
from gateway.web.words.words import Words
from routing.missed_calls import Case
from routing.texts.catalogue import Phrase


@dataclass(frozen=True, slots=True, kw_only=True)
class WaitingLine:
    """waits: working seconds. person: whose task it is; person_id: of the CRM, gives the colour."""

    case_id: str
    call_id: str
    client: str | Phrase
    number: str
    waits: int
    tone: Literal["bad", "warn", ""]
    person: str
    person_id: str | None
    count: int


def waiting_lines(
    found: Sequence[Waiting],
    names: Mapping[str, str],
    calls: Mapping[str, CallOfCase],
    people: NamesThen,
    words: Words,
) -> list[WaitingLine]:
    """names: of clients by number. calls: the first of each case, by id."""
    return [
        WaitingLine(
            case_id=case.id,
            call_id=case.missed_calls[-1],
            client=client_in_words(
                names.get(case.client),
                case.client,
                calls[case.id].client_kind if case.id in calls else None,
                words,
            ),
            number=words.phone(case.client),
            waits=seconds,
            tone=tone_of(case, words.now),
            person=people.user(case.owner_id) if case.owner_id else "",
            person_id=case.owner_id,
            count=len(case.missed_calls),
        )
        for case, seconds in found
    ]


def tone_of(case: Case, now: datetime) -> Literal["bad", "warn", ""]:
    """Of the task's deadline: passed, or more than half of the time until then is."""
    if now > case.task_due_at:
        return "bad"
    return "warn" if now - case.opened_at > (case.task_due_at - case.opened_at) / 2 else ""
