"""Who is on the line: what the CRM (and what we have already ordered from it) knows of one number, and our employees."""

from __future__ import annotations

from datetime import datetime
from enum import StrEnum
from typing import Literal, NamedTuple

from pydantic import BaseModel, ConfigDict

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
    """One entity of a client for the matrix: what exists in the CRM, or what an effect of ours has promised.

    marks: tags and values of custom fields that the account asks for (routing/one_person.py).
    """

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
    marks: tuple[str, ...] = ()


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
