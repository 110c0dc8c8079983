"""Is it even: what was meant beside what everybody got, and why they differ."""

from __future__ import annotations

from datetime import UTC, datetime, timedelta

import pytest

from gateway.admin.distribution.templates import save_template
from gateway.store.admin.bindings import Bindings
from gateway.store.distribution.ledgers import BookedEntry, enter, save_ledgers
from routing.distribution.ledger import EMPTY, pick
from routing.distribution.template import DistributionTemplate, TemplateMember
from tests.integration.api.client import ACCOUNT, ANNA, SENIOR
from tests.integration.web.browser import Site

PAGE = "/distribution/analytics"
_ITEM = """
INSERT INTO distribution_item (account_id, item_id, template, kind, entity_id, source, state, reason, employee_id, round,
    tried, entered_at, created_at, decided_at, refused, is_written, failures)
VALUES ($1, $2, 'turns', 'deal', $2, 'event', $3, $4, $5, 1, '{}', $6, $6, $6, '{}', true, 0)
"""


@pytest.fixture
async def given(site: Site) -> Site:
    """24 deals in turn between two, the last four without one of them; six more are one's own clients."""
    now = datetime.now(UTC) - timedelta(minutes=5)
    both, ledger = {ANNA.id: 1, SENIOR.id: 1}, EMPTY
    template = DistributionTemplate(
        name="turns", employees=tuple(TemplateMember(employee_id=id) for id in both)
    )
    async with site.pool.acquire() as conn:
        await save_template(conn, ACCOUNT, template, by="t")
        for n in range(24):
            entry, ledger = pick(ledger, both if n < 20 else {ANNA.id: 1})
            await enter(conn, ACCOUNT, "turns", [BookedEntry(f"i{n}", f"d{n}", entry)], now)
            await conn.execute(_ITEM, ACCOUNT, f"i{n}", "given", "turn", entry.winner, now)
        for n in range(6):
            await conn.execute(_ITEM, ACCOUNT, f"k{n}", "kept", "repeat_owner", SENIOR.id, now)
        await save_ledgers(conn, ACCOUNT, "turns", {"": ledger})
    return site


async def test_meant_and_got_stand_beside_each_other_with_the_reasons(given: Site) -> None:
    page = (await given.as_("read_only").get(PAGE)).page
    rows = {
        row.one("th").text: [cell.text for cell in row.all("td")]
        for row in page.by_id("people").one("tbody").all("tr")
    }
    assert rows == {
        ANNA.name: ["14", "14", "0", "0", "14", "100 %"],
        SENIOR.name: ["10", "10", "6", "0", "16", "83 %"],
    }
    assert "Сделок: 30" in page.text
    assert f"{SENIOR.name}: на 6 больше доли (свои клиенты мимо очереди: 6, сделку" in page.by_id("why").text
    drawn = page.by_id("people").one("svg", role="img")["aria-label"]
    assert f"{ANNA.name}: 14, по доле 14" in drawn
    assert [row.all("td")[0].text for row in page.by_id("by-day").one("tbody").all("tr")] == ["0"] * 6 + [
        "24"
    ]


async def test_who_may_not_see_a_template_sees_none_of_it_and_few_deals_say_nothing(given: Site) -> None:
    bound = given.as_("senior_manager", bound=Bindings(account_id=ACCOUNT, templates=("x",)))
    assert "Шаблонов, которые вам видны, нет" in (await bound.get(PAGE)).words
    assert (await bound.get(f"{PAGE}?template=turns")).status == 404
    await given.pool.execute("DELETE FROM distribution_item WHERE item_id LIKE 'k%' OR item_id > 'i15'")
    few = await given.as_("admin").get(f"{PAGE}?template=turns&days=30")
    assert "после 20 сделок" in few.words
    assert (await given.as_("admin").get(f"{PAGE}?days=8")).status == 422
