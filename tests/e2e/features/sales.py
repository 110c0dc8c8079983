"""A sales department on the running stack: templates, schedules and presence through the API, deals in the CRM, what became of them."""

from __future__ import annotations

import asyncio
import contextlib
import itertools
import subprocess
import sys
from collections.abc import AsyncIterator, Awaitable, Callable, Sequence
from dataclasses import dataclass, field
from datetime import timedelta
from typing import Any

from crm.sandbox.seed import OPEN_STAGES, PIPELINE
from gateway.demo import data
from tests.e2e.stack import ACCOUNT, ADMIN, Stack
from tests.waiting import until

API = f"/v1/accounts/{ACCOUNT}"
NEW, STAGE = OPEN_STAGES[0], OPEN_STAGES[1]
"""Deals are made in the first; the second is the one that a template is attached to."""
BOSS = 1000001
"""The CRM user who moves deals and owns new ones: the administrator, who is no employee of ours."""


def person(number: int) -> str:
    return f"manager{number}"


def user(number: int) -> int:
    """CRM user of this manager; 100 is the senior manager."""
    return 1000000 + number


@dataclass
class Sales:
    stack: Stack
    token: str = ""
    _count: Any = field(default_factory=lambda: itertools.count(1))

    async def open(self) -> None:
        await self.stack.register_webhook()
        self.token = (await self.stack.sandbox("token?integration=another"))["access_token"]
        for number in (*range(101, 111), 100):
            await self.employee(number)
        await self.until(self._is_loaded)

    async def _is_loaded(self) -> bool:
        found = await self.stack.pool.fetchval(
            "SELECT loaded_at IS NOT NULL AND EXISTS (SELECT 1 FROM crm_pipeline) AND EXISTS (SELECT 1 FROM crm_user)"
            " FROM directory_state WHERE account_id = $1",
            ACCOUNT,
        )
        return bool(found)

    # What an admin sets, through the API

    async def api(self, method: str, path: str, *, status: int = 200, body: Any = None) -> Any:
        return await self.stack.api(method, f"{API}/{path}".rstrip("/"), status=status, body=body)

    async def as_somebody(self, method: str, path: str, token: str, *, body: Any = None) -> tuple[int, Any]:
        """(status, answer) of a request with this token. path: below the account."""
        headers = {"Authorization": f"Bearer {token}"}
        async with self.stack.http.request(
            method, f"{self.stack.url}/api{API}/{path}", json=body, headers=headers
        ) as response:
            return response.status, await response.json() if response.status != 204 else None

    async def token_of(self, name: str, role: str, **bound: Any) -> str:
        """A token of this role, bound to what is named."""
        body = {"name": f"{name}{next(self._count)}", "role": role, "account": ACCOUNT, **bound}
        return str((await self.stack.api("POST", "/v1/tokens", status=201, body=body))["token"])

    async def employee(self, number: int, **fields: Any) -> None:
        known = next(p for p in data.employees() if p.extensions == (str(number),))
        body = known.model_dump(mode="json", exclude={"id", "is_active", "crm_user_id"})
        await self.api("PUT", f"employees/{known.id}", body={**body, **fields})

    async def save(self, name: str, *numbers: int, status: int = 200, **fields: Any) -> dict[str, Any]:
        """A template of these people, or as `employees` says."""
        people = fields.pop("employees", [{"employee_id": person(n)} for n in numbers])
        body = {"name": name, "employees": people, **fields}
        answer: dict[str, Any] = await self.api("PUT", f"templates/{name}", status=status, body=body)
        return answer

    async def attach(self, name: str, stage: int = STAGE, **fields: Any) -> None:
        await self.api("PUT", f"templates/{name}/stages/{PIPELINE}/{stage}", body=fields)

    @contextlib.asynccontextmanager
    async def template(self, name: str, *numbers: int, **fields: Any) -> AsyncIterator[str]:
        """One that gives what comes into the stage, while this lasts."""
        await self.save(name, *numbers, **fields)
        await self.attach(name)
        try:
            yield name
        finally:
            await self.api("DELETE", f"templates/{name}/stages/{PIPELINE}/{STAGE}", status=204)

    async def schedule(self, name: str, **fields: Any) -> dict[str, Any]:
        answer: dict[str, Any] = await self.api("PUT", f"schedules/{name}", body={"schedule": fields})
        return answer

    async def without_schedules(self) -> None:
        """Nobody has hours any more, whatever the tests before this one left behind."""
        for schedule in (await self.api("GET", "schedules"))["items"]:
            await self.api("DELETE", f"schedules/{schedule['name']}?even_if_used=true", status=204)

    async def press(self, number: int, button: str) -> dict[str, Any]:
        """button: start or stop, of the counter."""
        answer: dict[str, Any] = await self.api("POST", f"employees/{person(number)}/presence/{button}")
        return answer

    async def presence(self, number: int) -> dict[str, Any]:
        answer: dict[str, Any] = await self.api("GET", f"employees/{person(number)}/presence")
        return answer

    def command(self, *arguments: str, typed: str = "") -> str:
        """What the command line says, of the same database. typed: into its standard input."""
        done = subprocess.run(
            [sys.executable, "-m", "gateway.cli", *arguments],
            env={
                "PATH": "/usr/bin:/bin",
                "CALLMATRIX_DATABASE_URL": self.stack.database_url,
                "CALLMATRIX_PUBLIC_URL": self.stack.url,
            },
            input=typed,
            capture_output=True,
            text=True,
            timeout=60,
            check=False,
        )
        assert done.returncode == 0, done.stderr
        return done.stdout

    # What happens in the CRM

    async def crm(self, method: str, path: str, body: Any = None) -> Any:
        """A request of another integration to the CRM's own API; it waits where it has asked too often."""
        headers = {"Authorization": f"Bearer {self.token}"}
        address = f"{self.stack.sandbox_url}/api/v4/{path}"
        while True:
            async with self.stack.http.request(method, address, json=body, headers=headers) as response:
                if response.status != 429:
                    assert response.status < 300, await response.text()
                    return await response.json()
            await asyncio.sleep(1)

    async def make(self, kind: str, *rows: dict[str, Any]) -> list[int]:
        """Ids of new leads, contacts, companies or tasks, made at once by another integration."""
        sent = [{"name": f"{kind} {next(self._count)}", "responsible_user_id": BOSS, **row} for row in rows]
        if kind == "tasks":
            sent = [{"text": r.pop("name"), "complete_till": 1900000000, **r} for r in sent]
        made = await self.crm("POST", kind, sent)
        return [row["id"] for row in made["_embedded"][kind]]

    async def deals(self, count: int = 1, *, stage: int = STAGE, **fields: Any) -> list[int]:
        """New deals of the boss, made in the stage that is given."""
        return await self.make(
            "leads", *({"pipeline_id": PIPELINE, "status_id": stage, **fields} for _ in range(count))
        )

    async def act(self, do: str, **what: Any) -> Any:
        """What a person does in the CRM's pages."""
        return await self.stack.act("act", {"do": do, "by": BOSS, **what})

    async def move(self, deal: int, stage: int = STAGE, *, by: int = BOSS) -> None:
        await self.act("set_status", id=deal, status=stage, pipeline=PIPELINE, by=by)

    # What became of it

    async def minutes_pass(self, minutes: float, *numbers: int) -> None:
        """All that is known of these managers' presence is so much longer ago, and so is the beginning of the watch."""
        people, by = [person(n) for n in numbers], timedelta(minutes=minutes)
        await self.stack.pool.execute(
            "UPDATE presence SET since = since - $3::interval, asked_at = asked_at - $3, answer_by = answer_by - $3,"
            " signs = coalesce((SELECT jsonb_object_agg(key, (value #>> '{}')::timestamptz - $3::interval)"
            "   FROM jsonb_each(signs)), '{}') WHERE account_id = $1 AND employee_id = ANY($2)",
            ACCOUNT,
            people,
            by,
        )
        await self.stack.pool.execute(
            "UPDATE presence_watch SET trusted_from = least(trusted_from, now() - interval '1 second')"
        )

    async def row(self, kind: str, id: int) -> dict[str, Any]:
        found: dict[str, Any] = (await self.stack.rows(kind, id=id))[0]
        return found

    async def owners(self, deals: Sequence[int], kind: str = "deal") -> list[int]:
        """Responsible users, as the CRM has them."""
        ids = set(deals)
        rows = {r["id"]: r["responsible_user_id"] for r in await self.stack.rows(kind) if r["id"] in ids}
        return [rows[deal] for deal in deals]

    async def results(self, **query: Any) -> list[dict[str, Any]]:
        """The list of results through the API, the oldest first."""
        items: list[dict[str, Any]] = (await self.stack.api("GET", f"{API}/distributions", **query))["items"]
        items.sort(key=lambda one: (one["decided_at"] or "", one["entered_at"], int(one["deal"] or 0)))
        return items

    async def result(self, deal: int) -> dict[str, Any]:
        """The latest of this deal, in full: with the log of the walk."""
        found = await self.results(deal=str(deal))
        assert found, f"nothing was to be given of deal {deal}"
        answer: dict[str, Any] = await self.api("GET", f"distributions/{found[-1]['id']}")
        return answer

    async def came_to(self, deals: Sequence[int], *states: str) -> list[dict[str, Any]]:
        """What became of these deals, in the order of the decisions, once each has come to one of these states."""
        wanted = {str(deal) for deal in deals}

        async def settled() -> list[dict[str, Any]] | None:
            found = [r for r in await self.results(limit="200") if r["deal"] in wanted]
            settled = [r for r in found if r["state"] in states and r["reason"]]
            return settled if {r["deal"] for r in settled} == wanted else None

        return await until(settled, f"deals {sorted(wanted)} are {states}", seconds=40) or []

    async def given(self, deals: Sequence[int]) -> list[int]:
        """Managers' numbers who got these deals, in the order of the turns; the CRM has each of them as responsible."""
        found = await self.came_to(deals, "given", "kept")
        turns = await self.stack.pool.fetch(
            "SELECT item_id, max(entry_id) AS turn FROM distribution_journal WHERE item_id = ANY($1) GROUP BY 1",
            [r["id"] for r in found],
        )
        turn_of = {row["item_id"]: row["turn"] for row in turns}
        found.sort(key=lambda r: turn_of.get(r["id"], 0))
        people = {int(r["deal"]): int(str(r["employee"])[-3:]) for r in found}
        await self.until_owned({deal: user(number) for deal, number in people.items()})
        return [people[int(r["deal"])] for r in found]

    async def until_by(self, deal: int, what: str, user_id: int) -> None:
        """The feed has told who changed the deal: a hook does not say."""

        async def is_told() -> bool:
            found: bool = await self.stack.pool.fetchval(
                "SELECT EXISTS (SELECT 1 FROM crm_event WHERE entity_id = $1 AND what = $2 AND by_user = $3)",
                str(deal),
                what,
                str(user_id),
            )
            return found

        await self.until(is_told)

    async def until_known(self, owners: dict[int, int]) -> None:
        """The directory has these deals with these owners."""

        async def is_known() -> bool:
            rows = await self.stack.pool.fetch(
                "SELECT entity_id, owner_id FROM directory_entity WHERE kind = 'deal' AND entity_id = ANY($1)",
                [str(deal) for deal in owners],
            )
            return {int(r["entity_id"]): int(r["owner_id"]) for r in rows} == owners

        await self.until(is_known)

    async def until_told(self, deal: int) -> None:
        """The directory has read this deal: whatever was to be given of it would be known."""

        async def is_read() -> bool:
            found: bool = await self.stack.pool.fetchval(
                "SELECT EXISTS (SELECT 1 FROM directory_entity WHERE entity_id = $1 AND kind = 'deal') AND NOT EXISTS"
                " (SELECT 1 FROM directory_reread WHERE entity_id = $1 AND kind = 'deal')",
                str(deal),
            )
            return found

        await self.until(is_read)

    async def until_owned(self, wanted: dict[int, int], kind: str = "deal") -> None:
        async def are_owned() -> bool:
            return await self.owners(list(wanted), kind) == list(wanted.values())

        await until(are_owned, f"the CRM has {kind} of {wanted}", seconds=40)

    async def one_by_one(self, count: int) -> list[int]:
        """Managers' numbers who got so many deals that came one after the other."""
        return [(await self.given(await self.deals()))[0] for _ in range(count)]

    async def until(self, holds: Callable[[], Awaitable[bool]], seconds: float = 40) -> None:
        await until(holds, "what the test waits for", seconds=seconds)


__all__ = ["ADMIN", "API", "BOSS", "NEW", "STAGE", "Sales", "person", "user"]
