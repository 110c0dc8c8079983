"""Pipelines and their stages. 142 and 143 stand in every pipeline; each pipeline has its own stage for Unsorted."""

from __future__ import annotations

from collections.abc import Mapping
from typing import Any

from crm.sandbox.api.exchange import SandboxExchange
from crm.sandbox.api.replies import Fault, SandboxReply, answer, refuse
from crm.sandbox.api.schema import not_supported
from crm.sandbox.state import ACCOUNT_ID, State
from crm.sandbox.store import SandboxRow

WON, LOST = 142, 143


def is_closed(status_id: int) -> bool:
    return status_id in (WON, LOST)


def check_stage(state: State, item: Mapping[str, Any], prefix: str) -> list[Fault]:
    """Refuse an unknown pipeline, or a status that is none of its stages (that of Unsorted counts as none)."""
    status, pipeline = item.get("status_id"), item.get("pipeline_id")
    pipelines = state.pipelines()
    if pipeline is not None and pipeline not in pipelines:
        return [not_supported(f"{prefix}pipeline_id")]
    own = [pipelines[pipeline]] if pipeline is not None else list(pipelines.values())
    stages = {stage["id"] for one in own for stage in one["statuses"] if stage["type"] == 0}
    if status is not None and status not in stages:
        return [not_supported(f"{prefix}status_id")]
    return []


def list_pipelines(exchange: SandboxExchange) -> SandboxReply:
    rows = [pipeline_model(exchange, row) for row in exchange.state.pipelines().values()]
    value = {
        "_total_items": len(rows),
        "_links": exchange.self_link("leads/pipelines"),
        "_embedded": {"pipelines": rows},
    }
    return answer(value, entities=len(rows))


def get_pipeline(exchange: SandboxExchange) -> SandboxReply:
    return answer(pipeline_model(exchange, pipeline_of(exchange)), entities=1)


def list_stages(exchange: SandboxExchange) -> SandboxReply:
    stages = [stage_model(exchange, pipeline_of(exchange), one) for one in pipeline_of(exchange)["statuses"]]
    path = f"leads/pipelines/{exchange.args['id']}/statuses"
    value = {
        "_total_items": len(stages),
        "_links": exchange.self_link(path),
        "_embedded": {"statuses": stages},
    }
    return answer(value, entities=len(stages))


def get_stage(exchange: SandboxExchange) -> SandboxReply:
    pipeline = pipeline_of(exchange)
    for one in pipeline["statuses"]:
        if one["id"] == exchange.number("status"):
            return answer(stage_model(exchange, pipeline, one), entities=1)
    raise refuse(404, "Not found")


def pipeline_of(exchange: SandboxExchange) -> SandboxRow:
    row = exchange.state.pipelines().get(exchange.number("id"))
    if row is None:
        raise refuse(404, "Not found")
    return row


def pipeline_model(exchange: SandboxExchange, row: SandboxRow) -> dict[str, Any]:
    return {
        "id": row["id"],
        "name": row["name"],
        "sort": row["sort"],
        "is_main": row["is_main"],
        "is_unsorted_on": row["is_unsorted_on"] and exchange.state.profile.unsorted_on,
        "is_archive": row.get("is_archive", False),
        "account_id": ACCOUNT_ID,
        "_links": exchange.self_link(f"leads/pipelines/{row['id']}"),
        "_embedded": {"statuses": [stage_model(exchange, row, one) for one in row["statuses"]]},
    }


def stage_model(exchange: SandboxExchange, pipeline: SandboxRow, one: Mapping[str, Any]) -> dict[str, Any]:
    path = f"leads/pipelines/{pipeline['id']}/statuses/{one['id']}"
    return {
        "id": one["id"],
        "name": one["name"],
        "sort": one["sort"],
        "is_editable": one["type"] == 0 and not is_closed(one["id"]),
        "pipeline_id": pipeline["id"],
        "color": one["color"],
        "type": one["type"],
        "account_id": ACCOUNT_ID,
        "_links": exchange.self_link(path),
    }
