"""A token opens narrow pages in nobody's name who may more than the token, or is somebody else on the phone."""

from __future__ import annotations

from dataclasses import dataclass
from itertools import product

import pytest

from gateway.store.admin import accounts, users
from gateway.store.admin.bindings import Bindings
from gateway.store.admin.roles import ROLES, Role
from gateway.store.admin.staff import replace_staff
from runtime.tokens import hash_of
from tests.integration.api.client import ACCOUNT, ANNA, SENIOR, Api
from tests.waiting import until

BORIS = ANNA.model_copy(update={"id": "boris", "name": "Борис", "crm_user_id": "12", "extensions": ("102",)})
BOUND = {
    "free": Bindings(),
    "account": Bindings(account_id=ACCOUNT),
    "anna": Bindings(account_id=ACCOUNT, employee="anna"),
    "boris": Bindings(account_id=ACCOUNT, employee="boris"),
    "template": Bindings(account_id=ACCOUNT, templates=("t",)),
    "two-templates": Bindings(account_id=ACCOUNT, templates=("t", "u")),
    "anna-template": Bindings(account_id=ACCOUNT, employee="anna", templates=("t",)),
    "schedule": Bindings(account_id=ACCOUNT, schedules=("s",)),
}
_WIDER_OR_EQUAL: dict[str, set[str]] = {
    "free": set(BOUND),
    "account": set(BOUND) - {"free"},
    "anna": {"anna", "anna-template"},
    "boris": {"boris"},
    "template": {"template", "anna-template"},
    "two-templates": {"template", "two-templates", "anna-template"},
    "anna-template": {"anna-template"},
    "schedule": {"schedule"},
}
"""Of the same role: in whose names one who is bound so may open pages."""
ASKING = ROLES[ROLES.index("manager") :]


@dataclass(frozen=True)
class Cell:
    asks: Role
    bound: str
    role: Role
    login_bound: str

    @property
    def login(self) -> str:
        return f"{self.role}.{self.login_bound}".replace("_", "-")

    @property
    def is_open(self) -> bool:
        if ROLES.index(self.role) > ROLES.index(self.asks):
            return False
        if self.asks == self.role == "manager" and self.login_bound == "schedule" != self.bound:
            return False  # a manager may by their schedules what other managers may not
        return self.login_bound in _WIDER_OR_EQUAL[self.bound]


@pytest.fixture
async def peopled(api: Api) -> Api:
    """A login and a token of every role and binding."""
    made = []
    people = [{"employee_id": "anna"}]
    for name in ("t", "u"):
        await api.ask("PUT", f"{{a}}/templates/{name}", body={"name": name, "employees": people})
    schedule = {"people": {"anna": {"hours": {"1": [["09:00", "18:00"]]}}}}
    await api.ask("PUT", "{a}/schedules/s", body={"schedule": schedule})
    async with api.pool.acquire() as conn, conn.transaction():
        await replace_staff(conn, ACCOUNT, [SENIOR, ANNA, BORIS])
        for role, (name, bound) in product(ROLES, BOUND.items()):
            login = Cell("admin", "free", role, name).login
            await users.add_user(conn, login=login, name=login, role=role, bound=bound, password_hash="none")
        for role, (name, bound) in product(ASKING, BOUND.items()):
            token = await accounts.add_api_token(conn, name=f"{role} {name}", role=role, bound=bound)
            api.tokens[f"{role} {name}"] = token
            made.append(hash_of(token))

    async def are_known() -> bool:
        return set(made) <= api.gateway.configuration.now.tokens.keys()

    await until(are_known, "the tokens are known")
    return api


async def test_a_page_is_opened_in_no_name_that_may_more_than_the_token(peopled: Api) -> None:
    cells = [Cell(*cell) for cell in product(ASKING, BOUND, ROLES, BOUND)]
    wrong = []
    for cell in cells:
        body = {"page": "card", "kind": "contact", "id": "501", "login": cell.login}
        async with peopled.http.post(
            f"{peopled.url}/api/v1/accounts/{ACCOUNT}/frames",
            json=body,
            headers={"Authorization": f"Bearer {peopled.tokens[f'{cell.asks} {cell.bound}']}"},
        ) as answer:
            said = await answer.json()
        expected = 201 if cell.is_open else 403
        if answer.status != expected or (
            expected == 403 and (said["code"] != "grants-more" or "address" in said)
        ):
            wrong.append((cell, answer.status, said))
    assert wrong == []
    opened = await peopled.pool.fetchval("SELECT count(*) FROM frame_token")
    assert opened == sum(cell.is_open for cell in cells) > 100


async def test_one_employee_opens_nothing_in_the_name_of_another(peopled: Api) -> None:
    body = {"page": "card", "kind": "contact", "id": "501", "login": "manager.boris"}
    said = await peopled.ask("POST", "{a}/frames", role="manager anna", body=body, status=403)
    assert (said["code"], said["field"]) == ("grants-more", "employee")
    assert await peopled.pool.fetchval("SELECT count(*) FROM frame_token") == 0
    await peopled.ask(
        "POST", "{a}/frames", role="manager anna", body={**body, "login": "manager.anna"}, status=201
    )
