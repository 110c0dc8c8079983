"""What opens a narrow page within the CRM, as rows."""

from __future__ import annotations

from dataclasses import dataclass
from datetime import datetime
from typing import Literal

from gateway.store.admin.bindings import Bindings, bindings_of
from gateway.store.admin.roles import Role
from routing.texts.catalogue import Language
from runtime.database.pool import Conn

FramePage = Literal["card", "settings", "template"]

_OPENED = """
SELECT f.account_id AS of_account, f.page, f.kind, f.entity_id, f.expires_at, f.used_at, u.login, u.name, u.is_on, u.language,
    u.theme, u.role, u.account_id, u.employee, u.templates, u.schedules, u.counters
FROM frame_token f JOIN admin_user u USING (login) WHERE f.secret_hash = $1
"""


@dataclass(frozen=True, slots=True, kw_only=True)
class FrameToken:
    """kind, entity_id: of what the page is about. login and what follows it: of the person in whose name it is opened, as
    they are now. language: None = as the browser asks."""

    account_id: str
    page: FramePage
    kind: str | None
    entity_id: str | None
    expires_at: datetime
    used_at: datetime | None
    login: str
    name: str
    role: Role
    bound: Bindings
    is_on: bool
    language: Language | None
    theme: Literal["system", "light", "dark"]


async def keep_frame_token(
    conn: Conn,
    *,
    secret_hash: str,
    account_id: str,
    login: str,
    page: FramePage,
    kind: str | None,
    entity_id: str | None,
    expires_at: datetime,
) -> None:
    await conn.execute(
        "INSERT INTO frame_token (secret_hash, account_id, login, page, kind, entity_id, expires_at)"
        " VALUES ($1, $2, $3, $4, $5, $6, $7)",
        secret_hash,
        account_id,
        login,
        page,
        kind,
        entity_id,
        expires_at,
    )


async def frame_token_of(conn: Conn, secret_hash: str) -> FrameToken | None:
    """Return it, also where it has expired or was used: that is said in words."""
    row = await conn.fetchrow(_OPENED, secret_hash)
    if row is None:
        return None
    return FrameToken(
        account_id=row["of_account"],
        page=row["page"],
        kind=row["kind"],
        entity_id=row["entity_id"],
        expires_at=row["expires_at"],
        used_at=row["used_at"],
        login=row["login"],
        name=row["name"],
        role=row["role"],
        bound=bindings_of(row),
        is_on=row["is_on"],
        language=row["language"],
        theme=row["theme"],
    )


async def use_frame_token(conn: Conn, secret_hash: str, now: datetime, entity_id: str) -> bool:
    """Whether it is the first use: of two at the same time one waits for the other. entity_id: what it was used for."""
    done: str = await conn.execute(
        "UPDATE frame_token SET used_at = $2, entity_id = $3"
        " WHERE secret_hash = $1 AND used_at IS NULL AND expires_at > $2",
        secret_hash,
        now,
        entity_id,
    )
    return done == "UPDATE 1"


async def delete_old_frame_tokens(conn: Conn, before: datetime, *, limit: int) -> int:
    done: str = await conn.execute(
        "DELETE FROM frame_token WHERE secret_hash IN"
        " (SELECT secret_hash FROM frame_token WHERE expires_at < $1 LIMIT $2)",
        before,
        limit,
    )
    return int(done.split()[-1])
