"""Whose a dialogue becomes: by a template that hands out the deals, and by the first answer."""

from __future__ import annotations

from dataclasses import replace

import pytest

from routing.dialogues.owner import (
    AnswerTold,
    DealHandling,
    DealPlaced,
    OwnerReason,
    judged_answer,
    judged_deal,
)

NEW = DealPlaced(
    deal_owner="boss",
    owner=None,
    is_owner_active=False,
    is_same=False,
    is_made=True,
    is_open=True,
    is_handed_out=False,
)
GIVEN = replace(NEW, deal_owner="anna", owner="anna", is_owner_active=True, is_same=True, is_handed_out=True)
KNOWN = replace(NEW, deal_owner="anna", is_made=False)


@pytest.mark.parametrize(
    ("told", "handling"),
    [
        pytest.param(NEW, "hand-out", id="a new deal is nobody's, whoever keeps it so far"),
        pytest.param(
            replace(NEW, is_same=True, is_handed_out=True), "leave", id="it waits for somebody already"
        ),
        pytest.param(replace(NEW, is_same=True), "hand-out", id="the rule was another one when it was made"),
        pytest.param(GIVEN, "leave", id="it is an active person's"),
        pytest.param(replace(GIVEN, deal_owner="boss"), "leave", id="the CRM's word is late"),
        pytest.param(
            replace(GIVEN, is_owner_active=False, deal_owner=None),
            "hand-out",
            id="case 35: the owner has left",
        ),
        pytest.param(
            replace(GIVEN, is_owner_active=False, deal_owner="boris"), "deal-owner", id="the CRM gave it on"
        ),
        pytest.param(
            replace(GIVEN, is_owner_active=False, deal_owner=None, is_open=False),
            "leave",
            id="nothing to give",
        ),
        pytest.param(
            replace(GIVEN, is_same=False, is_handed_out=False), "hand-out", id="a new deal after closing"
        ),
        pytest.param(KNOWN, "deal-owner", id="the client has a deal that somebody works on"),
        pytest.param(
            replace(KNOWN, deal_owner=None), "hand-out", id="the client has a deal that nobody works on"
        ),
        pytest.param(
            replace(KNOWN, deal_owner=None, is_open=False), "leave", id="a closed deal is given to nobody"
        ),
    ],
)
def test_what_becomes_of_the_deal(told: DealPlaced, handling: DealHandling) -> None:
    assert judged_deal(told) == handling


ANSWER = AnswerTold(
    author_kind="employee",
    employee_id="boris",
    owner="anna",
    is_first_answer_rule=True,
    active=("anna", "boris"),
)


@pytest.mark.parametrize(
    ("told", "reason"),
    [
        pytest.param(ANSWER, "taken", id="somebody else was first"),
        pytest.param(
            replace(ANSWER, active=("boris",)), "first-answer", id="case 35: the first has left since"
        ),
        pytest.param(replace(ANSWER, active=("anna",), owner=None), "gone", id="who cannot be responsible"),
        pytest.param(replace(ANSWER, owner="boris"), "has-owner", id="it is theirs already"),
        pytest.param(
            replace(ANSWER, is_first_answer_rule=False, owner=None), "other-rule", id="by a template"
        ),
    ],
)
def test_what_an_answer_means(told: AnswerTold, reason: OwnerReason) -> None:
    assert judged_answer(told) == reason
