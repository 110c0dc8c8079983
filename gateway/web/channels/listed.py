"""The list of channels with how each fares, and a new one."""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass
from typing import Any

from gateway.admin.channels import channels as service
from gateway.admin.channels.channels import ChannelOrder
from gateway.admin.refused import InputRefused
from gateway.store.admin.matrix_catalogue import catalogue_of
from gateway.store.channels.channels import SavedChannel, saved_channels
from gateway.web.channels.crm_chats import chats_seen, fault_of, tone_of
from gateway.web.channels.typed import SWITCHES, ChannelForm
from gateway.web.frame import AnyPageCall, PageAnswer, PageCall, PageQuery, SeeOther, Shown
from gateway.web.setup.pbx import KindQuery, allowed_to
from gateway.web.setup.refusals import errors_of
from gateway.web.setup.tabs import tabs_of
from routing.matrix.catalogue import Catalogue
from routing.texts.catalogue import Texts, phrase
from sms.channels.kinds import CHANNEL_KINDS
from sms.channels.port import ChannelKind
from sms.channels.reasons import ChannelState
from sms.port import is_switched_on

PATH = "/setup/channels"


@dataclass(frozen=True, slots=True)
class SeenChannel:
    """state: of the sentences "setup.channels.state.…". lacks: keys and settings, in words. pipeline, stage: of new deals, "" = the
    account's default; colour: of the stage. gone: template that shares the dialogues out and is no more."""

    saved: SavedChannel
    state: str
    tone: str
    lacks: tuple[str, ...]
    pipeline: str = ""
    stage: str = ""
    colour: str = ""
    gone: str = ""


def seen_channel(call: AnyPageCall, saved: SavedChannel, catalogue: Catalogue) -> SeenChannel:
    kind = CHANNEL_KINDS[saved.channel.kind]
    lacks = tuple(
        call.texts.say(f"setup.channels.{'key' if name in kind.keys else 'setting'}.{name}")
        for name in kind.missing(saved.channel)
    )
    pipeline = catalogue.pipeline(saved.rules.pipeline_id)
    stage = next((s for s in pipeline.stages if s.id == saved.rules.stage_id), None) if pipeline else None
    state, tone = _state(saved, bool(lacks))
    return SeenChannel(
        saved,
        state,
        tone,
        lacks,
        pipeline=pipeline.name if pipeline else saved.rules.pipeline_id or "",
        stage=stage.name if stage else saved.rules.stage_id or "",
        colour=stage.colour if stage else "",
        gone=_gone_template(saved, catalogue),
    )


def _gone_template(saved: SavedChannel, catalogue: Catalogue) -> str:
    """Return the name of the template that the channel shares out by where there is none of that name, "" = nothing lacks."""
    named = saved.rules.template if saved.rules.owner == "template" else None
    return named if named and named not in (catalogue.templates or ()) else ""


def _state(saved: SavedChannel, is_lacking: bool) -> tuple[str, str]:
    if not saved.is_on:
        return "off", ""
    if is_lacking:
        return "lacks", "bad"
    if saved.state is ChannelState.ACTIVE:
        return "active", "good"
    return saved.state, "warn" if saved.state is ChannelState.WAITING else "bad"


async def show(call: PageCall) -> Shown:
    async with call.connection() as conn:
        found = await saved_channels(conn, call.account.id)
        catalogue = await catalogue_of(conn, call.account.id)
        chats = await chats_seen(call, conn)
    values = {
        "tabs": tabs_of(call, "channels"),
        "chats": chats,
        "chats_tone": tone_of(chats),
        "chats_fault": fault_of(chats),
        "found": [seen_channel(call, saved, catalogue) for saved in found],
        "kinds": sorted(CHANNEL_KINDS),
    }
    return Shown("channels/list.html", values)


async def show_new(call: PageCall[KindQuery, None]) -> PageAnswer:
    if call.query.kind not in CHANNEL_KINDS:
        return SeeOther(call.here(PATH))
    return _new_page(call, ChannelForm(kind=call.query.kind), {})


def _new_page(call: AnyPageCall, form: ChannelForm, errors: Mapping[str, str]) -> Shown:
    fields = fields_of(CHANNEL_KINDS[form.kind], form.settings, frozenset(), call.texts)
    values = {"tabs": tabs_of(call, "channels"), "typed": form, "errors": errors, **fields}
    return Shown("channels/new.html", values, status=422 if errors else 200)


def fields_of(
    kind: ChannelKind, settings: Mapping[str, Any], held: frozenset[str], texts: Texts
) -> dict[str, Any]:
    """Return what the kind is asked for. held: names of the keys that are set."""
    return {
        "keys": [(name, name in kind.keys, name in held) for name in (*kind.keys, *kind.more_keys)],
        "settings": [
            (n, value := str(settings.get(n, "")), _choices(kind, n, value, texts))
            for n in kind.settings
            if n not in SWITCHES
        ],
        "switches": [(n, is_switched_on(settings.get(n))) for n in kind.settings if n in SWITCHES],
    }


def _choices(kind: ChannelKind, name: str, value: str, texts: Texts) -> list[tuple[str, str]]:
    """Return what the setting may be, each with its words; [] = any text. A value that is none of them stays to be seen."""
    known = kind.choices.get(name, ())
    said = [(one, texts.say(f"setup.channels.choice.{name}.{one}")) for one in known]
    odd = [(value, value)] if value not in ("", *known) else []
    return [("", texts.say(f"setup.channels.choice.{name}")), *said, *odd] if known else []


async def add(call: PageCall[PageQuery, ChannelForm]) -> PageAnswer:
    form = call.form
    if form.kind not in CHANNEL_KINDS:
        return SeeOther(call.here(PATH))
    order = ChannelOrder(name=form.name.strip(), kind=form.kind, keys=form.keys, settings=form.settings)
    try:
        async with call.connection() as conn:
            added = await service.add_channel(conn, call.account.id, order, allowed_to(call))
    except InputRefused as err:
        return _new_page(call, form, errors_of(err, call.texts, "channels"))
    is_whole = not CHANNEL_KINDS[form.kind].missing(added.channel)
    said = phrase("setup.channels.said.added" if is_whole else "setup.channels.said.added_lacking")
    return SeeOther(call.here(f"{PATH}/{added.id}"), said=said)
