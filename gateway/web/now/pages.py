"""Whether everything is well right now: the page, its parts for whoever looks on, and the same for a screen on a wall."""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import replace
from typing import Any

from gateway.web.frame import (
    PAGE_ROLES,
    AnyPageCall,
    PageAnswer,
    PageCall,
    PageRoute,
    SeeOther,
    Shown,
    page_not_found,
)
from gateway.web.now.parts import PARTS, NowReading

_DESK, _WITHOUT_DESK = "/me", "/calls"
_WALL = ("tiles", "waiting", "calls", "strips")


async def now(call: PageCall) -> PageAnswer:
    if call.who.role == "manager":
        return SeeOther(call.here(_DESK if call.who.bound.employee else _WITHOUT_DESK))
    return Shown("now/now.html", await _read(call, tuple(PARTS)))


async def wall(call: PageCall) -> PageAnswer:
    """Show it to a room: nobody's whole number stands on it, whoever signed in."""
    hidden = with_hidden_numbers(call)
    values = await _read(hidden, _WALL)
    return Shown("now/wall.html", {**values, "words": hidden.words})


async def part(call: PageCall) -> PageAnswer:
    return await _part(call, call, "/now/")


async def wall_part(call: PageCall) -> PageAnswer:
    return await _part(call, with_hidden_numbers(call), "/wall/")


async def _part(call: AnyPageCall, seen: AnyPageCall, base: str) -> Shown:
    if (found := PARTS.get(call.path["part"])) is None:
        raise page_not_found()
    values = await found.values(NowReading(seen))
    return Shown(
        found.template,
        {**values, "words": seen.words, "parts": PARTS, "base": base, "has_page": _pages(call)},
    )


async def _read(call: AnyPageCall, names: tuple[str, ...]) -> Mapping[str, Any]:
    reading = NowReading(call)
    values: dict[str, Any] = {"parts": PARTS, "base": "/now/", "has_page": _pages(call)}
    for name in names:
        values |= await PARTS[name].values(reading)
    return values


def with_hidden_numbers(call: AnyPageCall) -> AnyPageCall:
    return replace(call, words=replace(call.words, sees_numbers=False))


def _pages(call: AnyPageCall) -> frozenset[str]:
    """Return where what needs a hand is mended by this person. What is wrong with the CRM is mended by an admin, though others read
    of it."""
    theirs = frozenset(path for path in call.request.app[PAGE_ROLES] if call.may_open(path))
    return theirs if call.who.may("admin") else theirs - {"/setup"}


PAGES: tuple[PageRoute, ...] = (
    PageRoute(method="GET", path="/", handler=now, role="read_only", entry="now"),
    PageRoute(method="GET", path="/now/{part}", handler=part, role="read_only", entry="now"),
    PageRoute(method="GET", path="/wall", handler=wall, role="read_only", entry="now"),
    PageRoute(method="GET", path="/wall/{part}", handler=wall_part, role="read_only", entry="now"),
)
