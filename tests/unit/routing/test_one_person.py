"""Whose clients they are who are for one person only."""

from __future__ import annotations

import pytest

from routing.client import Client, ClientEntity, Ref
from routing.one_person import marks_of, person_of, reserved_entities, watched_marks
from routing.settings import OnePersonPolicy
from routing.staff import Employee, Staff

STAFF = Staff.of(tuple(Employee(id=id, name=id, crm_user_id=id.upper()) for id in ("anna", "vera", "boris")))
POLICY = OnePersonPolicy(
    clients={"+79000000001": "anna", "contact:7": ""},
    tags={"VIP": "vera", "Свой": ""},
    fields={"5": {"Борис": "boris", "*": ""}},
)
WATCHED = watched_marks(POLICY)


def client(*marks: str, number: str = "+79000000009", id: str = "1", owner: str = "ANNA") -> Client:
    entity = ClientEntity(ref=Ref(kind="contact", id=id), owner_id=owner, marks=tuple(sorted(marks)))
    return Client(number=number, entities=(entity,))


def bearing(tags: tuple[str, ...] = (), **fields: str) -> Client:
    return client(*marks_of(tags, {name[1:]: value for name, value in fields.items()}, WATCHED))


@pytest.mark.parametrize(
    ("of", "person"),
    [
        (client(), None),
        (client(number="+79000000001"), "anna"),
        (client(id="7", owner="VERA"), "vera"),
        (bearing(("vip",)), "vera"),
        (bearing(("ViP", "new")), "vera"),
        (bearing(("свой",)), "anna"),
        (bearing(("new",)), None),
        (bearing(_5=" БОРИС "), "boris"),
        (bearing(_5="somebody"), "anna"),
        (bearing(_5=" "), None),
        (bearing(_6="Борис"), None),
        (bearing(("vip",), _5="Борис"), "vera"),
    ],
)
def test_number_then_entity_then_tag_then_field_say_whose(of: Client, person: str | None) -> None:
    assert person_of(POLICY, of, STAFF) == person


def test_a_closed_deals_tag_says_nothing() -> None:
    deal = ClientEntity(ref=Ref(kind="deal", id="3"), owner_id="ANNA", marks=("tag:vip",), is_open=False)
    assert person_of(POLICY, Client(number="", entities=(deal,)), STAFF) is None


def test_the_phone_knows_the_same_clients_by_their_entities() -> None:
    marked = {"contact:1": ["tag:vip"], "deal:2": ["field:5=x"], "contact:7": ["tag:vip"]}
    assert reserved_entities(POLICY, marked) == {
        "+79000000001": "anna",
        "contact:1": "vera",
        "deal:2": "",
        "contact:7": "",
    }
