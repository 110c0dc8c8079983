"""What a person does in the CRM with a call-back task, on the real processes: the case follows, by webhook or by feed."""

from __future__ import annotations

from collections.abc import AsyncIterator
from pathlib import Path
from typing import Any

import pytest

from tests.e2e.stack import Stack, running_stack
from tests.waiting import until

LINE = "74950000001"


@pytest.fixture
async def stack(tmp_path: Path, database_url: str) -> AsyncIterator[Stack]:
    env = {"CALLMATRIX_POLL_SECONDS": "1"}
    async with running_stack(tmp_path, database_url, env=env) as running:
        yield running


async def _task_of_a_missed_call(stack: Stack, number: str) -> dict[str, Any]:
    base = {"callId": f"missed-{number}", "from_": number, "to": LINE, "direction": "in"}
    await stack.event(event="newCall", **base)
    await stack.event(event="hangup", cause="noAnswer", **base)
    await until(lambda: stack.rows("task"), "the task is in the CRM", seconds=30)
    await stack.until_idle()
    (task,) = await stack.rows("task")
    return task


async def _change(stack: Stack, task: dict[str, Any], user: int, **values: Any) -> None:
    """As this user of the CRM."""
    token = (await stack.sandbox(f"token?integration=pages&user={user}"))["access_token"]
    async with stack.http.patch(
        f"{stack.sandbox_url}/api/v4/tasks/{task['id']}",
        json=values,
        headers={"Authorization": f"Bearer {token}"},
    ) as response:
        assert response.status == 200, await response.text()


async def _until_case(stack: Stack, column: str, value: str) -> None:
    sql = f"SELECT count(*) = 1 FROM missed_case WHERE {column}::text = $1"
    await until(lambda: stack.pool.fetchval(sql, value), f"the case's {column} is {value}", seconds=20)


@pytest.mark.parametrize("has_webhooks", [True, False])
async def test_a_case_follows_its_task_to_another_person_and_ends_with_it(
    stack: Stack, *, has_webhooks: bool
) -> None:
    await until(
        lambda: stack.pool.fetchval("SELECT count(*) > 0 FROM crm_event_consumer"), "a consumer", seconds=20
    )
    if has_webhooks:
        await stack.register_webhook()
    task = await _task_of_a_missed_call(stack, "79035550077")
    others = [u for u in await stack.rows("user") if u["id"] != task["responsible_user_id"]]
    await _change(stack, task, others[0]["id"], responsible_user_id=others[0]["id"])
    await _until_case(stack, "owner_id", str(others[0]["id"]))
    await _change(stack, task, others[0]["id"], is_completed=True, result={"text": "called back"})
    await _until_case(stack, "state", "closed")
