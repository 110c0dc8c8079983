"""An account whose clients are called: deals with contacts, a PBX that does as it is told, and a clock of its own."""

from __future__ import annotations

import asyncio
from dataclasses import dataclass, field
from datetime import UTC, datetime, timedelta
from typing import Any

import asyncpg

from crm.port import CrmEntity
from crm.store.directory import apply_entities
from gateway.at_work import AtWork
from gateway.configuration import read_snapshot
from gateway.outbound.around import CallingAccount, calling_account
from gateway.outbound.dialler import Dialler
from gateway.outbound.facts import why_not_dialled
from gateway.store.admin import accounts
from gateway.store.admin.staff import replace_staff
from gateway.store.calls.calls import save_call
from gateway.store.outbound.items import OutboundItem, item_of
from routing.calls.model import Call, Disposition, FailedSide, NumberWord, Talk
from routing.client_work.values import CallRow
from routing.settings import AccountSettings, NumberPolicy
from routing.staff import Employee
from runtime.database.pool import Conn
from tests.fakes.originator import ScriptedKind, ScriptedOriginator

ACCOUNT = "office"
NOON = datetime(2026, 3, 4, 9, 0, tzinfo=UTC)  # a Wednesday, 12:00 in Moscow
SECOND, MINUTE, HOUR = timedelta(seconds=1), timedelta(minutes=1), timedelta(hours=1)
ANNA = Employee(id="anna", name="Anna", crm_user_id="11", extensions=("101",), group="sales")
BORIS = Employee(id="boris", name="Boris", crm_user_id="12", extensions=("102",), group="sales")
CHIEF = Employee(id="chief", name="Olga", crm_user_id="10", extensions=("100",), is_senior=True)
RESPONSIBLE = {"kind": "responsible"}


@dataclass
class CallingOffice:
    pool: asyncpg.Pool
    pbx: ScriptedOriginator = field(default_factory=ScriptedOriginator)
    now: datetime = NOON
    at_work: AtWork = field(default_factory=AtWork)

    async def open(self, *people: Employee, **outbound: Any) -> CallingOffice:
        settings = AccountSettings.model_validate({"outbound": {"rate": 600, **outbound}})
        async with self.pool.acquire() as conn, conn.transaction():
            await accounts.add_account(
                conn, account_id=ACCOUNT, name="Office", base_url="http://crm.example", settings=settings
            )
            await accounts.set_account_state(conn, ACCOUNT, "on")
            await replace_staff(conn, ACCOUNT, people or (ANNA, BORIS, CHIEF))
            await accounts.add_connection(
                conn, account_id=ACCOUNT, name="main", kind="scripted", secret="s", lines=("+74951230000",)
            )
        self.kinds = {"scripted": ScriptedKind(self.pbx)}
        await self.reread()
        return self

    async def reread(self) -> None:
        """Take over what was changed, as a process does."""
        self.snapshot = await read_snapshot(self.pool)

    def dialler(self, **more: Any) -> Dialler:
        """One as each worker process has."""
        return Dialler(
            self.pool,
            None,  # type: ignore[arg-type]  # the scripted PBX asks nobody
            lambda: self.snapshot,
            self.kinds,
            self.at_work,
            now=self._clock,
            **more,
        )

    async def _clock(self, _conn: Conn) -> datetime:
        return self.now

    @property
    def around(self) -> CallingAccount:
        found = calling_account(self.snapshot, ACCOUNT, self.kinds, self.at_work)
        assert found is not None
        return found

    async def run(self, dialler: Dialler | None = None, *, after: timedelta = timedelta(0)) -> None:
        """One look, until all that it began is done."""
        self.now += after
        dialler = dialler or self.dialler()
        await dialler.turn(ACCOUNT)
        while dialler._placing:
            await asyncio.gather(*dialler._placing)

    async def deal(
        self,
        id: str = "7",
        number: str | None = "+79161234567",
        *,
        stage: str = "20",
        owner: str = "11",
        more: tuple[str, ...] = (),
    ) -> None:
        """The directory has it, with its contact. more: numbers of the contact besides."""
        contact_id = f"{id}0"
        deal = CrmEntity(
            kind="deal",
            id=id,
            name=f"Deal {id}",
            pipeline_id="1",
            stage_id=stage,
            owner_id=owner,
            contact_ids=(contact_id,),
            main_contact_id=contact_id,
            updated_at=self.now,
            created_at=self.now,
        )
        numbers = (*((number,) if number else ()), *more)
        contact = CrmEntity(kind="contact", id=contact_id, name="C", numbers=numbers, updated_at=self.now)
        async with self.pool.acquire() as conn, conn.transaction():
            await apply_entities(conn, ACCOUNT, [contact, deal], NumberPolicy())

    async def item(
        self,
        id: str = "i1",
        *,
        deal_id: str | None = "7",
        client: str | None = None,
        target: dict[str, Any] | None = None,
        action: dict[str, Any] | None = None,
        priority: int = 0,
        source: str = "api",
        order: dict[str, Any] | None = None,
        firing_id: str | None = None,
    ) -> str:
        """It waits from now on. action: besides what every call back says."""
        said = {"do": "callback", "connection": "main", "task_when_failed": True, **(action or {})}
        await self.pool.execute(
            "INSERT INTO outbound_item (account_id, item_id, kind, source, deal_id, client, target, connection, priority,"
            ' not_before, created_at, "order", firing_id)'
            " VALUES ($1, $2, 'callback', $3, $4, $5, $6, 'main', $7, $8, $8, $9, $10)",
            ACCOUNT,
            id,
            source,
            deal_id,
            client,
            target or RESPONSIBLE,
            priority,
            self.now,
            {"action": said, **(order or {})},
            firing_id,
        )
        return id

    async def row(self, id: str = "i1") -> OutboundItem:
        async with self.pool.acquire() as conn:
            found = await item_of(conn, ACCOUNT, id)
        assert found is not None
        return found

    async def state(self, id: str = "i1") -> str:
        """`<state> <reason>`."""
        row = await self.row(id)
        return f"{row.state} {row.reason}"

    async def why(self, id: str = "i1") -> str:
        """What a person is told who asks."""
        async with self.pool.acquire() as conn:
            return (await why_not_dialled(conn, self.around, await self.row(id), self.now)).reason

    async def effects(self, id: str = "i1") -> list[dict[str, Any]]:
        rows = await self.pool.fetch(
            'SELECT "order" FROM effect WHERE account_id = $1 AND effect_key LIKE $2 ORDER BY effect_key',
            ACCOUNT,
            f"outbound:{id}:%",
        )
        return [row["order"] for row in rows]

    async def attempts(self) -> list[str]:
        """`<client> <state> <side> <reason>` of each."""
        rows = await self.pool.fetch("SELECT * FROM outbound_attempt ORDER BY claimed_at, attempt_id")
        return [
            " ".join(str(r[name]) for name in ("client", "state", "side", "reason") if r[name]) for r in rows
        ]

    async def told(
        self,
        attempt_id: str | None,
        disposition: Disposition = Disposition.NO_ANSWER,
        side: FailedSide | None = None,
        *,
        client: str = "+79161234567",
        key: str = "c1",
        is_over: bool = True,
        party: str = "101",
        direction: Any = "outbound",
        talk_seconds: int = 1,
        started_at: datetime | None = None,
        number_word: NumberWord | None = None,
    ) -> None:
        """The PBX told of a call, and it was understood."""
        began = started_at or self.now
        is_answered = disposition in (Disposition.ANSWERED, Disposition.TALKING)
        ends = self.now if is_over else None
        talks = (Talk(party=party, started_at=began, ended_at=ends),) if is_answered else ()
        call = Call(
            call_key=key,
            direction=direction,
            client=client,
            line=None,
            started_at=began,
            answered_at=began if is_answered else None,
            ended_at=ends,
            disposition=disposition,
            is_over=is_over,
            rung=(party,),
            talks=talks,
            talk_seconds=talk_seconds if is_answered and is_over else None,
            got_to=side,
            number_word=number_word,
            attempt=attempt_id,
        )
        row = CallRow(
            account_id=ACCOUNT,
            call_id=f"call-{key}",
            connection_id="main",
            call_key=key,
            client=client,
            line=None,
            call=call,
            heard_at=self.now,
        )
        async with self.pool.acquire() as conn:
            await save_call(conn, row)

    @property
    def latest(self) -> str:
        """The id of the attempt that was placed last."""
        return self.pbx.orders[-1].attempt_id

    async def configure(self, **outbound: Any) -> None:
        async with self.pool.acquire() as conn, conn.transaction():
            account = await accounts.account(conn, ACCOUNT)
            before = account.settings.outbound.model_dump(mode="json")
            settings = account.settings.model_copy(
                update={"outbound": type(account.settings.outbound).model_validate({**before, **outbound})}
            )
            await accounts.save_settings(conn, ACCOUNT, settings)
        await self.reread()
