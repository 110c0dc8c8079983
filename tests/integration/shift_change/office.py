"""An office of five on the sandbox, with deals of their own in a pipeline, a template of even shares, and shift change set."""

from __future__ import annotations

from collections import Counter
from collections.abc import AsyncIterator, Iterable, Mapping
from contextlib import asynccontextmanager
from dataclasses import dataclass, field
from typing import Any

import asyncpg

from crm.sandbox.seed import OPEN_STAGES, PIPELINE, T0, manager
from gateway.admin.operations import shift_change as service
from gateway.shift_change.people import people_now
from gateway.store.distribution.templates import save_template
from routing.distribution.template import DistributionTemplate, TemplateMember
from routing.shift_change.policy import ShiftPolicy
from tests.integration.crm.running_worker import ACCOUNT, CrmSite, crm_site
from tests.waiting import until

NAMES = ("anna", "boris", "clara", "denis", "elena")
USERS: Mapping[str, int] = {name: manager(101 + n) for n, name in enumerate(NAMES)}
_FIRST = 31_000_000
_CONTACTS = 11_000_000
POLICY = ShiftPolicy(
    is_on=True, pipelines=(str(PIPELINE),), template="всем", wait_seconds=0, pause_minutes=30
)
_PRESENCE = """
INSERT INTO presence (account_id, employee_id, mark, since, source, reason, hold)
VALUES ($1, $2, $3, now(), 'button', $4, CASE WHEN $3 = 'off' THEN 'button' END)
ON CONFLICT (account_id, employee_id) DO UPDATE SET mark = excluded.mark, since = excluded.since,
    source = excluded.source, reason = excluded.reason, hold = excluded.hold
"""


@dataclass
class Office:
    """deals: id -> the name of whose it was when it was made."""

    site: CrmSite
    deals: dict[int, str] = field(default_factory=dict)

    @property
    def pool(self) -> asyncpg.Pool:
        return self.site.pool

    # --- setting up --------------------------------------------------------------------------------------------

    def seed(self, each: int, *, names: Iterable[str] = NAMES, with_contacts: bool = False) -> list[int]:
        """So many deals of each."""
        owners = [name for name in names for _ in range(each)]
        first = _FIRST + len(self.deals)
        ids = list(range(first, first + len(owners)))
        state = self.site.sandbox.state
        with state.db.transaction():
            state.table("leads").add_all(_lead(id, USERS[o]) for id, o in zip(ids, owners, strict=True))
            if with_contacts:
                contacts = [_CONTACTS + id - _FIRST for id in ids]
                state.table("contacts").add_all(
                    _person(c, USERS[o]) for c, o in zip(contacts, owners, strict=True)
                )
                state.links.add_all(
                    ("leads", id, "contacts", contact, 1) for id, contact in zip(ids, contacts, strict=True)
                )
        self.deals |= dict(zip(ids, owners, strict=True))
        return ids

    async def open(self, policy: ShiftPolicy = POLICY) -> None:
        """Everybody has a phone and a CRM user; the template shares evenly."""
        await self.site.connect()
        async with self.pool.acquire() as conn, conn.transaction():
            for n, name in enumerate(NAMES):
                await conn.execute(
                    "INSERT INTO employee (account_id, employee_id, name, crm_user_id, extensions, team)"
                    " VALUES ($1, $2, $2, $3, $4, 'sales')",
                    ACCOUNT,
                    name,
                    str(USERS[name]),
                    [str(101 + n)],
                )
            template = DistributionTemplate(
                name="всем", employees=tuple(TemplateMember(employee_id=name) for name in NAMES)
            )
            await save_template(conn, ACCOUNT, template, "test")
            await service.save_policy(conn, ACCOUNT, policy, "test")
        for name in NAMES:
            await self.come(name)

    async def known(self, seconds: float = 60) -> None:
        """Until the directory has all deals."""
        await self.site.until(
            "SELECT count(*) = $1 FROM directory_entity WHERE kind = 'deal' AND entity_id = ANY($2)",
            len(self.deals),
            [str(id) for id in self.deals],
            seconds=seconds,
        )

    # --- what people do ----------------------------------------------------------------------------------------

    async def leave(self, name: str) -> None:
        await self.pool.execute(_PRESENCE, ACCOUNT, name, "off", "switched_off")

    async def come(self, name: str) -> None:
        await self.pool.execute(_PRESENCE, ACCOUNT, name, "on", "switched_on")

    async def act(self, **what: Any) -> Any:
        """Something that a person does on the CRM's own pages."""
        async with self.site.http.post(f"{self.site.sandbox.url}/_sandbox/act", json=what) as response:
            assert response.status < 300, await response.text()
            return await response.json()

    # --- what is seen ------------------------------------------------------------------------------------------

    def owners(self, table: str = "leads", first: int = _FIRST) -> dict[int, str]:
        """Whose each deal is in the CRM."""
        names = {user: name for name, user in USERS.items()}
        rows = self.site.sandbox.state.table(table).select(
            [("id", ">=", first), ("id", "<", first + 1_000_000)]
        )
        return {row["id"]: names.get(row["responsible_user_id"], "?") for row in rows}

    def contact_owners(self) -> dict[int, str]:
        return self.owners("contacts", _CONTACTS)

    def count(self) -> Counter[str]:
        return Counter(self.owners().values())

    async def until_count(self, seconds: float = 40, **wanted: int) -> None:
        def is_so() -> bool:
            found = self.count()
            return all(found[name] == n for name, n in wanted.items())

        await until(is_so, f"deals {wanted}", seconds=seconds)

    async def until_quiet(self, seconds: float = 40) -> None:
        """Until every run is over and settled."""
        await self.site.until(
            "SELECT NOT EXISTS (SELECT 1 FROM shift_run WHERE state = 'running')"
            " AND NOT EXISTS (SELECT 1 FROM shift_move WHERE state = 'ordered')",
            seconds=seconds,
        )

    async def run_of(self, kind: str, name: str, seconds: float = 20) -> int:
        """Until there is one; the id of the latest."""
        found: int = await self.site.until(
            "SELECT max(run_id) FROM shift_run WHERE kind = $1 AND employee_id = $2",
            kind,
            name,
            seconds=seconds,
        )
        return found

    async def preview(self, name: str, kind: service.MoveKind = "away") -> service.MovePreview:
        async with self.pool.acquire() as conn:
            return await service.preview(conn, ACCOUNT, name, kind, people_now)

    async def requests(self, method: str, path: str, since: float = 0.0) -> list[dict[str, Any]]:
        url = f"{self.site.sandbox.url}/_sandbox/ledger"
        async with self.site.http.get(url, params={"since": since}) as response:
            found = (await response.json())["requests"]
        return [r for r in found if r["method"] == method and r["path"] == path]

    async def most_in_a_second(self) -> int:
        async with self.site.http.get(f"{self.site.sandbox.url}/_sandbox/rates") as response:
            found: dict[str, int] = (await response.json())["most"]
        return max(found.values())


@asynccontextmanager
async def office(pool: asyncpg.Pool, dsn: str) -> AsyncIterator[Office]:
    async with crm_site(pool, dsn) as site:
        yield Office(site)


def _person(id: int, owner: int) -> dict[str, Any]:
    return {
        "id": id,
        "name": f"Клиент {id}",
        "responsible_user_id": owner,
        "created_at": T0 + id % 100_000,
        "updated_at": T0 + id % 100_000,
        "created_by": owner,
        "updated_by": owner,
        "is_deleted": 0,
        "is_hidden": 0,
        "cf": {},
    }


def _lead(id: int, owner: int) -> dict[str, Any]:
    placed = {"status_id": OPEN_STAGES[0], "pipeline_id": PIPELINE, "price": 0, "closed_at": None}
    return {**_person(id, owner), "name": f"Сделка {id}", **placed}
