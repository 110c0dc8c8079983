"""What decisions looked at, as the CRM has it now."""

from __future__ import annotations

from collections.abc import Mapping, Sequence

from crm.store.clients import entities_of
from gateway.store.decisions.decisions import Explained
from routing.client import ClientEntity
from runtime.database.pool import Conn


async def entities_now(
    conn: Conn, account_id: str, decisions: Sequence[Explained]
) -> Mapping[tuple[str, str], ClientEntity]:
    """Return by (kind, id) what the lookups among these decisions looked at; what is gone is left out."""
    lookups = (told.decision for told in decisions if told.decision.kind == "lookup")
    facts = (step["facts"] for decision in lookups for step in decision.steps)
    return await entities_of(
        conn, account_id, {(str(f["kind"]), str(f["id"])) for f in facts if f.get("kind") and f.get("id")}
    )
