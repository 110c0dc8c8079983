"""The control surface under /_sandbox/: tokens, ledger, faults, seed, reset, clock, profile. No part of the imitated API."""

from __future__ import annotations

from typing import TYPE_CHECKING

from aiohttp import web

from crm.sandbox import seed
from crm.sandbox.auth import tokens
from crm.sandbox.control.acts import ACTS, act
from crm.sandbox.control.asking import body_of, json_answer
from crm.sandbox.control.inspection import ROWS, rows_for
from crm.sandbox.faults import fault_rules
from crm.sandbox.profile import profile_of
from crm.sandbox.state import State

if TYPE_CHECKING:
    from crm.sandbox.world import World


def add_routes(app: web.Application, world: World) -> None:
    control = Control(world)
    router = app.router
    router.add_get("/_sandbox/token", control.token)
    router.add_get("/_sandbox/ledger", control.ledger)
    router.add_get("/_sandbox/rates", control.rates)
    router.add_get("/_sandbox/faults", control.get_faults)
    router.add_post("/_sandbox/faults", control.set_faults)
    router.add_post("/_sandbox/seed", control.seed)
    router.add_post("/_sandbox/reset", control.reset)
    router.add_get("/_sandbox/clock", control.get_clock)
    router.add_post("/_sandbox/clock", control.set_clock)
    router.add_get("/_sandbox/profile", control.get_profile)
    router.add_post("/_sandbox/profile", control.set_profile)
    router.add_get("/_sandbox/state", control.state)
    router.add_get("/_sandbox/cards", control.cards)
    router.add_get("/_sandbox/deliveries", control.deliveries)
    router.add_get("/_sandbox/integrations", control.integrations)
    router.add_post("/_sandbox/act", control.act)


def long_lived(state: State, integration: str, host: str, user: int = seed.ADMIN) -> str:
    """Return a long-lived token; an integration of this name is made when there is none."""
    table = state.table("integrations")
    row = table.first([("client_id", "=", f"sandbox-{integration}")]) or next(
        (one for one in table.select() if one["name"] == integration), None
    )
    if row is None:
        made = {"client_id": f"sandbox-{integration}", "secret": f"{integration}-secret", "name": integration}
        row = table.add({**made, "redirect_uri": None})
    return tokens.issue(
        state, row["client_id"], user, host, seconds=tokens.LONG_LIVED_SECONDS, grant="long_lived"
    )


class Control:
    def __init__(self, world: World) -> None:
        self._world = world

    async def token(self, request: web.Request) -> web.Response:
        """?integration= (default check) &user= (default the admin)."""
        user = int(request.query.get("user", seed.ADMIN))
        name = request.query.get("integration", "check")
        return json_answer({"access_token": long_lived(self._world.state, name, request.host, user)})

    async def ledger(self, request: web.Request) -> web.Response:
        since = float(request.query.get("since") or 0)
        return json_answer({"requests": self._world.ledger.since(since)})

    async def rates(self, request: web.Request) -> web.Response:
        """Set the most requests to the API in any window of one second, per integration."""
        return json_answer(
            {"window_seconds": 1, "most": self._world.limits.most, "blocked": self._world.limits.blocked}
        )

    async def get_faults(self, request: web.Request) -> web.Response:
        return json_answer({"rules": [rule.as_dict() for rule in self._world.faults]})

    async def set_faults(self, request: web.Request) -> web.Response:
        """Replace the plan; an empty list clears it."""
        try:
            self._world.faults = fault_rules(await body_of(request))
        except ValueError as error:
            return json_answer({"error": str(error)}, status=400)
        return await self.get_faults(request)

    async def seed(self, request: web.Request) -> web.Response:
        """{"contacts": N}: contacts 1…N exist afterwards; those that do already stay as they are."""
        state, wanted = self._world.state, int((await body_of(request)).get("contacts", 0))
        have = state.db.setting("contacts", self._world.contacts)
        with state.db.transaction():
            if wanted > have:
                seed.seed_contacts(state, have + 1, wanted)
                state.db.set_setting("contacts", wanted)
        return json_answer(dict(seed.rows_of(state)))

    async def reset(self, request: web.Request) -> web.Response:
        """Reset {"what": [data, ledger, faults, limits, clock, profile], "contacts": N}; without `what` all but the profile."""
        sent = await body_of(request)
        what = set(sent.get("what") or ("data", "ledger", "faults", "limits", "clock"))
        world, state = self._world, self._world.state
        if "faults" in what:
            world.faults = []
        if "limits" in what:
            world.limits.clear()
        with state.db.transaction():
            if "ledger" in what:
                world.ledger.clear()
            if "clock" in what:
                state.set_offset(0)
            if "profile" in what:
                state.set_profile(profile_of("amocrm"))
            if "data" in what:
                world.contacts = int(sent.get("contacts", world.contacts))
                seed.clear(state)
                seed.seed_all(state, world.contacts, world.users)
                state.db.set_setting("contacts", world.contacts)
        return json_answer(dict(seed.rows_of(state)))

    async def get_clock(self, request: web.Request) -> web.Response:
        return json_answer({"offset": self._world.state.offset, "now": self._world.state.now()})

    async def set_clock(self, request: web.Request) -> web.Response:
        """{"offset": seconds}: of created_at and of tokens' expiry; limits and the ledger keep real time."""
        with self._world.state.db.transaction():
            self._world.state.set_offset(float((await body_of(request)).get("offset", 0)))
        return await self.get_clock(request)

    async def get_profile(self, request: web.Request) -> web.Response:
        return json_answer(self._world.state.profile.as_dict())

    async def set_profile(self, request: web.Request) -> web.Response:
        """{"name": "kommo"} starts from that profile; without a name the given switches change the present one."""
        sent = await body_of(request)
        try:
            profile = profile_of(sent) if "name" in sent else self._world.state.profile.changed(sent)
        except (ValueError, TypeError) as error:
            return json_answer({"error": str(error)}, status=400)
        with self._world.state.db.transaction():
            self._world.state.set_profile(profile)
        return json_answer(profile.as_dict())

    async def state(self, request: web.Request) -> web.Response:
        """?kind=…&column=value…: all rows with hidden and deleted ones, deal and lead kept apart."""
        query = dict(request.query)
        kind = query.pop("kind", "")
        if kind not in ROWS:
            return json_answer({"error": f"kind is one of {', '.join(ROWS)}"}, status=400)
        return json_answer({"kind": kind, "rows": rows_for(self._world.state, kind, query)})

    async def cards(self, request: web.Request) -> web.Response:
        return json_answer({"cards": self._world.state.table("cards").select()})

    async def deliveries(self, request: web.Request) -> web.Response:
        rows = self._world.state.table("deliveries").select(order=("id", "desc"), limit=1000)
        return json_answer({"deliveries": rows})

    async def integrations(self, request: web.Request) -> web.Response:
        return json_answer({"integrations": self._world.state.table("integrations").select()})

    async def act(self, request: web.Request) -> web.Response:
        """{"do": …}: what a person does in the CRM's own pages."""
        sent = await body_of(request)
        if sent.get("do") == "unblock":
            self._world.limits.clear()
            return json_answer({"done": "unblock"})
        try:
            with self._world.state.db.transaction():
                return json_answer({"done": sent.get("do"), **act(self._world.state, sent)})
        except (ValueError, KeyError, TypeError) as error:
            known = ", ".join(sorted([*ACTS, "unblock"]))
            return json_answer({"error": f"{type(error).__name__}: {error}", "known": known}, status=400)
