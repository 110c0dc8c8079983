"""What an account really has: the things that a matrix names by id, for the checks."""

from __future__ import annotations

from typing import Literal

from pydantic import BaseModel, ConfigDict

from routing.staff import Staff


class _Entry(BaseModel):
    model_config = ConfigDict(frozen=True)


class CatalogueStage(_Entry):
    """colour: as the CRM says it, "" = it says none."""

    id: str
    name: str = ""
    is_closed: bool = False
    is_unsorted: bool = False
    colour: str = ""


class CataloguePipeline(_Entry):
    id: str
    name: str = ""
    is_main: bool = False
    is_archived: bool = False
    is_unsorted_on: bool = True
    stages: tuple[CatalogueStage, ...] = ()


class CatalogueUser(_Entry):
    id: str
    name: str = ""
    is_active: bool = True


class CatalogueField(_Entry):
    entity: Literal["contact", "deal", "company"]
    id: str
    code: str | None = None
    name: str = ""


class Catalogue(_Entry):
    """What is empty was not read from the CRM yet, or does not exist, and goes unchecked. task_types: ids and codes.
    templates: of distribution, with how many people of each can be given anything; None = not asked for."""

    pipelines: tuple[CataloguePipeline, ...] = ()
    users: tuple[CatalogueUser, ...] = ()
    fields: tuple[CatalogueField, ...] = ()
    staff: Staff = Staff()
    is_unsorted_on: bool = True
    lines: tuple[str, ...] = ()
    connections: tuple[str, ...] = ()
    task_types: frozenset[str] = frozenset()
    templates: dict[str, int] | None = None

    @property
    def is_loaded(self) -> bool:
        return bool(self.pipelines)

    def pipeline(self, pipeline_id: str | None) -> CataloguePipeline | None:
        return next((p for p in self.pipelines if p.id == pipeline_id), None)

    def has_field(self, entity: str, name: str) -> bool:
        """name: id or code."""
        known = (f for f in self.fields if f.entity == entity)
        return not self.fields or any(name in (f.id, f.code) for f in known)

    def is_active_user(self, user_id: str) -> bool:
        """Users that are not there were deleted; without any list nobody is doubted."""
        return not self.users or any(u.id == user_id and u.is_active for u in self.users)
