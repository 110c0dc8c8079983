"""Triggers by pipeline and stage, and the form of one: what happens, under which conditions, and what is done."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from typing import Any, Literal
from urllib.parse import quote

from pydantic import ValidationError

from gateway.admin.refused import InputRefused
from gateway.admin.triggers.saved import TriggerMoved, TriggerNotUsable, save_trigger
from gateway.store.admin.matrix_catalogue import catalogue_of
from gateway.store.triggers.listing import FiringFilter, listed_firings
from gateway.store.triggers.triggers import SavedTrigger, trigger_of, triggers_of
from gateway.triggers.applying import ApplyPreview, preview
from gateway.triggers.checks import problems_of_all
from gateway.web.frame import AnyPageCall, PageCall, PageQuery, SeeOther, Shown, page_not_found
from gateway.web.messages.firings import FiringLine, firing_lines
from gateway.web.messages.known_names import KnownNames
from gateway.web.messages.seen import hidden_names
from gateway.web.messages.stage_deals import SHOWN, sample_of, stage_deals, texts_of
from gateway.web.messages.tabs import tabs_of
from gateway.web.messages.text_shown import TextShown, text_shown
from gateway.web.messages.trigger_changes import trigger_changes
from gateway.web.messages.trigger_options import KnownToForm, TriggerOptions, known_to_form
from gateway.web.messages.trigger_typed import (
    ActionName,
    ConditionLine,
    EventLine,
    TriggerForm,
    TypedTrigger,
    asked,
    field_named,
    typed,
    typed_of,
)
from gateway.web.messages.trigger_words import TriggerLine, trigger_line
from routing.matrix.catalogue import Catalogue
from routing.texts.catalogue import phrase
from routing.triggers.model import SendSms, Trigger
from routing.triggers.problems import TriggerProblem
from runtime.database.pool import Conn

PATH = "/messages/triggers"
_EXAMPLES: Mapping[str, tuple[ActionName, str]] = {
    "ready": ("sms", "entered"),
    "visit": ("sms", "entered"),
    "manager": ("sms", "responsible_changed"),
    "new": ("callback", "created"),
    "dear": ("callback", "price_crossed"),
}
"""What is proposed where there is none yet: action and event."""


class TriggersQuery(PageQuery):
    do: ActionName | None = None


class NewTriggerQuery(PageQuery):
    do: ActionName = "sms"
    example: Literal["", "ready", "visit", "manager", "new", "dear"] = ""


class OneTriggerQuery(PageQuery):
    """deal: by which a text is shown."""

    deal: str = ""


@dataclass(frozen=True, slots=True, kw_only=True)
class TriggersAt:
    """Triggers of one stage, or of a whole pipeline (stage "")."""

    pipeline: str
    stage: str
    colour: str
    is_gone: bool
    lines: Sequence[TriggerLine]


async def triggers(call: PageCall[TriggersQuery, None]) -> Shown:
    return await list_shown(call, call.query.do)


async def sms_templates(call: PageCall) -> Shown:
    return await list_shown(call, "sms", "messages/sms.html", "sms")


async def list_shown(
    call: AnyPageCall,
    do: ActionName | None,
    template: str = "messages/triggers.html",
    tab: str = "triggers",
) -> Shown:
    async with call.connection() as conn:
        hidden = await hidden_names(call, conn)
        known = await catalogue_of(conn, call.account.id)
        saved = [s for s in await triggers_of(conn, call.account.id) if s.name not in hidden.triggers]
        wanted = FiringFilter(without=hidden.triggers)
        lately = await listed_firings(conn, call.account.id, wanted, limit=10) if do is None else []
        lines = await firing_lines(call, conn, lately)
        wrong = await problems_of_all(conn, call.account.id)
        found = [s for s in saved if do in (None, s.trigger.action.do)]
    values = {
        "tabs": tabs_of(call, tab),
        "places": _by_place(call, found, known),
        "problems": _problems_said(call, wrong),
        "firings": lines,
        "do": do,
        "has_any": bool(saved),
        "may_edit": call.may("admin"),
        "examples": [name for name, (action, _) in _EXAMPLES.items() if do in (None, action)],
    }
    return Shown(template, values)


def _problems_said(
    call: AnyPageCall, found: Sequence[tuple[str, TriggerProblem]]
) -> dict[str, list[tuple[str, str]]]:
    """Return trigger -> (severity, what is wrong and what to do), of those that are on."""
    said: dict[str, list[tuple[str, str]]] = {}
    for name, one in found:
        said.setdefault(name, []).append((one.severity, " ".join(one.in_words(call.texts.language))))
    return said


def _by_place(call: AnyPageCall, found: Sequence[SavedTrigger], known: Catalogue) -> list[TriggersAt]:
    names = KnownNames.of(known)
    groups: dict[tuple[str, str], list[TriggerLine]] = {}
    for one in found:
        line = trigger_line(one.trigger, one.version, call.texts, names, known)
        groups.setdefault((one.trigger.pipeline_id, one.trigger.stage_id or ""), []).append(line)
    order = {(p.id, s.id): n for p in known.pipelines for n, s in enumerate(p.stages)}
    colours = {(p.id, s.id): s.colour for p in known.pipelines for s in p.stages}
    return [
        TriggersAt(
            pipeline=names.pipelines.get(place[0], place[0]),
            stage=names.stages.get(place, place[1]),
            colour=colours.get(place, ""),
            is_gone=bool(place[1]) and bool(known.pipelines) and place not in names.stages,
            lines=lines,
        )
        for place, lines in sorted(groups.items(), key=lambda g: (g[0][0], order.get(g[0], -1)))
    ]


async def show_new(call: PageCall[NewTriggerQuery, None]) -> Shown:
    query, do = call.query, call.query.do
    event = ""
    if query.example:
        do, event = _EXAMPLES[query.example]
    form = TriggerForm(
        do=do,
        name=call.texts.say(f"messages.example.{query.example}.name") if query.example else "",
        template=example_text(call, query.example) if do == "sms" and query.example else "",
        to_client=do == "sms",
        task_when_failed=True,
        max_parts="4",
    )
    about = "50000" if event == "price_crossed" else ""
    events = [EventLine(event or "entered", about)]
    async with call.connection() as conn:
        return await editor(call, conn, TypedTrigger(await _with_only(conn, call, form), events, []))


async def _with_only(conn: Conn, call: AnyPageCall, form: TriggerForm) -> TriggerForm:
    """Choose what there is only one of."""
    known = await known_to_form(conn, call.account.id)
    only = {
        "provider": known.providers,
        "connection": known.catalogue.connections,
        "campaign": known.campaigns,
    }
    return form.model_copy(update={name: found[0] for name, found in only.items() if len(found) == 1})


def example_text(call: AnyPageCall, name: str) -> str:
    macros = {
        "client": "{{ maincontact.first_name }}",
        "deal": "{{ deal.name }}",
        "manager": "{{ user.name }}",
        "phone": "{{ user.phone }}",
    }
    return call.texts.say(f"messages.example.{name}.text", **macros)


async def show_one(call: PageCall[OneTriggerQuery, None]) -> Shown:
    async with call.connection() as conn:
        saved = await the_saved(call, conn)
        names = KnownNames.of(await catalogue_of(conn, call.account.id))
        given = typed_of(saved.trigger, saved.version, names)
        given = given._replace(form=given.form.model_copy(update={"deal": call.query.deal}))
        return await editor(call, conn, given, saved=saved)


async def the_saved(call: AnyPageCall, conn: Conn) -> SavedTrigger:
    """Return the trigger of the path; a page that says that there is none, where the person may not see it."""
    name = call.path["trigger"]
    saved = await trigger_of(conn, call.account.id, name)
    if saved is None or name in (await hidden_names(call, conn)).triggers:
        raise page_not_found("trigger")
    return saved


async def add(call: PageCall[NewTriggerQuery, TriggerForm]) -> Shown | SeeOther:
    async with call.connection() as conn:
        return await _saved(call, conn, call.form, None)


async def change(call: PageCall[OneTriggerQuery, TriggerForm]) -> Shown | SeeOther:
    async with call.connection() as conn:
        name, form = call.path["trigger"], call.form
        if form.version and await trigger_of(conn, call.account.id, name) is None:
            return await _saved(call, conn, form.model_copy(update={"name": name}), None)
        saved = await the_saved(call, conn)
        form = form.model_copy(update={"name": saved.name, "do": saved.trigger.action.do})
        return await _saved(call, conn, form, saved)


async def _saved(
    call: AnyPageCall, conn: Conn, form: TriggerForm, saved: SavedTrigger | None
) -> Shown | SeeOther:
    """Save it, or show the form again: with another empty row, with a macro at the text's end, or with what is wrong."""
    given = typed(form)
    what, _, which = form.act.partition(".")
    if what == "insert":
        longer = f"{form.template}{{{{ {which} }}}}"
        given = given._replace(form=form.model_copy(update={"template": longer}))
    if what != "save":
        return await editor(call, conn, given, saved=saved, more=what == "more")
    names = KnownNames.of(await catalogue_of(conn, call.account.id))
    try:
        trigger = Trigger.model_validate(asked(given, names))
    except ValidationError as err:
        return await editor(call, conn, given, saved=saved, errors=invalid_said(call, err))
    try:
        version = saved.version if saved and form.version == 0 else form.version
        done = await save_trigger(conn, call.account.id, trigger, by=call.who.name, version=version)
    except TriggerNotUsable as err:
        return await editor(call, conn, given, saved=saved, errors=problems_said(call, err.found))
    except TriggerMoved as err:
        return await _moved(call, conn, given, trigger, err.before)
    except InputRefused as err:
        if err.field != "name":
            raise
        errors = {"name": call.texts.say("messages.wrong.name")}
        return await editor(call, conn, given, saved=saved, errors=errors)
    if done.warnings:
        one = " ".join(done.warnings[0].in_words(call.texts.language))
        return SeeOther(call.here(trigger_path(trigger.name)), said=phrase("messages.said.warned", text=one))
    said = phrase("messages.said.saved" if trigger.is_on else "messages.said.saved_off", name=trigger.name)
    return SeeOther(call.here(trigger_path(trigger.name)), said=said)


async def _moved(
    call: AnyPageCall, conn: Conn, given: TypedTrigger, mine: Trigger, theirs: SavedTrigger | None
) -> Shown:
    """Show what the other one saved; sent once more, the form takes its place."""
    if given.form.version == 0:
        errors = {"name": call.texts.say("messages.wrong.name_taken")}
        return await editor(call, conn, given, errors=errors, status=409)
    known = await catalogue_of(conn, call.account.id)
    changes = trigger_changes(theirs.trigger, mine, call.texts, known) if theirs else []
    form = given.form.model_copy(update={"version": theirs.version if theirs else 0})
    conflict = {"theirs": theirs, "changes": changes}
    return await editor(call, conn, given._replace(form=form), saved=theirs, conflict=conflict, status=409)


def trigger_path(name: str) -> str:
    return f"{PATH}/{quote(name, safe='')}"


def invalid_said(call: AnyPageCall, err: ValidationError) -> dict[str, str]:
    """Return field of the form -> what is wrong with what was typed there."""
    found = {}
    for one in err.errors(include_url=False):
        field = field_named(one["loc"])
        rows = {"events": "event" if len(one["loc"]) > 1 else "no_event", "conditions": "condition"}
        key = f"messages.wrong.{rows.get(str(one['loc'][0]), field)}"
        found[field] = call.texts.say(key if key in call.texts.sentences else "messages.wrong.value")
    return found


def problems_said(call: AnyPageCall, problems: Sequence[TriggerProblem]) -> dict[str, str]:
    found: dict[str, str] = {}
    for one in problems:
        field = field_named(one.field.split("."), from_one=True)
        text = " ".join(one.in_words(call.texts.language))
        found[field] = f"{found[field]} {text}" if field in found else text
    return found


async def editor(
    call: AnyPageCall,
    conn: Conn,
    given: TypedTrigger,
    *,
    saved: SavedTrigger | None = None,
    errors: Mapping[str, str] | None = None,
    conflict: Mapping[str, Any] | None = None,
    status: int = 200,
    more: bool = False,
) -> Shown:
    """conflict: what somebody else saved, and what differs. more: another empty row of each kind."""
    hidden = await hidden_names(call, conn)
    known = await known_to_form(conn, call.account.id, hidden.campaigns)
    options = TriggerOptions(call.texts, known, given)
    values = {
        "tabs": tabs_of(call, "sms" if given.form.do == "sms" else "triggers"),
        "given": given,
        "form": given.form,
        "events": [*given.events, *([EventLine("")] if more or not given.events else [])],
        "conditions": [*given.conditions, ConditionLine("", "equals")],
        "options": options,
        "known": known,
        "saved": saved,
        "errors": errors or {},
        "conflict": conflict,
        "may_edit": call.may("admin"),
        "saved_path": trigger_path(saved.name) if saved else "",
        "action_path": call.here(trigger_path(saved.name) if saved else "/messages/new-trigger"),
        "firings": await _firings_of(call, conn, saved),
        **await _shown_on_deals(call, conn, given, known, options),
    }
    status = 422 if errors and status == 200 else status
    return Shown("messages/trigger.html", values, status=status, is_typed=True)


async def _firings_of(call: AnyPageCall, conn: Conn, saved: SavedTrigger | None) -> Sequence[FiringLine]:
    if saved is None:
        return ()
    found = await listed_firings(conn, call.account.id, FiringFilter(trigger=saved.name), limit=8)
    return await firing_lines(call, conn, found)


async def show_preview(call: PageCall[PageQuery, TriggerForm]) -> Shown:
    """Show what the form as it stands would do: nothing is saved."""
    given = typed(call.form)
    async with call.connection() as conn:
        known = await known_to_form(conn, call.account.id)
        options = TriggerOptions(call.texts, known, given)
        values = await _shown_on_deals(call, conn, given, known, options)
    return Shown("messages/_on_deals.html", {"form": call.form, "options": options, **values})


async def _shown_on_deals(
    call: AnyPageCall, conn: Conn, given: TypedTrigger, known: KnownToForm, options: TriggerOptions
) -> dict[str, Any]:
    """Return how the text reads for the chosen deal, else for the first of the stage, and what would come of each there."""
    trigger = _as_far_as_valid(given, known.names)
    found = await preview(conn, call.account.id, trigger, show=SHOWN) if trigger else ApplyPreview(0, {}, 0)
    action = trigger.action if trigger else None
    first = [one.facts.deal_id for one in found.first]
    chosen = given.form.deal.strip() or (first[0] if first else "")
    wanted = list(dict.fromkeys([*first, *([chosen] if chosen else [])]))
    texts = await texts_of(conn, call.account.id, action, wanted)
    shown: TextShown | None = None
    if isinstance(action, SendSms):
        is_there = chosen in texts and texts[chosen].is_known
        shown = (
            text_shown(texts[chosen], call.texts, options.macro)
            if is_there
            else await sample_of(conn, call.account.id, action.template, call.texts)
        )
    deals = stage_deals(call, found, texts, options.macro)
    named = [(one.id, one.name) for one in deals.deals]
    is_unknown = bool(given.form.deal.strip()) and (shown is None or shown.is_sample)
    return {
        "shown": shown,
        "stage": deals,
        "chosen_deal": chosen,
        "deal_options": named if chosen in dict(named) or not chosen else [(chosen, chosen), *named],
        "is_deal_unknown": is_unknown and given.form.do == "sms",
        "is_text": given.form.do == "sms",
        "preview_path": call.here("/messages/preview"),
    }


def _as_far_as_valid(given: TypedTrigger, names: KnownNames) -> Trigger | None:
    """Return the trigger of a form that is not complete yet; None: there is nothing to look at."""
    body = asked(given, names)
    body |= {"name": body["name"] or "-", "events": body["events"] or [{"on": "entered"}], "position": 0}
    body["events"] = [{"on": "entered"}]  # the deals of a stage are looked at whatever it fires on
    body["conditions"] = [
        c for c in body["conditions"] if c["values"] or c["test"] in ("is_filled", "is_empty")
    ]
    if body["action"]["do"] == "sms":
        body["action"] |= {"provider": body["action"]["provider"] or "-", "max_parts": 4}
    try:
        return Trigger.model_validate(body)
    except ValidationError:
        return None
