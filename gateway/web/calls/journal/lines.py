"""Rows of the journal as they are shown: stored calls with names beside them. Pure."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from datetime import datetime

from gateway.web.calls.call_words import InWords, Talker, result_of, talkers_of, writes_in_words
from gateway.web.words.clients import client_in_words
from gateway.web.words.phones import phone
from gateway.web.words.words import Words
from routing.client_work.values import CallRow
from routing.staff import Staff
from routing.texts.catalogue import Texts


@dataclass(frozen=True, slots=True)
class CallLine:
    """client: name, or what stands for one. number: spelt, masked where it has to be. why: in two or three words."""

    call_id: str
    at: datetime
    client: str
    number: str
    result: InWords
    line: str
    talkers: Sequence[Talker]
    why: str
    writes: InWords


@dataclass(frozen=True, slots=True, kw_only=True)
class ReadBeside:
    """What is read for a page of calls: names by number, (what, state) of what was ordered by call."""

    names: Mapping[str, str]
    writes: Mapping[str, Sequence[tuple[str, str]]]
    staff: Staff


def lines_of(rows: Sequence[CallRow], beside: ReadBeside, words: Words) -> list[CallLine]:
    return [
        CallLine(
            call_id=row.call_id,
            at=row.call.started_at,
            client=client_name(row, beside.names, words),
            number=words.phone(row.client),
            result=result_of(row.call, words),
            line=phone(row.line) if row.line else "",
            talkers=talkers_of(row, beside.staff),
            why=why_shortly(row, words.texts),
            writes=writes_in_words(beside.writes.get(row.call_id, ()), row.call.is_over, words.texts),
        )
        for row in rows
    ]


def client_name(row: CallRow, names: Mapping[str, str], words: Words) -> str:
    texts = words.texts
    if row.call.direction == "internal":
        return texts.say("calls.client.internal")
    if row.client is None:
        return texts.say("calls.client.emptied" if "number" in row.emptied else "calls.client.withheld")
    said = client_in_words(names.get(row.client), row.client, row.client_kind, words)
    return said if isinstance(said, str) else texts.render(said)


def why_shortly(row: CallRow, texts: Texts) -> str:
    if row.lookup is not None:
        return texts.word("why.badge", row.lookup.reason)
    if row.call.direction != "inbound":
        return texts.say(f"calls.why.{row.call.direction}")
    if not row.call.is_answered and row.call.is_over and row.call.rung:
        return texts.say("calls.why.not_taken", phones=len(row.call.rung))
    return texts.say("calls.why.not_asked")
