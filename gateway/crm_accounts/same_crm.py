"""Whether the CRM that lets us in is the one that an account is connected to: its clients are of no use in another."""

from __future__ import annotations

from crm.port import CrmAccount
from crm.store.metadata import account_of, store_account
from runtime.database.pool import Conn


class AnotherCrm(Exception):
    """The key is of another account of the CRM than the one that stands here."""

    code = "another-crm-account"

    def __init__(self, account_id: str, known: str, seen: str) -> None:
        super().__init__(f"account '{account_id}' is «{known}» in the CRM, and this key is of «{seen}»")


async def note_same_crm(conn: Conn, account_id: str, seen: CrmAccount) -> None:
    """Keep what the CRM says of itself. Raise AnotherCrm where an account of another number was read there before.

    Run it in the transaction that stores the key.
    """
    known = await account_of(conn, account_id)
    if known is not None and known.id != seen.id:
        raise AnotherCrm(account_id, f"{known.name}, {known.id}", f"{seen.name}, {seen.id}")
    await store_account(conn, account_id, seen)
