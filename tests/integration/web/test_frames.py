"""Narrow pages within the CRM: opened by what stands in their address for some minutes, by one site, in one person's name."""

from __future__ import annotations

import asyncio
from collections.abc import Mapping
from datetime import UTC, datetime, timedelta
from typing import Any

import pytest

from gateway.admin.distribution.templates import save_template
from gateway.admin.refused import InputRefused
from gateway.admin.sign_in.frames import FrameOrder, make_frame
from gateway.admin.users import UserOrder, add_user, change_user
from gateway.store.admin.accounts import add_account
from gateway.store.admin.audit import Actor, acting
from gateway.store.admin.bindings import Bindings
from gateway.store.calls.missed_calls import save_case
from gateway.store.distribution.templates import template_of
from routing.distribution.template import DistributionTemplate, TemplateMember
from tests.integration.api.client import ACCOUNT, ANNA
from tests.integration.web.browser import Answer
from tests.integration.web.calls_on_pages import a_call, name_client, store
from tests.integration.web.html import Element
from tests.integration.web.signing import House, Visitor
from tests.integration.web.test_frame import CSP
from tests.integration.web.test_missed import a_case

CLIENT = "+79990001122"
CRM = "http://crm.example"
WITHIN: Mapping[str, str] = {"Sec-Fetch-Site": "cross-site", "Sec-Fetch-Dest": "iframe"}
"""How a browser asks for a frame of another site's page."""


async def frame(house: House, page: str = "card", login: str = "anna", **about: Any) -> str:
    if page == "card":
        about = {"kind": "contact", "id": "501", **about}
    async with house.pool.acquire() as conn:
        order = FrameOrder(page=page, login=login, **about)  # type: ignore[arg-type]
        return (await make_frame(conn, ACCOUNT, order, datetime.now(UTC))).path


async def _age(house: House, minutes: int) -> None:
    await house.pool.execute(
        "UPDATE frame_token SET expires_at = expires_at - $1::interval", timedelta(minutes=minutes)
    )


@pytest.fixture
async def busy(house: House) -> House:
    """A client who is known, with a call of Anna's and one that waits for her."""
    await name_client(house.pool, CLIENT, "Ирина Белых")
    await store(house.pool, a_call("m22", timedelta(hours=3), client=CLIENT))
    async with house.pool.acquire() as conn:
        await save_case(conn, ACCOUNT, a_case(CLIENT, timedelta(hours=3), timedelta(hours=1)))
    return house


async def test_a_card_shows_calls_and_who_waits_in_a_frame_of_the_crm_only(busy: House) -> None:
    visitor, path = busy.visitor(), await frame(busy)
    answer = await visitor.get(path, **WITHIN)
    assert answer.status == 200, answer.words
    assert answer.page.one("h1").text == "Ирина Белых"
    assert "Ждёт перезвона" in answer.words
    ancestors = CSP.replace("frame-ancestors 'none'", f"frame-ancestors {CRM}")
    assert answer.headers["Content-Security-Policy"] == ancestors
    assert visitor.cookies_said == [], "nothing is kept in the browser"
    assert not answer.page.all("nav", cls="cm-side")
    for link in answer.page.all("a"):
        assert link["target"] == "_blank", "our own pages open beside the CRM"
        assert "token" not in link["href"]


async def test_looking_changes_nothing_and_signing_in_adds_nothing(busy: House) -> None:
    path = await frame(busy)
    before = await busy.pool.fetchval("SELECT count(*) FROM audit")
    admin = await busy.signed_in("olga")
    for _ in range(3):
        assert (await admin.get(path, **WITHIN)).status == 200
    assert await busy.pool.fetchval("SELECT count(*) FROM audit") == before
    used = await busy.pool.fetchval("SELECT count(*) FROM frame_token WHERE used_at IS NOT NULL")
    assert used == 0
    assert (await admin.get("/frame/card", **WITHIN)).status == 404, "a session opens no frame"
    assert (await busy.visitor().get(path.replace("/frame/card", "/calls"))).status == 303, (
        "nor a frame a page"
    )


async def test_what_is_wrong_expired_of_another_page_or_place_opens_nothing(busy: House) -> None:
    visitor, path = busy.visitor(), await frame(busy)
    assert (await visitor.get("/frame/card?token=wrong")).status == 404
    assert (await visitor.get(path.replace("card", "settings"))).status == 404
    async with busy.pool.acquire() as conn:
        await add_account(conn, account_id="other", name="Other", base_url="https://other.example")
    other = await visitor.get(f"{path}&account=other")
    assert (other.status, "other.example" in other.headers["Content-Security-Policy"]) == (200, False)
    assert (await busy.visitor(host="stranger.example").get(path)).status == 421
    assert (await busy.visitor(host="calls.example.com").get(path)).status == 200
    await _age(busy, 16)
    expired = await visitor.get(path, **WITHIN)
    assert (expired.status, "открыто слишком давно" in expired.words) == (403, True)
    assert CRM in expired.headers["Content-Security-Policy"], "and it is said where it is read"
    assert (
        "'none'"
        in (await visitor.get("/frame/card?token=wrong"))
        .headers["Content-Security-Policy"]
        .split("frame-ancestors ")[1]
    )


async def test_a_form_counts_from_this_frame_and_once(busy: House) -> None:
    visitor, path = busy.visitor(), await frame(busy, page="settings", login="olga")
    page = (await visitor.get(path, **WITHIN)).page
    csrf = page.all("input", name="csrf")[0]["value"]
    assert csrf not in path
    for form, headers in (({}, {}), ({"csrf": "x"}, {}), ({"csrf": csrf}, {"Sec-Fetch-Site": "cross-site"})):
        assert (await visitor.post(path, form, **headers)).status == 403
    done = await visitor.post(path, {"csrf": csrf})
    assert (done.status, "said=asked" in done.location) == (303, True)
    assert "Спрашиваем amoCRM" in (await visitor.get(done.location)).words
    other = await frame(busy, page="settings", login="olga")
    assert (await visitor.post(other, {"csrf": csrf})).status == 403, "of another frame"
    await _age(busy, 16)
    assert (await visitor.post(path, {"csrf": csrf})).status == 403


async def test_a_frame_may_what_its_person_may_now(busy: House) -> None:
    visitor, settings = busy.visitor(), await frame(busy, page="settings")
    page = await visitor.get(settings)
    assert (page.status, page.page.all("form")) == (200, [])
    assert "Настройки меняет администратор" in page.words
    assert await _sent(visitor, settings) == 403
    card = await frame(busy)
    assert CLIENT[1:] in _digits(await visitor.get(card))
    async with busy.pool.acquire() as conn:
        await change_user(conn, "anna", {"role": "read_only", "employee": None})
    masked = await visitor.get(card)
    assert (masked.status, CLIENT[1:] in _digits(masked), CLIENT in masked.text) == (200, False, False)
    assert not masked.page.all("form")
    async with busy.pool.acquire() as conn:
        await change_user(conn, "anna", {"is_on": False})
    assert (await visitor.get(card)).status == 403


def _digits(answer: Answer) -> str:
    return "".join(sign for sign in answer.words if sign.isdigit())


async def _sent(visitor: Visitor, path: str) -> int:
    return (await visitor.post(path, {"csrf": "any"})).status


async def test_calling_back_is_ones_own_and_of_this_card(busy: House) -> None:
    visitor, path = busy.visitor(), await frame(busy)
    csrf = (await visitor.get(path)).page.one("body").get("hx-headers") or ""
    token = csrf.split('"')[3]
    assert (await visitor.post(path, {"csrf": token, "case": "of-another"})).status == 404
    refused = await visitor.post(path, {"csrf": token, "case": "m22"})
    assert (refused.status, "АТС" in refused.words) == (422, True), "no PBX here places calls"


async def test_nobody_opens_for_others_what_they_may_not_themselves(house: House) -> None:
    now = datetime.now(UTC)
    order = FrameOrder(page="settings", login="olga")
    manager = Actor(kind="token", name="t", door="api", role="manager", bound=Bindings(account_id=ACCOUNT))
    async with house.pool.acquire() as conn:
        with acting(manager), pytest.raises(InputRefused):
            await make_frame(conn, ACCOUNT, order, now)
        for bad in (
            FrameOrder(page="card", login="anna"),
            FrameOrder(page="card", login="anna", kind="deal", id="1' OR 1"),
            FrameOrder(page="settings", login="anna", kind="deal", id="1"),
            FrameOrder(page="settings", login="nobody"),
        ):
            with pytest.raises(InputRefused):
                await make_frame(conn, ACCOUNT, bad, now)
        made = await make_frame(conn, ACCOUNT, order, now)
        secret = made.path.partition("token=")[2]
        assert made.expires_at - now == timedelta(minutes=15)
        row = await conn.fetchrow("SELECT * FROM frame_token")
        told = await conn.fetchrow(
            "SELECT who, object, action, after::text FROM audit ORDER BY seq DESC LIMIT 1"
        )
    assert secret not in str(dict(row or {}))
    assert told is not None
    assert (told["object"], told["action"], secret in str(dict(told))) == ("olga", "frame opened", False)


@pytest.fixture
async def shop(house: House) -> House:
    """A template of Anna's, and a senior manager who may change no other."""
    template = DistributionTemplate(name="shop", employees=(TemplateMember(employee_id=ANNA.id),))
    async with house.pool.acquire() as conn:
        await save_template(conn, ACCOUNT, template, by="test")
        bound = Bindings(account_id=ACCOUNT, templates=("shop",))
        await add_user(conn, UserOrder(login="pavel", name="Павел", role="senior_manager", bound=bound))
    return house


async def test_a_template_is_saved_once_and_the_window_closes(shop: House) -> None:
    visitor, path = shop.visitor(), await frame(shop, page="template", login="pavel", id="shop")
    form = filled((await visitor.get(path, **WITHIN)).page)
    looked = await visitor.post(path, {**form, "do": "drop:employee:anna"})
    assert (looked.status, "employee" in filled(looked.page)) == (200, False), "a press that saves nothing"
    empty = await visitor.post(path, {**filled(looked.page), "do": "save"})
    assert empty.status == 422
    assert "token=" in empty.page.by_id("template-form")["action"], "it can be mended and sent again"
    done = await visitor.post(path, {**form, "threshold": "3", "do": "save"})
    assert (done.status, done.location.partition("?")[0]) == (303, "/frame/done")
    page = await visitor.get(done.location, **WITHIN)
    assert page.page.all("div", data_frame_done="shop"), "the site that shows it is told"
    again = await visitor.post(path, {**form, "threshold": "5", "do": "save"})
    assert (again.status, "Уже сохранено" in again.words) == (409, True)
    async with shop.pool.acquire() as conn:
        saved = await template_of(conn, ACCOUNT, "shop")
        told = await conn.fetchval("SELECT who FROM audit WHERE what = 'template' ORDER BY seq DESC LIMIT 1")
    assert saved is not None
    assert (saved.template.repeat.threshold, told) == (3, "pavel")


async def test_two_presses_at_once_save_once_and_what_another_saved_is_shown(shop: House) -> None:
    visitor, path = shop.visitor(), await frame(shop, page="template", login="olga")
    form = {**filled((await visitor.get(path)).page), "name": "new", "employee": ANNA.id, "do": "save"}
    both = await asyncio.gather(*(shop.visitor().post(path, form) for _ in range(2)))
    assert sorted(one.status for one in both) == [303, 409]
    assert (await visitor.get(both[0].location if both[0].status == 303 else both[1].location)).status == 200
    late = await frame(shop, page="template", login="pavel", id="shop")
    mine = filled((await visitor.get(late)).page)
    theirs = DistributionTemplate(
        name="shop", daily_reset=True, employees=(TemplateMember(employee_id=ANNA.id),)
    )
    async with shop.pool.acquire() as conn:
        await save_template(conn, ACCOUNT, theirs, by="other")
    moved = await visitor.post(late, {**mine, "do": "save"})
    assert (moved.status, len(moved.page.all(id="conflict"))) == (409, 1)
    assert (await visitor.post(late, {**filled(moved.page), "do": "save"})).status == 303, (
        "the token is not used up"
    )


async def test_a_template_is_changed_by_whom_it_is_named_to(shop: House) -> None:
    visitor, other = (
        shop.visitor(),
        DistributionTemplate(name="other", employees=(TemplateMember(employee_id=ANNA.id),)),
    )
    async with shop.pool.acquire() as conn:
        await save_template(conn, ACCOUNT, other, by="test")
    assert (await visitor.get(await frame(shop, page="template", login="pavel", id="other"))).status == 403
    assert (await visitor.get(await frame(shop, page="template", login="anna"))).status == 403
    looked = await visitor.get(await frame(shop, page="template", login="anna", id="other"))
    assert (looked.status, looked.page.all("button", name="do", value="save")) == (200, [])
    path = await frame(shop, page="template", login="pavel")
    form = {**filled((await visitor.get(path)).page), "name": "theirs", "employee": ANNA.id, "do": "save"}
    refused = await visitor.post(path, form)
    assert (refused.status, "cm-error" in refused.text) == (422, True), "a name that is not theirs"
    assert (await visitor.get(await frame(shop, page="template", login="olga", id="gone"))).status == 404


def filled(page: Element) -> dict[str, str]:
    """What a browser without script would send of the form, the last value of each name."""
    form = page.by_id("template-form")
    found = {
        box["name"]: box.get("value") or ""
        for box in form.all("input")
        if box.get("type") not in ("radio", "checkbox") or "checked" in box.attributes
    }
    for choice in form.all("select"):
        chosen = [one for one in choice.all("option") if "selected" in one.attributes]
        found[choice["name"]] = (chosen[0].get("value") or "") if chosen else ""
    return found
