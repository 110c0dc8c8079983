"""Campaigns that a PBX's contact centre has."""

from __future__ import annotations

from typing import Annotated

from pydantic import Field

from campaigns.engine import EngineState
from gateway.admin.campaigns.engines import campaigns_there, centre_of
from gateway.admin.refused import NothingOfThatName
from gateway.api.frame import Answer, ApiCall, Body, Items, Route, not_found


class CentreCampaignView(Answer):
    """id: what a campaign's `engine_ref` names. words: the contact centre's own. tasks, done: how many numbers it has, and how many
    of these it is done with."""

    id: str
    name: str
    state: EngineState
    words: str
    tasks: int | None
    done: int | None


class CentreCampaignsQuery(Body):
    connection: Annotated[str, Field(min_length=1, max_length=200)]


async def list_there(call: ApiCall[CentreCampaignsQuery, None]) -> Items[CentreCampaignView]:
    name = call.query.connection
    async with call.services.pool.acquire() as conn:
        try:
            centre = await centre_of(conn, call.account.id, name, call.services.kinds)
        except NothingOfThatName as err:
            raise not_found("connection", name) from err
    views = [
        CentreCampaignView(
            id=one.ref, name=one.name, state=one.state, words=one.words, tasks=one.tasks, done=one.done
        )
        for one in await campaigns_there(*centre)
    ]
    return Items[CentreCampaignView](items=views)


ROUTES = (
    Route(
        method="GET",
        path="/v1/accounts/{account}/contact-centre-campaigns",
        handler=list_there,
        summary="Campaigns that a PBX's contact centre has, as it says now",
        errors=(409, 422),
    ),
)
