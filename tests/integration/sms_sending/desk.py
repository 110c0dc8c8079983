"""An account whose texts go out: deals in a CRM in memory, a provider or its double, and a clock that is set by hand."""

from __future__ import annotations

import asyncio
from collections.abc import AsyncIterator, Mapping
from contextlib import asynccontextmanager
from dataclasses import dataclass, field
from datetime import UTC, datetime, timedelta
from typing import Any

import aiohttp
import asyncpg

from crm.port import CrmEntity, CrmField
from crm.store.directory import apply_entities
from crm.store.metadata import store_fields, store_pipelines
from gateway.sms.news import take_news
from gateway.sms.preparing import AccountTexts
from gateway.sms.sender import SmsSender
from gateway.store.admin import accounts
from gateway.store.admin.staff import replace_staff
from gateway.store.sms.connections import SavedSmsConnection, add_sms_connection, sms_connection
from routing.settings import AccountSettings, NumberPolicy
from routing.staff import Employee
from sms.kinds import SMS_KINDS
from sms.port import SmsConnection, SmsKind, SmsNews, SmsProvider
from sms.providers.sandbox.adapter import SandboxKind
from tests.fakes.crm import FakeCrm
from tests.integration.distribution.shop import PIPELINE

ACCOUNT = "office"
CLIENT = "+79161234567"
DAY = datetime(2026, 3, 2, 9, 0, tzinfo=UTC)  # noon in Moscow
ANNA = Employee(
    id="anna",
    name="Анна",
    crm_user_id="11",
    extensions=("101",),
    numbers=("+79031112233",),
    email="a@x.example",
)
BORIS = Employee(id="boris", name="Борис", crm_user_id="12", extensions=("102",))
VERA = Employee(id="vera", name="Вера", crm_user_id="13", numbers=("+79034445566",))


class AlwaysHeld:
    """A lease that nobody takes."""

    def __init__(self) -> None:
        self.lost = asyncio.Event()

    def check(self) -> None:
        """It is held."""


@dataclass
class Desk:
    """provider: opened by `opened`. now: the clock of everything here."""

    pool: asyncpg.Pool
    crm: FakeCrm = field(default_factory=FakeCrm)
    now: datetime = DAY

    def __post_init__(self) -> None:
        self.texts = AccountTexts(self.pool, ACCOUNT, self.crm, lambda: self.now)
        self.sandbox = SandboxKind(lambda: self.now)

    async def open(self, **settings: Any) -> None:
        async with self.pool.acquire() as conn, conn.transaction():
            await accounts.add_account(
                conn,
                account_id=ACCOUNT,
                name="Office",
                base_url="http://crm.example",
                settings=AccountSettings.model_validate(settings) if settings else None,
            )
            await accounts.set_account_state(conn, ACCOUNT, "on")
            await accounts.add_connection(
                conn, account_id=ACCOUNT, name="pbx", kind="generic", secret="s", lines=("+74951230000",)
            )
            await replace_staff(conn, ACCOUNT, [ANNA, BORIS, VERA])
            await store_pipelines(conn, ACCOUNT, [PIPELINE])
            await store_fields(
                conn, ACCOUNT, "contact", [CrmField(id="9", code="EMAIL", name="E-mail", type="multitext")]
            )
            await store_fields(conn, ACCOUNT, "deal", [CrmField(id="5", code=None, name="City", type="text")])

    async def connect(
        self, kind: str = "sandbox", *, keys: Mapping[str, str] | None = None, **settings: Any
    ) -> SavedSmsConnection:
        connection = SmsConnection(
            account_id=ACCOUNT,
            id=f"{ACCOUNT}/texts",
            name="texts",
            kind=kind,
            keys=keys or {},
            settings=settings,
        )
        async with self.pool.acquire() as conn, conn.transaction():
            added = await add_sms_connection(conn, connection, sender=None, report_secret="report-secret")
        assert added is not None
        return added

    @asynccontextmanager
    async def sending(
        self, saved: SavedSmsConnection, kind: SmsKind | None = None, provider: SmsProvider | None = None
    ) -> AsyncIterator[SmsSender]:
        """A sender as a worker has it; what is on its way when it ends is waited for."""
        used = kind or {**SMS_KINDS, "sandbox": self.sandbox}[saved.connection.kind]
        async with aiohttp.ClientSession() as session:
            opened = provider or used.open(session, saved.connection, self._take(saved))
            sender = SmsSender(
                self.pool, saved, used, opened, AlwaysHeld(), "https://x.example", lambda: self.now
            )
            link = asyncio.create_task(opened.run())
            try:
                yield sender
            finally:
                await sender.close()
                link.cancel()
                await asyncio.gather(link, return_exceptions=True)

    def _take(self, saved: SavedSmsConnection) -> Any:
        async def take(news: SmsNews) -> None:
            await self.told(saved, news)

        return take

    async def told(self, saved: SavedSmsConnection, news: SmsNews) -> None:
        async with self.pool.acquire() as conn, conn.transaction():
            await take_news(conn, saved, news, self.now)

    async def deal(self, id: str = "7", *, number: str | None = CLIENT, **changes: Any) -> None:
        """The CRM has it, and the directory."""
        values: dict[str, Any] = {
            "pipeline_id": "1",
            "stage_id": "20",
            "owner_id": "11",
            "contact_ids": (f"7{id}",),
            "main_contact_id": f"7{id}",
            "price": 1000,
            "fields": "{}",
            "updated_at": self.now,
            "created_at": self.now,
        }
        deal = CrmEntity(kind="deal", id=id, **{"name": f"Кухня {id}", **values, **changes})
        contact = CrmEntity(
            kind="contact",
            id=f"7{id}",
            name="Олег Петров",
            numbers=(number,) if number else (),
            fields='{"9": "oleg@x.example"}',
            updated_at=self.now,
        )
        self.crm.seed(contact, deal)
        async with self.pool.acquire() as conn, conn.transaction():
            await apply_entities(conn, ACCOUNT, [contact, deal], NumberPolicy())

    async def order(self, id: str = "i", deal: str = "7", **action: Any) -> None:
        """A text that waits, as the API orders it."""
        said = {
            "do": "sms",
            "template": "Здравствуйте, {{maincontact.first_name}}",
            "provider": "texts",
            **action,
        }
        await self.pool.execute(
            'INSERT INTO outbound_item (account_id, item_id, kind, source, deal_id, contact_id, "order", created_at, not_before)'
            " VALUES ($1, $2, 'sms', 'api', $3, $4, $5, $6, $6)",
            ACCOUNT,
            id,
            deal,
            f"7{deal}",
            {"action": said},
            self.now,
        )

    async def item(self, id: str = "i") -> tuple[str, str]:
        row = await self.pool.fetchrow("SELECT state, reason FROM outbound_item WHERE item_id = $1", id)
        assert row is not None
        return (row["state"], row["reason"])

    async def messages(self) -> list[asyncpg.Record]:
        found: list[asyncpg.Record] = await self.pool.fetch("SELECT * FROM sms_message ORDER BY own_id")
        return found

    async def notes(self) -> list[tuple[str, str]]:
        """(form, text) of what was ordered from the CRM."""
        rows = await self.pool.fetch("SELECT \"order\" AS o FROM effect WHERE what = 'add_note' ORDER BY seq")
        return [(row["o"]["form"], row["o"]["text"]) for row in rows]

    async def saved(self) -> SavedSmsConnection:
        async with self.pool.acquire() as conn:
            found = await sms_connection(conn, ACCOUNT, "texts")
        assert found is not None
        return found

    def later(self, **by: float) -> None:
        self.now += timedelta(**by)

    async def turns(self, sender: SmsSender, count: int = 3, *, step: float = 1.0) -> None:
        """Let it work; the clock goes on by so many seconds with each turn."""
        for _ in range(count):
            await self.texts.turn()
            await sender.turn()
            await sender.close()
            self.later(seconds=step)
