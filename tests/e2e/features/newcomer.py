"""A company that connects itself on the pages: an administrator, a senior manager, and what they do there."""

from __future__ import annotations

import contextlib
import itertools
from collections.abc import AsyncIterator
from dataclasses import dataclass, field
from datetime import timedelta
from typing import Any

from gateway.admin.accounts import save_settings
from gateway.admin.users import UserOrder, add_user
from gateway.store.admin import accounts
from gateway.store.admin.bindings import Bindings
from routing.settings import CallPolicy
from tests.e2e.features.at_pages import PASSWORD, Visitor, visiting
from tests.e2e.stack import Stack
from tests.integration.web.browser import Answer
from tests.waiting import until

ADMIN, SENIOR = "olga", "pavel"
LINE = "74950000002"
_SECRET_FIELD = "secret"


@dataclass
class Newcomer:
    """token, integration: of the CRM's administrator, in use. pbx_secret: as the page showed it once. account: None until it is connected."""

    stack: Stack
    admin: Visitor
    token: str = ""
    integration: str = "callmatrix"
    account: str | None = None
    pbx_secret: str = ""
    _count: Any = field(default_factory=lambda: itertools.count(1))

    async def connect(self) -> Answer:
        """Give the CRM's address and an administrator's key, and the company's phone, on the page of the first run."""
        page = (await self.admin.get("/start")).page
        self.token = await self.new_key(self.integration)
        sent = await self.admin.send(
            page, "/start/crm", url=self.stack.sandbox_url, name="Main", token=self.token
        )
        assert sent.status == 303, sent.words
        page = (await self.admin.get("/start")).page
        sent = await self.admin.send(page, "/start/contact", phone="+74950000002")
        assert sent.status == 303, sent.words
        self.account = await self.stack.pool.fetchval("SELECT account_id FROM account")
        return await self.admin.get("/start")

    async def new_key(self, integration: str, **more: str) -> str:
        query = "".join(f"&{name}={value}" for name, value in more.items())
        token: str = (await self.stack.sandbox(f"token?integration={integration}{query}"))["access_token"]
        return token

    async def add_people(self) -> Answer:
        """Take the users whom the CRM proposes, with the extensions of managers 101 and 102."""
        users = {u["email"]: str(u["id"]) for u in await self.stack.rows("user")}

        async def is_proposed() -> bool:
            return bool((await self.admin.get("/start")).page.all("form", action="/start/people"))

        await until(is_proposed, "the CRM's users are proposed", seconds=30)
        wanted = {users[f"manager{n}@demo.example"]: str(n) for n in (101, 102)}
        fields = [pair for user, n in wanted.items() for pair in (("user", user), ("extension", n))]
        page = (await self.admin.get("/start")).page
        csrf = page.all("form", action="/start/people")[0].one("input", name="csrf")["value"]
        sent = await self.admin.post("/start/people", ("csrf", csrf), *fields)
        assert sent.status == 303, sent.words
        return await self.admin.get("/start")

    async def add_pbx(self) -> Answer:
        page = (await self.admin.get("/start?kind=generic")).page
        shown = await self.admin.send(page, "/start/pbx", name="office", lines=f"+{LINE}")
        self.pbx_secret = shown.page.by_id(_SECRET_FIELD)["value"]
        return shown

    async def loaded(self) -> None:
        async def is_loaded() -> bool:
            found: bool = await self.stack.pool.fetchval(
                "SELECT bool_or(loaded_at IS NOT NULL) FROM directory_state"
            )
            return bool(found) and bool(await self.stack.pool.fetchval("SELECT count(*) FROM crm_pipeline"))

        await until(is_loaded, "the clients are loaded", seconds=40)

    async def ready(self) -> None:
        """Everything is connected, by now."""
        if self.account is None:
            await self.connect()
            await self.add_people()
            await self.add_pbx()
            await self._settle_at_once()
        await self.loaded()

    async def _settle_at_once(self) -> None:
        assert self.account is not None
        async with self.stack.pool.acquire() as conn:
            settings = (await accounts.account(conn, self.account)).settings
            quick = settings.model_copy(update={"calls": CallPolicy(settle_seconds=1)})
            await save_settings(conn, self.account, quick)

    async def missed(self, client: str) -> str:
        """A call that nobody answered. Returns its id at the PBX."""
        key = f"new-{next(self._count)}-{client}"
        common = {"callId": key, "direction": "in", "from": client, "to": LINE}
        for event in ({"event": "newCall"}, {"event": "hangup", "cause": "noAnswer"}):
            async with self.stack.http.post(
                f"{self.stack.url}/pbx/office/events",
                json={**event, **common},
                headers={"Authorization": f"Bearer {self.pbx_secret}"},
            ) as response:
                assert response.status == 200, await response.text()
        return key

    @contextlib.asynccontextmanager
    async def broken_key(self) -> AsyncIterator[None]:
        """The CRM refuses whatever comes with the key that is in use; afterwards nothing is held any more."""
        await self.stack.until_idle()
        rule = {"match": {"integration": self.integration}, "always": True, "fault": "401"}
        await self.stack.act("faults", {"rules": [rule]})
        yield
        page = (await self.admin.get("/setup/held/discard")).page
        if page.all("form", action="/setup/held/discard"):
            await self.admin.send(page, "/setup/held/discard", note="of another test")

    async def switch_off(self) -> None:
        sent = await self.admin.send((await self.admin.get("/setup")).page, "/setup/crm/off")
        assert sent.status == 303, sent.words

    async def give_new_key(self) -> Answer:
        """Of another integration: the faults are of the one before."""
        self.integration = f"callmatrix-{next(self._count)}"
        token = await self.new_key(self.integration)
        sent = await self.admin.send((await self.admin.get("/setup")).page, "/setup/crm/key", token=token)
        assert sent.status == 303, sent.words
        self.token = token
        return sent

    @staticmethod
    def steps(page: Answer) -> dict[str, str]:
        """Return the steps of the page -> how they stand: "current", "done" or ""."""
        found = [one for one in page.page.all("li") if (one.get("id") or "").startswith("step-")]
        return {
            one["id"]: next(
                (
                    how
                    for how in ("current", "done")
                    if f"cm-wizard-{how}" in (one.get("class") or "").split()
                ),
                "",
            )
            for one in found
        }

    async def account_is(self, state: str) -> None:
        async def is_so() -> bool:
            return bool(await self.stack.pool.fetchval("SELECT state = $1 FROM account", state))

        await until(is_so, f"the account is {state}", seconds=40)

    async def held_are(self, calls: int) -> None:
        async def is_so() -> bool:
            found: int = await self.stack.pool.fetchval(
                "SELECT count(DISTINCT call_id) FROM effect WHERE state = 'held'"
            )
            return found == calls

        await until(is_so, f"held of calls: {calls}", seconds=40)

    async def was_days_ago(self, client: str, days: int) -> None:
        """The call of this client, and what was to follow from it, is so much older."""
        by = timedelta(days=days)
        await self.stack.pool.execute(
            "UPDATE effect SET created_at = created_at - $2::interval WHERE call_id IN (SELECT call_id FROM call WHERE client = $1)",
            client,
            by,
        )
        await self.stack.pool.execute(
            "UPDATE call SET started_at = started_at - $2::interval WHERE client = $1", client, by
        )


@contextlib.asynccontextmanager
async def newcomer_at(stack: Stack) -> AsyncIterator[Newcomer]:
    orders = (
        UserOrder(login=ADMIN, name="Ольга Зимина", role="admin", password=PASSWORD),
        UserOrder(
            login=SENIOR, name="Павел Орлов", role="senior_manager", bound=Bindings(), password=PASSWORD
        ),
    )
    async with stack.pool.acquire() as conn:
        for order in orders:
            await add_user(conn, order)
    await stack.until_answers(f"{stack.url}/sign-in")
    async with visiting(stack.url, ADMIN) as admin:
        yield Newcomer(stack, admin)
