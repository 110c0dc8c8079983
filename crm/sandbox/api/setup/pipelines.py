"""Writing of pipelines and their stages; administrators only."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from typing import Any

from crm.sandbox.api.exchange import SandboxExchange, request_id_of
from crm.sandbox.api.replies import Fault, SandboxReply, answer, invalid, no_content, refuse
from crm.sandbox.api.schema import Rule, check, check_keys
from crm.sandbox.api.stages import is_closed, pipeline_model, pipeline_of, stage_model
from crm.sandbox.state import State
from crm.sandbox.store import SandboxRow
from crm.sandbox.store.database import RowCondition

MOST_PIPELINES, MOST_STAGES = 50, 100
_SYSTEM = (
    (142, "Успешно реализовано", 10000, "#CCFF66"),
    (143, "Закрыто и не реализовано", 11000, "#D5D8DB"),
)
_DESCRIPTIONS = Rule("list", nullable=True)
_STAGE: Mapping[str, Rule] = {
    "name": Rule("str"),
    "sort": Rule("int"),
    "color": Rule("str", nullable=True),
    "descriptions": _DESCRIPTIONS,
    "request_id": Rule("int|str", nullable=True),
}
_NEW_STAGE = {**_STAGE, "name": Rule("str", required=True), "sort": Rule("int", required=True)}
_INNER_STAGE = {**_STAGE, "id": Rule("int"), "name": Rule("str", required=True), "type": Rule("int")}
_PIPELINE: Mapping[str, Rule] = {
    "name": Rule("str"),
    "sort": Rule("int"),
    "is_main": Rule("bool"),
    "is_unsorted_on": Rule("bool"),
    "request_id": Rule("int|str", nullable=True),
}
_NEEDED = ("name", "sort", "is_main", "is_unsorted_on")
_NEW_PIPELINE: Mapping[str, Rule] = {
    **{name: Rule(rule.kind, required=name in _NEEDED) for name, rule in _PIPELINE.items()},
    "_embedded": Rule("object", keys={"statuses": Rule("list", items=Rule("object", keys=_INNER_STAGE))}),
}


def create_pipelines(exchange: SandboxExchange) -> SandboxReply:
    exchange.require_admin()
    state, items = exchange.state, _checked(exchange, _NEW_PIPELINE)
    if len(state.pipelines()) + len(items) > MOST_PIPELINES:
        raise refuse(422, f"The number of pipelines exceeds the limit of {MOST_PIPELINES}")
    shown = []
    for index, item in enumerate(items):
        row = {name: item[name] for name in _NEEDED}
        sent = (item.get("_embedded") or {}).get("statuses") or []
        row = state.table("pipelines").add({**row, "statuses": _stages(state, sent)})
        _only_main(state, row)
        shown.append({**pipeline_model(exchange, row), "request_id": request_id_of(item, index)})
    links = exchange.self_link("leads/pipelines")
    return answer({"_total_items": len(shown), "_links": links, "_embedded": {"pipelines": shown}})


def _checked(exchange: SandboxExchange, keys: Mapping[str, Rule]) -> list[Any]:
    items, rule = exchange.items(), Rule("object", keys=keys)
    errors = [(str(request_id_of(item, n)), check(item, rule)) for n, item in enumerate(items)]
    if any(faults for _, faults in errors):
        raise invalid(errors)
    return items


def _stages(state: State, sent: Sequence[Mapping[str, Any]]) -> list[dict[str, Any]]:
    """Return that of Unsorted, those sent, and the two of closed leads, which may be sent with names of their own."""
    names = {item["id"]: item["name"] for item in sent if is_closed(item.get("id", 0))}
    first = _stage(state, {"name": "Неразобранное", "sort": 10, "color": "#c1c1c1"})
    open_ones = [_stage(state, item) for item in sent if not is_closed(item.get("id", 0))]
    closed = [
        {"id": id, "name": names.get(id, name), "sort": sort, "color": color, "type": 0}
        for id, name, sort, color in _SYSTEM
    ]
    return [{**first, "type": 1}, *_sorted(open_ones), *closed]


def _stage(state: State, item: Mapping[str, Any]) -> dict[str, Any]:
    color = item.get("color") or "#fffeb2"
    id = state.next_number("stage", 5_900_000)
    return {"id": id, "name": item["name"], "sort": item.get("sort", 20), "color": color, "type": 0}


def _sorted(stages: Sequence[dict[str, Any]]) -> list[dict[str, Any]]:
    return sorted(stages, key=lambda one: (one["type"] == 0, one["sort"]))


def _only_main(state: State, row: SandboxRow) -> None:
    """One pipeline is the main one."""
    if row["is_main"]:
        for other in state.table("pipelines").select():
            if other["is_main"] and other["id"] != row["id"]:
                state.table("pipelines").put({**other, "is_main": False})
    state.delete_directory()


def change_pipeline(exchange: SandboxExchange) -> SandboxReply:
    exchange.require_admin()
    row, item = dict(pipeline_of(exchange)), exchange.object()
    _refuse_faults(check_keys(item, _PIPELINE))
    if row["is_main"] and item.get("is_main") is False:
        raise refuse(422, "An account has to have a main pipeline")
    row |= {name: item[name] for name in _NEEDED if name in item}
    exchange.state.table("pipelines").put(row)
    _only_main(exchange.state, row)
    return answer({**pipeline_model(exchange, row), "request_id": item.get("request_id", "0")})


def delete_pipeline(exchange: SandboxExchange) -> SandboxReply:
    exchange.require_admin()
    row, state = pipeline_of(exchange), exchange.state
    if len(state.pipelines()) == 1 or row["is_main"]:
        raise refuse(422, "The main pipeline cannot be deleted")
    _refuse_leads(state, [("pipeline_id", "=", row["id"])])
    state.table("pipelines").drop(row["id"])
    state.delete_directory()
    return no_content()


def _refuse_leads(state: State, where: Sequence[RowCondition]) -> None:
    if state.table("leads").count([*where, ("is_deleted", "=", 0)]):
        raise refuse(422, "There are leads in it")


def _refuse_faults(faults: Sequence[Fault]) -> None:
    if faults:
        raise invalid([("0", faults)])


def create_stages(exchange: SandboxExchange) -> SandboxReply:
    exchange.require_admin()
    pipeline, state, items = dict(pipeline_of(exchange)), exchange.state, _checked(exchange, _NEW_STAGE)
    if len(pipeline["statuses"]) + len(items) > MOST_STAGES:
        raise refuse(422, f"The number of statuses exceeds the limit of {MOST_STAGES}")
    made = [_stage(state, item) for item in items]
    _keep(state, pipeline, [*pipeline["statuses"], *made])
    shown = [
        {**stage_model(exchange, pipeline, one), "request_id": request_id_of(item, index)}
        for index, (one, item) in enumerate(zip(made, items, strict=True))
    ]
    links = exchange.self_link(f"leads/pipelines/{pipeline['id']}/statuses")
    return answer({"_total_items": len(shown), "_links": links, "_embedded": {"statuses": shown}})


def _keep(state: State, pipeline: SandboxRow, stages: Sequence[dict[str, Any]]) -> None:
    state.table("pipelines").put({**pipeline, "statuses": _sorted(stages)})
    state.delete_directory()


def change_stage(exchange: SandboxExchange) -> SandboxReply:
    exchange.require_admin()
    pipeline, item = pipeline_of(exchange), exchange.object()
    _refuse_faults(check_keys(item, {**_STAGE, "id": Rule("int")}))
    own = _own_stage(exchange, pipeline)
    changed = {
        **own,
        **{name: item[name] for name in ("name", "sort", "color") if item.get(name) is not None},
    }
    if is_closed(own["id"]) or own["type"] == 1:
        changed["sort"], changed["color"] = own["sort"], own["color"]
    _keep(exchange.state, pipeline, [changed if one is own else one for one in pipeline["statuses"]])
    return answer(stage_model(exchange, pipeline, changed))


def delete_stage(exchange: SandboxExchange) -> SandboxReply:
    exchange.require_admin()
    pipeline = pipeline_of(exchange)
    own = _own_stage(exchange, pipeline)
    if is_closed(own["id"]) or own["type"] == 1:
        raise refuse(422, "A stage of the CRM's own cannot be deleted")
    _refuse_leads(exchange.state, [("pipeline_id", "=", pipeline["id"]), ("status_id", "=", own["id"])])
    _keep(exchange.state, pipeline, [one for one in pipeline["statuses"] if one is not own])
    return no_content()


def _own_stage(exchange: SandboxExchange, pipeline: SandboxRow) -> dict[str, Any]:
    for one in pipeline["statuses"]:
        if one["id"] == exchange.number("status"):
            found: dict[str, Any] = one
            return found
    raise refuse(404, "Not found")
