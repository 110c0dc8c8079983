"""Why it was decided so: any stored decision in one sentence."""

from __future__ import annotations

from collections.abc import Sequence

from gateway.decisions.names_then import NamesThen
from gateway.decisions.why.case import why_case
from gateway.decisions.why.distribution import why_distribution
from gateway.decisions.why.lookup import why_lookup
from gateway.decisions.why.matrix import why_matrix
from gateway.decisions.why.sentence import DecisionFacts, Spelling, WhySentence
from gateway.store.decisions.decisions import DecisionRow, EffectRow


def why_of(
    row: DecisionRow,
    names: NamesThen,
    spelling: Spelling,
    *,
    effects: Sequence[EffectRow] | None = None,
    was_clients_call: bool = False,
) -> WhySentence:
    """names: of the moment of the decision. effects: as of `why_matrix`. was_clients_call: as of `why_case`."""
    facts = DecisionFacts(row.outcome, list(row.steps), row.inputs, names, spelling)
    match row.kind:
        case "lookup":
            return why_lookup(row.reason, facts)
        case "matrix":
            return why_matrix(row.reason, facts, effects)
        case "case":
            return why_case(row.reason, facts, was_clients_call=was_clients_call)
        case _:
            return why_distribution(row.reason, facts)
