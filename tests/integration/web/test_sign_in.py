"""People sign in to the pages and out again, and look after their own account; nobody does it for them."""

from __future__ import annotations

import asyncio
import time
from datetime import UTC, datetime

import pytest

from gateway.admin.sign_in.links import make_link
from gateway.admin.sign_in.sessions import revoke_session
from gateway.admin.sign_in.totp import STEP_SECONDS, code_of
from gateway.store.sign_in.second_factors import second_factor_of
from gateway.web.sign_in.browsers import browser_name
from gateway.web.sign_in.door import way_back
from gateway.web.texts.sentences import TEXTS
from tests.integration.api.client import ACCOUNT
from tests.integration.web.html import Element
from tests.integration.web.signing import PASSWORD, PHONE, PUBLIC, House, Visitor

NEW_PASSWORD = "seven boats under snow"


async def test_somebody_signs_in_and_is_led_to_where_they_wanted_to_be(house: House) -> None:
    visitor = house.visitor()
    assert (await visitor.get("/calls?state=missed")).location == "/sign-in?next=%2Fcalls%3Fstate%3Dmissed"
    page = (await visitor.get("/sign-in?next=%2Fcalls%3Fstate%3Dmissed")).page
    assert page.by_id("login")["autocomplete"] == "username"
    assert page.by_id("password")["autocomplete"] == "current-password"
    wrong = await visitor.send(page, "/sign-in", login="olga", password="no")
    assert (wrong.status, visitor.cookies) == (422, {})
    assert "Логин или пароль не подходит" in wrong.words
    assert wrong.page.by_id("login")["value"] == "olga"
    assert "no" not in [one.get("value") for one in wrong.page.all("input")]
    right = await visitor.send(wrong.page, "/sign-in", login=" Olga ", password=PASSWORD)
    assert (right.status, right.location) == (303, "/calls?state=missed")
    assert (await visitor.get("/sign-in")).location == "/"
    own = await visitor.get("/me/account")
    assert (own.status, own.headers["Cache-Control"]) == (200, "no-store")
    assert "Ольга Зимина" in own.words
    assert "Safari, iPhone" in own.words
    stolen = dict(visitor.cookies)
    assert (await visitor.send(own.page, "/sign-out")).location == "/sign-in"
    assert visitor.cookies == {}
    visitor.cookies = stolen
    assert (await visitor.get("/me/account")).status == 303


@pytest.mark.parametrize(
    "text",
    [
        "//evil.example",
        "/\\evil.example",
        "https://evil.example",
        "evil",
        "/a\nb",
        "/sign-out",
        "/sign-in?next=/x",
        "",
    ],
)
def test_nobody_is_led_elsewhere(text: str) -> None:
    assert way_back(text) == "/"


async def test_the_cookie_is_the_browsers_alone_and_new_at_each_sign_in(house: House) -> None:
    here = house.visitor()
    here.cookies = {"callmatrix": "planted-by-somebody-else"}
    await here.sign_in("olga", PASSWORD)
    assert here.cookies["callmatrix"] != "planted-by-somebody-else"
    first = here.cookies["callmatrix"]
    assert here.cookies_said[-1] == f"callmatrix={first}; Path=/; HttpOnly; SameSite=Lax"
    await here.post("/sign-in", {"login": "anna", "password": PASSWORD})
    assert here.cookies["callmatrix"] != first
    assert await house.pool.fetchval("SELECT count(*) FROM page_session") == 1  # the earlier one ended
    there = house.visitor(host="calls.example.com", address="192.0.2.9")
    answer = await there.sign_in("olga", PASSWORD)
    assert answer.headers["Strict-Transport-Security"].startswith("max-age=31536000")
    secret = there.cookies["__Host-callmatrix"]
    assert there.cookies_said[-1].split("; ") == [
        f"__Host-callmatrix={secret}", "Path=/", "HttpOnly", "SameSite=Lax", "Secure",
    ]  # fmt: skip
    assert (await there.get("/me/account")).status == 200
    there.cookies = {"callmatrix": secret}  # a cookie that anything on the way could have set
    assert (await there.get("/me/account")).status == 303


async def test_in_plain_text_nobody_signs_in_and_is_told_where(house: House) -> None:
    visitor = house.visitor(host="calls.example.com:8080", address="192.0.2.9")
    for answer in (await visitor.get("/sign-in"), await visitor.get("/sign-in/once/x")):
        assert answer.status == 403
        assert f"Откройте {PUBLIC}" in answer.words
    assert (await visitor.post("/sign-in", {"login": "olga", "password": PASSWORD})).status == 403
    assert visitor.cookies == {}


async def test_guessing_is_slowed_and_said_in_seconds_in_both_languages(house: House) -> None:
    visitor = house.visitor(address="192.0.2.77")
    for _ in range(5):
        assert (await visitor.sign_in("olga", "wrong")).status == 422
    slowed = await visitor.sign_in("olga", PASSWORD)
    assert slowed.status == 429
    assert slowed.headers["Retry-After"] == "1"
    assert "через 1 секунду" in slowed.words
    page = (await visitor.get("/sign-in")).page
    form = next(one for one in page.all("form") if one["action"] == "/sign-in/language")
    assert form.one("button")["value"] == "en"
    await visitor.post("/sign-in/language", {"language": "en", "next": "/calls"})
    assert "Too many wrong attempts" in (await visitor.sign_in("olga", PASSWORD)).words


async def test_a_form_counts_only_from_our_page_of_this_session(house: House) -> None:
    mine, others = await house.signed_in(), await house.signed_in("olga")
    token = _token((await mine.get("/me/account")).page)
    foreign = _token((await others.get("/me/account")).page)
    form = {"language": "en", "theme": "dark"}
    for sent, headers in (
        ({}, {}),
        ({"csrf": ""}, {}),
        ({"csrf": foreign}, {}),
        ({"csrf": token}, {"Sec-Fetch-Site": "cross-site"}),
        ({"csrf": token}, {"Sec-Fetch-Site": "same-site"}),
        ({"csrf": token}, {"Sec-Fetch-Site": "none"}),
    ):
        answer = await mine.post("/me/account/liking", {**form, **sent}, **headers)
        assert answer.status == 403, (sent, headers)
        assert "Ничего не изменилось" in answer.words
    assert await house.pool.fetchval("SELECT theme FROM admin_user WHERE login = 'anna'") == "system"
    assert (await mine.post("/me/account/liking", {**form, "csrf": token})).status == 303
    changed = (await mine.get("/me/account")).page.one("html")
    assert (changed["lang"], changed["data-theme"]) == ("en", "dark")


def _token(page: Element) -> str:
    return page.all("input", name="csrf")[0]["value"]


async def test_a_changed_password_ends_all_sessions_but_this_browsers(house: House) -> None:
    mine, elsewhere = await house.signed_in(), await house.signed_in()
    page = (await mine.get("/me/account")).page
    action = "/me/account/password"
    for current, new, said in (
        ("wrong", NEW_PASSWORD, "Нынешний пароль другой."),
        (PASSWORD, "short", "Пароль короткий"),
        (PASSWORD, "anna anna 123", "имени или слова"),
    ):
        answer = await mine.send(page, action, current=current, password=new)
        assert answer.status == 422
        assert said in answer.words
    assert (await elsewhere.get("/me/account")).status == 200
    before = mine.cookies["callmatrix"]
    answer = await mine.send(page, action, current=PASSWORD, password=NEW_PASSWORD)
    assert (answer.status, answer.location) == (303, "/me/account")
    assert mine.cookies["callmatrix"] != before
    assert "Пароль сменён" in (await mine.get("/me/account")).words
    assert (await elsewhere.get("/me/account")).status == 303
    assert (await house.visitor().sign_in("anna", NEW_PASSWORD)).status == 303
    row = await house.pool.fetchrow("SELECT who, door, action FROM audit ORDER BY seq DESC LIMIT 1")
    assert tuple(row or ()) == ("anna", "pages", "password set")


async def test_where_somebody_is_signed_in_is_listed_and_ended(house: House) -> None:
    mine, lost, third = [await house.signed_in() for _ in range(3)]
    page = (await mine.get("/me/account")).page
    ends = [f["action"] for f in page.all("form") if "/sessions/" in f["action"]]
    assert len(ends) == 3  # of the two others, and of both
    assert page.by_id("sessions").text.count("этот") == 1
    assert (await mine.send(page, ends[0])).status == 303
    assert (await mine.send(page, ends[0])).status == 409
    assert (await mine.send(page, "/me/account/sessions/others/end")).status == 303
    for other in (lost, third):
        assert (await other.get("/me/account")).status == 303
    assert "Закрыто: 1 сеанс" in (await mine.get("/me/account")).words


async def test_a_stream_closes_within_a_second_of_its_sessions_end(house: House) -> None:
    mine = await house.signed_in()
    headers = {"Host": "localhost", "Cookie": f"callmatrix={mine.cookies['callmatrix']}"}
    async with house.http.get("http://pages/events", headers=headers) as stream:
        assert await stream.content.readuntil(b"\n\n") == b"retry: 3000\n\n"
        await stream.content.readuntil(b"\n\n")
        began = time.monotonic()
        async with house.pool.acquire() as conn:
            id = await conn.fetchval("SELECT session_id FROM page_session")
            await revoke_session(conn, "anna", id)
        async with asyncio.timeout(1):
            assert b"event: over" in await stream.content.read()
        assert time.monotonic() - began < 1


@pytest.mark.parametrize("second_factor", ["admins"])
async def test_who_needs_a_second_step_is_led_through_it(house: House) -> None:
    visitor = house.visitor()
    step = await visitor.sign_in("olga", PASSWORD, "/calls")
    assert step.location == "/sign-in/second-factor?next=%2Fcalls"
    assert (await visitor.get("/me/account")).status == 303  # not in yet
    page = (await visitor.get(step.location)).page
    assert page.one("img")["src"].startswith("data:image/svg+xml")
    wrong = await visitor.send(page, "/sign-in/second-factor", code="000000")
    assert (wrong.status, "Код не подходит" in wrong.words) == (422, True)
    assert wrong.page.one("img")["src"] == page.one("img")["src"]
    other = await visitor.post("/sign-in/second-factor", {"code": await _code(house), "csrf": "another"})
    assert other.status == 403
    codes = await visitor.send(wrong.page, "/sign-in/second-factor", code=await _code(house))
    assert (codes.status, codes.headers["Cache-Control"]) == (200, "no-store")
    told = codes.page.by_id("recovery-codes").text.split()
    assert len(told) == 10
    assert codes.page.all("a")[-1]["href"] == "/calls"
    assert (await visitor.get("/me/account")).status == 200
    await _again_with_a_code(house.visitor(), told[0])


async def _again_with_a_code(visitor: Visitor, paper: str) -> None:
    step = await visitor.sign_in("olga", PASSWORD, "/calls")
    assert step.location == "/sign-in/code?next=%2Fcalls"
    page = (await visitor.get(step.location)).page
    assert page.by_id("code")["autocomplete"] == "one-time-code"
    assert (await visitor.send(page, "/sign-in/code", code="123456")).status == 422
    assert (await visitor.send(page, "/sign-in/code", code=paper)).location == "/calls"
    own = await visitor.get("/me/account")
    assert "Осталось 9 запасных кодов" in own.words
    action = "/me/account/second-factor/codes"
    assert (await visitor.send(own.page, action, code="123456")).status == 422
    assert (await visitor.send(own.page, action, code=paper)).status == 422


async def _code(house: House) -> str:
    async with house.pool.acquire() as conn:
        factor = await second_factor_of(conn, "olga")
    assert factor is not None
    return code_of(factor.secret, int(datetime.now(UTC).timestamp()) // STEP_SECONDS)


async def test_a_second_step_of_ones_own_choice_is_set_up_and_left(house: House) -> None:
    visitor = await house.signed_in("olga")
    page = (await visitor.get("/me/account/second-factor")).page
    done = await visitor.send(page, "/me/account/second-factor", code=await _code(house))
    paper = done.page.by_id("recovery-codes").text.split()
    own = (await visitor.get("/me/account")).page
    token = _token(own)
    off = "/me/account/second-factor/off"
    assert (await visitor.post(off, {"csrf": token, "code": "1"})).status == 422
    assert (await visitor.post(off, {"csrf": token, "code": paper[3]})).status == 303
    assert (await house.visitor().sign_in("olga", PASSWORD)).location == "/"


async def test_a_link_is_only_looked_at_until_the_button_is_pressed(house: House) -> None:
    async with house.pool.acquire() as conn:
        path = await make_link(conn, "anna", datetime.now(UTC), is_local=True)
    for _ in range(2):
        assert (await house.visitor().get(path)).status == 200
    assert await house.pool.fetchval("SELECT count(*) FROM page_session") == 0
    stranger = house.visitor(host="calls.example.com", address="192.0.2.9")
    assert (await stranger.get(path)).status == 410
    assert (await stranger.post(path, {})).status == 410
    visitor = house.visitor()
    assert (await visitor.post(path, {}, **{"Sec-Fetch-Site": "cross-site"})).status == 403
    page = (await visitor.get(path)).page
    assert (await visitor.send(page, path)).location == "/"
    assert (await house.visitor().post(path, {})).status == 410
    own = (await visitor.get("/me/account")).page
    assert own.all("input", name="current") == []  # the password is lost
    changed = await visitor.send(own, "/me/account/password", password=NEW_PASSWORD)
    assert changed.status == 303
    assert (await house.visitor().sign_in("anna", NEW_PASSWORD)).status == 303
    assert (await visitor.get("/me/account")).page.all("input", name="current") != []


def test_a_browser_is_named_as_its_person_knows_it() -> None:
    windows = "Mozilla/5.0 (Windows NT 10.0; Win64; x64) AppleWebKit/537.36 (KHTML, like Gecko) "
    ru, en = TEXTS["ru"], TEXTS["en"]
    assert browser_name(PHONE, ru) == "Safari, iPhone"
    yandex = windows + "Chrome/140.0.0.0 YaBrowser/25.8 Safari/537.36"
    assert browser_name(yandex, ru) == "Яндекс Браузер, Windows"
    assert browser_name(windows + "Chrome/140.0.0.0 Safari/537.36 Edg/140.0", en) == "Edge, Windows"
    assert browser_name("curl/8.5", ru) == "Неизвестный браузер"


async def test_ones_own_page_needs_no_account(house: House) -> None:
    """Before the CRM is connected, and for good where nobody connects it."""
    await house.pool.execute("DELETE FROM account")
    await house.process.services.configuration.take_over((ACCOUNT,), with_tokens=False)
    browser = await house.signed_in("olga")
    assert (await browser.get("/calls")).location == "/start"
    page = await browser.get("/me/account")
    assert page.status == 200
    assert page.page.by_id("password-panel")


async def test_an_empty_field_is_no_try_to_enter(house: House) -> None:
    visitor = house.visitor()
    page = (await visitor.get("/sign-in")).page
    for _ in range(20):
        refused = await visitor.send(page, "/sign-in", login="olga", password="")
        assert refused.status == 422
    assert "Впишите пароль" in refused.page.by_id("password-error").text
    assert not refused.page.all(id="login-error")
    right = await visitor.send(refused.page, "/sign-in", login="olga", password=PASSWORD)
    assert right.status == 303
