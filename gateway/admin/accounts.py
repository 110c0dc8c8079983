"""Accounts as a person describes them, on the command line, by API or in a file."""

from __future__ import annotations

import re
from collections.abc import Collection, Mapping, Sequence
from dataclasses import dataclass
from datetime import date
from typing import Any

from phonenumbers import SUPPORTED_REGIONS

from crm.store.marks import watch_marks
from crm.sync.first_load import restart_load
from gateway.admin.input_words import (
    EXTENSION_REMEDY,
    SHORT_NAME,
    USER_ID,
    is_time_zone,
    refuse_bad_name,
    refuse_strangers,
)
from gateway.admin.protection.allowed import NOTHING_MORE, Allowed, refuse_bad_rate
from gateway.admin.protection.grants import refuse_other_schedule, refuse_other_template
from gateway.admin.refused import InputRefused
from gateway.calendars import has_holidays
from gateway.store.admin import accounts as rows
from gateway.store.admin.audit import AuditChange, record
from gateway.store.admin.matrix_catalogue import catalogue_of
from gateway.store.admin.schedules import schedule_names
from gateway.store.admin.staff import stored_employees
from gateway.store.distribution.templates import template_names
from routing.dialable import is_extension
from routing.missed_calls import COUNT_VALUES, DONE_VALUES
from routing.numbers.normalise import PublicNumber, normalise
from routing.one_person import watched_marks
from routing.schedules.calendar import OwnDay
from routing.schedules.clock import is_span
from routing.settings import (
    AccountSettings,
    AlertPolicy,
    CasePolicy,
    LookupPolicy,
    NumberPolicy,
    OnePersonPolicy,
    PresencePolicy,
    WorkingTime,
)
from runtime.alerts.delivery import is_email, is_telegram_chat
from runtime.database import channels
from runtime.database.pool import Conn

_LONGEST_TEXT = 1000
_ENTITY = r"(contact|company|deal|lead):[^\s:]{1,100}"
_DAY_REMEDY = "write it as 2026-12-31"


@dataclass(frozen=True, slots=True, kw_only=True)
class ComingNames:
    """What settings may name though it is not there yet: it is stored in the same transaction, or nothing is."""

    schedules: frozenset[str] = frozenset()
    templates: frozenset[str] = frozenset()


_NONE_COMES = ComingNames()


async def change_account(
    conn: Conn, account_id: str, *, name: str, time_zone: str, region: str
) -> rows.Account:
    """Raise InputRefused, NoSuchAccount; nothing is stored then."""
    refuse_bad_places(time_zone, region)
    async with conn.transaction():
        before = await rows.account(conn, account_id)
        if name != before.name:
            refuse_bad_name(name)
        await rows.rename_account(conn, account_id, name=name, time_zone=time_zone, region=region)
        after = await rows.account(conn, account_id)
        await record(conn, _change(account_id, described(before), described(after)))
        return after


async def save_settings(
    conn: Conn,
    account_id: str,
    settings: AccountSettings,
    people: Collection[str] | None = None,
    allowed: Allowed = NOTHING_MORE,
    coming: ComingNames = _NONE_COMES,
) -> None:
    """people: ids of the staff that the account will have, None = that it has. What stands there already is not judged
    again. Raise InputRefused, NoSuchAccount; nothing is stored then."""
    async with conn.transaction():
        account = await rows.account(conn, account_id)
        if people is None:
            people = {p.id for p in await stored_employees(conn, account_id)}
        pipelines = {p.id for p in (await catalogue_of(conn, account_id)).pipelines}
        refuse_bad_settings(settings, account.settings, account.region, people, pipelines)
        await _refuse_bad_reach(conn, account_id, settings, account.settings, people, coming)
        refuse_bad_rate(settings.requests_per_second, account.settings.requests_per_second, allowed)
        await rows.save_settings(conn, account_id, settings)
        if await watch_marks(conn, account_id, watched_marks(settings.one_person)):
            await restart_load(conn, account_id)  # only the CRM knows who bears them
            await channels.notify(conn, channels.LOAD_DIRECTORY, account_id)
        before, after = (s.model_dump(mode="json") for s in (account.settings, settings))
        await record(conn, _change(account_id, before, after, "settings"))


def described(account: rows.Account) -> dict[str, str]:
    return {"name": account.name, "time_zone": account.time_zone, "region": account.region}


def _change(
    account_id: str, before: Mapping[str, Any], after: Mapping[str, Any], what: str = "account"
) -> AuditChange:
    return AuditChange(
        what=what, object=account_id, action="changed", account_id=account_id, before=before, after=after
    )


async def refuse_unknown_account(conn: Conn, account_id: str | None) -> None:
    """Raise InputRefused where something is to belong to an account that does not exist. None: it belongs to all."""
    if account_id is not None and account_id not in {a.id for a in await rows.accounts(conn)}:
        remedy = "name one of 'callmatrix account list', or none"
        raise InputRefused("account", f"there is no account '{account_id}'", remedy)


def refuse_bad_account(account_id: str) -> None:
    """Raise InputRefused where this cannot be an account's short name."""
    if not re.fullmatch(SHORT_NAME, account_id):
        remedy = "write up to 63 small letters, digits, - and _, with a letter or digit first"
        raise InputRefused("id", f"'{account_id}' is no short name of an account", remedy)


def refuse_bad_places(time_zone: str, region: str) -> None:
    """Raise InputRefused for a time zone or country that does not exist."""
    if not is_time_zone(time_zone):
        remedy = "write its IANA name, e.g. Europe/Moscow"
        raise InputRefused("time_zone", f"there is no time zone '{time_zone}'", remedy)
    refuse_bad_region(region)


def refuse_bad_region(region: str) -> None:
    """Raise InputRefused where numbers cannot be read as in this country."""
    if region not in SUPPORTED_REGIONS:
        remedy = "write a country's two letters, e.g. RU"
        raise InputRefused("region", f"there is no country code '{region}'", remedy)


def refuse_bad_settings(
    settings: AccountSettings,
    before: AccountSettings,
    region: str,
    people: Collection[str],
    pipelines: Collection[str],
) -> None:
    """Raise InputRefused for the first thing that differs from `before` and cannot be.

    region: the account's. people: ids of its employees. pipelines: ids of the CRM's, empty = never read.
    """
    _refuse_bad_numbers(settings.numbers, before.numbers, region)
    _refuse_bad_lookup(settings, before)
    if settings.cases != before.cases:
        _refuse_bad_cases(settings.cases, people)
    if settings.alerts != before.alerts:
        _refuse_bad_alerts(settings.alerts)
    if settings.working_time != before.working_time:
        _refuse_bad_hours(settings.working_time)
    if settings.presence != before.presence:
        _refuse_bad_presence(settings.presence)
    refuse_strangers(settings.dialogues, before.dialogues, people)
    if settings.default_pipeline_id not in (None, before.default_pipeline_id):
        _refuse_bad_pipeline(settings.default_pipeline_id, pipelines)
    if settings.support_phone not in (None, before.support_phone):
        _refuse_bad_phone(settings.support_phone, settings.numbers.model_copy(update={"region": region}))


def _refuse_bad_phone(text: str, policy: NumberPolicy) -> None:
    if not isinstance(normalise(text, policy), PublicNumber):
        raise InputRefused("support_phone", f"'{text}' is not a phone number", "write it as +74951234567")


def _refuse_bad_presence(presence: PresencePolicy) -> None:
    _refuse_twice("presence.sources", presence.sources)
    _refuse_twice("presence.integration_users", presence.integration_users)
    for user in presence.integration_users:
        if not re.fullmatch(USER_ID, user):
            remedy = "write the CRM's number of the user"
            raise InputRefused("presence.integration_users", f"'{user}' is no user of the CRM", remedy)


def _refuse_bad_pipeline(pipeline: str | None, known: Collection[str]) -> None:
    if not re.fullmatch(USER_ID, pipeline or "") or (known and pipeline not in known):
        remedy = f"one of: {', '.join(sorted(known))}" if known else "write the CRM's number of it"
        raise InputRefused("default_pipeline_id", f"'{pipeline}' is no pipeline of the CRM", remedy)


def _refuse_bad_numbers(numbers: NumberPolicy, before: NumberPolicy, region: str) -> None:
    if numbers.region not in (before.region, region, NumberPolicy().region):
        remedy = f"numbers are read as the account's region says, {region} now: change it there"
        raise InputRefused("numbers.region", f"'{numbers.region}' would change nothing", remedy)
    if numbers.area_code is not None and not re.fullmatch(r"[0-9]{1,8}", numbers.area_code):
        raise InputRefused("numbers.area_code", f"'{numbers.area_code}' is no area code", "write its digits")
    for text in sorted(numbers.own_numbers - before.own_numbers):
        if not isinstance(normalise(text, numbers.model_copy(update={"region": region})), PublicNumber):
            remedy = "write it as +74951234567"
            raise InputRefused("numbers.own_numbers", f"'{text}' is not a phone number", remedy)


def _refuse_bad_lookup(settings: AccountSettings, before: AccountSettings) -> None:
    """With these nobody would ever be rung."""
    order, group = settings.lookup.priority, settings.lookup.group
    if not order or len(set(order)) < len(order):
        remedy = "name lead, contact and deal in the order of the search, each at most once"
        raise InputRefused("lookup.priority", "the order of the search is empty or names one twice", remedy)
    if group != before.lookup.group:
        _refuse_twice("lookup.group", group)
        for address in group:
            if not is_extension(address):
                raise InputRefused("lookup.group", f"'{address}' is no extension", EXTENSION_REMEDY)


async def _refuse_bad_reach(
    conn: Conn,
    account_id: str,
    settings: AccountSettings,
    before: AccountSettings,
    people: Collection[str],
    coming: ComingNames,
) -> None:
    """Raise InputRefused for the first thing that differs from `before` and does not exist. people: ids of the employees."""
    if settings.lookup != before.lookup:
        _refuse_others(settings.lookup, before.lookup)
        await _refuse_unknown_names(conn, account_id, settings.lookup, before.lookup, coming)
    if settings.one_person != before.one_person:
        _refuse_bad_clients(settings, before.one_person, people)


def _refuse_others(lookup: LookupPolicy, before: LookupPolicy) -> None:
    """Raise NotBoundTo where who acts puts a template or schedule to use that is not theirs, or takes it out of use."""
    if lookup.template != before.template:
        refuse_other_template(lookup.template, before.template)
    if lookup.schedule != before.schedule:
        refuse_other_schedule(lookup.schedule, before.schedule)


async def _refuse_unknown_names(
    conn: Conn, account_id: str, lookup: LookupPolicy, before: LookupPolicy, coming: ComingNames
) -> None:
    if lookup.schedule not in (None, before.schedule):
        known = {*coming.schedules, *await schedule_names(conn, [account_id])}
        _refuse_unknown("lookup.schedule", "schedule", str(lookup.schedule), known)
    if lookup.template not in (None, before.template):
        known = {*coming.templates, *await template_names(conn, [account_id])}
        _refuse_unknown("lookup.template", "template", str(lookup.template), known)


def _refuse_unknown(field: str, what: str, name: str, known: Collection[str]) -> None:
    if name not in known:
        remedy = f"one of: {', '.join(sorted(known))}" if known else f"make the {what} first"
        raise InputRefused(field, f"there is no {what} '{name}'", remedy)


def _refuse_bad_clients(settings: AccountSettings, before: OnePersonPolicy, people: Collection[str]) -> None:
    for client, person in settings.one_person.clients.items():
        if before.clients.get(client) == person:
            continue
        number = normalise(client, settings.numbers)
        is_number = isinstance(number, PublicNumber) and number.e164 == client
        if not is_number and not re.fullmatch(_ENTITY, client):
            remedy = "write +79161234567, or an entity as contact:123"
            raise InputRefused("one_person.clients", f"'{client}' is no client", remedy)
        _refuse_no_employee("one_person.clients", person, people)
    _refuse_bad_marks(settings.one_person, before, people)


def _refuse_bad_marks(policy: OnePersonPolicy, before: OnePersonPolicy, people: Collection[str]) -> None:
    for tag, person in policy.tags.items():
        if not tag.strip():
            raise InputRefused("one_person.tags", "a tag without a name", "write the tag as the CRM shows it")
        if before.tags.get(tag) != person:
            _refuse_no_employee("one_person.tags", person, people)
    for id, values in policy.fields.items():
        if not re.fullmatch(r"[0-9]{1,18}", id):
            remedy = "write the number that the custom field has in the CRM"
            raise InputRefused("one_person.fields", f"'{id}' is no custom field", remedy)
        if not values or not all(value.strip() for value in values):
            remedy = 'name a value of the field, or "*" for any'
            raise InputRefused(f"one_person.fields.{id}", "no value is named", remedy)
        for value, person in values.items():
            if before.fields.get(id, {}).get(value) != person:
                _refuse_no_employee(f"one_person.fields.{id}", person, people)


def _refuse_no_employee(field: str, person: str, people: Collection[str]) -> None:
    if person and person not in people:
        remedy = 'name an employee of this account, or "" for whoever owns the client'
        raise InputRefused(field, f"'{person}' is no employee", remedy)


def _refuse_bad_cases(cases: CasePolicy, people: Collection[str]) -> None:
    _refuse_twice("cases.seniors", cases.seniors)
    for person in cases.seniors:
        if person not in people:
            remedy = "name employees of this account"
            raise InputRefused("cases.seniors", f"'{person}' is no employee", remedy)
    for opens, closes in cases.quiet_hours:
        _refuse_bad_spans("cases.quiet_hours", [(opens, closes)])
        if opens == closes or (opens, closes) == ("00:00", "24:00"):
            remedy = "choose hours that end"
            raise InputRefused("cases.quiet_hours", f"quiet from {opens} to {closes} never ends", remedy)
    for field, text, known in (
        ("count_text", cases.count_text, COUNT_VALUES),
        ("done_text", cases.done_text, DONE_VALUES),
    ):
        if len(text) > _LONGEST_TEXT:
            remedy = f"write {_LONGEST_TEXT} characters or fewer"
            raise InputRefused(f"cases.{field}", f"{len(text)} characters are too many", remedy)
        remedy = f"known: {', '.join('{' + n + '}' for n in known)}"
        for name in re.findall(r"\{([^{}]*)\}", text):
            if name not in known:
                raise InputRefused(f"cases.{field}", f"'{{{name}}}' is not known here", remedy)
        if alone := re.search(r"[{}]", re.sub(r"\{[^{}]*\}", "", text)):
            raise InputRefused(f"cases.{field}", f"a '{alone[0]}' stands there alone", remedy)


def _refuse_bad_alerts(alerts: AlertPolicy) -> None:
    _refuse_twice("alerts.emails", alerts.emails)
    _refuse_twice("alerts.telegram_chats", alerts.telegram_chats)
    for address in alerts.emails:
        if not is_email(address):
            raise InputRefused(
                "alerts.emails", f"'{address}' is no e-mail address", "write it as name@example.com"
            )
    for chat in alerts.telegram_chats:
        if not is_telegram_chat(chat):
            remedy = "write the chat's id, e.g. 123456789 or -1001234567890, or @name of a channel"
            raise InputRefused("alerts.telegram_chats", f"'{chat}' is no Telegram chat", remedy)


def _refuse_bad_hours(time: WorkingTime) -> None:
    for weekday, spans in time.hours.items():
        if not 1 <= weekday <= 7:
            remedy = "write 1 for Monday to 7 for Sunday"
            raise InputRefused("working_time.hours", f"'{weekday}' is no weekday", remedy)
        _refuse_bad_work("working_time.hours", spans)
    for field in ("free_days", "work_days"):
        for day in getattr(time, field):
            if not _is_day(day):
                raise InputRefused(f"working_time.{field}", f"'{day}' is no day", _DAY_REMEDY)
    for day, own in time.days.items():
        refuse_bad_day(day, own, "working_time.days")
    if time.holidays is not None and not has_holidays(time.holidays):
        remedy = "write a country's two letters, e.g. RU, or none"
        raise InputRefused("working_time.holidays", f"no holidays of '{time.holidays}' are known", remedy)


def refuse_bad_day(day: str, own: OwnDay, field: str) -> None:
    """Raise InputRefused for what an account cannot say of a date."""
    if not _is_day(day):
        raise InputRefused(field, f"'{day}' is no day", _DAY_REMEDY)
    _refuse_bad_work(f"{field}.{day}", own.hours)
    if own.kind == "free" and (own.hours or own.like):
        remedy = "say 'working', or leave out its hours"
        raise InputRefused(f"{field}.{day}", "a free day has no hours", remedy)


def _refuse_bad_work(field: str, spans: Sequence[tuple[str, str]]) -> None:
    _refuse_bad_spans(field, spans)
    for opens, closes in spans:
        if opens == closes:
            remedy = "write 00:00 to 24:00 where the whole day is meant; else another end"
            raise InputRefused(field, f"hours from {opens} to {closes} end when they begin", remedy)


def _refuse_bad_spans(field: str, spans: Sequence[tuple[str, str]]) -> None:
    for opens, closes in spans:
        if not is_span(opens, closes):
            remedy = "write them as 09:00 and 18:00; 24:00 ends a day"
            raise InputRefused(field, f"'{opens}' to '{closes}' are no hours", remedy)


def _refuse_twice(field: str, names: Sequence[str]) -> None:
    for name in names:
        if names.count(name) > 1:
            raise InputRefused(field, f"'{name}' stands here twice", "name each once")


def _is_day(text: str) -> bool:
    try:
        return date.fromisoformat(text).isoformat() == text
    except ValueError:
        return False
