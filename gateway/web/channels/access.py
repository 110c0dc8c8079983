"""Who reads and who writes in which channel: a table of people and channels, and whose dialogues each sees."""

from __future__ import annotations

from collections.abc import Iterable, Mapping
from dataclasses import dataclass
from typing import Any, Literal, NamedTuple

from pydantic import ConfigDict

from gateway.admin.channels import access as service
from gateway.admin.load_directory import AccountIsOff, ask_for_sync
from gateway.admin.refused import InputRefused
from gateway.store.admin.accounts import account as account_of
from gateway.store.admin.accounts import lock_account
from gateway.store.admin.matrix_catalogue import catalogue_of, catalogue_read_at
from gateway.store.channels.access import default_channels, rights_in_channels
from gateway.store.channels.channels import SavedChannel, saved_channels
from gateway.web.channels.listed import SeenChannel, seen_channel
from gateway.web.crm_away.told import refresh_said
from gateway.web.frame import (
    AnyPageCall,
    Form,
    PageAnswer,
    PageCall,
    PageQuery,
    SeeOther,
    Shown,
    page_not_found,
)
from gateway.web.refusals import refusal_said
from gateway.web.saving.together import WholeForm, standing, together
from gateway.web.setup.tabs import tabs_of
from routing.dialogues.access import ACCESS_PRESETS, AccessPreset, ChannelRight, Visibility
from routing.staff import Employee
from routing.texts.catalogue import Phrase, phrase
from runtime.database.pool import Conn

PATH = "/setup/channels/access"
_STAR, _STAR_WAS = "star:", "star-was:"
_NO_STAR = "-"
"""Stands in the form of somebody who writes from no channel by choice: what is empty is not sent."""
_OBSERVER = "observer:"
_EVERY = "*"
"""In place of a channel: all of them."""
_RIGHTS: Mapping[str, ChannelRight] = {"none": "none", "read": "read", "send": "send"}


class AccessChange(NamedTuple):
    """to: what it is to be. was: what stood in the form, None = nobody knows."""

    employee: str
    channel: str
    to: str
    was: str | None

    def is_of_both(self, now: str) -> bool:
        """Whether somebody else has made something else of it meanwhile."""
        return self.was is not None and now not in (self.was, self.to)


class AccessForm(Form):
    """cell: "channel employee", may: what they may there, was: what stood in the form, side by side. Beside them "star:employee",
    the channel that they write from, and "star-was:employee", the one that stood in the form."""

    model_config = ConfigDict(extra="allow", frozen=True)

    cell: tuple[str, ...] = ()
    may: tuple[str, ...] = ()
    was: tuple[str, ...] = ()

    @property
    def cells(self) -> list[AccessChange]:
        """Only what is another than it was."""
        found = []
        for cell, may, was in zip(self.cell, self.may, self.was, strict=False):
            channel, _, employee = cell.partition(" ")
            if may != was and may in _RIGHTS and employee:
                found.append(AccessChange(employee, channel, may, was))
        return found

    @property
    def stars(self) -> list[AccessChange]:
        """Only what is another than it was. to, was: the channel that they write from."""
        extra = {name: str(value) for name, value in (self.model_extra or {}).items()}
        named = {n.removeprefix(_STAR): v for n, v in extra.items() if n.startswith(_STAR) and v}
        found = [AccessChange(who, v, v, extra.get(_STAR_WAS + who)) for who, v in named.items()]
        return [one for one in found if one.to != one.was]


class AddPersonForm(Form):
    employee: str = ""


class EverybodyForm(Form):
    """channel: "*" = all. do: read = who is not in it reads; send = all write; out = all are taken out."""

    channel: str = ""
    do: Literal["read", "send", "out"] = "read"


class ClearQuery(PageQuery):
    """channel: its id, "*" = all."""

    channel: str = "*"


class AccessPresetForm(Form):
    """preset: "part employee"."""

    preset: str = ""


class VisibilityForm(WholeForm):
    visibility: Visibility = "all"
    observer: tuple[str, ...] = ()


@dataclass(frozen=True, slots=True)
class AccessCell:
    channel: SavedChannel
    may: ChannelRight
    is_default: bool


@dataclass(frozen=True, slots=True)
class AccessRow:
    """chosen: the channel that they write from, by choice. lacks_default: they write in several, and from none by choice."""

    person: Employee
    cells: tuple[AccessCell, ...]
    chosen: str
    lacks_default: bool
    is_observer: bool


@dataclass(frozen=True, slots=True)
class _AccessNow:
    channels: list[SavedChannel]
    rights: Mapping[str, Mapping[str, ChannelRight]]
    chosen: Mapping[str, str]
    observers: tuple[str, ...]

    def may(self, change: AccessChange) -> ChannelRight:
        return self.rights.get(change.employee, {}).get(change.channel, "none")

    def row(self, person: Employee) -> AccessRow:
        rights, default = self.rights.get(person.id, {}), self.chosen.get(person.id)
        cells = tuple(AccessCell(c, rights.get(c.id, "none"), default == c.id) for c in self.channels)
        writes = sum(cell.may == "send" for cell in cells)
        return AccessRow(
            person, cells, default or "", writes > 1 and default is None, person.id in self.observers
        )


async def _now(conn: Conn, account_id: str) -> _AccessNow:
    return _AccessNow(
        await saved_channels(conn, account_id),
        await rights_in_channels(conn, account_id),
        await default_channels(conn, account_id),
        (await account_of(conn, account_id)).settings.dialogues.observers,
    )


async def show_access(call: PageCall) -> Shown:
    return await _access_page(call)


async def _access_page(call: AnyPageCall, error: str = "", status: int = 422) -> Shown:
    async with call.connection() as conn:
        now = await _now(conn, call.account.id)
        catalogue = await catalogue_of(conn, call.account.id)
        visibility = (await account_of(conn, call.account.id)).settings.dialogues.visibility
        read_at = await catalogue_read_at(conn, call.account.id)
    people = sorted(catalogue.staff.employees, key=lambda person: person.name)
    inside = [person for person in people if person.id in now.rights or person.id in now.observers]
    ids_inside = {person.id for person in inside}
    heads: list[SeenChannel] = [seen_channel(call, saved, catalogue) for saved in now.channels]
    values = {
        "tabs": tabs_of(call, "channels"),
        "channels": now.channels,
        "heads": heads,
        "rows": [now.row(person) for person in inside],
        "others": [(p.id, p.name) for p in people if p.id not in ids_inside and p.is_active],
        "presets": ACCESS_PRESETS,
        "visibility": visibility,
        "observers": now.observers,
        "was": standing(_fields_shown(visibility, now.observers)),
        "people": [
            (person.id, person.name) for person in people if person.is_active or person.id in now.observers
        ],
        "read_at": read_at,
        "error": error,
    }
    return Shown("channels/access.html", values, status=status if error else 200)


async def save(call: PageCall[PageQuery, AccessForm]) -> PageAnswer:
    """Save what was changed here. What somebody else changed meanwhile stays theirs, and is told."""
    try:
        async with call.connection() as conn, conn.transaction():
            await lock_account(conn, call.account.id)
            now = await _now(conn, call.account.id)
            theirs = await _saved(conn, call, now)
    except InputRefused as err:
        return await _access_page(call, refusal_said(err, call.texts))
    if theirs:
        said = ", ".join(await _places_said(call, now, theirs))
        return await _access_page(call, call.texts.say("setup.channels.changed_meanwhile", places=said), 409)
    return SeeOther(call.here(PATH), said=phrase("setup.said.saved"))


async def _saved(conn: Conn, call: PageCall[PageQuery, AccessForm], now: _AccessNow) -> list[AccessChange]:
    """Return what was not saved, since others changed it too. Raise InputRefused."""
    known = {channel.id for channel in now.channels}
    cells = [(one, now.may(one)) for one in call.form.cells if one.channel in known]
    stars = [(one, now.chosen.get(one.employee, _NO_STAR)) for one in call.form.stars if one.channel in known]
    rights: dict[str, dict[str, ChannelRight | None]] = {}
    for one, stands in cells:
        if not one.is_of_both(stands):
            rights.setdefault(one.channel, {})[one.employee] = _RIGHTS[one.to]
    chosen = {o.employee: o.to for o, stands in stars if stands != o.to and not o.is_of_both(stands)}
    await service.share_many(conn, call.account.id, rights, chosen)
    return [one for one, stands in (*cells, *stars) if one.is_of_both(stands)]


async def _places_said(call: AnyPageCall, now: _AccessNow, theirs: list[AccessChange]) -> list[str]:
    """Return "who (channel)" of each."""
    async with call.connection() as conn:
        people = (await catalogue_of(conn, call.account.id)).staff.by_id
    channels = {one.id: one.name for one in now.channels}
    return [
        f"{people[one.employee].name if one.employee in people else one.employee} ({channels[one.channel]})"
        for one in theirs
    ]


async def add_person(call: PageCall[PageQuery, AddPersonForm]) -> PageAnswer:
    """Add one to all channels, to read in them."""
    return await _given(call, _EVERY, {call.form.employee: "read"}, phrase("setup.channels.said.person"))


async def change_everybody(call: PageCall[PageQuery, EverybodyForm]) -> PageAnswer:
    form = call.form
    async with call.connection() as conn:
        now = await _now(conn, call.account.id)
        staff = (await catalogue_of(conn, call.account.id)).staff
    everybody = [person.id for person in staff.employees if person.is_active]
    rights: dict[str, ChannelRight | None] = dict.fromkeys(
        everybody if form.do != "out" else now.rights, None if form.do == "out" else form.do
    )
    return await _given(call, form.channel, rights, phrase(f"setup.channels.said.everybody_{form.do}"))


async def _given(
    call: AnyPageCall, channel: str, rights: Mapping[str, ChannelRight | None], said: Phrase
) -> PageAnswer:
    """Give them in this channel, or in all. Who is to read and has a right there already keeps it."""
    try:
        async with call.connection() as conn, conn.transaction():
            now = await _now(conn, call.account.id)
            named = [one.id for one in now.channels if channel in (_EVERY, one.id)]
            given = {
                id: {
                    who: may
                    for who, may in rights.items()
                    if may != "read" or now.rights.get(who, {}).get(id, "none") == "none"
                }
                for id in named
            }
            await service.share_many(conn, call.account.id, given, {})
    except InputRefused as err:
        return await _access_page(call, refusal_said(err, call.texts))
    return SeeOther(call.here(PATH), said=said)


async def ask_to_clear(call: PageCall[ClearQuery, None]) -> Shown:
    """Ask before everybody is taken out of a channel, or of every one."""
    async with call.connection() as conn:
        now = await _now(conn, call.account.id)
    named = [one for one in now.channels if call.query.channel in (_EVERY, one.id)]
    if not named:
        raise page_not_found()
    ids = {one.id for one in named}
    people = sum(any(of.get(id, "none") != "none" for id in ids) for of in now.rights.values())
    values = {
        "tabs": tabs_of(call, "channels"),
        "people": people,
        "channels": len(named),
        "channel": call.query.channel,
        "name": named[0].name if call.query.channel != _EVERY else "",
    }
    return Shown("channels/clear.html", values)


async def give_preset(call: PageCall[PageQuery, AccessPresetForm]) -> PageAnswer:
    part, _, employee = call.form.preset.partition(" ")
    preset: AccessPreset | None = next((one for one in ACCESS_PRESETS if one == part), None)
    if preset is None:
        return SeeOther(call.here(PATH))
    try:
        async with call.connection() as conn:
            await service.give_preset(conn, call.account.id, employee, preset)
    except InputRefused as err:
        return await _access_page(call, refusal_said(err, call.texts))
    return SeeOther(call.here(PATH), said=phrase("setup.said.saved"))


async def choose_visibility(call: PageCall[PageQuery, VisibilityForm]) -> PageAnswer:
    form = call.form
    try:
        async with call.connection() as conn, conn.transaction():
            await lock_account(conn, call.account.id)
            stands = (await account_of(conn, call.account.id)).settings.dialogues
            now, typed = (
                _fields_shown(stands.visibility, stands.observers),
                _fields_shown(form.visibility, form.observer),
            )
            merged = together(form.opened_with, now, typed).values
            observers = [
                n.removeprefix(_OBSERVER)
                for n, is_one in merged.items()
                if is_one and n.startswith(_OBSERVER)
            ]
            await service.choose_visibility(conn, call.account.id, merged["visibility"], observers)
    except InputRefused as err:
        return await _access_page(call, refusal_said(err, call.texts))
    return SeeOther(call.here(PATH), said=phrase("setup.said.saved"))


def _fields_shown(visibility: Visibility, observers: Iterable[str]) -> dict[str, Any]:
    """Return each observer as a field of their own: whom another adds meanwhile stays."""
    return {**{_OBSERVER + one: True for one in observers if one}, "visibility": visibility}


async def refresh(call: PageCall) -> SeeOther:
    """Ask the worker to read people, pipelines and stages from the CRM now."""
    try:
        async with call.connection() as conn:
            await ask_for_sync(conn, call.account.id, is_full=False)
    except AccountIsOff:
        return SeeOther(call.here(PATH), said=phrase("matrix.page.refresh-off"))
    return SeeOther(call.here(PATH), said=await refresh_said(call))
