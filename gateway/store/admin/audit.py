"""Who changed what: written in the transaction of the change, kept for years, read by administrators."""

from __future__ import annotations

from collections.abc import Iterator, Mapping
from contextlib import contextmanager
from contextvars import ContextVar
from dataclasses import dataclass, field
from datetime import datetime
from typing import Any, Literal

from gateway.store.admin.bindings import EVERYTHING, Bindings
from gateway.store.admin.roles import Role
from runtime.database.pool import Conn
from runtime.masking import is_secret, mask_secrets

WhoKind = Literal["user", "token", "command", "program"]
Door = Literal["api", "pages", "command-line", "consent", "program"]
_GONE = "…"
_LONGEST = 2000
"""Characters of one value; longer texts are cut."""


@dataclass(frozen=True, slots=True, kw_only=True)
class Actor:
    """Who acts: a door says it once, whatever services it then calls. address: IP address, or host. role, bound: what they
    may; whoever has a shell of the machine may everything. ends: when who acts may nothing any more, None = never.
    session: of the pages, None = they act elsewhere."""

    kind: WhoKind = "program"
    name: str = "callmatrix"
    door: Door = "program"
    address: str = ""
    role: Role = "admin"
    bound: Bindings = EVERYTHING
    ends: datetime | None = None
    session: str | None = None


_THE_PROGRAM = Actor()
_ACTOR: ContextVar[Actor] = ContextVar("actor", default=_THE_PROGRAM)


@contextmanager
def acting(actor: Actor) -> Iterator[None]:
    """Yield while this actor acts."""
    token = _ACTOR.set(actor)
    try:
        yield
    finally:
        _ACTOR.reset(token)


def act_as(actor: Actor) -> None:
    """Say who acts until the end of this task: a command of the command line is one person's from its beginning."""
    _ACTOR.set(actor)


def current_actor() -> Actor:
    return _ACTOR.get()


@dataclass(frozen=True, slots=True, kw_only=True)
class AuditChange:
    """What was done to what. before, after: as a person sees it, only what differs is kept; None = there is none."""

    what: str
    object: str
    action: str
    account_id: str | None = None
    before: Mapping[str, Any] | None = None
    after: Mapping[str, Any] | None = None


@dataclass(frozen=True, slots=True, kw_only=True)
class AuditEntry:
    seq: int
    at: datetime
    account_id: str | None
    who_kind: WhoKind
    who: str
    door: Door
    address: str
    what: str
    object: str
    action: str
    before: Mapping[str, Any] | None = field(default=None)
    after: Mapping[str, Any] | None = field(default=None)


async def record(conn: Conn, change: AuditChange) -> None:
    """Run it inside the transaction of the change. What leaves everything as it was is no change and leaves no entry."""
    before, after = _differing(change.before, change.after)
    if change.before is not None and before == after:
        return
    actor = current_actor()
    await conn.execute(
        "INSERT INTO audit (account_id, who_kind, who, door, address, what, object, action, before, after)"
        " VALUES ($1, $2, $3, $4, $5, $6, $7, $8, $9, $10)",
        change.account_id,
        actor.kind,
        actor.name,
        actor.door,
        actor.address,
        change.what,
        change.object,
        change.action,
        before,
        after,
    )


@dataclass(frozen=True, slots=True, kw_only=True)
class AuditFilter:
    """None: whatever it is. account_id: with `is_bound`, nothing of other accounts or of none. before: entries older than
    this one's seq. without: kinds that are passed over."""

    account_id: str | None = None
    what: str | None = None
    object: str | None = None
    who: str | None = None
    since: datetime | None = None
    until: datetime | None = None
    before: int | None = None
    without: tuple[str, ...] = ()


AUDIT_KINDS = (
    *("account", "attachment", "backfill", "call", "campaign", "campaign_import", "case", "change", "channel", "client", "connection"),
    *("crm event", "crm_chats", "directory", "distribution", "distribution_simulation", "distribution_stage", "do-not-call", "effect", "employee"),
    *("event", "item", "matrix", "matrix_check", "message", "presence", "queue", "replay", "row", "schedule", "secrets", "settings"),
    *("shift change", "sms", "template", "token", "trigger", "trigger_apply", "update", "user", "webhook"),
)  # fmt: skip
"""What entries are about."""


async def is_audit_kind(conn: Conn, what: str) -> bool:
    """Whether entries are about such things: known here, or written by another version."""
    is_there = "SELECT EXISTS (SELECT FROM audit WHERE what = $1)"
    return what in AUDIT_KINDS or bool(await conn.fetchval(is_there, what))


async def audit_entries(conn: Conn, wanted: AuditFilter, *, limit: int) -> list[AuditEntry]:
    """Newest first."""
    rows = await conn.fetch(
        "SELECT seq, at, account_id, who_kind, who, door, address, what, object, action, before, after FROM audit"
        " WHERE ($1::text IS NULL OR account_id = $1) AND ($2::text IS NULL OR what = $2)"
        " AND ($3::text IS NULL OR object = $3) AND ($4::text IS NULL OR who = $4)"
        " AND ($5::timestamptz IS NULL OR at >= $5) AND ($6::timestamptz IS NULL OR at < $6)"
        " AND ($7::bigint IS NULL OR seq < $7) AND what <> ALL($9::text[]) ORDER BY seq DESC LIMIT $8",
        wanted.account_id,
        wanted.what,
        wanted.object,
        wanted.who,
        wanted.since,
        wanted.until,
        wanted.before,
        limit,
        list(wanted.without),
    )
    return [AuditEntry(**row) for row in rows]


async def delete_audit_older_than(conn: Conn, before: datetime, *, limit: int) -> int:
    done: str = await conn.execute(
        "DELETE FROM audit WHERE seq IN (SELECT seq FROM audit WHERE at < $1 ORDER BY at LIMIT $2)",
        before,
        limit,
    )
    return int(done.split()[-1])


def secrets_said(before: Mapping[str, str] | None, after: Mapping[str, str]) -> dict[str, str]:
    """Say of each secret whether it is set, or another than before; never more."""
    return {
        name: "changed" if before is not None and name in before and before[name] != value else "set"
        for name, value in after.items()
    }


def _differing(
    before: Mapping[str, Any] | None, after: Mapping[str, Any] | None
) -> tuple[dict[str, Any] | None, dict[str, Any] | None]:
    """Keep what differs, by dotted names; secrets in texts are hidden after they were compared."""
    old, new = _flat(before), _flat(after)
    names = [name for name in {**old, **new} if old.get(name, _GONE) != new.get(name, _GONE)]
    return (
        None if before is None else {n: _shown(n, old[n]) for n in names if n in old},
        None
        if after is None
        else {n: _shown(n, new[n], "changed" if n in old else "set") for n in names if n in new},
    )


def _flat(value: Mapping[str, Any] | None, path: str = "") -> dict[str, Any]:
    found: dict[str, Any] = {}
    for name, part in (value or {}).items():
        if isinstance(part, Mapping) and part:
            found |= _flat(part, f"{path}{name}.")
        else:
            found[f"{path}{name}"] = part
    return found


def _shown(name: str, value: Any, marked: str = "set") -> Any:
    if isinstance(value, str):
        if is_secret(name.rpartition(".")[2]) and value not in ("set", "changed"):
            return marked
        return mask_secrets(value[:_LONGEST])
    if isinstance(value, (list, tuple)):
        return [_shown(name, part) for part in value]
    if isinstance(value, (set, frozenset)):
        return sorted(map(str, value))
    return value.isoformat() if isinstance(value, datetime) else value
