"""What a person orders of a campaign: start, pause, stop, finish; and of those who are in it."""

from __future__ import annotations

from datetime import datetime
from typing import Literal

from campaigns.keep_open import removed
from campaigns.states import CampaignCommand, after_command, takes_members
from gateway.admin.campaigns.refused import CampaignDialledThere, CampaignStateForbids
from gateway.admin.campaigns.saved import refuse_others, the_campaign
from gateway.admin.input_words import refuse_bad_line, refuse_long
from gateway.admin.refused import InputRefused, NothingOfThatName
from gateway.store.campaigns import campaigns as store
from gateway.store.campaigns import members, turns
from gateway.store.campaigns.campaigns import CampaignRow
from gateway.store.campaigns.members import NewMember
from gateway.store.outbound.do_not_call import is_listed
from routing.numbers.normalise import PublicNumber, normalise
from routing.settings import NumberPolicy
from runtime.database.pool import Conn, database_now

LONGEST_NUMBER, LONGEST_MEMBER_TEXT = 60, 500


class NobodyToCall(InputRefused):
    """A campaign that ends by itself would end at once: nobody is in it."""

    code = "campaign-empty"

    def __init__(self, name: str) -> None:
        super().__init__(
            "state", f"nobody is in campaign '{name}'", "import a list first, or make it endless"
        )


class MemberRefused(InputRefused):
    """The number cannot be called by the campaign."""

    code = "member-refused"


async def command_campaign(
    conn: Conn, account_id: str, name: str, command: CampaignCommand, *, starts_at: datetime | None = None
) -> CampaignRow:
    """Carry it out. starts_at: of `plan`. Raise NothingOfThatName, CampaignDialledThere,
    CampaignStateForbids, NobodyToCall, InputRefused."""
    async with conn.transaction():
        row = await the_campaign(conn, account_id, name, lock=True)
        refuse_others(row.settings)
        if row.settings.engine == "pbx" and command != "finish":
            raise CampaignDialledThere(row)
        if command == "plan":
            await _refuse_past(conn, starts_at)
        load = await store.load_of(conn, row)
        if command == "start" and not (load.members or load.is_kept_open or row.settings.endless):
            raise NobodyToCall(name)
        if command in ("stop", "finish") and row.state != "finished":
            await members.clear_held(conn, row, "campaign_finished", tried_too=command == "finish")
            load = await store.load_of(conn, row)
        step = after_command(row.state, command, load)
        if step is None:
            raise CampaignStateForbids(row, f"it cannot be told to {command}")
        if command == "pause":
            await turns.hold_back(conn, row)
        return (
            row
            if step.state == row.state and command not in ("plan", "finish")
            else await store.move(conn, row, step, starts_at=starts_at)
        )


async def _refuse_past(conn: Conn, starts_at: datetime | None) -> None:
    if starts_at is None or starts_at <= await database_now(conn):
        raise InputRefused("starts_at", "it begins at a moment that is over", "name one that is to come")


async def remove_kept_open(conn: Conn, account_id: str, name: str) -> CampaignRow:
    """Take its technical row out: it ends by itself then, once nobody is left. Raise NothingOfThatName, NotBoundTo."""
    async with conn.transaction():
        row = await the_campaign(conn, account_id, name, lock=True)
        refuse_others(row.settings)
        await store.keep_open(conn, row, removed(row.kept_open, await database_now(conn)))
        return await the_campaign(conn, account_id, name)


async def add_member(
    conn: Conn,
    account_id: str,
    name: str,
    number: str,
    policy: NumberPolicy,
    *,
    who: str = "",
    client_id: str = "",
) -> Literal["added", "linked"]:
    """Add one number as it is typed. linked: it is there already. Raise NothingOfThatName, CampaignStateForbids,
    MemberRefused, NotBoundTo."""
    refuse_long("number", number, LONGEST_NUMBER)
    refuse_bad_line("name", who, LONGEST_MEMBER_TEXT)
    refuse_bad_line("client_id", client_id, LONGEST_MEMBER_TEXT)
    found = normalise(number, policy)
    if not isinstance(found, PublicNumber):
        raise MemberRefused(
            "number", f"'{number}' is no number that can be called", "write it with its country code"
        )
    if found.is_own:
        raise MemberRefused("number", f"{found.e164} is a number of our own", "campaigns call clients")
    async with conn.transaction():
        row = await the_campaign(conn, account_id, name, lock=True)
        refuse_others(row.settings)
        if not takes_members(row.state):
            raise CampaignStateForbids(row, "it takes no numbers any more")
        if await is_listed(conn, account_id, found.e164, name):
            raise MemberRefused("number", f"{found.e164} is on the do-not-call list", "respect it")
        added = await members.add_members(
            conn, row, [NewMember(number=found.e164, name=who, client_id=client_id, data={})], source="api"
        )
        return "added" if added else "linked"


async def take_member_out(conn: Conn, account_id: str, name: str, number: str) -> None:
    """End one who waits, without stage and task. Raise NothingOfThatName, MemberRefused."""
    async with conn.transaction():
        row = await the_campaign(conn, account_id, name, lock=True)
        refuse_others(row.settings)
        if await members.take_out(conn, row, number):
            return
        if not await members.known_numbers(conn, row, [number]):
            raise NothingOfThatName("number", number, "campaign members")
        raise MemberRefused("number", f"{number} does not wait", "who is on the line, or was called, stays")
