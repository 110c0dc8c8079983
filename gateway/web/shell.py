"""What stands around every page: the navigation that this person has."""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass, field, replace

from gateway.store.admin.accounts import Account
from gateway.store.admin.roles import Role, may_act_as
from gateway.store.calls.case_lists import waiting_count
from gateway.web.crm_away.told import crm_away_of, said
from gateway.web.dialogs.whose import unread_count
from gateway.web.frame import AnyPageCall, NavName, PageRoute
from gateway.web.missed.whose import owner_of
from gateway.web.person import Person


@dataclass(frozen=True, slots=True)
class NavigationEntry:
    """icon: of the sprite. role: the least that sees it. topics: with which its count changes."""

    name: NavName
    path: str
    icon: str
    role: Role


ENTRIES = (
    NavigationEntry("now", "/", "activity", "read_only"),
    NavigationEntry("desk", "/me", "headset", "manager"),
    NavigationEntry("calls", "/calls", "phone", "read_only"),
    NavigationEntry("missed", "/missed", "phone-x", "read_only"),
    NavigationEntry("matrix", "/matrix", "table", "read_only"),
    NavigationEntry("distribution", "/distribution", "arrows-split-2", "read_only"),
    NavigationEntry("shifts", "/shifts", "calendar-clock", "read_only"),
    NavigationEntry("messages", "/dialogs", "message-dots", "manager"),
    NavigationEntry("setup", "/setup", "settings", "senior_manager"),
)
_NOT_OF_MANAGERS = ("now", "matrix")
"""What is the whole office's: in place of the first they have a desk."""
_ON_THE_PHONE = 4


@dataclass(frozen=True, slots=True)
class Navigation:
    """accounts: that the person may look at. counts: of an entry, what waits there. main: those that stand in the bar of a
    phone; more: those behind its last entry."""

    entries: tuple[NavigationEntry, ...]
    accounts: tuple[Account, ...] = ()
    counts: Mapping[str, int] = field(default_factory=dict)

    @property
    def main(self) -> tuple[NavigationEntry, ...]:
        return self.entries[:_ON_THE_PHONE]

    @property
    def more(self) -> tuple[NavigationEntry, ...]:
        return self.entries[_ON_THE_PHONE:]


def entries_of(who: Person) -> tuple[NavigationEntry, ...]:
    """Return the entries that this person sees: a manager who is one of the employees has a desk in place of what is the whole
    office's."""
    return tuple(entry for entry in ENTRIES if _is_for(entry, who))


def _is_for(entry: NavigationEntry, who: Person) -> bool:
    if entry.name == "desk":
        return who.role == "manager" and who.bound.employee is not None
    if who.role == "manager" and entry.name in _NOT_OF_MANAGERS:
        return False
    return may_act_as(who.role, entry.role)


def is_of_nobody_like(who: Person, page: PageRoute) -> bool:
    """Whether a page is not for this person, though their role may look at others of the kind. The first leads a manager on."""
    return who.role == "manager" and page.entry in _NOT_OF_MANAGERS and page.path != "/"


async def with_surroundings(call: AnyPageCall) -> AnyPageCall:
    """Return the call with what stands around its page: what waits behind entries of the navigation, and whether the CRM takes
    what we send, for those who can do something about it."""
    if not call.who.login or call.account_or_none is None:
        return call
    async with call.connection() as conn:
        counts = {"missed": await waiting_count(conn, call.account.id, owner_of(call))}
        if call.may("manager"):
            counts["messages"] = await unread_count(call, conn)
        is_told = call.account.state == "on" and call.may("senior_manager")
        away = await crm_away_of(conn, call.account.id, call.now) if is_told else None
    return replace(call, counts=counts, crm_away=said(away, call.words) if away else None)


def navigation(call: AnyPageCall) -> Navigation:
    known = call.services.configuration.now.accounts.values()
    accounts = (a for a in known if call.who.bound.account_id in (None, a.id)) if call.who.login else ()
    return Navigation(
        entries_of(call.who), tuple(sorted(accounts, key=lambda account: account.name)), call.counts
    )
