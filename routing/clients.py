"""Who is on the line: what the CRM (and what we have already ordered from it) knows of one number, and our employees."""

from __future__ import annotations

from collections.abc import Iterable, Mapping
from datetime import datetime
from enum import StrEnum
from typing import Literal, NamedTuple

from pydantic import BaseModel, ConfigDict, Field

EntityKind = Literal["lead", "contact", "company", "deal"]


class Candidate(NamedTuple):
    """One CRM entity that a number leads to, as the directory keeps it in memory.

    owner: CRM user id of the responsible, "" when it has none that can be known. updated_at: Unix seconds.
    has_open_deal: for contacts and companies. Open deals of a contact or company are candidates of their own.
    """

    kind: EntityKind
    id: str
    owner: str
    updated_at: int
    name: str
    has_open_deal: bool


class ClientKind(StrEnum):
    NEW = "new"
    KNOWN_WITH_DEAL = "known_with_deal"
    KNOWN_WITHOUT_DEAL = "known_without_deal"


class Ref(BaseModel):
    """An entity in the CRM: by its id there, or by the key of the effect of ours that will create it. Exactly one is set."""

    model_config = ConfigDict(frozen=True)

    kind: EntityKind
    id: str | None = None
    effect: str | None = None


class ClientEntity(BaseModel):
    """One entity of a client for the matrix: what exists in the CRM, or what an effect of ours has promised."""

    model_config = ConfigDict(frozen=True)

    ref: Ref
    name: str = ""
    owner_id: str | None = None
    created_at: datetime | None = None
    updated_at: datetime | None = None
    pipeline_id: str | None = None
    stage_id: str | None = None
    is_open: bool = True
    closed_at: datetime | None = None


class Client(BaseModel):
    """All that is known of one number at one moment. entities: in no particular order; deals include closed ones."""

    model_config = ConfigDict(frozen=True)

    number: str
    entities: tuple[ClientEntity, ...] = ()

    def of(self, kind: EntityKind) -> list[ClientEntity]:
        return [e for e in self.entities if e.ref.kind == kind]

    @property
    def kind(self) -> ClientKind:
        """new = no contact, company, lead or open deal; a lead waiting in Unsorted makes a client known."""
        if any(e.ref.kind == "deal" and e.is_open for e in self.entities):
            return ClientKind.KNOWN_WITH_DEAL
        return ClientKind.KNOWN_WITHOUT_DEAL if self.entities else ClientKind.NEW


class Employee(BaseModel):
    """A person of ours. crm_user_id: None = not mapped to the CRM. is_active: as the CRM says of the mapped user.

    extensions: the first is the one that is rung. sip, numbers: other addresses on which he answers (numbers E.164).
    """

    model_config = ConfigDict(frozen=True)

    id: str
    name: str
    email: str = ""
    crm_user_id: str | None = None
    extensions: tuple[str, ...] = ()
    sip: tuple[str, ...] = ()
    numbers: tuple[str, ...] = ()
    is_active: bool = True
    is_senior: bool = False
    deputy_id: str | None = None
    group: str | None = None


class Staff(BaseModel):
    """All employees of an account at one version, indexed for the rules. Build it with `Staff.of`."""

    model_config = ConfigDict(frozen=True, arbitrary_types_allowed=True)

    version: int = 0
    employees: tuple[Employee, ...] = ()
    by_id: Mapping[str, Employee] = Field(default_factory=dict, exclude=True, repr=False)
    by_crm_user: Mapping[str, Employee] = Field(default_factory=dict, exclude=True, repr=False)
    by_address: Mapping[str, Employee] = Field(default_factory=dict, exclude=True, repr=False)

    @classmethod
    def of(cls, employees: Iterable[Employee], version: int = 0) -> Staff:
        people = tuple(employees)
        by_address: dict[str, Employee] = {}
        for person in people:
            for address in (*person.extensions, *person.sip, *person.numbers):
                by_address.setdefault(address.lower(), person)
        return cls(
            version=version,
            employees=people,
            by_id={p.id: p for p in people},
            by_crm_user={p.crm_user_id: p for p in people if p.crm_user_id},
            by_address=by_address,
        )

    @property
    def senior(self) -> Employee | None:
        return next((p for p in self.employees if p.is_senior), None)

    def who_answers_at(self, address: str | None) -> Employee | None:
        """address: an extension, SIP login (`sip:` and the domain may be there) or an E.164 number. None when nobody's."""
        if not address:
            return None
        key = address.lower().removeprefix("sip:")
        return self.by_address.get(key) or self.by_address.get(key.partition("@")[0])
