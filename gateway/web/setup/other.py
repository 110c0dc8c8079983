"""All that an account has set which has no page of its own: names, hours, who rings, alarms, how long data are kept."""

from __future__ import annotations

from collections.abc import Mapping
from functools import lru_cache
from typing import Any
from zoneinfo import available_timezones

from phonenumbers import SUPPORTED_REGIONS, country_code_for_region
from pydantic import ConfigDict

from gateway.admin.accounts import change_account, save_settings
from gateway.admin.protection.allowed import allowed_by
from gateway.admin.refused import InputRefused
from gateway.store.admin import accounts as rows
from gateway.store.admin.accounts import Account
from gateway.store.admin.staff import stored_employees
from gateway.web.frame import (
    AnyPageCall,
    PageAnswer,
    PageCall,
    PageQuery,
    SeeOther,
    Shown,
)
from gateway.web.refusals import refusal_said
from gateway.web.saving.together import WholeForm, clashes_said, standing, together
from gateway.web.setup.other_fields import (
    PARTS,
    SettingsPart,
    as_sent,
    as_shown,
    in_one,
    read_fields,
    shown_fields,
)
from gateway.web.setup.tabs import tabs_of
from routing.client_work.call import line_spelled
from routing.settings import AccountSettings
from routing.texts.catalogue import phrase
from runtime.database.pool import Conn

PATH = "/setup/other"


class OtherQuery(PageQuery):
    part: SettingsPart = "account"


class OtherForm(WholeForm):
    """What is typed, by the names of the part's fields. name, time_zone, region: of the account itself."""

    model_config = ConfigDict(extra="allow", frozen=True)

    name: str = ""
    time_zone: str = ""
    region: str = ""


async def show(call: PageCall[OtherQuery, None]) -> Shown:
    return await _page(call, call.query.part)


async def _page(
    call: AnyPageCall,
    part: SettingsPart,
    typed: Mapping[str, Any] | None = None,
    errors: Mapping[str, str] | None = None,
    status: int = 422,
) -> Shown:
    async with call.connection() as conn:
        account = await rows.account(conn, call.account.id)
        people = await stored_employees(conn, call.account.id)
    stands = _standing(account, part)
    values = {
        "tabs": tabs_of(call, "other"),
        "part": part,
        "parts": [
            (call.texts.say(f"setup.other.part.{name}"), call.here(PATH, part=name), name == part)
            for name in PARTS
        ],
        "fields": PARTS[part],
        "typed": typed if typed is not None else stands,
        "was": standing(stands),
        "errors": errors or {},
        "people": [(person.id, person.name) for person in people],
        "zones": sorted(zone for zone in available_timezones() if "/" in zone and zone[:4] != "Etc/"),
        "regions": _regions(),
        "keeps": call.services.settings,
    }
    return Shown("setup/other.html", values, status=status if errors else 200)


@lru_cache(maxsize=1)
def _regions() -> list[tuple[str, str]]:
    """Return countries by their code, each with the code that numbers there begin with."""
    return [(one, f"+{country_code_for_region(one)}") for one in sorted(SUPPORTED_REGIONS)]


def _standing(account: Account, part: SettingsPart) -> dict[str, Any]:
    """Return field -> what stands in it now."""
    own = {"name": account.name, "time_zone": account.time_zone, "region": account.region}
    return {**(own if part == "account" else {}), **shown_fields(account.settings, part)}


async def save(call: PageCall[PageQuery, OtherForm]) -> PageAnswer:
    part: SettingsPart = call.path["part"]  # type: ignore[assignment]  # the route takes no other
    sent = in_one(part, {**call.form.model_dump(exclude={"was"}), **(call.form.model_extra or {})})
    async with call.connection() as conn, conn.transaction():
        await rows.lock_account(conn, call.account.id)
        return await _saved_together(conn, call, part, sent)


async def _saved_together(
    conn: Conn, call: PageCall[PageQuery, OtherForm], part: SettingsPart, sent: Mapping[str, Any]
) -> PageAnswer:
    """Two who change different fields both have theirs; of one field that both changed the second is asked."""
    account = await rows.account(conn, call.account.id)
    stands = _standing(account, part)
    merged, clashes = together(call.form.opened_with, stands, as_shown(sent, stands))
    typed = {**sent, **as_sent(merged)}
    if clashes:
        return await _page(call, part, typed, clashes_said(clashes, call.texts), 409)
    read = read_fields(account.settings, part, typed)
    own, policy = read.dumped["numbers"], call.services.configuration.now.policy_of(call.account.id)
    own["own_numbers"] = [line_spelled(text, policy) or text for text in own["own_numbers"]]
    if read.errors:
        return await _page(call, part, typed, {n: _must(call, part, n, k) for n, k in read.errors.items()})
    try:
        await _saved(conn, call, part, typed, AccountSettings.model_validate(read.dumped))
    except InputRefused as err:
        name = _field_of(err, part)
        return await _page(call, part, typed, {name: _refused(call, name, err)})
    return SeeOther(call.here(PATH, part=part), said=phrase("setup.said.saved"))


async def _saved(
    conn: Conn, call: AnyPageCall, part: SettingsPart, typed: Mapping[str, Any], settings: AccountSettings
) -> None:
    allowed = allowed_by(call.services.settings, is_operator=call.who.bound.account_id is None)
    async with conn.transaction():
        if part == "account":
            await change_account(
                conn,
                call.account.id,
                name=typed["name"].strip(),
                time_zone=typed["time_zone"].strip(),
                region=typed["region"].strip().upper(),
            )
        await save_settings(conn, call.account.id, settings, allowed=allowed)


def _must(call: AnyPageCall, part: SettingsPart, name: str, kind: str) -> str:
    one = next(field for field in PARTS[part] if field.name == name)
    values = {"least": call.words.count(one.least), "most": call.words.count(one.most)}
    return call.texts.say(f"setup.other.must.{kind}", **(values if kind == "number" else {}))


def _refused(call: AnyPageCall, name: str, err: InputRefused) -> str:
    """Return what the field takes, where that can be said; else the sentence of the code."""
    key = f"setup.other.wrong.{name}"
    is_said = err.code == InputRefused.code and key in call.texts.sentences
    return call.texts.say(key) if is_said else refusal_said(err, call.texts)


def _field_of(err: InputRefused, part: SettingsPart) -> str:
    """Return the field of the form that was refused; of what is no field of this part, the first."""
    asked = tuple(err.field.split("."))
    names = {one.name for one in PARTS[part]}
    for one in PARTS[part]:
        if asked[: len(one.path)] == one.path:
            return one.name
    return asked[-1] if asked[-1] in (*names, "name", "time_zone", "region") else PARTS[part][0].name
