"""Whether the secrets of the database are sealed, with which keys, and whether they can be read."""

from __future__ import annotations

from collections.abc import Iterator

from gateway.health.findings import Finding, about, bad, ok, some, warning
from gateway.health.views import KeyUse, SecretsState
from gateway.store.admin import sealed_rows as store
from runtime.database.pool import Conn
from runtime.database.sealed_columns import keys_of


async def secrets_state(conn: Conn) -> SecretsState:
    """How the secrets of the database are sealed, and which of them nobody can read."""
    counts, keys = await store.key_counts(conn), keys_of(conn)
    missing = keys.missing([key for key in counts if key is not None])
    known = [
        KeyUse(key=k, is_known=True, is_newest=k == keys.ids[0], secrets=counts.get(k, 0)) for k in keys.ids
    ]
    others = [KeyUse(key=k, is_known=False, is_newest=False, secrets=counts[k]) for k in missing]
    plain = [KeyUse(key=None, is_known=True, is_newest=False, secrets=counts[None])] if None in counts else []
    return SecretsState(keys=[*known, *others, *plain], unreadable=await store.unreadable(conn))


def secrets_findings(state: SecretsState) -> Iterator[Finding]:
    """One line as a rule; one more for each thing that is wrong."""
    what = about("secrets")
    if missing := [use.key for use in state.keys if use.key is not None and not use.is_known]:
        yield bad("secrets-key-missing", what, keys=", ".join(missing))
        return
    if state.unreadable:
        yield bad("secrets-spoilt", what, names=some(state.unreadable))
    newest = next((use.key for use in state.keys if use.is_newest), None)
    plain = sum(use.secrets for use in state.keys if use.key is None)
    if newest is None:
        yield warning("secrets-unsealed", what, count=plain)
    elif plain:
        yield warning("secrets-partly-plain", what, count=plain)
    elif any(use.secrets for use in state.keys if not use.is_newest):
        yield warning("secrets-under-old-key", what, key=newest)
    elif not state.unreadable:
        yield ok("secrets-sealed", what, key=newest)
