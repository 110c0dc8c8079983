"""Missed-call cases: a client called, nobody answered, and somebody owes them a call back.

One open case and one task per client. A further missed call is counted on the case; anyone's talk with the client closes
it and completes the task; a case that waits too long goes to the next senior manager. A missed call after that is a new
case with a new task: the old task is done, and the figures of the old case stay what they were.
"""

from __future__ import annotations

from collections.abc import Mapping
from datetime import datetime
from typing import Literal, NamedTuple
from zoneinfo import ZoneInfo

from pydantic import BaseModel, ConfigDict

from routing.client import Ref
from routing.decision import Fact, Step, Trace
from routing.effects import ChangeTask, CreateTask, Effect
from routing.quiet_hours import after_quiet
from routing.schedules.calendar import NO_HOLIDAYS, PublicHolidays
from routing.settings import CasePolicy, WorkingTime
from routing.staff import Employee, Staff
from routing.texts.catalogue import DEFAULT_LANGUAGE, Language
from routing.texts.sentences import TEXTS
from routing.working_time import add_working_minutes, working_seconds_between

CaseReason = Literal[
    "case_opened",
    "case_counted",
    "case_repeated",
    "case_closed",
    "case_escalated",
    "case_closed_in_crm",
    "case_reassigned",
    "case_taken",
    "case_closed_by_hand",
    "task_as_known",
    "client_reached_already",
    "reached_before_missed",
    "escalation_not_due",
    "escalation_quiet",
    "escalation_limit",
    "no_senior_left",
    "no_open_case",
]


class Case(BaseModel):
    """id: of the first missed call. owner_id: CRM user. task_text: as the matrix wrote it, without the count.
    last_missed_at, last_missed_until: when the latest missed call began, and when the last of them was given up.

    changes: how many times the task was changed; numbers the keys of those effects. waited_seconds: working time between
    the first missed call and the talk, None where somebody closed it by hand without one. closed_note: what whoever closed it by hand wrote.
    """

    model_config = ConfigDict(frozen=True)

    id: str
    client: str
    state: Literal["open", "closed"] = "open"
    opened_at: datetime
    last_missed_at: datetime
    last_missed_until: datetime | None = None
    missed_calls: tuple[str, ...]
    owner_id: str | None
    target: Ref | None
    task_text: str
    task_due_at: datetime
    escalations: int = 0
    escalate_at: datetime | None = None
    changes: int = 0
    closed_at: datetime | None = None
    closed_by_call: str | None = None
    closed_by: str | None = None
    waited_seconds: int | None = None
    closed_note: str = ""

    @property
    def task_key(self) -> str:
        return f"case:{self.id}:task"


class Missed(BaseModel):
    """An unanswered call of the client, with the task that the matrix ordered for it. ended_at None: its end is not known."""

    model_config = ConfigDict(frozen=True)

    call_id: str
    at: datetime
    ended_at: datetime | None = None
    task: CreateTask

    @property
    def until(self) -> datetime:
        return max(self.at, self.ended_at or self.at)


class Reached(BaseModel):
    """Somebody talked with the client. until: the end of the talk, or now while it goes on. by: who, for people to read."""

    model_config = ConfigDict(frozen=True)

    call_id: str
    at: datetime
    until: datetime
    by: str | None = None


class TaskTold(BaseModel):
    """What a person did in the CRM with the task of a case. owner_id: CRM user whose it is now, None = as it was.

    event_id: of the change as it is stored, by which more of it is found later.
    """

    model_config = ConfigDict(frozen=True)

    event_id: int | None = None
    at: datetime
    by_user: str | None = None
    is_completed: bool = False
    owner_id: str | None = None


class CaseOrder(BaseModel):
    """What a person ordered here. by: their name. owner_id: CRM user who takes the task; None: it is closed, with the note."""

    model_config = ConfigDict(frozen=True)

    at: datetime
    by: str
    owner_id: str | None = None
    note: str = ""


class Rules(NamedTuple):
    """What of the account's configuration cases depend on."""

    policy: CasePolicy
    hours: WorkingTime
    zone: ZoneInfo
    holidays: PublicHolidays = NO_HOLIDAYS
    language: Language = DEFAULT_LANGUAGE


class CaseDecision(NamedTuple):
    """case: as it is afterwards, None when there is none. effects: what the CRM is to be told."""

    case: Case | None
    effects: tuple[Effect, ...]
    reason: CaseReason
    steps: Trace


def missed(
    case: Case | None, call: Missed, reached: Reached | None, client: str, rules: Rules
) -> CaseDecision:
    """Decide about an unanswered call that is over. case: the client's open one. reached: the latest talk with them that is known.

    A client who was talked to when this call was given up, or after that (calls are told in any order), waits for nobody: no
    case. A talk on another line that was over before answered something else.
    """
    facts: Mapping[str, Fact] = {"call": call.call_id, "at": call.at.isoformat()}
    if case and call.call_id in case.missed_calls:
        return _nothing_ordered(case, "case_repeated", facts)
    if reached and reached.until >= call.until:
        return _nothing_ordered(case, "client_reached_already", {**facts, "reached_by_call": reached.call_id})
    if case is None:
        return _opened(call, client, rules)
    counted = case.model_copy(
        update={
            "missed_calls": (*case.missed_calls, call.call_id),
            "last_missed_at": max(case.last_missed_at, call.at),
            "last_missed_until": max(case.last_missed_until or case.last_missed_at, call.until),
            "changes": case.changes + 1,
        }
    )
    change = ChangeTask(task=case.task_key, text=_count_text(counted, rules))
    step = Step(
        "case", "decided", "case_counted", {**facts, "case": case.id, "count": len(counted.missed_calls)}
    )
    return CaseDecision(counted, (_changed(counted, change),), "case_counted", (step,))


def answered(case: Case | None, talk: Reached, rules: Rules) -> CaseDecision:
    """Somebody talks with the client, whoever called whom: their case is closed and the task completed."""
    facts: Mapping[str, Fact] = {"call": talk.call_id, "by": talk.by}
    if case is None or case.state == "closed":
        return _nothing_ordered(case, "no_open_case", facts)
    if talk.until < max(case.last_missed_at, case.last_missed_until or case.last_missed_at):
        return _nothing_ordered(case, "reached_before_missed", {**facts, "case": case.id})
    at = max(talk.at, case.opened_at)
    closed = case.model_copy(
        update={
            "state": "closed",
            "closed_at": at,
            "closed_by_call": talk.call_id,
            "closed_by": talk.by,
            "escalate_at": None,
            "waited_seconds": working_seconds_between(
                case.opened_at, at, rules.hours, rules.zone, rules.holidays
            ),
        }
    )
    template = rules.policy.done_text or _template("done", rules)
    result = _filled(template, who=talk.by or "?", time=_local(talk.at, rules))
    order = ChangeTask(task=case.task_key, is_completed=True, result=result)
    step = Step("case", "decided", "case_closed", {**facts, "case": case.id})
    return CaseDecision(closed, (Effect(key=f"case:{case.id}:done", order=order),), "case_closed", (step,))


def timer(case: Case, now: datetime, staff: Staff, rules: Rules) -> CaseDecision:
    """Decide about a case that may have waited too long: the next senior manager who can be given work gets the task."""
    facts: Mapping[str, Fact] = {"case": case.id, "escalations": case.escalations}
    if case.state == "closed" or case.escalate_at is None or now < case.escalate_at:
        return _nothing_ordered(case, "escalation_not_due", facts)
    if case.escalations >= rules.policy.max_escalations:
        return _nothing_ordered(case.model_copy(update={"escalate_at": None}), "escalation_limit", facts)
    quiet_end = after_quiet(rules.policy.quiet_hours, now, rules.zone)
    if quiet_end > now:
        later = case.model_copy(update={"escalate_at": quiet_end})
        return _nothing_ordered(later, "escalation_quiet", {**facts, "until": quiet_end.isoformat()})
    passed, senior = _next_senior(case, staff, rules.policy)
    if senior is None:
        ended = case.model_copy(update={"escalate_at": None})
        return CaseDecision(
            ended, (), "no_senior_left", (*passed, Step("case", "decided", "no_senior_left", facts))
        )
    escalations = case.escalations + 1
    raised = case.model_copy(
        update={
            "owner_id": senior.crm_user_id,
            "escalations": escalations,
            "changes": case.changes + 1,
            "escalate_at": _escalate_at(now, rules) if escalations < rules.policy.max_escalations else None,
        }
    )
    change = ChangeTask(task=case.task_key, owner_id=senior.crm_user_id)
    step = Step("case", "decided", "case_escalated", {**facts, "to": senior.id})
    return CaseDecision(raised, (_changed(raised, change),), "case_escalated", (*passed, step))


def task_changed(case: Case, told: TaskTold, staff: Staff, rules: Rules) -> CaseDecision:
    """Follow a person who completed the task of an open case, or gave it to somebody else: the case follows, the CRM knows already."""
    facts: Mapping[str, Fact] = {"case": case.id, "by_user": told.by_user, "at": told.at.isoformat()}
    if told.is_completed:
        at = max(told.at, case.opened_at)
        closed = case.model_copy(
            update={
                "state": "closed",
                "closed_at": at,
                "closed_by": _name_of(told.by_user, staff),
                "escalate_at": None,
                "waited_seconds": working_seconds_between(
                    case.opened_at, at, rules.hours, rules.zone, rules.holidays
                ),
            }
        )
        return _nothing_ordered(closed, "case_closed_in_crm", facts)
    if told.owner_id is None or told.owner_id == case.owner_id:
        return _nothing_ordered(case, "task_as_known", facts)
    moved = case.model_copy(update={"owner_id": told.owner_id})
    return _nothing_ordered(moved, "case_reassigned", {**facts, "to": told.owner_id})


def by_hand(case: Case, order: CaseOrder, rules: Rules) -> CaseDecision:
    """Do with an open case what a person ordered here; the CRM is told."""
    facts: Mapping[str, Fact] = {"case": case.id, "by": order.by}
    if case.state == "closed":
        return _nothing_ordered(case, "no_open_case", facts)
    if order.owner_id is None:
        return _closed_by_hand(case, order, rules, facts)
    if order.owner_id == case.owner_id:
        return _nothing_ordered(case, "task_as_known", facts)
    taken = case.model_copy(update={"owner_id": order.owner_id, "changes": case.changes + 1})
    change = ChangeTask(task=case.task_key, owner_id=order.owner_id)
    step = Step("case", "decided", "case_taken", {**facts, "to": order.owner_id})
    return CaseDecision(taken, (_changed(taken, change),), "case_taken", (step,))


def _closed_by_hand(case: Case, order: CaseOrder, rules: Rules, facts: Mapping[str, Fact]) -> CaseDecision:
    at = max(order.at, case.opened_at)
    closed = case.model_copy(
        update={
            "state": "closed",
            "closed_at": at,
            "closed_by": order.by,
            "closed_note": order.note,
            "escalate_at": None,
        }
    )
    change = ChangeTask(task=case.task_key, is_completed=True, result=order.note)
    step = Step("case", "decided", "case_closed_by_hand", facts)
    effect = Effect(key=f"case:{case.id}:done", order=change)
    return CaseDecision(closed, (effect,), "case_closed_by_hand", (step,))


def _name_of(crm_user_id: str | None, staff: Staff) -> str | None:
    people = staff.by_id.values() if crm_user_id else ()
    return next((person.name for person in people if person.crm_user_id == crm_user_id), crm_user_id)


def _opened(call: Missed, client: str, rules: Rules) -> CaseDecision:
    case = Case(
        id=call.call_id,
        client=client,
        opened_at=call.at,
        last_missed_at=call.at,
        last_missed_until=call.until,
        missed_calls=(call.call_id,),
        owner_id=call.task.owner_id,
        target=call.task.target,
        task_text=call.task.text,
        task_due_at=call.task.due_at,
        escalate_at=_escalate_at(call.at, rules) if rules.policy.max_escalations else None,
    )
    step = Step("case", "decided", "case_opened", {"case": case.id, "owner": case.owner_id})
    return CaseDecision(case, (Effect(key=case.task_key, order=call.task),), "case_opened", (step,))


def _next_senior(case: Case, staff: Staff, policy: CasePolicy) -> tuple[Trace, Employee | None]:
    """Return the first after the present owner in the order of escalation who is active and mapped."""
    order = [staff.by_id.get(id) for id in policy.seniors] if policy.seniors else [staff.senior]
    owners = [person.crm_user_id if person else None for person in order]
    start = owners.index(case.owner_id) + 1 if case.owner_id in owners else 0
    passed = []
    for person in order[start:]:
        if person is None:
            passed.append(Step("case", "excluded", "unknown_employee"))
        elif not person.crm_user_id:
            passed.append(Step("case", "excluded", "owner_unmapped", {"employee": person.id}))
        elif not person.is_active:
            passed.append(Step("case", "excluded", "owner_inactive", {"employee": person.id}))
        else:
            return tuple(passed), person
    return tuple(passed), None


def _escalate_at(since: datetime, rules: Rules) -> datetime | None:
    if rules.policy.escalate_minutes is None:
        return None
    due = add_working_minutes(since, rules.policy.escalate_minutes, rules.hours, rules.zone, rules.holidays)
    return after_quiet(rules.policy.quiet_hours, due, rules.zone)


def _changed(case: Case, change: ChangeTask) -> Effect:
    """Append a change; those of one task follow each other in their order."""
    after = (f"case:{case.id}:change:{case.changes - 1}",) if case.changes > 1 else ()
    return Effect(key=f"case:{case.id}:change:{case.changes}", order=change, after=after)


COUNT_VALUES = ("text", "count", "time")
DONE_VALUES = ("who", "time")
"""What may stand in braces in the texts of CasePolicy."""


def _count_text(case: Case, rules: Rules) -> str:
    return _filled(
        rules.policy.count_text or _template("count", rules),
        text=case.task_text,
        count=str(len(case.missed_calls)),
        time=_local(case.last_missed_at, rules),
    )


def _template(name: str, rules: Rules) -> str:
    return TEXTS[rules.language].sentences[f"crm.task.{name}"]


def _local(at: datetime, rules: Rules) -> str:
    return at.astimezone(rules.zone).strftime("%d.%m %H:%M")


def _filled(template: str, **values: str) -> str:
    """One pass, so that a value that holds a placeholder stays as it is."""
    parts = template.split("{")
    filled = [parts[0]]
    for part in parts[1:]:
        name, closed, rest = part.partition("}")
        filled.append(values[name] + rest if closed and name in values else "{" + part)
    return "".join(filled)


def _nothing_ordered(case: Case | None, reason: CaseReason, facts: Mapping[str, Fact]) -> CaseDecision:
    return CaseDecision(case, (), reason, (Step("case", "decided", reason, facts),))
