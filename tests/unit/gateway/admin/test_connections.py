"""What a connection may be made of."""

from __future__ import annotations

import pytest

from gateway.admin.connections import lines_of, refuse_unknown
from gateway.admin.refused import InputRefused
from gateway.pbx.kinds import KINDS
from routing.settings import NumberPolicy


def test_our_lines_are_kept_in_one_spelling() -> None:
    assert lines_of(["8 (495) 123-45-67", "+74951234567"], NumberPolicy(region="RU")) == ("+74951234567",)


@pytest.mark.parametrize(
    ("order", "field"),
    [
        ({"kind": "nonsense"}, "kind"),
        ({"kind": "mango", "dialect": "nonsense"}, "dialect"),
        ({"kind": "mango", "keys": ["api_kye"]}, "keys"),
        ({"kind": "mango", "settings": ["ami_host"]}, "settings"),
    ],
)
def test_a_name_that_nothing_reads_is_refused_with_those_that_are(order: dict[str, str], field: str) -> None:
    with pytest.raises(InputRefused) as refused:
        refuse_unknown(kinds=KINDS, **order)
    assert refused.value.field == field
    assert refused.value.remedy.startswith("known: ")


def test_what_is_no_number_is_no_line() -> None:
    with pytest.raises(InputRefused, match="not a phone number"):
        lines_of(["nonsense"], NumberPolicy(region="RU"))
