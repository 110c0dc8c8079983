"""Why somebody got a deal can be computed again from what was kept of it, whatever has changed since."""

from __future__ import annotations

from gateway.decisions.recompute import Recomputed, recompute
from gateway.store.admin.matrices import MatrixStore
from gateway.store.admin.staff import replace_staff
from gateway.store.decisions.decisions import decision
from routing.distribution.template import (
    DistributionTemplate,
    Nobody,
    RepeatControl,
    TakenToWork,
    TemplateGroup,
    TemplateMember,
    WindowLimit,
)
from tests.integration.distribution.shop import ACCOUNT, ANNA, BORIS, BOSS, VERA, Shop, turn


async def _again(shop: Shop) -> list[Recomputed]:
    """Every decision of a distribution that there is, computed again."""
    ids = await shop.pool.fetch("SELECT decision_id FROM decision WHERE kind = 'distribution' ORDER BY seq")
    async with shop.pool.acquire() as conn:
        rows = [await decision(conn, ACCOUNT, row["decision_id"]) for row in ids]
        return [await recompute(conn, MatrixStore(), row) for row in rows]


async def _some_time_later(shop: Shop) -> None:
    await shop.time_passes(minutes=10)
    await shop.distributor.turn()


async def test_every_kind_of_answer_comes_out_the_same_after_people_and_templates_have_changed(
    shop: Shop,
) -> None:
    await shop.contact("c1")
    await shop.serve(
        turn(
            repeat=RepeatControl(by="contacts"),
            window=WindowLimit(deals=2, minutes=60),
            taken=TakenToWork(minutes=1, rounds=2),
        )
    )
    await shop.deal("theirs", owner_id=BORIS.crm_user_id, contact_ids=("c1",))
    await shop.came_in(contact_ids=("c1",))
    for _ in range(7):
        await shop.came_in()
    await _some_time_later(shop)
    parts = TemplateGroup(
        name="sales",
        percent=6000,
        members=tuple(TemplateMember(employee_id=p.id, percent=n) for p, n in ((ANNA, 7000), (BORIS, 3000))),
    )
    alone = (TemplateMember(employee_id="boss", percent=4000),)
    await shop.save(
        DistributionTemplate(name="t", kind="load", balance="percent", groups=(parts,), employees=alone)
    )
    for _ in range(3):
        await shop.came_in()
    await _some_time_later(shop)
    await shop.save(turn(open_deals_limit=0, nobody=Nobody(do="senior")))
    await shop.came_in()
    await _some_time_later(shop)
    async with shop.pool.acquire() as conn:
        await replace_staff(conn, ACCOUNT, [VERA, BOSS])
    await shop.save(turn(VERA))
    again = await _again(shop)
    assert {one.outcome["outcome"] for one in again} >= {"given", "kept", "waits"}
    assert len({one.reason for one in again}) >= 5
    assert [one for one in again if not one.is_same] == []
