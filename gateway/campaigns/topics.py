"""Topics and comments of campaigns' calls: asked of the PBX for an hour, and kept in a new deal of their own."""

from __future__ import annotations

from collections.abc import Callable, Mapping

import aiohttp
import asyncpg
import structlog

from campaigns.model import CampaignSettings
from campaigns.topics import CallTopics, TopicCall, deal_effects, next_question, note_effect, rewritten_note
from crm.effects.order import order
from crm.lane import Lane
from gateway.calls.call import known_client
from gateway.configuration import Snapshot
from gateway.pbx.call_log import PbxError
from gateway.pbx.kind import PbxKind
from gateway.store.admin.accounts import account as account_of
from gateway.store.admin.staff import staff_of
from gateway.store.campaigns import topics as store
from gateway.store.campaigns.of_call import campaign_of_client
from gateway.store.campaigns.topics import TopicRow
from gateway.texts.sentences import TEXTS
from routing.calls.campaign import CampaignOfCall
from routing.client import Client
from routing.decision import decision_id_of
from routing.effects import Effect
from runtime.database.errors import may_pass
from runtime.database.pool import Conn, database_now
from runtime.loops import Loop

log = structlog.get_logger(__name__)

EVERY_SECONDS = 10.0
_TOGETHER = 20


class Topics:
    """`loop` until cancelled; any number of workers."""

    def __init__(
        self,
        pool: asyncpg.Pool,
        session: aiohttp.ClientSession,
        snapshot: Callable[[], Snapshot],
        kinds: Mapping[str, PbxKind],
    ) -> None:
        self._pool, self._session, self._snapshot, self._kinds = pool, session, snapshot, kinds
        self.loop = Loop("topics", self.look, EVERY_SECONDS)

    async def look(self) -> None:
        async with self._pool.acquire() as conn:
            await store.find_calls(conn)
            due = await store.take_due(conn, _TOGETHER)
        for row in due:
            told, error = await self._asked(row)
            async with self._pool.acquire() as conn, conn.transaction():
                await note_told(conn, row, told, error)

    async def _asked(self, row: TopicRow) -> tuple[CallTopics | None, str]:
        """None: the PBX does not know yet, or cannot be asked; why."""
        connection = self._snapshot().connections.get(row.connection)
        kind = self._kinds.get(connection.kind) if connection else None
        source = kind.topics(connection) if kind and connection else None
        if source is None or connection is None:
            return None, "not_told"
        try:
            told = await source.topics_of(self._session, connection, row.call_key)
        except PbxError as err:
            log.warning("topics-not-told", account=row.account_id, call=row.call_id, code=err.code)
            return None, err.code
        except Exception as err:
            if may_pass(err):
                raise
            log.exception("topics-not-read", account=row.account_id, call=row.call_id)
            return None, type(err).__name__
        return (CallTopics(topics=told.topics, comment=told.comment), "") if told else (None, "not_yet")


async def note_told(conn: Conn, seen: TopicRow, told: CallTopics | None, error: str) -> None:
    """Write down what was told, in the caller's transaction. The deal is made with the first word of it, and its note, which
    says anew whatever changes."""
    row = await store.lock_topic(conn, seen)
    member = await campaign_of_client(conn, seen.account_id, seen.campaign_id, seen.client)
    if row is None or member is None:
        return
    settings, campaign = member
    known = CallTopics(topics=tuple(row.topics), comment=row.comment)
    topics = told or known
    next_at = next_question(row.started_at, row.ended_at, await database_now(conn))
    has_deal, made_deal = row.has_deal, row.made_deal
    effects: list[Effect] = []
    if not topics.is_empty and not has_deal:
        made, made_deal = await _deal(conn, row, settings, campaign)
        effects += made
        has_deal = bool(made)
    if has_deal:
        text = await _note_text(conn, row, topics)
        effects.append(note_effect(row.call_id, made_deal, text))
        if row.has_deal and topics != known:
            effects.append(rewritten_note(row.call_id, made_deal, text, row.asks))
    await _order(conn, row, effects)
    await store.save_topic(
        conn,
        row,
        topics=topics.topics,
        comment=topics.comment,
        next_ask_at=next_at,
        has_deal=has_deal,
        made_deal=made_deal,
        error=error,
    )


async def _deal(
    conn: Conn, row: TopicRow, settings: CampaignSettings, campaign: CampaignOfCall
) -> tuple[tuple[Effect, ...], str | None]:
    account = await account_of(conn, row.account_id)
    staff = await staff_of(conn, row.account_id)
    client = await known_client(conn, row.account_id, row.client)
    made_deal, made_id = await store.deal_of_call(conn, row.account_id, row.call_id)
    person = staff.by_id.get(row.employee_id or "")
    call = TopicCall(
        key=row.call_id,
        number=row.client,
        client=client,
        had_deal=_had_deal(client, made_deal, made_id),
        made_deal=made_deal,
        owner_id=person.crm_user_id if person else None,
        contact_name=campaign.client_name,
        contact_fields=dict(campaign.contact_fields),
    )
    name = TEXTS[account.settings.language].say(
        "campaign.topics.deal", campaign=campaign.name, number=row.client
    )
    return deal_effects(call, settings.topics, name), made_deal


def _had_deal(client: Client, made_deal: str | None, made_id: str | None) -> bool:
    """Whether there was an open one beside that of this very call."""
    return any(
        deal.is_open and deal.ref.effect != made_deal and deal.ref.id != made_id
        if made_deal
        else deal.is_open
        for deal in client.of("deal")
    )


async def _note_text(conn: Conn, row: TopicRow, told: CallTopics) -> str:
    texts = TEXTS[(await account_of(conn, row.account_id)).settings.language]
    lines = [texts.say("campaign.topics.topics", topics=", ".join(told.topics))] if told.topics else []
    if told.comment:
        lines.append(texts.say("campaign.topics.comment", comment=told.comment))
    return "\n".join(lines) or texts.say("campaign.topics.none")


async def _order(conn: Conn, row: TopicRow, effects: list[Effect]) -> None:
    account = await account_of(conn, row.account_id)
    await order(
        conn,
        account_id=row.account_id,
        decision_id=decision_id_of(row.account_id, "topics", row.call_id),
        call_id=None,
        client=row.client,
        lane=Lane.EVENTS,
        effects=effects,
        held=account.state != "on",
    )
