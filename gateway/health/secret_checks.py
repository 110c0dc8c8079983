"""Whether the secrets of the database are sealed, and can be read."""

from __future__ import annotations

from gateway.health.findings import Finding, about, bad, ok, some, warning
from gateway.store.admin import sealed_rows as store
from runtime.database.pool import Conn
from runtime.database.sealed_columns import keys_of


async def secrets_findings(conn: Conn) -> list[Finding]:
    """One line as a rule; one more for each thing that is wrong."""
    what, keys = about("secrets"), keys_of(conn)
    counts = await store.key_counts(conn)
    found = []
    if missing := keys.missing([key for key in counts if key is not None]):
        return [bad("secrets-key-missing", what, keys=", ".join(missing))]
    if unreadable := await store.unreadable(conn):
        found.append(bad("secrets-spoilt", what, names=some(unreadable)))
    plain = counts.get(None, 0)
    if not keys:
        found.append(warning("secrets-unsealed", what, count=plain))
    elif plain:
        found.append(warning("secrets-partly-plain", what, count=plain))
    elif any(key != keys.ids[0] for key in counts):
        found.append(warning("secrets-under-old-key", what, key=keys.ids[0]))
    return found or [ok("secrets-sealed", what, key=keys.ids[0])]
