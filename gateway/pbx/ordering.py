"""One order to a PBX over HTTP: sent once, and what its answer means before anybody has read the body."""

from __future__ import annotations

import aiohttp

from gateway.pbx.capabilities import PlaceUnknown, RefusedByPbx
from runtime.exchange import shown
from runtime.vendors import http as vendor_http
from runtime.vendors.http import HttpAnswer, Question, VendorSilent

SECONDS = 10.0
"""How long a PBX may take to answer an order. Later nobody knows what became of it."""


async def sent_once(question: Question) -> HttpAnswer | RefusedByPbx | PlaceUnknown:
    """Return the answer, of whatever status. Raises nothing for a PBX that is silent.

    On a connection of its own: on one that others had kept, nobody could tell an order that was never read from one that was
    carried out.
    """
    try:
        async with aiohttp.ClientSession() as session:
            return await vendor_http.ask(session, question, lambda _: None)
    except VendorSilent as err:
        if err.was_sent:
            return PlaceUnknown(str(err))
        return RefusedByPbx(code="pbx-unreachable", words=str(err), concerns="link")


def told_by_status(answer: HttpAnswer) -> RefusedByPbx | PlaceUnknown | None:
    """Return what the status alone says of the order; None: it was taken."""
    status = answer.status
    words = f"HTTP {status} {shown(answer.body[:200])}".strip()
    if 200 <= status < 300:
        return None
    if status == 429:
        return RefusedByPbx(code="pbx-throttled", words=words, concerns="limit")
    if status == 408 or status >= 500:
        return PlaceUnknown(words)
    if status in (400, 409, 422):
        return RefusedByPbx(code="order-refused", words=words, concerns="this_call")
    return RefusedByPbx(code="pbx-refused", words=words, concerns="connection")
