"""Personal data at their end: of everybody when the account's days are over, of one client on request."""

from __future__ import annotations

from datetime import UTC, datetime, timedelta

from gateway.admin.refused import InputRefused
from gateway.configuration import policy_of
from gateway.store.admin import personal_data as store
from gateway.store.admin import told_of_clients
from gateway.store.admin.audit import AuditChange, record
from gateway.store.admin.personal_data import ClientData
from gateway.store.campaigns import old as campaigns
from gateway.store.channels.dialogues import forget_dialogues, other_names_of
from gateway.store.outbound import old as outbound
from gateway.store.sms import old as sms
from routing.numbers.normalise import PublicNumber, normalise
from runtime.database import locks
from runtime.database.pool import Conn
from runtime.masking import mask_number

_MOST_OF_A_DEAL = 10_000
_MOST_OF_A_CLIENT = 100_000
_ALL_OF_A_CALL = frozenset({"number", "recordings", "params"})


class ClientBusy(InputRefused):
    """Something is still under way for this client; emptied half, it would be done for nobody."""

    code = "client-busy"

    def __init__(self, open_work: int) -> None:
        super().__init__(
            "number",
            f"{open_work} calls, cases, effects or changes of this client are not finished",
            "close them first (see 'callmatrix cases open' and 'callmatrix desk list'), or wait until they are sent",
        )


async def data_of_client(conn: Conn, account_id: str, number: str) -> tuple[str, ClientData]:
    """(E.164, what is kept of this client). Raise InputRefused."""
    read = normalise(number, await policy_of(conn, account_id))
    if not isinstance(read, PublicNumber):
        raise InputRefused("number", f"'{number}' is not a phone number", "write it as +79161234567")
    return read.e164, await store.client_data(conn, account_id, read.e164)


async def forget_client(conn: Conn, account_id: str, number: str) -> ClientData:
    """Return what was kept of the client until now; calls stay as figures. Raise InputRefused; nothing is changed then."""
    async with conn.transaction():
        client, kept = await data_of_client(conn, account_id, number)
        await locks.take(conn, locks.client(account_id, client))
        kept = await store.client_data(conn, account_id, client)
        told = await told_of_clients.told_of(conn, account_id, client)
        open_work = kept.open_work + await told_of_clients.work_on_things(conn, account_id, told)
        open_work += await outbound.under_way_for(conn, account_id, client)
        open_work += await sms.sms_on_the_way(conn, account_id, client)
        if open_work:
            raise ClientBusy(open_work)
        now = datetime.now(UTC) + timedelta(days=1)
        await store.empty_raw(conn, account_id, now, client=client, limit=kept.messages + 1)
        await store.drop_decisions(conn, account_id, now, client=client, limit=kept.decisions + 1)
        await store.empty_effects(conn, account_id, now, client=client, limit=kept.effects + 1)
        await store.empty_cases(conn, account_id, now, client=client, limit=kept.cases + 1)
        await store.empty_calls(conn, account_id, now, _ALL_OF_A_CALL, client=client, limit=kept.calls + 1)
        await store.empty_strays(conn, account_id, client)
        for empty in (sms.empty_sms_texts, sms.empty_sms_numbers):
            await empty(conn, account_id=account_id, before=now, limit=_MOST_OF_A_CLIENT, client=client)
        for name in await other_names_of(conn, account_id, client):
            await store.empty_effects(conn, account_id, now, client=name, limit=_MOST_OF_A_CLIENT)
        await forget_dialogues(conn, account_id, client)
        for deal in told.deals:
            await store.empty_effects(conn, account_id, now, client=deal, limit=_MOST_OF_A_DEAL)
        deals = [id for kind, id in told.things if kind == "deal"]
        await outbound.empty_outbound_numbers(conn, account_id, now, client=client, limit=_MOST_OF_A_DEAL)
        for empty_of in (campaigns.empty_campaign_names, campaigns.empty_campaign_numbers):
            await empty_of(conn, account_id, now, client=client, limit=_MOST_OF_A_CLIENT)
        await outbound.empty_firing_steps(conn, account_id, now, deals=deals, limit=_MOST_OF_A_DEAL)
        await told_of_clients.empty_told(conn, account_id, told)
        if any((kept.calls, kept.messages, kept.decisions, kept.effects, kept.cases)):
            said = {"calls": kept.calls, "decisions": kept.decisions, "cases": kept.cases}
            change = AuditChange(
                what="client",
                object=mask_number(client),
                action="forgotten",
                account_id=account_id,
                after=said,
            )
            await record(conn, change)
        return kept
