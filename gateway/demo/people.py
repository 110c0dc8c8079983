"""Who may open the demo's pages: a person of each role, let in by a line that is printed."""

from __future__ import annotations

from collections.abc import Iterator, Mapping
from contextlib import contextmanager
from datetime import UTC, datetime, timedelta

import asyncpg

from gateway.admin.sign_in.links import make_link
from gateway.admin.users import UserOrder, add_user
from gateway.demo.data import ACCOUNT
from gateway.demo.names import EMPLOYEES
from gateway.store.admin.audit import Actor, acting
from gateway.store.admin.bindings import Bindings
from gateway.store.admin.users import users

_LINKS_LAST = timedelta(hours=12)

THE_ADMIN = UserOrder(login="olga", name="Ольга Зимина", role="admin")
THE_SENIOR = UserOrder(
    login="senior",
    name=EMPLOYEES["100"],
    role="senior_manager",
    bound=Bindings(account_id=ACCOUNT, employee="senior100"),
)
PEOPLE = (
    THE_ADMIN,
    THE_SENIOR,
    UserOrder(
        login="manager",
        name=EMPLOYEES["102"],
        role="manager",
        bound=Bindings(account_id=ACCOUNT, employee="manager102"),
    ),
    UserOrder(login="guest", name="Ли Чжао", role="read_only", bound=Bindings(account_id=ACCOUNT)),
)
"""With passwords that nobody knows."""


async def prepare_people(pool: asyncpg.Pool) -> Mapping[str, str]:
    """Return, by role, the path that lets its person in, once and at this machine."""
    async with pool.acquire() as conn:
        known = {user.login for user in await users(conn)}
        for order in PEOPLE:
            if order.login not in known:
                await add_user(conn, order)
        now = datetime.now(UTC)
        return {
            order.role: await make_link(conn, order.login, now, is_local=True, good_for=_LINKS_LAST)
            for order in PEOPLE
        }


@contextmanager
def as_person(order: UserOrder) -> Iterator[str]:
    """Let this person order what is ordered within it, on the pages; by what their role forbids nobody is kept here. Yield their name."""
    actor = Actor(
        kind="user",
        name=order.login,
        door="pages",
        address="127.0.0.1",
        bound=order.bound,
    )
    with acting(actor):
        yield order.name or order.login


def doors(url: str, links: Mapping[str, str]) -> str:
    """Return the lines that let people in."""
    return "\n".join(f"  {role:<16}{url}{path}" for role, path in links.items())
