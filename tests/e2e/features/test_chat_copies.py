"""S2.16: what is said in a messenger stands in the deal, by message, hour or day, or not at all."""

from __future__ import annotations

from datetime import UTC, datetime, timedelta
from typing import Any

import pytest

from tests.e2e.features.sales import Sales
from tests.fakes.channels.sandbox import client_message, tell
from tests.waiting import until

pytestmark = pytest.mark.asyncio(loop_scope="session")

RULES = ("each", "hour", "day", "none")
# Long over in every zone: what was said then is written at once.
YESTERDAY = datetime.now(UTC).replace(hour=9, minute=10, second=0, microsecond=0) - timedelta(days=2)


async def connected(sales: Sales, name: str, **rules: Any) -> tuple[str, str]:
    """A channel of the sandbox: its id, and the address for what it tells."""
    body = {"name": name, "kind": "sandbox", "rules": rules}
    made = await sales.api("POST", "channels", status=201, body=body)
    return made["id"], (await sales.api("GET", f"channels/{made['id']}/address"))["url"]


async def say(sales: Sales, address: str, rule: str, *told: tuple[str, str, int]) -> None:
    """told: id, text and how many minutes later."""
    number = f"+790121600{RULES.index(rule):02}"
    updates = [
        client_message(
            id,
            rule,
            text,
            phone=number,
            name=f"Copied {rule}",
            at=(YESTERDAY + timedelta(minutes=minutes)).isoformat(),
        )
        for id, text, minutes in told
    ]
    assert await tell(sales.stack.http, address, updates) == [200]


async def notes(sales: Sales, rule: str) -> list[list[str]]:
    """Lines of the notes that stand on the client's deals in the CRM, without their headings."""
    deals = {d["id"] for d in await sales.stack.rows("deal") if str(d["name"]).endswith(f"Copied {rule}")}
    found = [
        n["params"]["text"].splitlines()[1:]
        for n in await sales.stack.rows("note")
        if n["entity_id"] in deals and n["note_type"] == "extended_service_message"
    ]
    return sorted(found)


async def test_s2_16_a_dialogue_is_copied_into_its_deal_by_message_hour_or_day_or_not_at_all(
    sales: Sales,
) -> None:
    channels = {rule: await connected(sales, f"copied by {rule}", copies=rule) for rule in RULES}
    try:
        for rule, (_, address) in channels.items():
            await say(sales, address, rule, ("1", "<1>", 0), ("2", "<2>", 20), ("3", "<3>", 120))

        async def shown() -> dict[str, list[list[int]]]:
            """Of each rule, which messages stand together in a note."""
            said = {rule: await notes(sales, rule) for rule in RULES}
            return {
                rule: [[int(line.rpartition("<")[2][0]) for line in lines] for lines in of]
                for rule, of in said.items()
            }

        wanted = {"each": [[1], [2], [3]], "hour": [[1, 2], [3]], "day": [[1, 2, 3]], "none": []}

        async def is_as_wanted() -> bool:
            return await shown() == wanted

        await until(is_as_wanted, f"the deals show {wanted}", seconds=60)
        # The rule is changed: it holds for what comes from then on.
        for rule, (id, address) in channels.items():
            await sales.api("PATCH", f"channels/{id}", body={"rules": {"copies": "each"}})
            await say(sales, address, rule, ("4", "<4>", 125))
        wanted = {rule: [*of, [4]] for rule, of in wanted.items()}
        await until(is_as_wanted, f"the deals show {wanted}", seconds=60)
    finally:
        for id, _ in channels.values():
            await sales.api("DELETE", f"channels/{id}?even_if_used=true", status=204)
