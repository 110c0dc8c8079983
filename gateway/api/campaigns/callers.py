"""What running campaigns know of somebody who calls: for the pop-up of whoever answers."""

from __future__ import annotations

from gateway.api.frame import Answer, ApiCall, Items, Route
from gateway.api.unseen import unseen_by
from gateway.store.campaigns.members import running_of
from routing.numbers.normalise import PublicNumber, normalise


class CampaignCallerView(Answer):
    """campaign_id: as it is written into contacts. name, client_id, data: as the list has them. state: what became of our call
    to them."""

    campaign: str
    campaign_id: str
    number: str
    name: str
    client_id: str
    data: dict[str, str]
    state: str
    tries: int


async def campaigns_of_caller(call: ApiCall) -> Items[CampaignCallerView]:
    """Return nothing for what is no number."""
    found = normalise(call.path["number"], call.services.configuration.now.policy_of(call.account.id))
    if not isinstance(found, PublicNumber):
        return Items[CampaignCallerView](items=[])
    async with call.services.pool.acquire() as conn:
        members = await running_of(conn, call.account.id, found.e164)
        unseen = await unseen_by(call, conn)
    return Items[CampaignCallerView](
        items=[
            CampaignCallerView(
                campaign=campaign,
                campaign_id=id,
                number=member.number,
                name=member.name,
                client_id=member.client_id,
                data=dict(member.data),
                state=member.state,
                tries=member.tries,
            )
            for campaign, id, member in members
            if campaign not in unseen.campaigns
        ]
    )


ROUTES = (
    Route(
        method="GET",
        path="/v1/accounts/{account}/campaign-callers/{number}",
        handler=campaigns_of_caller,
        summary="What running campaigns know of this caller, the latest first",
        role="read_only",
    ),
)
