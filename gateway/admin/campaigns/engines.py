"""Campaigns of a contact centre: which there are, and whether one can be ours."""

from __future__ import annotations

from collections.abc import Mapping

import aiohttp

from campaigns.engine import EngineCampaign
from campaigns.model import CampaignSettings
from gateway.admin.campaigns.refused import CampaignNotUsable
from gateway.admin.refused import InputRefused, NothingOfThatName
from gateway.pbx.call_log import PbxError
from gateway.pbx.capabilities import CampaignEngine
from gateway.pbx.connection import Connection
from gateway.pbx.kind import PbxKind
from gateway.pbx.kinds import KINDS
from gateway.store.admin.accounts import connections
from gateway.store.admin.staff import staff_of
from gateway.store.campaigns.engines import others_of_engine
from runtime.database.pool import Conn


class ContactCentreSilent(InputRefused):
    """The contact centre did not say which campaigns it has."""

    code = "contact-centre"


def engine_of_connection(
    connection: Connection, kinds: Mapping[str, PbxKind] = KINDS
) -> CampaignEngine | None:
    return kinds[connection.kind].campaigns(connection) if connection.kind in kinds else None


async def centre_of(
    conn: Conn, account_id: str, name: str, kinds: Mapping[str, PbxKind] = KINDS
) -> tuple[Connection, CampaignEngine]:
    """Return a connection with its contact centre. Raise NothingOfThatName, CampaignNotUsable."""
    connection = {c.name: c for c in await connections(conn, account_id)}.get(name)
    if connection is None:
        raise NothingOfThatName("connection", name)
    engine = engine_of_connection(connection, kinds)
    if engine is None:
        raise _no_contact_centre(connection)
    return connection, engine


async def campaigns_there(connection: Connection, engine: CampaignEngine) -> tuple[EngineCampaign, ...]:
    """Ask it. Raise ContactCentreSilent."""
    try:
        async with aiohttp.ClientSession() as session:
            return await engine.campaigns(session, connection)
    except PbxError as err:
        is_edition = err.code == "edition"
        remedy = "order it with the PBX" if is_edition else "look at the connection's keys, and ask again"
        raise ContactCentreSilent("connection", f"connection '{connection.name}': {err}", remedy) from err


async def refuse_engine(
    conn: Conn, account_id: str, name: str, settings: CampaignSettings, connection: Connection
) -> None:
    """Raise CampaignNotUsable where a contact centre could not dial this."""
    if engine_of_connection(connection) is None:
        raise _no_contact_centre(connection)
    if settings.engine_ref is None:
        raise CampaignNotUsable(
            "engine_ref",
            "it is not said which campaign of the contact centre this is",
            "see 'callmatrix campaign there', which lists them",
        )
    staff = await staff_of(conn, account_id)
    if not any(person.extensions and person.crm_user_id for person in staff.employees):
        raise CampaignNotUsable(
            "engine",
            "no employee has an extension and a user of the CRM",
            "link one first: see 'callmatrix employees list'",
        )
    ref = settings.engine_ref
    if other := await others_of_engine(conn, account_id, connection.name, ref, name):
        raise CampaignNotUsable(
            "engine_ref", f"campaign {ref} of the contact centre is '{other}' here", "use that one"
        )


def _no_contact_centre(connection: Connection) -> CampaignNotUsable:
    return CampaignNotUsable(
        "engine",
        f"connection '{connection.name}' has no contact centre, or lacks its keys",
        "choose the engine own, or set the keys",
    )
