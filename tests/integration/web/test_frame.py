"""What holds for every page: who is let in, what it says of itself, what is refused and in which words."""

from __future__ import annotations

from gateway.store.admin.bindings import Bindings
from routing.texts.catalogue import Language
from tests.integration.web.browser import Site

CSP = (
    "default-src 'none'; script-src 'self'; style-src 'self'; font-src 'self'; img-src 'self' data:; media-src 'self'; "
    "connect-src 'self'; worker-src 'self'; manifest-src 'self'; form-action 'self'; base-uri 'none'; "
    "frame-ancestors 'none'"
)


async def test_who_is_not_signed_in_is_led_there_and_back(site: Site) -> None:
    answer = await site.stranger.get("/no/such?x=1&y=2")
    assert (answer.status, answer.location) == (303, "/sign-in?next=%2Fno%2Fsuch%3Fx%3D1%26y%3D2")
    part = await site.stranger.get(
        "/missed/count", **{"HX-Request": "true", "Referer": "http://localhost/missed?x=1"}
    )
    assert part.status == 401
    assert part.location == "/sign-in?next=%2Fmissed%3Fx%3D1", "back to the page, not to a part of it"
    form = await site.stranger.post("/setup/crm/off", Referer="http://localhost/setup")
    assert form.location == "/sign-in?next=%2Fsetup&lost=1", "who has no script is told that it was not sent"


async def test_a_page_that_is_not_there_is_said_in_the_persons_language(site: Site) -> None:
    pages: dict[Language, str] = {"ru": "Такой страницы нет", "en": "There is no such page"}
    for language, words in pages.items():
        answer = await site.as_("admin", language=language).get("/no/such")
        assert answer.status == 404
        assert words in answer.words
        assert answer.page.one("html")["lang"] == language


async def test_what_no_database_can_keep_is_not_there(site: Site) -> None:
    admin = site.as_("admin")
    for path in ("/calls/%00", "/matrix/versions/%00", "/%00"):
        assert (await admin.get(path)).status == 404, path
    assert (await admin.post("/missed/%00/close")).status == 404


async def test_every_answer_says_what_browsers_may_do_with_it(site: Site) -> None:
    answer = await site.as_("admin").get("/no/such")
    assert answer.headers["Content-Security-Policy"] == CSP
    assert answer.headers["Cache-Control"] == "no-store"
    assert answer.headers["X-Content-Type-Options"] == "nosniff"
    assert answer.headers["Cross-Origin-Opener-Policy"] == "same-origin"
    assert "style=" not in answer.text


async def test_the_navigation_is_the_roles(site: Site) -> None:
    admin = (await site.as_("admin").get("/no")).page
    assert [one["href"] for one in admin.one("nav", cls="cm-side").all("a", cls="cm-nav-entry")] == [
        "/", "/calls", "/missed", "/matrix", "/distribution", "/shifts", "/dialogs", "/setup"
    ]  # fmt: skip
    manager = (await site.as_("manager", bound=Bindings(account_id="main", employee="anna")).get("/no")).page
    assert [one["href"] for one in manager.one("nav", cls="cm-side").all("a", cls="cm-nav-entry")] == [
        "/me", "/calls", "/missed", "/distribution", "/shifts", "/dialogs"
    ]  # fmt: skip


async def test_no_page_says_that_it_renews_itself_where_no_script_does_it(site: Site) -> None:
    """Script shows the sign; without it the page says of when it is and how it is seen as it is now."""
    anna = site.as_("manager", bound=Bindings(account_id="main", employee="anna"))
    senior = site.as_("senior_manager")
    live = (
        "/",
        "/wall",
        "/missed?only=overdue",
        "/shifts",
        "/messages",
        "/dialogs",
        "/distribution",
        "/distribution/waiting",
    )
    for browser, path in [*((senior, path) for path in live), (anna, "/me")]:
        page = (await browser.get(path)).page
        sign = next(one for one in page.all("span", cls="cm-live") if "data-live" in one.attributes)
        assert "hidden" in sign.attributes, path
        refresh = page.all("noscript")
        links = [link for part in refresh for link in part.all("a")]
        assert [(link.text, link["href"]) for link in links] == [("Обновить", "")], path
        assert any("данные на " in part.text for part in refresh), path


async def test_help_says_what_is_where_and_whom_to_ask(site: Site) -> None:
    for role in ("admin", "senior_manager", "manager", "read_only"):
        page = await site.as_(role).get("/help")
        assert page.status == 200, page.text
        links = {a["href"] for a in page.page.by_id("rooms").all("a")}
        assert links == {a["href"] for a in page.page.one("ul", cls="cm-nav").all("a")}, role
    assert "Ли Чжао" not in page.words
    await site.pool.execute(
        "INSERT INTO admin_user (login, name, role, password_hash) VALUES ('li', 'Ли Чжао', 'admin', 'x')"
    )
    assert "Ли Чжао" in (await site.as_("manager").get("/help")).words


async def test_another_account_does_not_exist_for_who_is_bound_to_one(site: Site) -> None:
    person = site.as_("admin", bound=Bindings(account_id="main"))
    assert (await person.get("/events?account=other")).status == 404


async def test_the_stream_tells_that_something_changed_and_not_what(site: Site) -> None:
    person = site.as_("read_only")
    assert person.person is not None
    async with site.http.get(
        "http://localhost/events", headers={"X-Test-Person": person.person.login}
    ) as stream:
        assert stream.headers["Content-Type"].startswith("text/event-stream")
        assert await stream.content.readuntil(b"\n\n") == b"retry: 3000\n\n"
        assert await stream.content.readuntil(b"\n\n") == b"event: changed\ndata: *\n\n"
        async with site.pool.acquire() as conn:
            await conn.execute("SELECT pg_notify('callmatrix_changes', 'main effects 1')")
            await conn.execute("SELECT pg_notify('callmatrix_changes', 'other calls 1')")
            await conn.execute("SELECT pg_notify('callmatrix_changes', 'main calls 17')")
        assert await stream.content.readuntil(b"\n\n") == b"event: changed\ndata: calls\n\n"


async def test_pages_are_packed_for_browsers_that_can_unpack(site: Site) -> None:
    person = site.as_("admin")
    packed = await person.get("/no/such", **{"Accept-Encoding": "gzip"})
    assert packed.headers["Content-Encoding"] == "gzip"
    assert "Такой страницы нет" in packed.words
    plain = await person.get("/no/such", **{"Accept-Encoding": "identity"})
    assert "Content-Encoding" not in plain.headers
