"""All campaigns with their state, and the switches that hold for each of them."""

from __future__ import annotations

from gateway.admin.accounts import save_settings
from gateway.store.admin.accounts import account, lock_account
from gateway.store.campaigns.campaigns import campaigns_of
from gateway.store.campaigns.engines import engines_of
from gateway.store.campaigns.figures import figures_of
from gateway.web.frame import NoPageQuery, PageCall, SeeOther, Shown
from gateway.web.messages.campaigns.shown import PATH, campaign_shown, is_seen, obstacles_of
from gateway.web.messages.tabs import tabs_of
from gateway.web.saving.together import WholeForm, form_together, standing
from routing.settings import CampaignPolicy
from routing.texts.catalogue import phrase

_MOST = 100
_SWITCHES = {"leaves_traces", "from_pipeline"}


class CampaignSwitchesForm(WholeForm):
    leaves_traces: bool = False
    from_pipeline: bool = False


async def campaigns(call: PageCall) -> Shown:
    async with call.connection() as conn:
        rows = [row for row in await campaigns_of(conn, call.account.id) if is_seen(call, row)][:_MOST]
        engines = await engines_of(conn, call.account.id)
        obstacles = await obstacles_of(call, conn)
        shown = [
            campaign_shown(
                call, row, await figures_of(conn, row, lines=0), obstacles, engines.get(row.campaign_id)
            )
            for row in rows
        ]
        policy = (await account(conn, call.account.id)).settings.campaigns
    values = {
        "tabs": tabs_of(call, "campaigns"),
        "campaigns": shown,
        "policy": policy,
        "was": standing(policy.model_dump(include=_SWITCHES)),
        "may_edit": call.may("admin"),
    }
    template = "messages/campaigns/_list.html" if call.is_fragment else "messages/campaigns/list.html"
    return Shown(template, values)


async def save_switches(call: PageCall[NoPageQuery, CampaignSwitchesForm]) -> SeeOther:
    async with call.connection() as conn, conn.transaction():
        await lock_account(conn, call.account.id)
        settings = (await account(conn, call.account.id)).settings
        form, _ = form_together(call.form, settings.campaigns.model_dump(include=_SWITCHES))
        wanted = CampaignPolicy(leaves_traces=form.leaves_traces, from_pipeline=form.from_pipeline)
        await save_settings(conn, call.account.id, settings.model_copy(update={"campaigns": wanted}))
    return SeeOther(call.here(PATH), said=phrase("messages.campaigns.said.switches"))
