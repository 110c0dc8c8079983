"""Compares what the doubles and the CRM saw of what went out with the installation's own account of it."""

from __future__ import annotations

from collections import Counter
from collections.abc import Iterator, Mapping, Sequence
from dataclasses import dataclass, field
from typing import Any

from tests.chaos.outgoing.calling_pbx import CallingPbx
from tests.chaos.outgoing.office import NOT_REACHED, REACHED, Deals
from tests.chaos.outgoing.records import busiest, faults_of_calls, faults_of_orders, faults_of_texts
from tests.chaos.outgoing.texting_provider import TextingProvider

Row = Mapping[str, Any]

LATE_SECONDS = 5.0
"""So late a request may leave after its turn: longer it is not sent any more."""
_FINAL = ("succeeded", "failed", "unknown", "expired", "dropped")

OUR_ROWS = {
    "firings": "SELECT * FROM firing WHERE account_id = $1",
    "items": "SELECT * FROM outbound_item WHERE account_id = $1",
    "attempts": "SELECT * FROM outbound_attempt WHERE account_id = $1",
    "messages": "SELECT * FROM sms_message WHERE account_id = $1",
}
CRM_ROWS = {"tasks": "task", "notes": "note", "deals": "deal", "events": "event"}


def reached(pbx: CallingPbx, provider: TextingProvider) -> int:
    """How many clients the doubles have heard of so far."""
    return len({order.client for order in pbx.orders}) + len(provider.texts)


@dataclass
class SeenOutgoing:
    """firings, items, attempts, messages: rows of ours. tasks, notes, deals, events: the CRM's."""

    firings: Sequence[Row] = ()
    items: Sequence[Row] = ()
    attempts: Sequence[Row] = ()
    messages: Sequence[Row] = ()
    tasks: Sequence[Row] = ()
    notes: Sequence[Row] = ()
    deals: Sequence[Row] = ()
    events: Sequence[Row] = ()


@dataclass
class OutgoingChecker:
    """rate: calls a minute. late_seconds: by which a request may be late, since whoever sends it was stopped on its way."""

    pbx: CallingPbx
    provider: TextingProvider
    deals: Deals
    rate: int
    late_seconds: float = 0.0
    seen: SeenOutgoing = field(default_factory=SeenOutgoing)

    def faults(self) -> Iterator[tuple[str, str]]:
        """(kind of the violation, what)."""
        for what in (*faults_of_orders(self.pbx.orders), *faults_of_calls(list(self.pbx.calls.values()))):
            yield "doubled", what
        for what in (*faults_of_texts(self.provider.texts), *self.provider.repeated):
            yield "doubled", what
        if self.provider.forged_taken:
            yield "answer", f"{self.provider.forged_taken} forged reports were taken"
        most = busiest(order.at for order in self.pbx.orders if not order.is_refused)
        if most > self.most_in_a_minute:
            yield "over-limit", f"{most} calls placed within 60 s, the rate is {self.rate}"
        yield from self._firings()
        yield from self._items()
        yield from self._effects()

    @property
    def most_in_a_minute(self) -> int:
        return int(self.rate * (60 + self.late_seconds) / 60) + 1

    # --- firings and items ---------------------------------------------------------------------------------------

    def _firings(self) -> Iterator[tuple[str, str]]:
        """One for each deal that was moved, decided with a reason."""
        fired = Counter(int(firing["deal_id"]) for firing in self.seen.firings)
        for deal in (*self.deals.rung, *self.deals.written):
            if fired[deal] != 1:
                yield "lost" if not fired[deal] else "doubled", f"deal {deal} fired {fired[deal]} times"
        for firing in self.seen.firings:
            if firing["state"] == "reading" or not firing["reason"] or firing["ended_at"] is None:
                yield (
                    "unfinished",
                    f"firing of deal {firing['deal_id']} is {firing['state']} {firing['reason']!r}",
                )
            items = [item for item in self.seen.items if item["firing_id"] == firing["firing_id"]]
            if len(items) != (firing["state"] == "queued"):
                yield (
                    "doubled",
                    f"firing of deal {firing['deal_id']} is {firing['state']}, with {len(items)} items",
                )

    def _items(self) -> Iterator[tuple[str, str]]:
        """Each has ended, for a reason, and as it truly was."""
        for item in self.seen.items:
            what = f"{item['kind']} for deal {item['deal_id']} is {item['state']} {item['reason']!r}"
            if item["state"] not in _FINAL or not item["reason"] or item["ended_at"] is None:
                yield "unfinished", what
            elif item["kind"] == "callback":
                for why in self._unlike_the_calls(item):
                    yield "wrong", f"{what}, and {why}"
            else:
                for why in self._unlike_the_texts(item):
                    yield "wrong", f"{what}, and {why}"

    def _unlike_the_calls(self, item: Row) -> Iterator[str]:
        """What was told of the client's calls decides; nobody knows of those of which nothing was told, nor of those that were
        refused, where whoever had ordered them was killed before the refusal came."""
        orders = [order for order in self.pbx.orders if order.client == item["client"]]
        told = [o for o in orders if o.end_told_at is not None]
        ends = {self.pbx.calls[order.attempt_id].outcome for order in told}
        if ("talked" in ends) != (item["state"] == "succeeded"):
            yield f"its calls ended as {sorted(ends)}"
        is_silent = any(o.end_told_at is None for o in orders)
        unheard = {
            a["attempt_id"] for a in self.seen.attempts if a["item_id"] == item["item_id"] and a["placed_at"]
        }
        may_be_unknown = is_silent or unheard - {order.attempt_id for order in orders}
        if item["state"] == "unknown" and not may_be_unknown:
            yield f"all was told of its calls: {sorted(ends)}"

    def _unlike_the_texts(self, item: Row) -> Iterator[str]:
        messages = [m for m in self.seen.messages if m["item_id"] == item["item_id"]]
        sent = {text.own_id for text in self.provider.texts}
        for message in messages:
            if message["ended_at"] is None:
                yield f"message {message['own_id']} is {message['state']}"
            if message["state"] == "delivered" and str(message["own_id"]) not in sent:
                yield f"message {message['own_id']} was never sent"

    # --- what the CRM was told -----------------------------------------------------------------------------------

    def _effects(self) -> Iterator[tuple[str, str]]:
        """At most one task, one move and one note that a text was sent, and only where the item's end asks for them."""
        tasks, moves, notes = self._tasks(), self._moves(), self._notes()
        deals = {row["id"]: row for row in self.seen.deals}
        for item in self.seen.items:
            deal = int(item["deal_id"])
            for what, count in (
                ("task", tasks[deal]),
                ("move", moves[deal]),
                ("note", notes[deals[deal]["contacts"][0]]),
            ):
                if count > 1:
                    yield "doubled", f"{count} × {what} for deal {deal}, {item['kind']} {item['state']}"
            if item["kind"] != "callback":
                continue
            wants_task = item["state"] in ("failed", "expired")
            if tasks[deal] != wants_task:
                yield (
                    "lost" if wants_task else "wrong",
                    f"{tasks[deal]} tasks for deal {deal}, which is {item['state']}",
                )
            stands = deals[deal]["status_id"]
            wanted = {"succeeded": REACHED, "failed": NOT_REACHED, "expired": NOT_REACHED}.get(item["state"])
            if wanted is not None and stands != wanted:
                yield "lost", f"deal {deal} stands in {stands}, and its call back is {item['state']}"

    def _tasks(self) -> Counter[int]:
        return Counter(task["entity_id"] for task in self.seen.tasks if "created_at" in task)

    def _moves(self) -> Counter[int]:
        """Into the stages where calls back end; people move deals elsewhere."""
        ends = (REACHED, NOT_REACHED)
        return Counter(
            event["entity_id"]
            for event in self.seen.events
            if event["type"] == "lead_status_changed" and event["after"][0]["lead_status"]["id"] in ends
        )

    def _notes(self) -> Counter[int]:
        return Counter(note["entity_id"] for note in self.seen.notes if note["note_type"] == "sms_out")

    # --- figures -------------------------------------------------------------------------------------------------

    def figures(self) -> dict[str, Any]:
        placed = [order for order in self.pbx.orders if not order.is_refused]
        states = Counter((item["kind"], item["state"]) for item in self.seen.items)
        told = {order.attempt_id for order in self.pbx.orders}
        unheard = [a for a in self.seen.attempts if a["placed_at"] and a["attempt_id"] not in told]
        return {
            "deals moved": self.deals.moved,
            "calls ordered / placed": f"{len(self.pbx.orders)} / {len(placed)}",
            "most placed within 60 s": busiest(order.at for order in placed),
            "attempts that the telephone system never heard of": len(unheard),
            "calls back, by their end": _by_state(states, "callback"),
            "texts taken by the provider": len(self.provider.texts),
            "texts, by their end": _by_state(states, "sms"),
            "faults of orders": _dealt(self.pbx.answers.dealt, "taken") | ({"429": self.pbx.too_many} if self.pbx.too_many else {}),
            "faults of what is told of calls": _dealt(self.pbx.tellings.dealt, "in time"),
            "faults of sendings": _dealt(self.provider.sends.dealt, "none") | {"money gone": self.provider.times_broke},
            "faults of reports": _dealt(self.provider.reports.dealt, "once"),
        }  # fmt: skip


def _by_state(states: Mapping[tuple[str, str], int], kind: str) -> dict[str, int]:
    return {state: count for (of, state), count in sorted(states.items()) if of == kind}


def _dealt(dealt: Mapping[Any, int], none: str) -> dict[str, int]:
    return {str(card): count for card, count in sorted(dealt.items()) if card != none}
