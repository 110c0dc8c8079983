"""PHP's brackets, read and written."""

from __future__ import annotations

from urllib.parse import parse_qsl, urlencode

from hypothesis import given
from hypothesis import strategies as st

from crm.sandbox.php import flatten, ints_of, parse, values_of


def test_empty_brackets_count_up_and_named_ones_nest() -> None:
    assert parse("filter[id][]=1&filter[id][]=2&filter[updated_at][from]=5&page=3") == {
        "filter": {"id": {"0": "1", "1": "2"}, "updated_at": {"from": "5"}},
        "page": "3",
    }


def test_repeated_identical_key_keeps_the_last() -> None:
    assert parse("filter[id]=1&filter[id]=2") == {"filter": {"id": "2"}}


def test_nonsense_keys_stay_whole() -> None:
    assert parse("[x]=1&a]b=2") == {"[x]": "1", "a]b": "2"}


def test_values_come_from_scalars_lists_and_commas() -> None:
    assert values_of("a,b") == values_of({"0": "a", "5": "b"}) == ["a", "b"]
    assert ints_of({"0": "1", "1": "x"}) == [1]
    assert values_of(None) == []


def test_form_leaves_nulls_out_and_writes_booleans_as_digits() -> None:
    value = {"leads": {"add": [{"id": 1, "price": None, "is_deleted": False, "tags": [{"name": "x"}]}]}}
    assert list(flatten(value)) == [
        ("leads[add][0][id]", "1"),
        ("leads[add][0][is_deleted]", "0"),
        ("leads[add][0][tags][0][name]", "x"),
    ]


_NAMES = st.text("abc_é1", min_size=1, max_size=4)
_TREES = st.dictionaries(
    _NAMES,
    st.recursive(st.text(max_size=5), lambda inner: st.dictionaries(_NAMES, inner, min_size=1, max_size=3)),
    max_size=4,
)


@given(_TREES)
def test_what_is_written_reads_back(tree: object) -> None:
    form = urlencode(list(flatten(tree)))
    assert parse(parse_qsl(form, keep_blank_values=True)) == tree
