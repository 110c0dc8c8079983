"""Numbers of clients as messengers tell them and people write them, read as the account reads numbers."""

from __future__ import annotations

from gateway.configuration import policy_of
from gateway.store.channels.channels import SavedChannel
from routing.numbers.normalise import PublicNumber, normalise
from routing.settings import NumberPolicy
from runtime.database.pool import Conn


async def number_policy_of(conn: Conn, saved: SavedChannel) -> NumberPolicy:
    """How numbers are read in this channel now: its own rule says what an 8 at the beginning is, where it says anything."""
    policy = await policy_of(conn, saved.account_id)
    eight = saved.rules.eight_to_seven
    return policy if eight is None else policy.model_copy(update={"eight_is_plus_seven": eight})


def client_number(told: str, policy: NumberPolicy) -> str:
    """Return it in E.164, "" where it is none."""
    number = normalise(told, policy)
    return number.e164 if isinstance(number, PublicNumber) else ""
