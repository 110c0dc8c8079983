"""The task of a missed-call case, as people treat it in the CRM: completed, it closes the case; given to somebody else, the
case follows it."""

from __future__ import annotations

from gateway.calls.call import follow_task
from gateway.calls.client_job import ClientJob
from gateway.crm_events.job import Consumer
from gateway.store.calls.calls import lock_client
from gateway.store.calls.missed_calls import client_of_task, is_task_to_be_given, open_case
from gateway.store.crm_events.work import EventRow
from routing.missed_calls import TaskTold
from runtime.database.pool import Conn

NAME = "missed_call_tasks"
_ASPECTS = frozenset(("completed", "responsible"))


def follow_missed_call_tasks(job: ClientJob) -> Consumer:
    async def consume(conn: Conn, event: EventRow) -> None:
        if event.kind != "task" or event.aspect not in _ASPECTS or not event.new:
            return
        owned = await client_of_task(conn, event.account_id, event.entity_id)
        if owned is None:
            return
        client, case_id = owned
        await lock_client(conn, event.account_id, client)
        case = await open_case(conn, event.account_id, client)
        if case is None or case.id != case_id:
            return
        if event.aspect == "responsible" and await is_task_to_be_given(conn, event.account_id, case):
            return
        told = TaskTold(
            event_id=event.event_id,
            at=event.at,
            by_user=event.by_user,
            is_completed=event.aspect == "completed" and event.new == "1",
            owner_id=event.new if event.aspect == "responsible" else None,
        )
        await follow_task(await job.context(conn, event.account_id), case, told)

    return consume
