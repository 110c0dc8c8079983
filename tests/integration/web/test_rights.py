"""Every page, asked by everybody: who may not open it is told so, no form counts that is not ours, and looking changes nothing."""

from __future__ import annotations

import re
from collections.abc import Iterator, Mapping

import pytest

from gateway.store.admin.bindings import Bindings, why_not
from gateway.store.admin.roles import ROLES
from gateway.web.all_pages import PAGES
from gateway.web.frame import PageRoute
from gateway.web.person import Person
from tests.integration.api.client import ACCOUNT
from tests.integration.web.browser import Browser, Site
from tests.integration.web.scene import addresses_of, pages_that_are_seen, play_scene
from tests.integration.web.test_frame import CSP

_NAMED = {"employee": "anna", "template": "t", "schedule": "s"}
_STREAM = "/events"
_FORBIDDEN, _OLD_FORM, _FOREIGN = "Сюда нельзя", "Форма устарела", "чужой страницы"


def _inside(method: str) -> list[PageRoute]:
    return [p for p in PAGES if p.frame == "inside" and p.method == method and p.path != _STREAM]


def _address(page: PageRoute) -> str:
    """Of something that is not there, but for what people are bound to; of a closed set its first."""
    return re.sub(
        r"\{(\w+)(?::(\w+)\|[^}]*)?[^}]*\}", lambda m: m[2] or _NAMED.get(m[1], "999999"), page.path
    )


def _people(site: Site) -> Iterator[Browser]:
    for role in ROLES:
        yield site.as_(role)
    bound = Bindings(account_id=ACCOUNT, employee="anna", templates=("x",), schedules=("s",))
    yield site.as_("manager", bound=bound)
    yield site.as_("senior_manager", bound=bound)


def _may(page: PageRoute, who: Person) -> bool:
    named = {name: _NAMED[name] for name in re.findall(r"\{(\w+)", page.path) if name in _NAMED}
    bar = why_not(
        who.role,
        who.bound,
        page.role,
        employee=named.get("employee", who.bound.employee) if page.is_ones_own else None,
        template=named.get("template"),
        schedule=named.get("schedule"),
    )
    is_of_the_whole_office = page.entry in ("now", "matrix") and page.path != "/"
    return bar is None and not (who.role == "manager" and is_of_the_whole_office)


async def test_a_page_is_opened_by_whoever_may_and_by_nobody_else(site: Site) -> None:
    before = await site.pool.fetchval("SELECT count(*) FROM audit")
    wrong = []
    for page in _inside("GET"):
        path = _address(page)
        stranger = await site.stranger.get(path)
        if (stranger.status, stranger.headers.get("Location", "")[:8]) != (303, "/sign-in"):
            wrong.append((path, "stranger", stranger.status))
        for browser in _people(site):
            assert browser.person is not None
            answer = await browser.get(path)
            is_forbidden = answer.status == 403 and _FORBIDDEN in answer.words
            if is_forbidden is _may(page, browser.person) or answer.status >= 500:
                wrong.append((path, browser.person.name, answer.status))
            if problem := _undressed(answer.headers, answer.text):
                wrong.append((path, problem, answer.status))
    assert wrong == []
    assert await site.pool.fetchval("SELECT count(*) FROM audit") == before


def _undressed(headers: Mapping[str, str], text: str) -> str:
    """Return what a page lacks of what every page says to browsers, "" = nothing."""
    expected = {
        "Content-Security-Policy": CSP,
        "Cache-Control": "no-store",
        "X-Content-Type-Options": "nosniff",
        "Referrer-Policy": "same-origin",
        "Cross-Origin-Opener-Policy": "same-origin",
    }
    for name, value in expected.items():
        if headers.get(name) != value:
            return f"{name}: {headers.get(name)}"
    found = re.search(r"<[^>]*\s(style|on[a-z]+)=", text)
    return found[0] if found else ""


def _page_at(address: str) -> PageRoute | None:
    path = address.partition("?")[0].partition("#")[0]
    return next((p for p in PAGES if p.method == "GET" and re.fullmatch(_pattern(p.path), path)), None)


def _pattern(path: str) -> str:
    return re.sub(r"\{\w+(?::([^}]*))?\}", lambda m: f"(?:{m[1] or '[^/]+'})", path)


async def test_no_link_leads_to_a_page_that_is_closed_to_who_reads_it(site: Site) -> None:
    await play_scene(site.pool)
    await site.process.configuration.reload()
    wrong, seen = set(), 0
    for role in ROLES:
        employee = "anna" if role != "read_only" else None
        browser = site.as_(role, bound=Bindings(account_id=ACCOUNT, employee=employee))
        assert browser.person is not None
        for page in pages_that_are_seen():
            for address in addresses_of(page):
                answer = await browser.get(address)
                links = [a.get("href") or "" for a in answer.page.all("a")] if answer.status == 200 else []
                led = {link: found for link in links if (found := _page_at(link)) is not None}
                seen += len(led)
                wrong |= {(role, page.path, link) for link, p in led.items() if not _may(p, browser.person)}
    assert seen > 1000
    assert wrong == set()


async def test_no_form_counts_that_does_not_come_from_a_page_of_this_session(site: Site) -> None:
    before = await site.pool.fetchval("SELECT count(*) FROM audit")
    wrong = []
    for page in _inside("POST"):
        path = _address(page)
        for browser in _people(site):
            assert browser.person is not None
            site.change(browser, csrf="of the session that it is now")
            for headers, said in (({}, _OLD_FORM), ({"Sec-Fetch-Site": "cross-site"}, _FOREIGN)):
                answer = await browser.post(path, None, **headers)
                expected = said if _may(page, browser.person) else _FORBIDDEN
                if answer.status != 403 or expected not in answer.words:
                    wrong.append((path, browser.person.name, expected, answer.status))
    assert wrong == []
    assert await site.pool.fetchval("SELECT count(*) FROM audit") == before


def test_what_anybody_may_send_is_a_handful() -> None:
    """Pages before signing in, and those shown within the CRM, judge by themselves who asks."""
    alone = sorted(p.path for p in PAGES if p.frame == "alone" and p.method == "POST")
    assert alone == [
        "/sign-in",
        "/sign-in/code",
        "/sign-in/language",
        "/sign-in/once/{secret}",
        "/sign-in/second-factor",
    ]


@pytest.mark.parametrize("page", [p for p in PAGES if p.method == "GET"], ids=lambda p: p.path)
def test_who_looks_sends_nothing(page: PageRoute) -> None:
    assert page.form is None
