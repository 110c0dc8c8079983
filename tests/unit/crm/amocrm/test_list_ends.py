"""Where a list of the CRM ends, whatever it says itself."""

from __future__ import annotations

from collections.abc import Callable, Mapping
from typing import Any

import pytest

from crm.amocrm.adapter import AmoCrm
from crm.amocrm.transport import Transport
from crm.amocrm.wire import Reply, Request
from crm.budget import Budget
from crm.lane import Lane
from tests.fakes.tokens import FixedToken

Serve = Callable[[int, int], tuple[range, bool]]
"""(page, limit) -> ids of its rows, and whether it says that more follow."""


class Lists(Transport):
    def __init__(self, serve: Serve) -> None:
        self.serve, self.asked = serve, 0

    def clock_offset(self, base_url: str) -> float | None:
        return None

    async def exchange(self, base_url: str, request: Request, headers: Mapping[str, str]) -> Reply:
        self.asked += 1
        assert self.asked < 100, "a list without an end"
        query = dict(request.query)
        ids, has_next = self.serve(int(query["page"]), int(query["limit"]))
        if not ids:
            return Reply(status=204)
        rows = ",".join(f'{{"id":{id},"name":"U","rights":{{"is_active":true}}}}' for id in ids)
        more = '{"next":{"href":"x"}}' if has_next else "{}"
        plural = request.path.rpartition("/")[2]
        body = f'{{"_links":{more},"_embedded":{{"{plural}":[{rows}]}}}}'
        return Reply(status=200, content_type="application/hal+json", body=body.encode())


def whole(total: int, most: int = 250, *, says_next: Any = None) -> Serve:
    """most: rows that the server gives at a time, whatever it is asked for. says_next: always, never, None = rightly."""

    def serve(page: int, limit: int) -> tuple[range, bool]:
        size = min(limit, most)
        ids = range(1 + (page - 1) * size, 1 + min(page * size, total))
        return ids, (page * size < total) if says_next is None else says_next

    return serve


def repeating(total: int) -> Serve:
    """Its last page is given for every page beyond, and more is always promised."""
    return lambda page, limit: (
        range(1 + (min(page, 2) - 1) * limit, 1 + min(min(page, 2) * limit, total)),
        True,
    )


def round_and_round(page: int, limit: int) -> tuple[range, bool]:
    return range(1, 1 + limit), True


SERVERS = {
    "rightly": (whole(1085), 1085),
    "next-never": (whole(1085, 100, says_next=False), 1085),
    "next-always": (whole(1085, says_next=True), 1085),
    "repeats": (repeating(400), 400),
    "ignores-pages": (round_and_round, 250),
    "a-full-page": (whole(250), 250),
    "nothing": (whole(0), 0),
}


@pytest.mark.parametrize(("serve", "total"), SERVERS.values(), ids=list(SERVERS))
@pytest.mark.parametrize("list_of", ["contact", "users"])
async def test_every_row_is_read_and_the_reading_ends(serve: Serve, total: int, list_of: str) -> None:
    lists = Lists(serve)
    tokens = FixedToken("http://crm", "key")
    crm = AmoCrm("http://crm", tokens, Budget(100_000), None, transport=lists)  # type: ignore[arg-type]
    seen: set[str] = set()
    if list_of == "users":
        seen = {user.id for user in await crm.users(Lane.SYNC)}
    else:
        number = 1
        while True:
            page = await crm.page("contact", Lane.SYNC, page=number)
            seen |= {contact.id for contact in page.items}
            if not page.has_next:
                break
            number += 1
    assert len(seen) == total


async def test_an_end_that_was_looked_beyond_is_believed_for_a_while() -> None:
    lists = Lists(whole(30))
    tokens, now = FixedToken("http://crm", "key"), 0.0
    crm = AmoCrm("http://crm", tokens, Budget(100_000), None, transport=lists, clock=lambda: now)  # type: ignore[arg-type]
    for asked in (2, 3, 4):
        await crm.users(Lane.SYNC)
        assert lists.asked == asked
    lists.serve = whole(31)
    await crm.users(Lane.SYNC)
    assert lists.asked == 6
