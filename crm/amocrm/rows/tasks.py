"""Pages of the tasks that a user has still to do."""

from __future__ import annotations

from functools import partial

from crm.amocrm import wire_read
from crm.amocrm.client import AmoClient
from crm.amocrm.fields import Node
from crm.amocrm.rows.page import page_of
from crm.amocrm.rows.paging import Paging, Query
from crm.amocrm.tables import PAGE_LIMIT
from crm.amocrm.wire import API, Request
from crm.lane import Lane
from crm.port import CrmTask, Page
from crm.unread import UnreadNotes


class TaskPages:
    def __init__(self, client: AmoClient, unread: UnreadNotes) -> None:
        self._client, self._unread = client, unread
        self._paging = Paging(self._get)

    async def page(self, owner_id: str, lane: Lane, page: int) -> Page[CrmTask]:
        """Return those that are wanted: whoever ignores the filters tells more."""
        query = [
            ("filter[responsible_user_id][]", owner_id),
            ("filter[is_completed]", "0"),
            ("order[complete_till]", "asc"),
        ]
        answer = await self._paging.page("/tasks", "tasks", lane, query, page=page, limit=PAGE_LIMIT)
        found = page_of(answer, "tasks", wire_read.TASKS.read, partial(self._unread.tell, "task"))
        wanted = (task for task in found.items if task.owner_id == owner_id and not task.is_completed)
        return Page(items=tuple(wanted), has_next=found.has_next)

    async def _get(self, path: str, lane: Lane, query: Query) -> Node | None:
        return await self._client.ask(Request(method="GET", path=f"{API}{path}", query=tuple(query)), lane)
