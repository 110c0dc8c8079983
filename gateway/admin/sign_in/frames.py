"""A narrow page of ours within the CRM: what opens it for some minutes, in one person's name and with no more than they may."""

from __future__ import annotations

import re
from dataclasses import dataclass
from datetime import datetime, timedelta

from gateway.admin.protection.grants import refuse_longer, refuse_other_name
from gateway.admin.refused import InputRefused
from gateway.admin.sign_in.links import UserIsOff
from gateway.admin.users import user_of
from gateway.store.admin.audit import AuditChange, record
from gateway.store.frames import frame_tokens as store
from gateway.store.frames.frame_tokens import FramePage
from runtime.database.pool import Conn
from runtime.tokens import hash_of, new_secret

GOOD_FOR = timedelta(minutes=15)
CARD_KINDS = ("contact", "company", "deal", "lead")
_ID = re.compile(r"[A-Za-z0-9-]{1,100}", re.ASCII)


@dataclass(frozen=True, slots=True, kw_only=True)
class FrameOrder:
    """login: in whose name it is opened. kind, id: of what the CRM shows beside a card; id of a template: its name, None = a
    new one."""

    page: FramePage
    login: str
    kind: str | None = None
    id: str | None = None


@dataclass(frozen=True, slots=True, kw_only=True)
class FrameMade:
    """path: of our pages, with what opens it."""

    path: str
    expires_at: datetime


async def make_frame(conn: Conn, account_id: str, order: FrameOrder, now: datetime) -> FrameMade:
    """Raise InputRefused, GrantsMore, OutlivesGranter."""
    _refuse_bad(order)
    secret, ends = new_secret(256), now + GOOD_FOR
    async with conn.transaction():
        user = await user_of(conn, order.login)
        refuse_other_name(user.role, user.bound)
        refuse_longer(ends, "login")
        if not user.is_on:
            raise UserIsOff(order.login)
        if user.account_id not in (None, account_id):
            raise InputRefused("login", f"'{order.login}' may not see this account", "name somebody who may")
        await store.keep_frame_token(
            conn,
            secret_hash=hash_of(secret),
            account_id=account_id,
            login=order.login,
            page=order.page,
            kind=order.kind,
            entity_id=order.id,
            expires_at=ends,
        )
        said = {"frame": order.page, "about": f"{order.kind or ''} {order.id or ''}".strip()}
        change = AuditChange(
            what="user", object=order.login, action="frame opened", account_id=account_id, after=said
        )
        await record(conn, change)
    return FrameMade(path=f"/frame/{order.page}?token={secret}", expires_at=ends)


def _refuse_bad(order: FrameOrder) -> None:
    if order.page == "card":
        if order.kind not in CARD_KINDS:
            raise InputRefused(
                "kind", "it is not said of what the card is", f"one of {', '.join(CARD_KINDS)}"
            )
        if not _ID.fullmatch(order.id or ""):
            raise InputRefused("id", "this is no number of the CRM", "send it as the CRM shows it")
    elif order.kind is not None:
        raise InputRefused("kind", f"the page '{order.page}' is of no entity", "leave it out")
    elif order.page == "settings" and order.id is not None:
        raise InputRefused("id", "the page 'settings' is of no entity", "leave it out")
