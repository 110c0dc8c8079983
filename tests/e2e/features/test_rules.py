"""What the admin edits: call types, tasks, pipelines, parameters, cards: S4 rows 1, 5, 7, 13, 14, 15."""

from __future__ import annotations

from typing import Any

import pytest

from routing.conditions import Condition
from routing.matrix.actions import Action, Card, MakeTask
from routing.matrix.model import Matrix, ParameterField, PipelineRule
from routing.matrix.presets import recommended
from tests.e2e.features.office import LINE, Office

pytestmark = pytest.mark.asyncio(loop_scope="session")

MAIN, SECOND, SECOND_STAGE = 5000001, 5000002, 5000023


def changed(cells: dict[str, tuple[Action, ...]] | None = None, **settings: Any) -> Matrix:
    """The recommended matrix with these cells and settings instead of its own."""
    matrix = recommended()
    table = matrix.tables["default"]
    table = table.model_copy(update={"cells": {**table.cells, **(cells or {})}})
    return matrix.model_copy(update={"tables": {"default": table}, **settings})


def by_pool() -> Matrix:
    rule = PipelineRule(
        name="реклама",
        when=(Condition(parameter="pool", test="equals", values=("Контекстная реклама",)),),
        pipeline_id=str(SECOND),
        stage_id=str(SECOND_STAGE),
    )
    fields = (
        ParameterField(parameter="utm_source", entity="deal", field="UTM_SOURCE"),
        ParameterField(parameter="roistat", entity="deal", field="ROISTAT"),
        ParameterField(parameter="client_id", entity="deal", field="800407"),
    )
    return changed(pipeline_rules=(rule,), parameters=fields)


def values(deal: dict[str, Any], field: int) -> list[str]:
    return [v["value"] for v in deal["cf"].get(str(field), [])]


async def test_s4_01_the_advertising_source_of_a_call_is_in_the_crm(office: Office) -> None:
    await office.use(by_pool())
    client = office.new_number()
    await office.answered(client, "103", utm_source="yandex")
    (deal,) = (await office.left(client)).deals
    assert values(deal, 800301) == ["yandex"]


async def test_s4_13_extra_parameters_such_as_roistats_visit_id_go_into_the_fields_that_were_chosen(
    office: Office,
) -> None:
    await office.use(by_pool())
    client = office.new_number()
    await office.answered(client, "103", roistat="visit-77", params={"client_id": "GA1.2"})
    (deal,) = (await office.left(client)).deals
    assert values(deal, 800307) == ["visit-77"]
    assert values(deal, 800407) == ["GA1.2"]


async def test_s4_15_a_call_of_the_named_pool_goes_to_the_named_pipeline_and_others_to_the_default(
    office: Office,
) -> None:
    await office.use(by_pool())
    ads, plain = office.new_number(), office.new_number()
    await office.answered(ads, "103", pool="Контекстная реклама")
    await office.answered(plain, "103", pool="Визитки")
    (of_ads,) = (await office.left(ads)).deals
    (of_plain,) = (await office.left(plain)).deals
    assert (of_ads["pipeline_id"], of_ads["status_id"]) == (SECOND, SECOND_STAGE)
    assert of_plain["pipeline_id"] == MAIN


async def test_s4_15_pipeline_rules_see_the_pool_that_ringostat_names(office: Office) -> None:
    await office.use(by_pool())
    client = office.new_number()
    common = {"call_id": f"r-{client}", "caller": client, "destination": LINE, "call_type": "in",
              "pool_name": "Контекстная реклама", "utm_source": "google"}  # fmt: skip
    await office.ringostat("before", **common)
    await office.ringostat("answer", employee_number="104", **common)
    await office.ringostat(
        "after",
        employee_number="104",
        disposition="PROPER",
        duration="60",
        billsec="50",
        waittime="10",
        recording="https://r.example/1.mp3",
        **common,
    )
    await office.idle()
    left = await office.left(client)
    (deal,) = left.deals
    assert (deal["pipeline_id"], deal["responsible_user_id"]) == (SECOND, office.user(104))
    assert values(deal, 800301) == ["google"]
    assert [(n["params"]["duration"], n["params"]["link"]) for n in left.calls] == [
        (50, "https://r.example/1.mp3")
    ]


async def test_s4_07_the_first_call_leaves_contact_deal_and_task_during_or_after_it(office: Office) -> None:
    task = MakeTask(responsible="who_answered", text="Отправить предложение {{ client.number }}")
    cells = recommended().tables["default"].cells
    at_answer, at_end = "inbound.answered.new/answer", "inbound.answered.new/end"
    await office.use(changed({at_answer: (*cells[at_answer], task)}))
    client = office.new_number()
    call = await office.ring(client)
    await office.answer(call, "104")
    await office.idle()
    assert (await office.left(client)).numbers == (1, 1, 1, 0), "during"
    await office.hang_up(call, answered=True)
    await office.idle()
    left = await office.left(client)
    assert left.numbers == (1, 1, 1, 1)
    assert (left.tasks[0]["text"], left.tasks[0]["responsible_user_id"]) == (
        f"Отправить предложение +{client}",
        office.user(104),
    )
    await office.use(changed({at_end: (*cells[at_end], task)}))
    client = office.new_number()
    await office.answered(client, "104")
    assert (await office.left(client)).numbers == (1, 1, 1, 1), "after"


async def test_s4_14_the_matrix_decides_by_call_type_and_can_be_edited(office: Office) -> None:
    await office.use(changed({"inbound.missed.new/end": ()}))
    missed, answered = office.new_number(), office.new_number()
    await office.missed(missed)
    await office.answered(answered, "105")
    assert (await office.left(missed)).numbers == (0, 0, 0, 0)
    assert (await office.left(answered)).numbers == (1, 1, 0, 1)


async def test_s4_05_who_is_rung_sees_the_callers_card_with_contact_and_deal(office: Office) -> None:
    await office.use(changed({"inbound.ringing.known_with_deal/ring": (Card(to=("rung", "owner")),)}))
    client, contact, deal = await office.known(extension=106)
    told = await office.stack.lookup(client)
    assert (told["entity"]["kind"], told["entity"]["id"]) == ("contact", str(contact))
    assert told["entity"]["name"] == f"Клиент {client}" or client in told["entity"]["name"]
    assert told["entity"]["url"].endswith(f"/contacts/detail/{contact}")
    call = await office.ring(client, extension="102")
    await office.idle()
    cards = [c for c in await office.stack.rows("call_card") if client in str(c)]
    assert len(cards) == 1
    assert str(office.user(102)) in str(cards[0])
    assert str(office.user(106)) in str(cards[0])
    assert deal is not None
    await office.hang_up(call, answered=False)
    await office.idle()
