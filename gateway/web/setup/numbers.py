"""How a number is read, and which numbers are the company's own."""

from __future__ import annotations

from gateway.configuration import policy_of
from gateway.store.admin import accounts as rows
from gateway.web.frame import PageCall, PageQuery, Shown
from gateway.web.setup.tabs import tabs_of
from routing.numbers.normalise import InternalNumber, PublicNumber, normalise
from routing.texts.catalogue import Phrase, phrase


class NumberQuery(PageQuery):
    number: str = ""


async def show(call: PageCall[NumberQuery, None]) -> Shown:
    text = call.query.number.strip()[:100]
    async with call.connection() as conn:
        policy = await policy_of(conn, call.account.id)
        found = await rows.connections(conn, call.account.id)
    number = normalise(text, policy) if text else None
    said: Phrase | None = None
    if isinstance(number, PublicNumber):
        said = phrase("setup.numbers.own" if number.is_own else "setup.numbers.public", number=number.e164)
    elif isinstance(number, InternalNumber):
        said = phrase("setup.numbers.internal", number=number.digits)
    elif number is not None:
        said = phrase("setup.numbers.none")
    values = {
        "tabs": tabs_of(call, "numbers"),
        "number": text,
        "said": said,
        "policy": policy,
        "found": found,
        "own": sorted(policy.own_numbers),
    }
    return Shown("setup/numbers.html", values)
