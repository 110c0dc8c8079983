"""An administrator of the CRM deletes or demands what our orders knew otherwise: the call arrives, or the desk says why not."""

from __future__ import annotations

from typing import Any

from crm.effects import dead_letters, order
from crm.lane import Lane
from crm.sandbox.seed import OPEN_STAGES, PIPELINE
from routing.client import Ref
from routing.effects import AttachCall, CreateContact, CreateDeal, Effect
from tests.integration.crm.test_writer_sandbox import Shop, shop

__all__ = ["shop"]

STAGE_ID = OPEN_STAGES[1]
STAGE, CALLS = str(STAGE_ID), 800404  # a numeric field of deals
NUMBER = "+79165550001"


async def _act(shop: Shop, **order: Any) -> None:
    async with shop.http.post(f"{shop.sandbox.url}/_sandbox/act", json=order) as reply:
        assert reply.status == 200, await reply.text()


async def _change_field(shop: Shop, plural: str, id: int, **changes: Any) -> None:
    async with shop.http.patch(
        f"{shop.sandbox.url}/api/v4/{plural}/custom_fields/{id}",
        json=changes,
        headers={"Authorization": f"Bearer {shop.sandbox.token('pages')}"},
    ) as reply:
        assert reply.status == 200, await reply.text()


async def _order(shop: Shop, *, stage: str | None = None, fields: dict[str, str] | None = None) -> None:
    contact = Ref(kind="contact", effect="c:contact")
    deal = CreateDeal(
        name="x", contact=contact, pipeline_id=str(PIPELINE), stage_id=stage, fields=fields or {}
    )
    async with shop.pool.acquire() as conn, conn.transaction():
        await order.order(
            conn,
            account_id="a",
            decision_id="d",
            call_id="c",
            client=NUMBER,
            lane=Lane.EVENTS,
            effects=[
                Effect(key="c:contact", order=CreateContact(name="x", number=NUMBER)),
                Effect(key="c:deal", order=deal),
            ],
        )


async def _effect(shop: Shop, key: str) -> dict[str, Any]:
    row = await shop.pool.fetchrow("SELECT * FROM effect WHERE effect_key = $1", key)
    assert row is not None
    return dict(row)


async def _delete_stage(shop: Shop) -> None:
    await _act(shop, do="delete_stage", pipeline=PIPELINE, status=STAGE_ID)


async def test_a_deal_for_a_stage_that_was_deleted_stands_in_the_pipelines_first_and_says_so(
    shop: Shop,
) -> None:
    await _delete_stage(shop)
    await _order(shop, stage=STAGE)
    assert await shop.settled() == {"done": 2}
    row = await _effect(shop, "c:deal")
    assert row["crm_extra"]["left_out"].startswith("status_id")
    (made,) = await shop.reader.by_ids("deal", [row["crm_id"]], Lane.EVENTS)
    assert made.pipeline_id == str(PIPELINE)
    assert made.stage_id not in (None, STAGE)
    assert shop.refused_values == 1


async def test_a_deal_that_died_of_a_deleted_stage_is_made_when_it_is_tried_again(shop: Shop) -> None:
    """As one that an older version put on the desk, with the call that needed it."""
    await _delete_stage(shop)
    await _order(shop, stage=STAGE)
    async with shop.pool.acquire() as conn:
        await conn.execute(
            "UPDATE effect SET state = 'dead', attempts = 1, error_code = 'NotSupportedChoice', error_field = 'status_id'"
            " WHERE effect_key = 'c:deal'"
        )
        assert await dead_letters.retry(conn, "a") == 1
    assert await shop.settled() == {"done": 2}
    assert (await _effect(shop, "c:deal"))["crm_extra"]["left_out"].startswith("status_id")
    (contact,) = await shop.reader.find_by_number("contact", NUMBER, Lane.EVENTS)
    assert len(contact.deal_ids) == 1


async def test_a_contact_is_made_without_the_kind_of_number_that_the_account_has_no_longer(
    shop: Shop,
) -> None:
    fields = await shop.reader.fields("contact", Lane.EVENTS)
    phone = next(int(field.id) for field in fields if field.code == "PHONE")
    await _change_field(shop, "contacts", phone, enums=[{"value": "Личный", "sort": 1}])
    await _order(shop)
    assert await shop.settled() == {"done": 2}
    assert (await _effect(shop, "c:deal"))["crm_extra"]["left_out"].startswith("enum_code")
    (contact,) = await shop.reader.find_by_number("contact", NUMBER, Lane.EVENTS)
    assert len(contact.deal_ids) == 1


async def test_a_deal_goes_to_the_first_stage_when_its_own_asks_for_a_field_that_calls_do_not_fill(
    shop: Shop,
) -> None:
    shop.sandbox.state.profile = shop.sandbox.state.profile.changed({"required_fields": "refuse"})
    demanded = [{"pipeline_id": PIPELINE, "status_id": STAGE_ID}]
    await _change_field(shop, "leads", CALLS, required_statuses=demanded)
    await _order(shop, stage=STAGE, fields={"UTM_SOURCE": "site"})
    assert await shop.settled() == {"done": 2}
    row = await _effect(shop, "c:deal")
    assert row["crm_extra"]["left_out"] == "status_id: FieldMissing"
    (made,) = await shop.reader.by_ids("deal", [row["crm_id"]], Lane.EVENTS)
    assert made.stage_id not in (None, STAGE)


async def test_a_deal_without_a_field_that_is_always_demanded_stands_on_the_desk_with_its_name(
    shop: Shop,
) -> None:
    shop.sandbox.state.profile = shop.sandbox.state.profile.changed({"required_fields": "refuse"})
    await _change_field(shop, "leads", CALLS, is_required=True, name="Бюджет")
    await _order(shop)
    noted = AttachCall(
        target=Ref(kind="deal", effect="c:deal"), uniq="c", direction="inbound", number=NUMBER,
        at=(await _effect(shop, "c:deal"))["created_at"], talk_seconds=5, status="talked",
    )  # fmt: skip
    async with shop.pool.acquire() as conn, conn.transaction():
        await order.order(
            conn, account_id="a", decision_id="d", call_id="c", client=NUMBER, lane=Lane.EVENTS,
            effects=[Effect(key="c:call", order=noted, after=("c:deal",))],
        )  # fmt: skip
    assert await shop.settled() == {"done": 2, "dead": 1}
    async with shop.pool.acquire() as conn:
        (item,) = await dead_letters.items(conn, "a", language="en")
    assert (item.key, item.code) == ("c:deal", "FieldMissing")
    assert "a required field is empty" in item.why
    assert "Бюджет" in item.why
    (contact,) = await shop.reader.find_by_number("contact", NUMBER, Lane.EVENTS)
    assert len(await shop.reader.notes("contact", [contact.id], Lane.EVENTS)) == 1, (
        "the call is on the contact"
    )
    shop.sandbox.state.profile = shop.sandbox.state.profile.changed({"required_fields": "ignore"})
    shop.restart()
    async with shop.pool.acquire() as conn:
        assert await dead_letters.retry(conn, "a") == 1
    assert await shop.settled() == {"done": 3}
