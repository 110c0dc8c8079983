"""Repeated names in what a PBX sends: in the address, in a form, in both."""

from __future__ import annotations

import pytest
from hypothesis import given
from hypothesis import strategies as st

from gateway.pbx.asterisk.agi import parse_request
from gateway.pbx.query import read_pairs
from gateway.pbx.reading.payload import read_fields, read_form
from tests.unit.gateway.pbx.builders import a_request

BLANKS = st.sampled_from(["", "+", "%20", "++"])


@given(
    before=st.lists(BLANKS), after=st.lists(BLANKS), number=st.from_regex(r"[1-9][0-9]{3,14}", fullmatch=True)
)
def test_blank_values_around_a_number_never_hide_it(before: list[str], after: list[str], number: str) -> None:
    text = "&".join(f"phone={value}" for value in (*before, number, *after))
    assert read_pairs(text)["phone"] == number
    assert read_form(text.encode())["phone"] == number


def test_a_blank_field_of_the_body_does_not_hide_the_one_of_the_address() -> None:
    request = a_request(body=b"phone=&did=2", query={"phone": "79001234567", "did": "1"})
    assert read_fields(request) == {"phone": "79001234567", "did": "2"}


@pytest.mark.parametrize("script", ["lookup?phone=7900&phone=", "lookup?phone=&phone=7900"])
def test_a_script_of_asterisk_is_read_by_the_same_rule(script: str) -> None:
    request = parse_request(f"agi_network_script: {script}\n".encode())
    assert request.question().phone == "7900"
