"""The parts of a call's course: rows of the ladder and lines of the list, out of the call and what was decided. Pure."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass
from datetime import datetime

from markupsafe import Markup

from gateway.store.decisions.decisions import Explained
from gateway.web.calls.call_words import talker_at
from gateway.web.calls.one.ladder import CourseMoment, LadderBar, LadderRow, NumberedMark, draw_ladder
from gateway.web.words.phones import phone
from gateway.web.words.words import Words
from routing.calls.model import Call, Leg
from routing.client_work.values import CallRow
from routing.staff import Staff


@dataclass(frozen=True, slots=True)
class Course:
    """are_legs_told: else it is known who talked, and not who rang and for how long."""

    drawing: Markup
    moments: Sequence[CourseMoment]
    are_legs_told: bool


def numbers_of(decisions: Sequence[Explained]) -> dict[str, int]:
    """Return the numbers of the decisions by which the eye finds them again: the PBX's question and each moment of the matrix."""
    shown = [d.decision.decision_id for d in decisions if d.decision.kind in ("lookup", "matrix")]
    return {id: number for number, id in enumerate(shown, 1)}


def course_of(
    row: CallRow, decisions: Sequence[Explained], client: str, pbx: str, staff: Staff, words: Words
) -> Course:
    call = row.call
    legs = call.legs or _talks_as_legs(call)
    ends = call.ended_at or words.now
    moments = _moments(row, decisions, legs, pbx, staff, words)
    rows = [
        LadderRow(
            words.texts.say("calls.course.client"),
            client,
            [LadderBar(call.started_at, call.ended_at, "quiet")],
        ),
        LadderRow(
            words.texts.say("calls.course.line"),
            phone(row.line) if row.line else pbx,
            marks=_marks(row, decisions, "lookup", words),
        ),
        *(_leg_row(leg, call, staff, words) for leg in legs),
        LadderRow(words.texts.say("calls.course.crm"), marks=_marks(row, decisions, "matrix", words)),
    ]
    label = "; ".join(
        f"{words.clock(m.at, seconds=True)} {m.title}{': ' + m.detail if m.detail else ''}" for m in moments
    )
    begins = words.clock(call.started_at, seconds=True)
    return Course(draw_ladder(rows, call.started_at, ends, begins, label), moments, bool(call.legs))


def _talks_as_legs(call: Call) -> tuple[Leg, ...]:
    """As the journal knew calls before it kept the times of each phone."""
    talked = {talk.party for talk in call.talks}
    legs = [Leg(party=t.party, answered_at=t.started_at, left_at=t.ended_at) for t in call.talks]
    return (*(Leg(party=party) for party in call.rung if party not in talked), *legs)


def _leg_row(leg: Leg, call: Call, staff: Staff, words: Words) -> LadderRow:
    texts = words.texts
    who = talker_at(leg.party, staff, texts.say("calls.course.somebody") if leg.answered_at else "")
    bars: list[LadderBar] = []
    until = leg.answered_at or leg.left_at
    if leg.rang_at:
        rang = words.duration((until or call.ended_at or words.now) - leg.rang_at) if until else ""
        bars.append(LadderBar(leg.rang_at, until or call.answered_at or call.ended_at, "warn", rang))
    if leg.answered_at:
        talked = words.duration((leg.left_at or call.ended_at or words.now) - leg.answered_at)
        bars.append(
            LadderBar(leg.answered_at, leg.left_at, "good", texts.say("calls.course.talk", duration=talked))
        )
    name = who.name or texts.say("calls.course.queue")
    note = "" if bars else texts.say("calls.course.rang_untold")
    sub = texts.say("calls.course.address", address=leg.party) if leg.party and who.name != leg.party else ""
    return LadderRow(name, sub, bars, note=note)


def _marks(row: CallRow, decisions: Sequence[Explained], kind: str, words: Words) -> list[NumberedMark]:
    numbers = numbers_of(decisions)
    return [
        NumberedMark(_by_the_pbx(row, d.decision.at), numbers[d.decision.decision_id], moment_of(d, words))
        for d in decisions
        if d.decision.kind == kind
    ]


def _by_the_pbx(row: CallRow, at: datetime) -> datetime:
    """By the clock of the PBX, as the call's own times are."""
    return at - row.clock_offset


def moment_of(told: Explained, words: Words) -> str:
    """Return at which moment of the call the matrix was asked; the lookup stands by its number alone."""
    moment = told.decision.outcome.get("moment")
    return words.texts.word("matrix.moment", str(moment)) if moment else ""


def _moments(
    row: CallRow, decisions: Sequence[Explained], legs: Sequence[Leg], pbx: str, staff: Staff, words: Words
) -> list[CourseMoment]:
    call, texts = row.call, words.texts
    line = phone(row.line) if row.line else pbx
    found = [CourseMoment(call.started_at, texts.say(f"calls.course.began.{call.direction}", line=line), pbx)]
    for told in decisions:
        if told.decision.kind == "lookup":
            at = _by_the_pbx(row, told.decision.at)
            found.append(CourseMoment(at, texts.say("calls.course.asked"), _answered_in(told, words), "info"))
    for leg in legs:
        found += _of_leg(leg, staff, words)
    if call.ended_at:
        lost = texts.say("calls.course.end_lost") if call.is_end_lost else ""
        found.append(CourseMoment(call.ended_at, texts.say("calls.course.ended"), lost))
    return sorted(found, key=lambda moment: moment.at)


def _answered_in(told: Explained, words: Words) -> str:
    took = told.decision.inputs.get("took_us")
    return "" if took is None else words.texts.say("calls.course.answered_in", ms=words.decimal(took / 1000))


def _of_leg(leg: Leg, staff: Staff, words: Words) -> list[CourseMoment]:
    texts = words.texts
    who = talker_at(leg.party, staff, texts.say("calls.course.somebody") if leg.answered_at else "")
    name = who.name or texts.say("calls.course.queue")
    found = []
    if leg.rang_at:
        until = leg.answered_at or leg.left_at
        found.append(
            CourseMoment(
                leg.rang_at,
                texts.say("calls.course.rings", name=name),
                words.duration(until - leg.rang_at) if until else "",
                "warn",
            )
        )
    if leg.answered_at:
        talked = words.duration(leg.left_at - leg.answered_at) if leg.left_at else ""
        found.append(
            CourseMoment(leg.answered_at, texts.say("calls.course.talks", name=name), talked, "good")
        )
    elif leg.left_at:
        cause = texts.word("calls.cause", leg.cause.value) if leg.cause else ""
        found.append(CourseMoment(leg.left_at, texts.say("calls.course.stopped", name=name), cause))
    return found
