"""Messenger channels of accounts as rows: keys sealed, rules, and how each was last heard to fare."""

from __future__ import annotations

from collections.abc import Collection, Mapping
from dataclasses import dataclass, field
from datetime import datetime
from typing import Any, NamedTuple

import asyncpg

from routing.dialogues.access import ChannelRight
from routing.dialogues.rules import ChannelRules, stored_rules
from runtime.database.pool import Conn
from runtime.database.sealed_columns import opened_map, opened_or_none, sealed, sealed_map
from runtime.database.sealing import Place
from sms.channels.kinds import CHANNEL_KINDS
from sms.channels.model import ChannelStateTold
from sms.channels.port import MessengerChannel
from sms.channels.reasons import ChannelState

_ROW = ("account_id", "channel_id")
CHANNEL_KEYS = Place("channel", "keys", _ROW, is_map=True)
CHANNEL_SECRET = Place("channel", "secret", _ROW)


@dataclass(frozen=True, slots=True, kw_only=True)
class SavedChannel:
    """secret: in the address; "" where it cannot be opened. is_on: ticked. state_words: the vendor's."""

    channel: MessengerChannel
    rules: ChannelRules
    is_on: bool
    secret: str = field(repr=False)
    state: ChannelState = ChannelState.ACTIVE
    state_words: str = ""
    state_at: datetime
    cursor: str | None = None

    @property
    def id(self) -> str:
        return self.channel.id

    @property
    def name(self) -> str:
        return self.channel.name

    @property
    def lacks(self) -> tuple[str, ...]:
        """Keys and settings without which it cannot work."""
        kind = CHANNEL_KINDS.get(self.channel.kind)
        return tuple(kind.missing(self.channel)) if kind else ()

    @property
    def fares(self) -> ChannelState:
        """How it fares as people are told: one that lacks something works no more than it was last heard to."""
        return ChannelState.WAITING if self.lacks and self.state is ChannelState.ACTIVE else self.state

    @property
    def account_id(self) -> str:
        return self.channel.account_id


class ChannelInFile(NamedTuple):
    """rights: by employee."""

    saved: SavedChannel
    rights: Mapping[str, ChannelRight]


async def add_channel(
    conn: Conn, channel: MessengerChannel, rules: ChannelRules, *, secret: str
) -> SavedChannel | None:
    """None: the account has one of this name already."""
    row = (channel.account_id, channel.id)
    added = await conn.fetchrow(
        "INSERT INTO channel (account_id, channel_id, name, kind, keys, settings, rules, secret)"
        " VALUES ($1, $2, $3, $4, $5, $6, $7, $8) ON CONFLICT DO NOTHING RETURNING *",
        *row,
        channel.name,
        channel.kind,
        await sealed_map(conn, CHANNEL_KEYS, row, channel.keys),
        dict(channel.settings),
        rules.model_dump(mode="json", exclude_defaults=True),
        await sealed(conn, CHANNEL_SECRET, row, secret),
    )
    return _saved(conn, added) if added else None


async def change_channel(conn: Conn, now: SavedChannel, changes: Mapping[str, Any]) -> SavedChannel:
    """Change any of name, keys, settings, rules, is_on, secret. Raises asyncpg.UniqueViolationError for a name that is taken."""
    row, given = (now.account_id, now.id), changes.get
    keys, secret = given("keys"), given("secret")
    rules: ChannelRules = given("rules", now.rules)
    changed = await conn.fetchrow(
        "UPDATE channel SET name = $3, keys = coalesce($4, keys), settings = $5, rules = $6, is_on = $7,"
        " secret = coalesce($8, secret) WHERE account_id = $1 AND channel_id = $2 RETURNING *",
        *row,
        given("name", now.name),
        None if keys is None else await sealed_map(conn, CHANNEL_KEYS, row, keys),
        dict(given("settings", now.channel.settings)),
        rules.model_dump(mode="json", exclude_defaults=True),
        given("is_on", now.is_on),
        None if secret is None else await sealed(conn, CHANNEL_SECRET, row, secret),
    )
    return _saved(conn, changed)


async def remove_channel(conn: Conn, account_id: str, channel_id: str) -> None:
    """Remove it with its dialogues. These are locked first, as work on a client does: in another order both would wait for ever."""
    await conn.execute(
        "SELECT FROM dialogue WHERE account_id = $1 AND channel_id = $2 ORDER BY dialogue_id FOR UPDATE",
        account_id,
        channel_id,
    )
    await conn.execute(
        "DELETE FROM channel WHERE account_id = $1 AND channel_id = $2", account_id, channel_id
    )


async def saved_channels(conn: Conn, account_id: str | None = None) -> list[SavedChannel]:
    """Of one account, None = of all."""
    rows = await conn.fetch(
        "SELECT * FROM channel WHERE $1::text IS NULL OR account_id = $1 ORDER BY account_id, created_at, channel_id",
        account_id,
    )
    return [_saved(conn, row) for row in rows]


async def channels_by_account(
    conn: Conn, account_ids: Collection[str] | None = None
) -> dict[str, list[SavedChannel]]:
    """None = of all; accounts without one are not there."""
    found: dict[str, list[SavedChannel]] = {}
    for saved in await saved_channels(conn):
        if account_ids is None or saved.account_id in account_ids:
            found.setdefault(saved.account_id, []).append(saved)
    return found


async def change_state(conn: Conn, account_id: str, channel_id: str, told: ChannelStateTold) -> bool:
    """Keep how a channel fares. Whether that is another state than before."""
    was = await conn.fetchval(
        "WITH was AS (SELECT state FROM channel WHERE account_id = $1 AND channel_id = $2 FOR UPDATE)"
        " UPDATE channel SET state = $3, state_words = $4, state_at = CASE WHEN channel.state = $3 THEN state_at"
        " ELSE now() END FROM was WHERE account_id = $1 AND channel_id = $2 RETURNING was.state",
        account_id,
        channel_id,
        told.state,
        told.words[:500],
    )
    return was is not None and was != told.state


async def keep_cursor(conn: Conn, account_id: str, channel_id: str, cursor: str) -> None:
    await conn.execute(
        "UPDATE channel SET cursor = $3 WHERE account_id = $1 AND channel_id = $2",
        account_id,
        channel_id,
        cursor,
    )


def _saved(conn: Conn, row: asyncpg.Record | None) -> SavedChannel:
    assert row is not None
    place = (row["account_id"], row["channel_id"])
    return SavedChannel(
        channel=MessengerChannel(
            account_id=row["account_id"],
            id=row["channel_id"],
            name=row["name"],
            kind=row["kind"],
            keys=opened_map(conn, CHANNEL_KEYS, place, row["keys"]),
            settings=row["settings"],
        ),
        rules=stored_rules(row["rules"]),
        is_on=row["is_on"],
        secret=opened_or_none(conn, CHANNEL_SECRET, place, row["secret"]) or "",
        state=ChannelState(row["state"]),
        state_words=row["state_words"],
        state_at=row["state_at"],
        cursor=row["cursor"],
    )
