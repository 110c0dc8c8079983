"""Calls that go on, and who waits longest: rows of the page. Pure."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from datetime import datetime

from gateway.decisions.why.sentence import WhySentence
from gateway.web.words.clients import client_in_words
from gateway.web.words.phones import phone
from gateway.web.words.words import Words
from routing.client_work.values import CallRow
from routing.staff import Employee, Staff
from routing.texts.catalogue import Phrase, phrase


@dataclass(frozen=True, slots=True, kw_only=True)
class CallGoing:
    """since: when it began to ring, or to be talked. person: who talks, or rings; None: nobody known, and with `is_inbound` the PBX's
    scheme. why: None: nobody asked."""

    call_id: str
    is_talk: bool
    is_inbound: bool
    client: str | Phrase
    number: str
    line: str
    person: Employee | None
    address: str
    why: Phrase | None
    tone: str
    since: datetime


_TONES = {"good": "good", "warn": "warn", "bad": "bad", "quiet": ""}


def calls_going(
    rows: Sequence[CallRow],
    names: Mapping[str, str],
    lines: Mapping[str, str],
    why: Mapping[str, WhySentence],
    staff: Staff,
    words: Words,
) -> list[CallGoing]:
    """Return them, the longest first of those that ring, then of those that are talked. names: of clients by number; lines: of connections by id;
    why: by decision id."""
    ordered = sorted(rows, key=lambda row: (row.call.is_answered, row.call.started_at))
    return [_going(row, names, lines, why, staff, words) for row in ordered]


def _going(
    row: CallRow,
    names: Mapping[str, str],
    lines: Mapping[str, str],
    why: Mapping[str, WhySentence],
    staff: Staff,
    words: Words,
) -> CallGoing:
    call = row.call
    address = _address(row)
    told = why.get(row.lookup.decision_id) if row.lookup else None
    badge = (
        told.badge
        if told
        else (phrase(f"now.calls.{call.direction}") if call.direction != "inbound" else None)
    )
    return CallGoing(
        call_id=row.call_id,
        is_talk=call.is_answered,
        is_inbound=call.direction == "inbound",
        client=_client(row, names, words),
        number=words.phone(row.client),
        line=phone(row.line) if row.line else lines.get(row.connection_id, ""),
        person=staff.employee_at(address) if address else None,
        address=address or "",
        why=badge,
        tone=_TONES[told.tone] if told else "",
        since=call.answered_at or call.started_at,
    )


def _address(row: CallRow) -> str | None:
    """Who talks now, else whose phone rings."""
    call = row.call
    if call.talks:
        return call.talks[-1].party
    return call.rung[-1] if call.rung else None


def _client(row: CallRow, names: Mapping[str, str], words: Words) -> str | Phrase:
    if row.call.direction == "internal":
        return phrase("now.calls.internal")
    if row.client is None:
        return phrase("now.calls.withheld")
    return client_in_words(names.get(row.client), row.client, row.client_kind, words)
