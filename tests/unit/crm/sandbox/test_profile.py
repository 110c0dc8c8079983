"""Profiles: named, changed, refused."""

from __future__ import annotations

import pytest

from crm.sandbox.faults import fault_rules
from crm.sandbox.profile import AMOCRM, KOMMO, profile_of


def test_profile_comes_by_name_or_by_its_switches() -> None:
    assert profile_of("kommo") is KOMMO
    changed = profile_of({"name": "kommo", "filters_on": True})
    assert (changed.phone_tail, changed.filters_on, KOMMO.filters_on) == (8, True, False)
    assert profile_of(AMOCRM.changed({"webhook_delays": [1, 2]})).webhook_delays == (1, 2)


@pytest.mark.parametrize("wrong", ["nothing", {"no_such_switch": 1}])
def test_what_does_not_exist_is_named(wrong: object) -> None:
    with pytest.raises(ValueError, match="no such"):
        profile_of(wrong)  # type: ignore[arg-type]


@pytest.mark.parametrize(
    "wrong",
    [[], {}, {"rules": [1]}, {"rules": [{"fault": "flood"}]}, {"rules": [{"fault": "500", "nth": 0}]}],
)
def test_wrong_fault_plans_are_refused(wrong: object) -> None:
    with pytest.raises(ValueError, match=r"expected|a rule is|no such fault|whole number"):
        fault_rules(wrong)
