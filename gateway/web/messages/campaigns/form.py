"""The form of a campaign: who calls, whom clients see, when, and what becomes of their deals."""

from __future__ import annotations

from collections.abc import Mapping
from typing import Any
from urllib.parse import quote

from pydantic import ValidationError

from campaigns.model import CampaignSettings
from gateway.admin.campaigns.refused import CampaignMoved, CampaignNotUsable, CampaignStateForbids
from gateway.admin.campaigns.saved import change_campaign, make_campaign
from gateway.admin.refused import InputRefused, NameTaken
from gateway.store.admin.matrix_catalogue import catalogue_of
from gateway.store.campaigns.campaigns import CampaignRow
from gateway.web.frame import AnyPageCall, NoPageQuery, PageCall, SeeOther, Shown
from gateway.web.matrix.choosers import ChooserOptions, Choosers
from gateway.web.messages.campaigns.changes import settings_changes
from gateway.web.messages.campaigns.shown import PATH, the_campaign_seen
from gateway.web.messages.campaigns.typed import CampaignForm, field_of_settings, form_of, settings_asked
from gateway.web.messages.tabs import tabs_of
from gateway.web.messages.trigger_options import targets, with_gone
from gateway.web.words.sorting import by_name
from routing.matrix.catalogue import Catalogue
from routing.texts.catalogue import phrase
from runtime.database.pool import Conn


def campaign_path(name: str) -> str:
    return f"{PATH}/{quote(name, safe='')}"


async def show_new_campaign(call: PageCall) -> Shown:
    async with call.connection() as conn:
        known = await catalogue_of(conn, call.account.id)
        only = known.connections[0] if len(known.connections) == 1 else ""
        form = CampaignForm(connection=only, leaves_traces=True, days=tuple("1234567"))
        return await _form_page(call, conn, form)


async def show_campaign_form(call: PageCall) -> Shown:
    async with call.connection() as conn:
        row = await the_campaign_seen(call, conn)
        return await _form_page(call, conn, form_of(row.name, row.version, row.settings), row)


async def add_campaign(call: PageCall[NoPageQuery, CampaignForm]) -> Shown | SeeOther:
    async with call.connection() as conn:
        return await _saved(call, conn, call.form, None)


async def save_campaign(call: PageCall[NoPageQuery, CampaignForm]) -> Shown | SeeOther:
    async with call.connection() as conn:
        row = await the_campaign_seen(call, conn)
        return await _saved(call, conn, call.form.model_copy(update={"name": row.name}), row)


async def _saved(
    call: AnyPageCall, conn: Conn, form: CampaignForm, row: CampaignRow | None
) -> Shown | SeeOther:
    name = form.name.strip()
    try:
        asked = settings_asked(form, row.settings if row else None)
        settings = CampaignSettings.model_validate(asked)
        if row is None:
            await make_campaign(conn, call.account.id, name, settings, by=call.who.name)
        else:
            await change_campaign(conn, call.account.id, name, settings, version=form.version or row.version)
    except ValidationError as err:
        errors = {}
        for one in err.errors(include_url=False):
            errors[field_of_settings(one["loc"])] = _said(call, field_of_settings(one["loc"]))
        return await _form_page(call, conn, form, row, errors)
    except CampaignNotUsable as err:
        field = field_of_settings(err.field.split("."))
        return await _form_page(call, conn, form, row, {field: _said(call, field, "refused")})
    except CampaignMoved as err:
        return await _moved(call, conn, form, settings, err.row)
    except CampaignStateForbids:
        errors = {"engine": call.texts.say("messages.campaigns.refused.state")}
        return await _form_page(call, conn, form, row, errors)
    except NameTaken:
        errors = {"name": call.texts.say("messages.campaigns.refused.name")}
        return await _form_page(call, conn, form, row, errors)
    except InputRefused as err:
        if err.field != "name":
            raise
        return await _form_page(call, conn, form, row, {"name": call.texts.say("messages.wrong.name")})
    said = phrase("messages.campaigns.said.saved" if row else "messages.campaigns.said.made", name=name)
    return SeeOther(call.here(campaign_path(name)), said=said)


async def _moved(
    call: AnyPageCall, conn: Conn, form: CampaignForm, mine: CampaignSettings, theirs: CampaignRow
) -> Shown:
    """Show what the other one saved; sent once more, the form takes its place."""
    known = await catalogue_of(conn, call.account.id)
    changes = settings_changes(theirs.settings, mine, call.texts, known)
    form = form.model_copy(update={"version": theirs.version})
    return await _form_page(call, conn, form, theirs, conflict={"theirs": theirs, "changes": changes})


def _said(call: AnyPageCall, field: str, kind: str = "wrong") -> str:
    keys = (f"messages.campaigns.{kind}.{field}", f"messages.wrong.{field}", "messages.wrong.value")
    return call.texts.say(next(key for key in keys if key in call.texts.sentences))


async def _form_page(
    call: AnyPageCall,
    conn: Conn,
    form: CampaignForm,
    row: CampaignRow | None = None,
    errors: Mapping[str, str] | None = None,
    *,
    conflict: Mapping[str, Any] | None = None,
) -> Shown:
    """conflict: what somebody else saved, and what differs."""
    known = await catalogue_of(conn, call.account.id)
    values: dict[str, Any] = {
        "tabs": tabs_of(call, "campaigns"),
        "form": form,
        "row": row,
        "errors": errors or {},
        "conflict": conflict,
        "lines": known.lines,
        "path": campaign_path(row.name) if row else PATH,
        "action_path": call.here(f"{campaign_path(row.name)}/edit" if row else "/messages/new-campaign"),
        **_options(call, known, form),
    }
    return Shown("messages/campaigns/form.html", values, status=409 if conflict else 422 if errors else 200)


def _options(call: AnyPageCall, known: Catalogue, form: CampaignForm) -> dict[str, Any]:
    choose, texts = Choosers(call.texts, known), call.texts

    def stages(chosen: str) -> ChooserOptions:
        unset = texts.say("messages.trigger.stage_stays")
        return choose.places(chosen, unset=unset, needs_stage=True)

    named = [(name, name) for name in known.connections]
    chosen = texts.say("messages.trigger.choose")
    fields = sorted(
        ((f.id, f.name) for f in known.fields if f.entity == "contact" and f.name),
        key=lambda o: by_name(o[1]),
    )

    def contact_fields(value: str) -> ChooserOptions:
        return with_gone(texts, [("", texts.say("messages.campaigns.no_field")), *fields], value)

    return {
        "connections": with_gone(texts, [("", chosen), *named], form.connection),
        "targets": targets(texts, known, form.target),
        "stages": stages,
        "contact_fields": contact_fields,
        "days_of_week": [(str(n), texts.say(f"messages.day.{n}")) for n in range(1, 8)],
    }
