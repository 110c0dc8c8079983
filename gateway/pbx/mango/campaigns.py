"""Campaigns of MANGO's contact centre: looked at, and numbers put in and taken out."""

from __future__ import annotations

from collections.abc import Callable
from typing import TypeVar

import aiohttp

from campaigns.engine import AddResult, EngineCampaign, NewTask, TaskRefused, TaskThrottled, TaskUnknown
from gateway.pbx.call_log import PbxAnswerInvalid, PbxRefused
from gateway.pbx.capabilities import PlaceUnknown, RefusedByPbx, TaskPage
from gateway.pbx.connection import Connection
from gateway.pbx.mango.client import answer_of, is_throttled, product_of, question_of
from gateway.pbx.mango.commands import CONTACT_CENTRE_EVERY
from gateway.pbx.mango.contact_centre import (
    add_request,
    campaigns_request,
    delete_request,
    read_added,
    read_campaigns,
    read_tasks,
    refuse_result,
    tasks_request,
)
from gateway.pbx.ordering import SECONDS, sent_once, told_by_status
from gateway.pbx.port import WireInvalid
from gateway.pbx.reading.payload import json_object

_T = TypeVar("_T")


class MangoCampaigns:
    """As CampaignEngine. MANGO knows no key by which a repeated request would be one, so nothing is ever repeated here."""

    def __init__(
        self, seconds: float = SECONDS, seconds_between: float = CONTACT_CENTRE_EVERY.total_seconds()
    ) -> None:
        self._seconds, self.seconds_between = seconds, seconds_between

    def product(self, connection: Connection) -> str:
        return product_of(connection)

    async def campaigns(
        self, session: aiohttp.ClientSession, connection: Connection
    ) -> tuple[EngineCampaign, ...]:
        body = await answer_of(session, connection, campaigns_request(), "campaigns", 30.0)
        return _read(lambda: read_campaigns(body))

    async def tasks(
        self, session: aiohttp.ClientSession, connection: Connection, campaign: str, cursor: str | None
    ) -> TaskPage:
        body = await answer_of(session, connection, tasks_request(campaign, cursor), "campaigns", 30.0)
        return _read(lambda: read_tasks(body))

    async def add(self, session: aiohttp.ClientSession, connection: Connection, task: NewTask) -> AddResult:
        try:
            question = question_of(add_request(task), connection, "campaigns", self._seconds)
        except WireInvalid as err:
            return TaskRefused("engine_refused", str(err), "connection")
        answer = await sent_once(question)
        if isinstance(answer, RefusedByPbx):
            return TaskThrottled()  # nothing was sent: it may be sent again soon
        if isinstance(answer, PlaceUnknown):
            return TaskUnknown(answer.why)
        if is_throttled(answer.body):
            return TaskThrottled(answer.retry_after)
        status = told_by_status(answer)
        read = read_added(answer.body)
        if status is None or not isinstance(read, TaskUnknown):
            return read
        if isinstance(status, PlaceUnknown):
            return TaskUnknown(status.why)
        if status.concerns == "limit":
            return TaskThrottled(answer.retry_after)
        return TaskRefused(
            "engine_refused", status.words, "number" if status.concerns == "this_call" else "later"
        )

    async def remove(
        self, session: aiohttp.ClientSession, connection: Connection, campaign: str, ref: str
    ) -> bool:
        body = await answer_of(session, connection, delete_request(campaign, ref), "campaigns", 30.0)
        try:
            _read(lambda: refuse_result(json_object(body, "body")))
        except PbxRefused as err:
            if err.code == PbxRefused.code:
                return False  # on the line just now, or gone
            raise
        return True


def _read(parse: Callable[[], _T]) -> _T:
    try:
        return parse()
    except WireInvalid as err:
        raise PbxAnswerInvalid(str(err)) from err
