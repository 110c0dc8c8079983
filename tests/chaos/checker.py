"""Compares what was told, the journal, the ledger and the CRM. A violation names the client whose history tells more."""

from __future__ import annotations

from collections import Counter, defaultdict
from collections.abc import Collection, Iterable, Iterator, Mapping, Sequence
from dataclasses import dataclass, field, replace
from datetime import UTC, datetime

from tests.chaos.content import ContentOracle
from tests.chaos.evidence import Evidence, Row, busiest_second, tail
from tests.chaos.facts import CallFacts
from tests.chaos.nonsense import BadCall
from tests.chaos.oracle import Expected, expected, is_known, note_counts
from tests.chaos.talks import debt
from tests.chaos.tenants import Tenant

RATE = 7
_OPEN = ("waiting", "sending", "unknown", "held")
_CREATED = {"create_contact": "contacts", "create_deal": "deals", "create_task": "tasks", "attach_call": "notes",
            "add_note": "notes"}  # fmt: skip


@dataclass(frozen=True, slots=True)
class Violation:
    """kind: lost, doubled, unexpected, unfinished, over-limit, … number: of the client concerned, None = nobody's.
    account: "" = all of them. at: when, where that is known."""

    kind: str
    what: str
    number: str | None = None
    account: str = ""
    at: datetime | None = None


@dataclass
class Verdict:
    violations: list[Violation] = field(default_factory=list)
    figures: dict[str, int] = field(default_factory=dict)

    def count(self, kind: str) -> int:
        return sum(1 for v in self.violations if v.kind == kind)


def check(
    facts: Sequence[CallFacts],
    evidence: Evidence,
    tenant: Tenant,
    bad: Sequence[BadCall] = (),
    foreign: Collection[int] = (),
) -> Verdict:
    """Of one account. facts: of every call of which an event was accepted. bad: calls of which nonsense was told too.
    foreign: entities that others made in the CRM."""
    checker = _Checker(facts, evidence, tenant, bad, foreign)
    verdict = Verdict([replace(found, account=evidence.account) for found in checker.violations()])
    verdict.figures = checker.figures()
    return verdict


class _Checker:
    def __init__(
        self,
        facts: Sequence[CallFacts],
        evidence: Evidence,
        tenant: Tenant,
        bad: Sequence[BadCall],
        foreign: Collection[int],
    ) -> None:
        self.facts, self.seen, self.tenant, self.bad, self.foreign = facts, evidence, tenant, bad, foreign
        self.expected: Mapping[str, Expected] = expected(facts)
        self.call_of = {(c["connection_id"], c["call_key"]): c for c in evidence.calls}
        self.desk = {e["client"] for e in evidence.effects if e["state"] == "dead"}
        self.notes_of: dict[str, list[Row]] = defaultdict(list)
        for note in evidence.notes:
            if uniq := (note.get("params") or {}).get("uniq"):
                self.notes_of[uniq].append(note)
        self.content = ContentOracle(tenant, evidence, self.call_of)

    def violations(self) -> Iterator[Violation]:
        yield from self._journal()
        yield from self._effects()
        yield from self._set_aside()
        yield from self._created_once()
        for number, wanted in self.expected.items():
            yield from self._client(number, wanted)
            for fault in self.content.faults(wanted, self.notes_of):
                yield Violation("wrong", fault, number)
        for call in self.bad:
            yield from self._bad_call(call)
        yield from self._nobody()
        busiest = busiest_second(self.seen.ledger)
        if len(busiest) > RATE:
            sent = ", ".join(f"{r['at'] % 60:.3f} {r['method']} {r['path']} {r['status']}" for r in busiest)
            at = datetime.fromtimestamp(busiest[-1]["at"], UTC)
            yield Violation(
                "over-limit", f"{len(busiest)} requests to the CRM within one second: {sent}", at=at
            )

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

    def _set_aside(self) -> Iterator[Violation]:
        """What others made in the CRM is known, or set aside as a row that cannot be read."""
        aside = {row["entity_id"] for row in self.seen.unread}
        for id in self.foreign:
            if str(id) not in aside and str(id) not in self.seen.known:
                yield Violation("lost", f"contact {id} of another program is neither known nor set aside")

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
        if not self.seen.is_new(row) or row["id"] in self.foreign:
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
        open_tasks = [t for t in tasks if not t["is_completed"] and self._is_call_back(t)]
        yield from self._amount("open task", number, len(open_tasks), wanted.open_cases, is_on_desk)
        open_cases = sum(c["client"] == number and c["state"] == "open" for c in self.seen.cases)
        yield from self._amount("open case", number, open_cases, wanted.open_cases, False)
        for one in wanted.calls:
            call = self.call_of.get((one.call.connection, one.call.key))
            if call is not None:
                notes = self.notes_of[call["call_id"]]
                yield from self._amount(
                    f"note of {one.call.key}", number, len(notes), note_counts(one, number), is_on_desk
                )
                yield from self._traced(one, call, wanted)

    def _traced(self, one: CallFacts, call: Row, wanted: Expected) -> Iterator[Violation]:
        """A missed call is of one case, or somebody had talked with the client by our own account of it."""
        if not one.is_missed or not one.has_ended:
            return
        key, number = one.call.key, wanted.number
        cases = sum(call["call_id"] in case["missed_calls"] for case in self.seen.cases)
        reasons = {d["reason"] for d in self.seen.decisions if d["call_id"] == call["call_id"]}
        if cases > 1:
            yield Violation("doubled", f"missed call {key} is of {cases} cases", number)
        if cases:
            return
        if "client_reached_already" not in reasons:
            yield Violation("lost", f"missed call {key} opened no case: {sorted(reasons)}", number)
        elif debt(one, [c for c in wanted.calls if c.is_answered]) == "owed":
            yield Violation(
                "wrong", f"nobody talked with the client after missed call {key}, and no case", number
            )

    @staticmethod
    def _amount(
        what: str, number: str, is_now: int, allowed: tuple[int, int], is_on_desk: bool
    ) -> Iterator[Violation]:
        least, most = allowed
        if is_now > most:
            yield Violation("doubled", f"{is_now} × {what}, at most {most} expected", number)
        elif is_now < least and not is_on_desk:
            yield Violation("lost", f"{is_now} × {what}, at least {least} expected", number)

    def _bad_call(self, call: BadCall) -> Iterator[Violation]:
        """Whatever nonsense was told of it, it was missed at the end: it is over, and its client is one contact, or it is on
        the desk with a reason."""
        rows = [r for r in self.seen.inbox if r["client"] == call.number]
        is_on_desk = call.number in self.desk or any(r["state"] == "dead" for r in rows)
        calls = [c for c in self.seen.calls if c["client"] == call.number]
        what = f"call {call.key} with '{call.what}'"
        if not calls and not is_on_desk:
            yield Violation("lost", f"{what} is neither in the journal nor on the desk", call.number)
        if any(not c["is_over"] for c in calls):
            yield Violation("unfinished", f"{what} is not over", call.number)
        contacts = [c for c in self.seen.contacts_with(call.number) if not c["is_deleted"]]
        yield from self._amount(f"contact of {what}", call.number, len(contacts), (1, 1), is_on_desk)

    def _nobody(self) -> Iterator[Violation]:
        """Calls of nobody's leave nothing, and nobody who did not call is in the CRM."""
        told = {tail(number) for number in (*self.expected, *(call.number for call in self.bad))}
        for one in self.facts:
            call = self.call_of.get((one.call.connection, one.call.key))
            if not one.is_client and call is not None and self.notes_of[call["call_id"]]:
                yield Violation("unexpected", f"call {one.call.key} of nobody's left a note")
        for contact in self.seen.contacts:
            is_ours = self.seen.is_new(contact) and contact["id"] not in self.foreign
            if is_ours and not {tail(p) for p in contact["phones"]} & told:
                yield Violation("unexpected", f"contact {contact['id']} of a number that did not call")

    def figures(self) -> dict[str, int]:
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
            "PBX messages on the desk": sum(1 for r in self.seen.inbox if r["state"] == "dead"),
            "rows of the CRM set aside": len(self.seen.unread),
            "webhooks set aside": self.seen.webhooks_aside,
            "effects done": states["done"],
            "effects not needed": states["skipped"] + states["expired"],
            "effects on the desk": states["dead"],
            "effects once of unknown outcome": sum(1 for e in self.seen.effects if e["doubts"]),
            "of them found when looked for": sum(
                1 for e in self.seen.effects if e["doubts"] and e["was_found"]
            ),
            "requests to the CRM": sum(1 for r in self.seen.ledger if r["integration"] == "callmatrix"),
            "most requests in one second": len(busiest_second(self.seen.ledger)),
        }

    def _is_call_back(self, task: Row) -> bool:
        return str(task.get("text", "")).startswith(self.tenant.call_back)
