"""MANGO's contact centre: campaigns and their numbers ↔ our values. Pure.

Field names are those of the vendor's examples, which its table confuses. Nothing says which codes `tasks/push` gives at once and
which it tells nobody; so what was taken is looked for in the list by the marker in its comment.
"""

from __future__ import annotations

import re
from collections.abc import Mapping
from contextlib import suppress
from datetime import UTC, datetime
from typing import Any

from campaigns.engine import (
    AddResult,
    EngineCampaign,
    EngineState,
    EngineTask,
    NewTask,
    TaskAdded,
    TaskRefused,
    TaskResult,
    TaskStanding,
    TaskThere,
    TaskThrottled,
    TaskUnknown,
)
from gateway.pbx.call_log import NoContactCentre, PbxRefused, PbxThrottled, PbxUnreachable
from gateway.pbx.capabilities import TaskPage
from gateway.pbx.mango.commands import Command
from gateway.pbx.port import WireInvalid
from gateway.pbx.reading.payload import as_count, as_text, json_object

NO_CONTACT_CENTRE, TOO_OFTEN = 5101, 5008
_IS_THERE = 5109
_PAGE = 100  # the most that it gives
_is_ref = re.compile(r"[0-9]{1,18}", re.ASCII).fullmatch

# 3 "stopping" ends in 0 "stopped", from which it may be started again.
_STATES: Mapping[int, tuple[EngineState, str]] = {
    0: ("paused", "stopped"),
    1: ("planned", "planned"),
    2: ("running", "running"),
    3: ("paused", "stopping"),
    4: ("finished", "finished"),
    5: ("busy", "being processed"),
    6: ("finished", "being deleted"),
}
_STANDINGS: Mapping[int, TaskStanding] = {0: "stopped", 1: "waits", 2: "calls", 4: "done", 6: "deleted"}
_RESULTS: Mapping[int, TaskResult] = {
    1: "talked",
    2: "client_busy",
    3: "client_no_answer",
    4: "client_unreachable",
    5: "operator",  # busy
    6: "operator",  # did not answer
    7: "operator",  # unavailable
    8: "bad_number",
    10: "operator",  # did not wait for the connection
    11: "taken_out",  # stopped by an administrator
    20: "operator_hung_up",  # stopped by the operator
    21: "client_unreachable",  # so said the guard against robots
    22: "client_busy",
    23: "client_unreachable",  # a voice mailbox
    24: "client_declined",  # hung up while it was listened whether a person speaks
    25: "expired",
    26: "do_not_call",  # on the account's list of forbidden numbers
}
_REFUSALS: Mapping[int, TaskRefused] = {
    5101: TaskRefused("edition", "the contract has no contact centre", "connection"),
    5106: TaskRefused("campaign_finished", "the campaign's status forbids it", "campaign"),
    5107: TaskRefused("too_many_tasks", "more than 10,000 numbers", "campaign"),
    5108: TaskRefused("too_many_tasks", "the limit of numbers that wait is reached", "later"),
    5113: TaskRefused("too_many_tasks", "the limit of numbers that wait is reached", "later"),
}
_FAMILIES: Mapping[int, TaskRefused] = {
    2: TaskRefused("engine_refused", "refused by the billing", "later"),
    3: TaskRefused("engine_refused", "a parameter is wrong", "number"),
    4: TaskRefused("engine_refused", "not possible", "number"),
}
_REQUEST_IS_WRONG = (3101, 3102, 4001)


def campaigns_request() -> Command:
    return Command("campaign/list", {})


def tasks_request(campaign: str, cursor: str | None) -> Command:
    payload = {"campaign_ids": [_id(campaign)], "fields": ["alias_all"], "limit": _PAGE, "cursor": cursor}
    return Command("v2/campaign/tasks", payload)


def delete_request(campaign: str, ref: str) -> Command:
    return Command("task/delete", {"campaign_id": _id(campaign), "task_id": _id(ref)})


def add_request(task: NewTask) -> Command:
    """Return the order. One by one goes only into a campaign that is endless; what is pushed is given no id, and may be many."""
    fields: dict[str, Any] = {
        "number": task.number.removeprefix("+"),
        "name": (task.name or task.number)[:255],
        "comment": task.marker,
    }
    if task.not_before is not None:
        fields["blocked_until"] = f"{task.not_before.astimezone(UTC):%Y-%m-%d %H:%M:%S}"
    if task.is_endless:
        return Command("task/add", {"campaign_id": _id(task.campaign), **fields})
    return Command("tasks/push", {"campaign_id": _id(task.campaign), "tasks": [fields]})


def read_added(body: bytes) -> AddResult:
    """Say what the answer to an addition means. A code that nobody knows of MANGO's own (5…) may have added it or not."""
    try:
        told = json_object(body, "body")
        code = as_count(told.get("result"), "result")
    except WireInvalid as err:
        return TaskUnknown(str(err))
    if code is None:
        return TaskUnknown("the answer has no result")
    if code // 1000 == 1:
        return TaskAdded(_text(told, "task_id"))
    words = f"MANGO {code}"
    if message := _text(told, "message"):
        words += f": {message[:200]}"
    if code == TOO_OFTEN:
        return TaskThrottled()
    if code == _IS_THERE:
        return TaskThere(words)
    if code in _REQUEST_IS_WRONG:
        return TaskRefused("engine_refused", words, "later")
    known = _REFUSALS.get(code) or _FAMILIES.get(code // 1000)
    if known is None and code // 100 == 51:
        return TaskRefused("engine_refused", words, "number")
    if known is None:
        return TaskUnknown(words)
    return known._replace(words=words if message else f"{words}: {known.words}")


def read_campaigns(body: bytes) -> tuple[EngineCampaign, ...]:
    """Return all campaigns. Raises WireInvalid, PbxError."""
    told = json_object(body, "body")
    refuse_result(told)
    return tuple(_campaign(one) for one in _objects(told, "campaigns"))


def read_tasks(body: bytes) -> TaskPage:
    """Return a page of numbers. Raises WireInvalid, PbxError."""
    told = json_object(body, "body")
    refuse_result(told)
    listed = _objects(told, "tasks")
    found: list[EngineTask] = []
    for one in listed:
        with suppress(WireInvalid):
            found.append(_task(one))
    return TaskPage(tuple(found), _text(told, "cursor") if listed else None, len(listed) - len(found))


def refuse_result(told: Mapping[str, Any]) -> None:
    """Raise PbxError for an answer whose `result` is none that was asked for."""
    code = as_count(told.get("result"), "result")
    if code is None or code // 1000 == 1:
        return
    if code == TOO_OFTEN:
        raise PbxThrottled("asked too often (5008)")
    if code == NO_CONTACT_CENTRE:
        raise NoContactCentre("the contract has no contact centre (5101)")
    if code // 100 == 50:
        raise PbxUnreachable(f"MANGO cannot now ({code})")
    raise PbxRefused(f"refused with {code}")


def _campaign(one: Mapping[str, Any]) -> EngineCampaign:
    ref = _text(one, "campaign_id")
    if ref is None:
        raise WireInvalid("campaign_id", "is missing")
    status = as_count(one.get("status"), "status")
    state, words = _STATES.get(-1 if status is None else status, ("busy", f"status {status}"))
    reason = as_count(one.get("status_reason"), "status_reason")
    return EngineCampaign(
        ref=ref,
        name=_text(one, "name") or ref,
        state=state,
        words=words if reason is None else f"{words} ({_REASONS.get(reason, reason)})",
        tasks=as_count(one.get("tasks_count"), "tasks_count"),
        done=as_count(one.get("finished_tasks_count"), "finished_tasks_count"),
    )


_REASONS: Mapping[int, str] = {
    1: "by order",
    2: "all done",
    3: "its time is over",
    4: "outside its schedule",
    5: "no sign of life",
    6: "no service",
    7: "no money",
    8: "maintenance",
    9: "by an administrator",
}


def _task(one: Mapping[str, Any]) -> EngineTask:
    ref = _text(one, "task_id")
    if ref is None:
        raise WireInvalid("task_id", "is missing")
    status = as_count(_either(one, "task_status", "status"), "task_status")
    reason = as_count(_either(one, "task_status_reason", "status_reason"), "task_status_reason")
    standing = _STANDINGS.get(-1 if status is None else status, "stopped")
    return EngineTask(
        ref=ref,
        number="".join(c for c in _text(one, "number") or "" if c.isdigit()),
        comment=str(_either(one, "task_comment", "comment") or ""),
        standing=standing,
        result=_RESULTS.get(-1 if reason is None else reason, "unclear") if standing == "done" else None,
        words=f"MANGO {status}/{reason}",
        tries=as_count(one.get("attempts_count"), "attempts_count") or 0,
        last_at=_time(_text(one, "last_attempt")),
    )


def _either(one: Mapping[str, Any], *names: str) -> Any:
    return next((one[name] for name in names if one.get(name) is not None), None)


def _time(text: str | None) -> datetime | None:
    """Return "YYYY.MM.DD HH:MM:SS", which is UTC as all of the vendor's campaigns is; None for what is none."""
    try:
        return datetime.strptime(text or "", "%Y.%m.%d %H:%M:%S").replace(tzinfo=UTC)
    except ValueError:
        return None


def _objects(told: Mapping[str, Any], name: str) -> list[Mapping[str, Any]]:
    """Of PHP's making: a list, or an object whose values are meant."""
    found = told.get(name)
    if found is None or found == "":
        return []
    values = list(found.values()) if isinstance(found, Mapping) else found
    if not isinstance(values, list) or not all(isinstance(value, Mapping) for value in values):
        raise WireInvalid(name, "must be a list of objects")
    return values


def _text(told: Mapping[str, Any], name: str) -> str | None:
    return as_text(told.get(name), name)


def _id(ref: str) -> int:
    if not _is_ref(ref):
        raise WireInvalid("id", "is none of MANGO's: it has digits only")
    return int(ref)
