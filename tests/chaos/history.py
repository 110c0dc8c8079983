"""Everything that is known of one client, in the order in which it happened, for whoever has to find out."""

from __future__ import annotations

from collections.abc import Iterator, Sequence
from datetime import UTC, datetime
from typing import Any

from tests.chaos.evidence import Evidence, Row
from tests.chaos.facts import CallFacts

_NEAR = 1.5


def history(number: str, facts: Sequence[CallFacts], evidence: Evidence) -> str:
    """number: E.164."""
    lines = [
        *_told(number, evidence.account, facts),
        *_decided(number, evidence),
        *_sent(number, evidence),
    ]
    calls = [c for c in evidence.calls if c["client"] == number]
    known = [
        *(f"call {c['call_id']} {c['connection_id']}/{c['call_key']} {c['direction']} {c['disposition']}"
          f" kind={c['client_kind']} {_clock(c['started_at'])} answered={_clock(c['answered_at'])}"
          f" ended={_clock(c['ended_at'])}" for c in calls),
        *(f"case {c['case_id']} {c['state']} calls={c['missed_calls']}" for c in evidence.cases if c["client"] == number),
        *_in_crm(number, evidence),
    ]  # fmt: skip
    return "\n".join(
        [
            f"--- history of {number} at {evidence.account}",
            *(f"{_clock(at)}  {what}" for at, what in sorted(lines)),
            *known,
        ]
    )


def _told(number: str, account: str, facts: Sequence[CallFacts]) -> Iterator[tuple[datetime, str]]:
    for one in facts:
        if (one.call.number, one.call.account) == (number, account):
            for e in one.events:
                extra = {
                    k: v for k, v in e.event.fields.items() if k in ("extension", "billsec", "leg", "cause")
                }
                yield (
                    e.at,
                    f"accepted {one.call.connection}/{one.call.key} {e.event.name} {extra} by gateway{e.gateway}"
                    f" (attempt {e.attempts}{', duplicate' if e.was_duplicate else ''}, told time {_clock(e.told_at)},"
                    f" spoilt {sorted(one.call.spoilt)})",
                )


def _decided(number: str, evidence: Evidence) -> Iterator[tuple[datetime, str]]:
    for d in evidence.decisions:
        if d["client"] == number:
            yield d["at"], f"decision {d['kind']} {d['reason']} call={d['call_id']}"


def _sent(number: str, evidence: Evidence) -> Iterator[tuple[datetime, str]]:
    times: set[float] = set()
    for e in evidence.effects:
        if e["client"] != number:
            continue
        yield e["created_at"], f"effect {e['effect_key']} {e['what']} ordered after={e['after']}"
        if at := e["sent_at"] or e["done_at"]:
            times.add(at.timestamp())
            yield (
                at,
                f"effect {e['effect_key']} {e['state']} crm_id={e['crm_id']} found={e['was_found']}"
                f" attempts={e['attempts']} doubts={e['doubts']} done={_clock(e['done_at'])} {e['error_code'] or ''}",
            )
    for r in evidence.ledger:
        if r["method"] != "GET" and any(-0.2 < r["at"] - t < _NEAR for t in times):
            at = datetime.fromtimestamp(r["at"], UTC)
            yield at, f"CRM {r['method']} {r['path']} -> {r['status']} ({r['entities']} entities)"


def _in_crm(number: str, evidence: Evidence) -> Iterator[str]:
    contacts, deals = evidence.contacts_with(number), evidence.deals_with(number)
    ids = {row["id"] for row in [*contacts, *deals]}
    for kind, rows in (("contact", contacts), ("deal", deals)):
        for row in rows:
            yield f"in the CRM: {kind} {row['id']} {row['name']!r} created {row['created_at']}"
    for task in evidence.tasks:
        if task["entity_id"] in ids:
            yield f"in the CRM: task {task['id']} on {task['entity_id']} completed={task['is_completed']} {task.get('text')!r}"
    for note in evidence.notes:
        if note["entity_id"] in ids:
            params: Row = note.get("params") or {}
            yield f"in the CRM: note {note['id']} {note['note_type']} on {note['entity_id']} {params.get('uniq') or params.get('text')}"


def _clock(at: Any) -> str:
    return at.astimezone(UTC).strftime("%H:%M:%S.%f")[:-3] if at else "-"
