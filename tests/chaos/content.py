"""What stands in the CRM, read as a person reads it: whose it is, what it says, until when, on which card.

Worked out from what was told and from the matrix as docs/reference/matrix.md explains it, by none of the product's rules. Where
events overtook each other several owners may be right, else one.
"""

from __future__ import annotations

from collections.abc import Collection, Iterable, Iterator, Mapping, Sequence
from dataclasses import dataclass
from datetime import UTC, datetime, timedelta

from tests.chaos.evidence import Evidence, Row
from tests.chaos.facts import CallFacts
from tests.chaos.oracle import Expected
from tests.chaos.tenants import Tenant
from tests.chaos.traffic import UNKNOWN_EXTENSION

SENIOR = 1000100
_CLOSED = (142, 143)
_CALL_NOTES = {"in": "call_in", "out": "call_out"}
_TALKED, _NO_ANSWER = 4, 6
_LATE = timedelta(minutes=12)
"""A decision may have to wait so long in a run; what is due counts from it."""
_ORDERED = timedelta(seconds=2)
"""Between a decision and the row of what it orders."""


@dataclass(frozen=True, slots=True)
class _Words:
    """By language: how the texts read."""

    missed: str
    deal: str
    count: str
    done: str


_WORDS: Mapping[str, _Words] = {
    "ru": _Words("Пропущенный звонок", "Звонок {}", "пропущено звонков: {}", "На связи: "),
    "en": _Words("Missed call", "Call {}", "missed calls: {}", "Reached by "),
}


def user_of(extension: str) -> int:
    """The sample account's user with this extension."""
    return 1000000 + int(extension)


class ContentOracle:
    """Of one account. calls: by call_id, what was told of it."""

    def __init__(self, tenant: Tenant, evidence: Evidence, call_of: Mapping[tuple[str, str], Row]) -> None:
        self.tenant, self.seen, self.call_of = tenant, evidence, call_of
        self.words = _WORDS[tenant.language]
        self.tasks_on: dict[int, list[Row]] = {}
        for task in evidence.tasks:
            if evidence.is_new(task):
                self.tasks_on.setdefault(task["entity_id"], []).append(task)
        self.effects = {(e["effect_key"]): e for e in evidence.effects}

    def faults(self, wanted: Expected, notes: Mapping[str, list[Row]]) -> Iterator[str]:
        """What is otherwise than it must be, for people to read. notes: call notes by call_id."""
        contacts = [c for c in self.seen.contacts_with(wanted.number) if not c["is_deleted"]]
        deals = [d for d in self.seen.deals_with(wanted.number) if not d["is_hidden"] and not d["is_deleted"]]
        yield from self._made(wanted, contacts, deals)
        card = self._card(contacts, deals)
        if card is None:
            return
        for one in wanted.calls:
            call = self.call_of.get((one.call.connection, one.call.key))
            for note in notes[call["call_id"]] if call else ():
                for fault in self._note(note, one, wanted, card):
                    yield f"note {note['id']} of {one.call.key}: {fault}"
        yield from self._tasks(wanted, contacts, deals, card)

    # --- contact and deal --------------------------------------------------------------------------------------

    def _made(self, wanted: Expected, contacts: Sequence[Row], deals: Sequence[Row]) -> Iterator[str]:
        owners = self._makers(wanted)
        for row in (*contacts, *deals):
            if not self.seen.is_new(row):
                continue
            name = wanted.number if "phones" in row else self.words.deal.format(wanted.number)
            if row["name"] != name:
                yield f"{row['id']} is called {row['name']!r}, not {name!r}"
            if row["responsible_user_id"] not in owners:
                yield f"{row['id']} is {row['responsible_user_id']}'s, not one of {sorted(owners)}"

    def _makers(self, wanted: Expected) -> set[int]:
        """Whose a new client may be: theirs who took the first call, or, where calls were near each other, any of the calls."""
        inbound = [c for c in wanted.calls if c.call.direction == "in"]
        first = inbound[:1] if inbound and _is_alone(inbound[0], wanted.calls) else inbound
        return {owner for call in first for owner in self._takers(call)}

    def _takers(self, call: CallFacts) -> set[int]:
        if not call.is_answered:
            return {user_of(self.tenant.missed_by)}
        told = _extensions(call)
        users = {user_of(e) for e in told if e != UNKNOWN_EXTENSION}
        is_sure = call.is_plain and bool(told)
        return users if is_sure and UNKNOWN_EXTENSION not in told else users | {SENIOR}

    # --- notes -------------------------------------------------------------------------------------------------

    def _card(self, contacts: Sequence[Row], deals: Sequence[Row]) -> Row | None:
        """Where calls and tasks belong: the open deal that was changed last, else the contact."""
        is_open = [d for d in deals if d["status_id"] not in _CLOSED]
        return max(is_open or contacts, key=lambda row: (row["created_at"], row["id"]), default=None)

    def _note(self, note: Row, one: CallFacts, wanted: Expected, card: Row) -> Iterator[str]:
        params: Row = note.get("params") or {}
        if note["note_type"] != _CALL_NOTES[one.call.direction]:
            yield f"is {note['note_type']}"
        if params.get("phone") != wanted.number:
            yield f"is of {params.get('phone')}"
        if note["entity_id"] != card["id"]:
            yield f"stands on {note['entity_id']}, not on {card['id']}"
        status = _TALKED if one.is_answered else _NO_ANSWER
        if params.get("call_status") != status:
            yield f"status {params.get('call_status')}, not {status}"
        lengths = {e.event.fields["billsec"] for e in one.events if e.event.fields.get("billsec")}
        if lengths and params.get("duration") not in lengths:
            yield f"{params.get('duration')} seconds long, not {lengths}"
        if not one.is_answered and params.get("duration"):
            yield f"{params['duration']} seconds long, and nobody talked"
        links = {e.event.fields["recording"] for e in one.events if e.event.name == "recording"}
        if params.get("link") and params["link"] not in links:
            yield f"links to {params['link']}"
        yield from self._note_says(note, one, card)

    def _note_says(self, note: Row, one: CallFacts, card: Row) -> Iterator[str]:
        said = str((note.get("params") or {}).get("call_result") or "")
        owner = note["responsible_user_id"]
        if not one.is_answered:
            if self.words.missed not in said:
                yield f"says {said!r} of a missed call"
            if owner not in (user_of(self.tenant.missed_by), card["responsible_user_id"]):
                yield f"is {owner}'s"
            return
        talkers = _extensions(one) - {UNKNOWN_EXTENSION}
        if talkers and one.is_plain and not one.is_by_unknown:
            if owner not in {user_of(e) for e in talkers}:
                yield f"is {owner}'s, and {sorted(talkers)} talked"
            names = [e for e in talkers if e in said]
            if not names and card["responsible_user_id"] not in {user_of(e) for e in talkers}:
                yield f"says {said!r}, and {sorted(talkers)} talked, whose client it is not"

    # --- tasks -------------------------------------------------------------------------------------------------

    def _tasks(
        self, wanted: Expected, contacts: Sequence[Row], deals: Sequence[Row], card: Row
    ) -> Iterator[str]:
        ids = {row["id"] for row in (*contacts, *deals)}
        tasks = {str(t["id"]): t for id in ids for t in self.tasks_on.get(id, ())}
        cases = [c for c in self.seen.cases if c["client"] == wanted.number]
        of_cases = {self._task_of(case): case for case in cases}
        for id, task in tasks.items():
            case = of_cases.get(id)
            faults = self._call_back(task, case, wanted, card) if case else self._check(task, wanted)
            for fault in faults:
                yield f"task {id}: {fault}"
        for made, case in of_cases.items():
            if made is not None and made not in tasks:
                yield f"task {made} of case {case['case_id']} is on none of the client's cards"

    def _task_of(self, case: Row) -> str | None:
        effect = self.effects.get(f"case:{case['case_id']}:task")
        return str(effect["crm_id"]) if effect and effect["state"] == "done" else None

    def _call_back(self, task: Row, case: Row, wanted: Expected, card: Row) -> Iterator[str]:
        text, missed = str(task["text"]), [c for c in wanted.calls if c.is_missed]
        if not text.startswith(self.tenant.call_back) or wanted.number not in text:
            yield f"says {text!r}"
        if not any(clock in text for call in missed for clock in self._clocks(call)):
            yield f"says {text!r}, and no missed call was at that time in {self.tenant.zone}"
        calls = len(case["missed_calls"])
        if (calls > 1) != (self.words.count.format(calls) in text) and not task["is_completed"]:
            yield f"says {text!r} of {calls} missed calls"
        if bool(task["is_completed"]) != (case["state"] == "closed"):
            yield f"completed={task['is_completed']}, and its case is {case['state']}"
        if case["state"] == "closed" and self.words.done not in str(task.get("result") or ""):
            yield f"has the result {task.get('result')!r}"
        if task["entity_id"] != card["id"]:
            yield f"stands on {task['entity_id']}, not on {card['id']}"
        owners = {user_of(self.tenant.missed_by), card["responsible_user_id"]}
        if self.tenant.matrix is None and not self.seen.is_new(card):
            owners = {card["responsible_user_id"]}
        if task["responsible_user_id"] not in owners:
            yield f"is {task['responsible_user_id']}'s, not one of {sorted(owners)}"
        ordered_at = self.effects[f"case:{case['case_id']}:task"]["created_at"]
        yield from self._due(task, missed, ordered_at)

    def _clocks(self, call: CallFacts) -> Iterator[str]:
        """How the beginning of a call may read: by its PBX's clock, or by ours when it was told."""
        for event in call.events:
            for at in (event.told_at, event.happened, event.at):
                if at is not None:
                    yield at.astimezone(self.tenant.tz).strftime("%H:%M")
                    yield (at - timedelta(seconds=5)).astimezone(self.tenant.tz).strftime("%H:%M")

    def _due(self, task: Row, missed: Collection[CallFacts], ordered_at: datetime) -> Iterator[str]:
        """Between what counts from the end of the first missed call and what counts from its latest decision, which on a busy
        machine may have waited longer than any."""
        if not missed:
            return
        due = datetime.fromtimestamp(task["complete_till"], UTC)
        first = min(e.happened for call in missed for e in call.events) - timedelta(minutes=1)
        last = max(e.at for call in missed for e in call.events) + _LATE
        last = max(last, ordered_at + _ORDERED)
        least, most = self._later(first), self._later(last)
        if not least <= due <= most:
            yield f"is due {due:%d.%m %H:%M:%S}, not between {least:%d.%m %H:%M:%S} and {most:%d.%m %H:%M:%S}"

    def _later(self, at: datetime) -> datetime:
        minutes = self.tenant.due_minutes
        if not self.tenant.is_due_in_working_time:
            return at + timedelta(minutes=minutes)
        return _working(at.astimezone(self.tenant.tz), minutes).astimezone(UTC)

    def _check(self, task: Row, wanted: Expected) -> Iterator[str]:
        """A task of no case asks the senior manager to look after an unknown extension."""
        text = str(task["text"])
        if text.startswith(self.tenant.call_back):
            yield f"of no case: {text!r}"
        elif not any(c.is_by_unknown or (c.is_answered and not c.is_plain) for c in wanted.calls):
            yield f"nobody unknown answered, and it says {text!r}"
        elif wanted.number not in text or task["responsible_user_id"] != SENIOR:
            yield f"is {task['responsible_user_id']}'s and says {text!r}"


def _extensions(call: CallFacts) -> set[str]:
    return {str(e.event.fields["extension"]) for e in call.events if "extension" in e.event.fields}


def _is_alone(call: CallFacts, calls: Iterable[CallFacts]) -> bool:
    """Told whole before anything of another call of the client came."""
    ended = max(e.at for e in call.events)
    others = [e.at for other in calls if other is not call for e in other.events]
    return call.is_plain and call.has_ended and (not others or min(others) > ended + timedelta(seconds=6))


def _working(at: datetime, minutes: int) -> datetime:
    """So many minutes of Monday to Friday, nine to six, later: minute by minute, as one counts on a calendar."""
    left = float(minutes)
    while left > 0:
        if at.weekday() < 5 and 9 <= at.hour < 18:
            step = min(60.0 - at.second - at.microsecond / 1e6, left * 60)
            left -= step / 60
            at += timedelta(seconds=step)
        else:
            at = at.replace(second=0, microsecond=0) + timedelta(minutes=1)
    return at
