"""Results of distribution: found, read, and each with its log."""

from __future__ import annotations

from datetime import UTC, datetime, timedelta

import pytest

from gateway.store.admin.bindings import Bindings
from tests.integration.api.client import ACCOUNT, ANNA
from tests.integration.web.browser import Site

_ADD = """
INSERT INTO distribution_item (account_id, item_id, template, kind, entity_id, source, state, reason, employee_id, round,
    tried, entered_at, created_at, decided_at, refused, is_written, failures)
VALUES ($1, $2, $3, 'deal', $4, 'event', $5, $6, $7, 1, '{}', $8, $8, $8, '{}', true, 0)
"""


@pytest.fixture
async def given(site: Site) -> Site:
    now = datetime.now(UTC)
    async with site.pool.acquire() as conn:
        for number, (template, state, reason, who) in enumerate(
            (
                ("turns", "given", "turn", ANNA.id),
                ("shares", "waiting", "nobody", None),
                ("turns", "given", "turn", ANNA.id),
            )
        ):
            at = now - timedelta(minutes=number + 1)
            await conn.execute(
                _ADD, ACCOUNT, f"i{number}", template, str(700 + number), state, reason, who, at
            )
    return site


async def test_results_are_found_by_their_filters_and_lead_to_the_log(given: Site) -> None:
    admin = given.as_("admin")
    page = (await admin.get("/distribution")).page
    rows = page.one("tbody").all("tr")
    assert [row.all("a")[1]["href"].rpartition("/")[2].partition("?")[0] for row in rows] == [
        "700",
        "701",
        "702",
    ]
    assert ANNA.name in rows[0].text
    assert "пока никому" in rows[1].text
    waiting = (await admin.get("/distribution?state=waiting")).page
    assert len(waiting.one("tbody").all("tr")) == 1
    assert "Ничего не нашлось" in (await admin.get("/distribution?deal=1")).words
    log = await admin.get(rows[0].all("a")[0]["href"])
    assert log.status == 200
    assert "Сделка 700" in log.words
    assert (await admin.get("/distribution/results/none")).status == 404


async def test_what_waits_stands_by_itself(given: Site) -> None:
    words = (await given.as_("read_only", language="en").get("/distribution/waiting")).words
    assert "Deal 701" in words
    assert "Deal 700" not in words


async def test_who_is_bound_to_templates_sees_only_theirs(given: Site) -> None:
    bound = given.as_("manager", bound=Bindings(account_id=ACCOUNT, employee=ANNA.id, templates=("shares",)))
    words = (await bound.get("/distribution?span=all")).words
    assert "701" in words
    assert "700" not in words
    assert (await bound.get("/distribution/results/i0")).status == 404
    assert (await bound.get("/distribution/results/i1")).status == 200


async def test_a_filter_that_is_none_is_named(given: Site) -> None:
    answer = await given.as_("admin").get("/distribution?state=gone")
    assert answer.status == 422
    assert "state" in answer.words
