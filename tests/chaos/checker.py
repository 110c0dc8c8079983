"""Compares what was told, the journal, the ledger and the CRM. A violation names the client whose history tells more."""

from __future__ import annotations

from collections import Counter, defaultdict
from collections.abc import Iterable, Iterator, Mapping, Sequence
from dataclasses import dataclass, field

from tests.chaos.evidence import Evidence, Row, busiest_second, tail
from tests.chaos.oracle import CallFacts, Expected, expected, is_known, note_counts

CALL_BACK = "Перезвонить"
RATE = 7
_OPEN = ("waiting", "sending", "unknown", "held")
_CREATED = {"create_contact": "contacts", "create_deal": "deals", "create_task": "tasks", "attach_call": "notes",
            "add_note": "notes"}  # fmt: skip


@dataclass(frozen=True, slots=True)
class Violation:
    """kind: lost, doubled, unexpected, unfinished, over-limit, … number: of the client concerned, None = nobody's."""

    kind: str
    what: str
    number: str | None = None


@dataclass
class Verdict:
    violations: list[Violation] = field(default_factory=list)
    figures: dict[str, int | float | str] = field(default_factory=dict)

    def count(self, kind: str) -> int:
        return sum(1 for v in self.violations if v.kind == kind)


def check(facts: Sequence[CallFacts], evidence: Evidence) -> Verdict:
    """facts: of every call of which an event was accepted."""
    checker = _Checker(facts, evidence)
    verdict = Verdict(list(checker.violations()))
    verdict.figures = checker.figures()
    return verdict


class _Checker:
    def __init__(self, facts: Sequence[CallFacts], evidence: Evidence) -> None:
        self.facts, self.seen = facts, evidence
        self.expected: Mapping[str, Expected] = expected(facts)
        self.call_of = {(c["connection_id"], c["call_key"]): c for c in evidence.calls}
        self.desk = {e["client"] for e in evidence.effects if e["state"] == "dead"}
        self.notes_of: dict[str, list[Row]] = defaultdict(list)
        for note in evidence.notes:
            if uniq := (note.get("params") or {}).get("uniq"):
                self.notes_of[uniq].append(note)

    def violations(self) -> Iterator[Violation]:
        yield from self._journal()
        yield from self._effects()
        yield from self._created_once()
        for number, wanted in self.expected.items():
            yield from self._client(number, wanted)
        yield from self._nobody()
        busiest = busiest_second(self.seen.ledger)
        if busiest > RATE:
            yield Violation("over-limit", f"{busiest} requests to the CRM within one second")

    # --- our tables --------------------------------------------------------------------------------------------

    def _journal(self) -> Iterator[Violation]:
        """Every accepted event is stored and applied, or on the desk with a reason; every call has come to its end."""
        stored = Counter((r["connection_id"], r["call_key"]) for r in self.seen.inbox)
        for row in self.seen.inbox:
            if row["state"] == "pending" or (row["state"] == "dead" and not row["error"]):
                yield Violation(
                    "unfinished", f"an event of {row['call_key']} is {row['state']}", row["client"]
                )
        for one in self.facts:
            key = (one.call.connection, one.call.key)
            if stored[key] != len(one.events):
                yield Violation(
                    "lost" if stored[key] < len(one.events) else "doubled",
                    f"{len(one.events)} events of {one.call.key} were accepted, {stored[key]} are stored",
                    one.call.number,
                )
            call = self.call_of.get(key)
            if call is None:
                yield Violation("lost", f"call {one.call.key} is not in the journal", one.call.number)
            elif not call["is_over"] or call["due_at"] is not None:
                yield Violation("unfinished", f"call {one.call.key} is not over", one.call.number)
            elif one.is_client and bool(call["answered_at"]) != one.is_answered:
                yield Violation(
                    "wrong", f"call {one.call.key}: answered is {one.is_answered}", one.call.number
                )

    def _effects(self) -> Iterator[Violation]:
        for effect in self.seen.effects:
            name, state = effect["effect_key"], effect["state"]
            if state in _OPEN:
                yield Violation("unfinished", f"effect {name} is {state}", effect["client"])
            elif state == "dead" and not effect["error_code"]:
                yield Violation(
                    "unfinished", f"effect {name} is on the desk without a reason", effect["client"]
                )

    # --- the CRM ----------------------------------------------------------------------------------------------

    def _created_once(self) -> Iterator[Violation]:
        """Everything that was made in the CRM during the run stands for exactly one effect, and the other way round."""
        claims: dict[str, Counter[str]] = defaultdict(Counter)
        for effect in self.seen.effects:
            place = _CREATED.get(effect["what"])
            if place and effect["state"] == "done":
                claims[place][effect["crm_id"]] += 1
        for place in ("contacts", "deals", "tasks", "notes"):
            rows: Iterable[Row] = getattr(self.seen, place)
            there = {str(row["id"]) for row in rows}
            for row in rows:
                if self._is_ours(place, row) and not claims[place][str(row["id"])]:
                    yield Violation(
                        "doubled",
                        f"{place[:-1]} {row['id']} stands for no effect",
                        self._client_of(place, row),
                    )
            for crm_id, count in claims[place].items():
                if crm_id not in there and not (place == "contacts" and self._is_company(crm_id)):
                    yield Violation("lost", f"{place[:-1]} {crm_id} of an effect is not in the CRM")
                if count > 1 and place in ("tasks", "notes"):
                    yield Violation("lost", f"{place[:-1]} {crm_id} stands for {count} effects")

    def _is_ours(self, place: str, row: Row) -> bool:
        if not self.seen.is_new(row):
            return False
        return place != "notes" or row["note_type"] in ("call_in", "call_out", "common")

    def _is_company(self, crm_id: str) -> bool:
        return crm_id.startswith("2") and len(crm_id) == 8

    def _client_of(self, place: str, row: Row) -> str | None:
        entity = row["id"] if place in ("contacts", "deals") else row.get("entity_id")
        found = {e["client"] for e in self.seen.effects if e["crm_id"] == str(entity)}
        return min(found, default=None)

    def _client(self, number: str, wanted: Expected) -> Iterator[Violation]:
        is_on_desk = number in self.desk
        contacts = [c for c in self.seen.contacts_with(number) if not c["is_deleted"]]
        yield from self._amount("contact", number, len(contacts), (wanted.contacts,) * 2, is_on_desk)
        deals = [d for d in self.seen.deals_with(number) if self.seen.is_new(d) and not d["is_hidden"]]
        yield from self._amount("deal", number, len(deals), (wanted.new_deals,) * 2, is_on_desk)
        ids = {c["id"] for c in contacts} | {d["id"] for d in self.seen.deals_with(number)}
        tasks = [t for t in self.seen.tasks if t["entity_id"] in ids and self.seen.is_new(t)]
        open_tasks = [t for t in tasks if not t["is_completed"] and _is_call_back(t)]
        yield from self._amount("open task", number, len(open_tasks), wanted.open_tasks, is_on_desk)
        for one in wanted.calls:
            call = self.call_of.get((one.call.connection, one.call.key))
            if call is not None:
                notes = self.notes_of[call["call_id"]]
                yield from self._amount(
                    f"note of {one.call.key}", number, len(notes), note_counts(one, number), is_on_desk
                )
                yield from self._traced(one, call, number)

    def _traced(self, one: CallFacts, call: Row, number: str) -> Iterator[Violation]:
        """A missed call leaves a case, or the reason why none was needed."""
        if not one.is_missed or not one.has_ended:
            return
        in_case = any(call["call_id"] in case["missed_calls"] for case in self.seen.cases)
        reasons = {d["reason"] for d in self.seen.decisions if d["call_id"] == call["call_id"]}
        if not in_case and "client_reached_already" not in reasons:
            yield Violation("lost", f"missed call {one.call.key} opened no case: {sorted(reasons)}", number)

    @staticmethod
    def _amount(
        what: str, number: str, is_now: int, allowed: tuple[int, int], is_on_desk: bool
    ) -> Iterator[Violation]:
        least, most = allowed
        if is_now > most:
            yield Violation("doubled", f"{is_now} × {what}, at most {most} expected", number)
        elif is_now < least and not is_on_desk:
            yield Violation("lost", f"{is_now} × {what}, at least {least} expected", number)

    def _nobody(self) -> Iterator[Violation]:
        """Calls of nobody's leave nothing, and nobody who did not call is in the CRM."""
        told = {tail(number) for number in self.expected}
        for one in self.facts:
            call = self.call_of.get((one.call.connection, one.call.key))
            if not one.is_client and call is not None and self.notes_of[call["call_id"]]:
                yield Violation("unexpected", f"call {one.call.key} of nobody's left a note")
        for contact in self.seen.contacts:
            if self.seen.is_new(contact) and not {tail(p) for p in contact["phones"]} & told:
                yield Violation("unexpected", f"contact {contact['id']} of a number that did not call")

    def figures(self) -> dict[str, int | float | str]:
        states = Counter(e["state"] for e in self.seen.effects)

        def new(rows: Iterable[Row]) -> int:
            return sum(1 for r in rows if self.seen.is_new(r))

        return {
            "calls with accepted events": len(self.facts),
            "clients": len(self.expected),
            "of them new": sum(1 for n in self.expected if not is_known(n)),
            "contacts made": new(self.seen.contacts),
            "deals made": new(self.seen.deals),
            "tasks made": new(self.seen.tasks),
            "call notes made": sum(len(n) for n in self.notes_of.values()),
            "effects done": states["done"],
            "effects not needed": states["skipped"] + states["expired"],
            "effects on the desk": states["dead"],
            "effects once of unknown outcome": sum(1 for e in self.seen.effects if e["doubts"]),
            "of them found when looked for": sum(
                1 for e in self.seen.effects if e["doubts"] and e["was_found"]
            ),
            "requests to the CRM": sum(1 for r in self.seen.ledger if r["integration"] == "callmatrix"),
            "most requests in one second": busiest_second(self.seen.ledger),
        }


def _is_call_back(task: Row) -> bool:
    return str(task.get("text", "")).startswith(CALL_BACK)
