"""A stored decision computed again from its stored inputs: it must come out the same."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from typing import Any

import orjson

from gateway.distribution.recorded import KIND as DISTRIBUTION
from gateway.distribution.recorded import GivenBy, decided_again, outcome_json
from gateway.lookup.recorder import outcome_of
from gateway.store.admin.matrices import MatrixStore
from gateway.store.admin.staff import staff_at
from gateway.store.decisions.decisions import DecisionRow
from gateway.store.decisions.lookup_inputs import lookup_rules
from gateway.store.distribution.templates import template_at
from routing.calls.model import Call
from routing.client import Candidate
from routing.client_work.call import no_client_reason
from routing.lookup import decide as lookup
from routing.lookup.available import Reachability
from routing.lookup.decide import LookupReason
from routing.matrix.decide import decide
from routing.matrix.situation import Situation
from routing.numbers.normalise import normalise
from routing.settings import NumberPolicy
from runtime.database.pool import Conn

# These come from the clock or from a fault and not from the rules; they are taken as they were.
_CUT_SHORT = (LookupReason.DIRECTORY_LOADING, LookupReason.DEADLINE, LookupReason.FAILURE)


class NotRecomputable(Exception):
    """This decision's inputs were not all stored, or its kind is not computed from them alone."""

    code = "not-recomputable"


@dataclass(frozen=True, slots=True, kw_only=True)
class Recomputed:
    """As it comes out now. is_same: outcome, reason and every step are those that were stored."""

    reason: str
    outcome: Mapping[str, Any]
    steps: Sequence[Mapping[str, Any]]
    is_same: bool


async def recompute(conn: Conn, matrices: MatrixStore, row: DecisionRow) -> Recomputed:
    """Lookups, decisions of the matrix and of distribution. Raises NotRecomputable, NoSuchStaffVersion, NoSuchMatrixVersion, NoSuchRules."""
    if row.kind == "lookup":
        return await _lookup(conn, row)
    if row.kind == "matrix":
        return await _matrix(conn, matrices, row) if row.client else _without_client(row)
    if row.kind == DISTRIBUTION:
        return await _distribution(conn, row)
    raise NotRecomputable(f"a decision of kind '{row.kind}'")


async def _matrix(conn: Conn, matrices: MatrixStore, row: DecisionRow) -> Recomputed:
    inputs = dict(row.inputs)
    staff = await staff_at(conn, row.account_id, inputs.pop("staff_version"))
    matrix = await matrices.at(conn, row.account_id, inputs.pop("matrix_version"))
    decided = decide(matrix, Situation.model_validate({**inputs, "staff": staff}))
    outcome = decided.model_dump(mode="json", exclude={"steps"})
    return _compared(row, decided.reason, outcome, [s.as_json() for s in decided.steps])


def _without_client(row: DecisionRow) -> Recomputed:
    call, policy = Call.model_validate(row.inputs["call"]), NumberPolicy.model_validate(row.inputs["policy"])
    reason = no_client_reason(call, policy)
    steps = [{"rule": "client", "verdict": "decided", "because": reason, "facts": {}}]
    return _compared(row, reason, {"effects": [], "reason": reason}, steps)


async def _lookup(conn: Conn, row: DecisionRow) -> Recomputed:
    inputs = row.inputs
    if not inputs.get("rules"):
        raise NotRecomputable("the rules of this lookup were not stored")
    numbers, rules = await lookup_rules(conn, row.account_id, inputs["rules"])
    staff = await staff_at(conn, row.account_id, inputs["staff_version"])
    if row.reason in _CUT_SHORT:
        decided = lookup.fall_back(LookupReason(row.reason))
    else:
        available = Reachability.of_json(inputs.get("available") or {})
        candidates = [Candidate(*c) for c in inputs["candidates"]]
        decided = lookup.decide(normalise(inputs["phone"], numbers), candidates, staff, rules, available)
    return _compared(row, decided.reason, outcome_of(decided), [s.as_json() for s in decided.steps])


async def _distribution(conn: Conn, row: DecisionRow) -> Recomputed:
    given = GivenBy(*(row.outcome[name] for name in GivenBy._fields))
    template = await template_at(conn, row.account_id, given.template, given.version)
    if template is None:
        raise NotRecomputable(f"version {given.version} of the template '{given.template}' is gone")
    staff = await staff_at(conn, row.account_id, row.inputs["staff_version"])
    decided = decided_again(row.inputs, template, staff)
    return _compared(row, decided.reason, outcome_json(given, decided), [s.as_json() for s in decided.steps])


def _compared(
    row: DecisionRow, reason: str, outcome: Mapping[str, Any], steps: Sequence[Mapping[str, Any]]
) -> Recomputed:
    now = _plain([str(reason), outcome, steps])
    then = _plain([row.reason, row.outcome, row.steps])
    return Recomputed(reason=now[0], outcome=now[1], steps=now[2], is_same=now == then)


def _plain(value: Any) -> Any:
    """As it would come back from the database."""
    return orjson.loads(orjson.dumps(value, option=orjson.OPT_NON_STR_KEYS))
