"""Whether the CRM that lets us in is the one that an account is connected to, and no other account's: its clients are of no
use in another, and two that serve one CRM write each call twice and together exceed its limit of requests."""

from __future__ import annotations

from crm.port import CrmAccount
from crm.store.metadata import account_of, others_of_crm, store_account
from runtime.database import locks
from runtime.database.pool import Conn


class AnotherCrm(Exception):
    """The key is of another account of the CRM than the one that stands here."""

    code = "another-crm-account"

    def __init__(self, account_id: str, known: str, seen: str) -> None:
        super().__init__(f"account '{account_id}' is «{known}» in the CRM, and this key is of «{seen}»")


class CrmTaken(Exception):
    """This account of the CRM is connected under another name already."""

    code = "crm-connected-already"
    remedy = "work with that one, or switch it off first ('callmatrix account off')"

    def __init__(self, name: str, others: list[str]) -> None:
        self.name, self.others = name, ", ".join(f"'{other}'" for other in others)
        super().__init__(f"the CRM's account «{name}» is connected as {self.others} already")


async def note_same_crm(conn: Conn, account_id: str, seen: CrmAccount) -> None:
    """Keep what the CRM says of itself, before the account is switched on. Raise AnotherCrm where an account of another
    number was read there before, CrmTaken where another account that is on has this number.

    Two that are on together already stay so: `check` warns of them. Run it in the transaction that stores the key.
    """
    known = await account_of(conn, account_id)
    if known is not None and known.id != seen.id:
        raise AnotherCrm(account_id, f"{known.name}, {known.id}", f"{seen.name}, {seen.id}")
    await store_account(conn, account_id, seen)
    await refuse_taken_crm(conn, account_id)


async def refuse_taken_crm(conn: Conn, account_id: str) -> None:
    """Raise CrmTaken where switching the account on would make it the second one that serves its CRM."""
    known = await account_of(conn, account_id)
    if known is None:
        return
    await locks.take(conn, locks.crm_account(known.id))
    if others := await others_of_crm(conn, account_id):
        raise CrmTaken(f"{known.name}, {known.id}", others)
