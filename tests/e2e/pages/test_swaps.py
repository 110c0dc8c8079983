"""Where the focus is after a part of a page was read anew, and when a part waits."""

from __future__ import annotations

import asyncio

import pytest
from playwright.async_api import Page, Route

from tests.e2e.pages.browser import Pages

pytestmark = pytest.mark.pages

PART = (
    '<section id="part" data-topics="calls" hx-get="/part" hx-trigger="changed" hx-swap="outerHTML">'
    "<h2>{title}</h2>{inside}</section>"
)


async def _answers(page: Page, inside: str) -> None:
    """What the server says of the part from now on."""

    async def answer(route: Route) -> None:
        await route.fulfill(content_type="text/html", body=PART.format(title="new", inside=inside))

    await page.route("**/part", answer)


async def _with_part(page: Page, before: str, after: str) -> None:
    """A live part in the page; the server answers with `after`."""
    await _answers(page, after)
    await page.evaluate(
        "html => { document.querySelector('main').insertAdjacentHTML('beforeend', html);"
        "htmx.process(document.getElementById('part')); }",
        PART.format(title="old", inside=before),
    )


async def _renew(page: Page) -> None:
    await page.evaluate("document.getElementById('part').dispatchEvent(new Event('changed'))")


# Told again until it is: what is told while an earlier reading settles is not heard.
_IS_READ_ANEW_WITH_ITS_HEADING_IN_FOCUS = """() => {
  const part = document.getElementById("part");
  if ("seen" in part.dataset) part.dispatchEvent(new Event("changed"));
  return !("seen" in part.dataset) && part.querySelector("h2:focus")?.textContent === "new";
}"""


async def _focused(page: Page) -> str:
    said: str = await page.evaluate("document.activeElement.id || document.activeElement.tagName")
    return said


async def test_the_focus_stays_on_what_is_still_there(pages: Pages) -> None:
    async with pages.signed_in_page("/_kit") as page:
        button = '<button id="press" type="button">x</button>'
        await _with_part(page, button, button)
        await page.focus("#press")
        await _renew(page)
        await page.locator("#part h2", has_text="new").wait_for()
        await page.locator("#press:focus").wait_for()


async def test_a_link_without_an_id_is_known_by_where_it_leads(pages: Pages) -> None:
    async with pages.signed_in_page("/_kit") as page:
        links = '<a href="/one">one</a> <a href="/two">two</a>'
        await _with_part(page, links, f'<a href="/three">three</a> {links}')
        await page.focus('#part a[href="/two"]')
        await _renew(page)
        await page.locator("#part h2", has_text="new").wait_for()
        await page.locator('#part a[href="/two"]:focus').wait_for()


async def test_the_focus_goes_to_the_heading_when_its_place_is_gone(pages: Pages) -> None:
    async with pages.signed_in_page("/_kit") as page:
        button = '<button id="press" type="button">x</button>'
        await _with_part(page, button, button)  # the stream may renew it before anybody looks at it
        await page.focus("#press")
        await _answers(page, "")
        for _ in range(3):  # and stays there, however often the part is read anew
            await page.evaluate("document.getElementById('part').dataset.seen = ''")
            await page.wait_for_function(_IS_READ_ANEW_WITH_ITS_HEADING_IN_FOCUS, polling=100)


async def test_what_a_press_in_the_part_asked_for_is_shown_whatever_was_chosen_there(pages: Pages) -> None:
    async with pages.signed_in_page("/_kit") as page:
        asks = (
            '<select id="chosen" aria-label="x"><option selected>one</option><option>two</option></select>'
            '<button id="press" type="button" hx-get="/part" hx-target="#part" hx-swap="outerHTML">x</button>'
        )
        await _with_part(page, asks, asks)
        await page.select_option("#chosen", "two")
        await _renew(page)
        await page.click("#press")
        await page.locator("#part h2", has_text="new").wait_for()


async def test_a_part_that_one_types_into_waits(pages: Pages) -> None:
    async with pages.signed_in_page("/_kit") as page:
        field = '<input id="typed" aria-label="x">'
        await _with_part(page, field, field)
        await page.fill("#typed", "half a wor")
        await _renew(page)
        await page.wait_for_timeout(300)
        assert await page.input_value("#typed") == "half a wor"
        assert await _focused(page) == "typed"
        await page.locator("#typed").blur()
        await _renew(page)
        await page.wait_for_timeout(300)
        assert await page.input_value("#typed") == "half a wor", "it was not sent yet"
        await page.fill("#typed", "")
        await page.locator("#typed").blur()
        await _renew(page)
        await page.locator("#part h2", has_text="new").wait_for()


async def test_a_part_that_was_asked_for_before_one_typed_is_not_shown(pages: Pages) -> None:
    async with pages.signed_in_page("/_kit") as page:
        asked, typed = asyncio.Event(), asyncio.Event()
        field = '<input id="typed" aria-label="x">'
        await _with_part(page, field, field)

        async def late(route: Route) -> None:
            asked.set()
            await typed.wait()
            await route.fulfill(content_type="text/html", body=PART.format(title="new", inside=field))

        await page.route("**/part", late)
        await _renew(page)
        await asyncio.wait_for(asked.wait(), 20)
        await page.fill("#typed", "half a wor")
        async with page.expect_response("**/part"):
            typed.set()
        await page.wait_for_timeout(300)
        assert await page.input_value("#typed") == "half a wor"


async def test_what_is_typed_or_refused_outlives_the_focus(pages: Pages) -> None:
    async with pages.signed_in_page("/_kit") as page:
        chosen = '<select id="one" aria-label="x"><option>a</option><option>b</option></select>'
        await _with_part(page, chosen, chosen)
        await page.select_option("#one", "b")
        await page.locator("#one").blur()
        await _renew(page)
        await page.wait_for_timeout(300)
        assert await page.input_value("#one") == "b"
        await page.select_option("#one", "a")
        await page.locator("#one").blur()
        await _renew(page)
        await page.locator("#part h2", has_text="new").wait_for()


async def test_a_refusal_is_shown_in_its_place(pages: Pages) -> None:
    async with pages.signed_in_page("/_kit", quiet=False) as page:

        async def refuse(route: Route) -> None:
            await route.fulfill(status=422, content_type="text/html", body='<p id="why">no</p>')

        await page.route("**/save", refuse)
        await page.evaluate(
            "() => { document.querySelector('main').insertAdjacentHTML('beforeend',"
            '\'<button id="save" hx-post="/save" hx-swap="outerHTML">save</button>\');'
            "htmx.process(document.getElementById('save')); }"
        )
        await page.click("#save")
        await page.locator("#why").wait_for()


_SAID = "() => new BroadcastChannel('callmatrix ' + document.body.dataset.stream).postMessage({topics: ['calls']})"


@pytest.mark.parametrize("when", ["it is asked for", "it settles"])
async def test_what_changes_while_a_part_is_read_anew_is_read_once_more(pages: Pages, when: str) -> None:
    async with pages.signed_in_page("/_kit") as page:
        asked: list[int] = []
        first, told = asyncio.Event(), asyncio.Event()

        async def answer(route: Route) -> None:
            asked.append(len(asked) + 1)
            number = asked[-1]
            if number == 1:
                first.set()
                await told.wait()
            await route.fulfill(
                content_type="text/html", body=PART.format(title=f"reading {number}", inside="")
            )

        await _with_part(page, "", "")
        await page.route("**/part", answer)
        settles = 6000 if when == "it settles" else 20
        await page.evaluate(f"htmx.config.defaultSettleDelay = {settles}")
        await page.evaluate(_SAID)
        await asyncio.wait_for(first.wait(), 20)
        if when == "it settles":
            told.set()
            await page.locator("#part h2", has_text="reading 1").wait_for()
        await page.evaluate(_SAID)
        await page.wait_for_timeout(1500)  # topics are gathered for half a second
        told.set()
        await page.locator("#part h2", has_text="reading 2").wait_for()
        await page.wait_for_timeout(settles + 1500)
        assert asked == [1, 2], "and not over and over"
