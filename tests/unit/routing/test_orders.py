"""One description per kind of order, and what follows from it everywhere."""

from __future__ import annotations

from routing.orders import ORDER_KINDS, order_types


def test_every_kind_of_order_is_described_under_its_own_name() -> None:
    described = {do: kind.type for do, kind in ORDER_KINDS.items()}
    assert described == {order.model_fields["do"].default: order for order in order_types()}


def test_what_a_description_names_is_a_field_of_its_order() -> None:
    for do, kind in ORDER_KINDS.items():
        named = {name for name in (kind.names, kind.follows) if name}
        assert named <= set(kind.type.model_fields), do
