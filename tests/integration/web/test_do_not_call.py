"""The do-not-call list on a page: added, found, pasted as a list, taken off with a reason; who may not sees nothing of it."""

from __future__ import annotations

from campaigns.model import CampaignSettings
from gateway.admin.campaigns.saved import make_campaign
from gateway.store.outbound.do_not_call import add
from tests.integration.api.client import ACCOUNT
from tests.integration.web.browser import Answer, Site
from tests.integration.web.selling import open_shop

PATH = "/setup/do-not-call"
NUMBER, OTHER = "+79161234567", "+79161234568"


def _rows(page: Answer) -> list[str]:
    return [row.one("th").text for row in page.page.one("tbody").all("tr")]


async def test_a_number_is_added_found_and_taken_off_with_a_reason(site: Site) -> None:
    senior = site.as_("senior_manager")
    assert "Список пуст" in (await senior.get(PATH)).words
    wrong = await senior.post(PATH, {"number": "101", "note": "ext"})
    assert (wrong.status, "Это не номер телефона" in wrong.page.by_id("number-error").text) == (422, True)
    assert wrong.page.by_id("number")["value"] == "101", "what was typed stays"
    assert (
        await senior.post(PATH, {"number": "8 916 123-45-67", "note": "просил по телефону"})
    ).location == PATH
    async with site.pool.acquire() as conn:
        await add(conn, ACCOUNT, OTHER, source="client", said_by="SMS")
    assert len(_rows(await senior.get(PATH))) == 2
    assert "4567" in _rows(await senior.get(f"{PATH}?q=8+(916)+1234567"))[0].replace("-", "")
    assert len(_rows(await senior.get(f"{PATH}?q=просил"))) == 1
    assert len(_rows(await senior.get(f"{PATH}?source=client"))) == 1
    assert "Таких номеров в списке нет" in (await senior.get(f"{PATH}?q=nobody")).words
    question = await senior.post(f"{PATH}/remove", {"number": NUMBER, "campaign": ""})
    assert (question.status, "только с его согласия" in question.words) == (200, True)
    assert not question.page.all(id="why-error")
    refused = await senior.post(f"{PATH}/remove", {"number": NUMBER, "campaign": "", "note": "x"})
    assert (refused.status, "Напишите, почему" in refused.page.by_id("why-error").text) == (422, True)
    for _ in range(2):  # twice, as by a double press
        done = await senior.post(
            f"{PATH}/remove", {"number": NUMBER, "campaign": "", "note": "клиент согласен"}
        )
        assert (done.status, done.location) == (303, PATH)
    assert len(_rows(await senior.get(PATH))) == 1
    told = await site.pool.fetch("SELECT action, after FROM audit WHERE what = 'do-not-call' ORDER BY 1 DESC")
    assert [row["action"] for row in told] == ["removed", "added"]
    assert told[0]["after"]["note"] == "клиент согласен"


async def test_a_pasted_list_says_what_became_of_each_line_and_long_lists_have_pages(site: Site) -> None:
    senior = site.as_("senior_manager", language="en")
    numbers = [f"+7916000{n:04d};note {n}" for n in range(60)]
    done = await senior.post(f"{PATH}/list", {"text": "\n".join([*numbers, numbers[0], "hello", "101"])})
    assert done.status == 200
    facts = done.page.by_id("imported").text
    assert ("Added 60" in facts, "Lines without a number 2" in facts) == (True, True)
    assert "line 63, “101”: an extension" in facts
    first = await senior.get(PATH)
    older = first.page.one("a", rel="next")["href"]
    both = [*_rows(first), *_rows(await senior.get(older))]
    assert (len(both), len(set(both))) == (60, 60)
    assert (await senior.post(f"{PATH}/list", {"text": " "})).status == 422


async def test_who_is_no_senior_manager_sees_nothing_of_it(site: Site) -> None:
    for role in ("read_only", "manager"):
        somebody = site.as_(role)
        assert (await somebody.get(PATH)).status == 403
        assert (await somebody.post(PATH, {"number": NUMBER})).status == 403
    assert await site.pool.fetchval("SELECT count(*) FROM do_not_call") == 0


async def test_a_campaign_is_one_that_exists(site: Site) -> None:
    """A slip in its name would leave the client unprotected, and nobody would know."""
    await open_shop(site.pool)
    senior = site.as_("senior_manager")
    assert not (await senior.get(PATH)).page.all("select", name="campaign")
    async with site.pool.acquire() as conn:
        settings = {"connection": "office", "target": {"kind": "employee", "employee_id": "anna"}}
        await make_campaign(conn, ACCOUNT, "spring", CampaignSettings.model_validate(settings), by="ann")
    chosen = (await senior.get(PATH)).page.one("select", name="campaign")
    assert [one["value"] for one in chosen.all("option")] == ["", "spring"]
    slip = {"number": NUMBER, "text": NUMBER, "campaign": "sprng"}
    refused = await senior.post(PATH, slip)
    assert (refused.status, "Такой кампании нет" in refused.page.by_id("campaign-error").text) == (422, True)
    assert (await senior.post(f"{PATH}/list", slip)).status == 422
    assert await site.pool.fetchval("SELECT count(*) FROM do_not_call") == 0
    assert (await senior.post(PATH, {**slip, "campaign": "spring"})).status == 303
    assert "spring" in (await senior.get(PATH)).words
