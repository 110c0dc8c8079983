"""One refusal of the key breaks no account; who refused it before and refuses it again is believed."""

from __future__ import annotations

import asyncio
from collections.abc import Sequence

import pytest

from crm.amocrm.tokens import ReconnectNeeded
from crm.errors import (
    CrmBlocked,
    CrmError,
    CrmForbidden,
    CrmThrottled,
    CrmUnauthorised,
    CrmUnavailable,
    CrmUnpaid,
)
from crm.refused_key import RefusedKey
from runtime.lifecycle import background


class Crm:
    """Answers each question with what comes next, the last for ever. None: all is well."""

    def __init__(self, *answers: CrmError | None) -> None:
        self.answers, self.asked = list(answers), 0
        self.broken: list[str] = []
        self.is_on = True

    async def ask(self) -> None:
        self.asked += 1
        answer = self.answers.pop(0) if len(self.answers) > 1 else self.answers[0]
        if answer is not None:
            raise answer

    async def break_account(self, reason: str) -> None:
        self.broken.append(reason)
        self.is_on = False


async def doubted(crm: Crm, *, waves: Sequence[int] = (1,)) -> None:
    """Waves of doubt, each of so many at once."""
    key = RefusedKey("a", crm.ask, crm.break_account, lambda: crm.is_on, quiet_seconds=0.0)
    async with background(key.run()):
        for wave in waves:
            for _ in range(wave):
                key.doubt()
            for _ in range(20):
                await asyncio.sleep(0)


async def test_a_key_that_was_refused_for_a_moment_is_good() -> None:
    crm = Crm(None)
    await doubted(crm, waves=(1, 1, 1))
    assert (crm.broken, crm.asked) == ([], 3)


async def test_a_key_that_is_refused_again_is_bad_and_it_is_said_how() -> None:
    crm = Crm(ReconnectNeeded("token-refused", "a"))
    await doubted(crm)
    (reason,) = crm.broken
    assert reason.startswith("token-refused: The CRM refuses the access key")
    plain = Crm(CrmUnauthorised("401"))
    await doubted(plain)
    assert plain.broken == ["key-refused: 401"]


@pytest.mark.parametrize(
    "trouble",
    [
        CrmThrottled("429", 1.0),
        CrmUnavailable("slow"),
        CrmBlocked("403"),
        CrmUnpaid("402"),
        CrmForbidden("403"),
    ],
    ids=lambda err: err.code,
)
async def test_a_crm_in_trouble_says_nothing_of_the_key(trouble: CrmError) -> None:
    crm = Crm(trouble)
    await doubted(crm, waves=(1, 1))
    assert crm.broken == []


async def test_many_who_were_refused_at_once_ask_once() -> None:
    crm = Crm(None)
    await doubted(crm, waves=(12,))
    assert crm.asked == 1


async def test_an_account_that_is_not_on_is_not_asked() -> None:
    crm = Crm(CrmUnauthorised("401"))
    await doubted(crm, waves=(1, 1, 1))
    assert (crm.asked, len(crm.broken)) == (1, 1)
