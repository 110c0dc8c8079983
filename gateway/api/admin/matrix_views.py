"""What requests and answers about matrices hold."""

from __future__ import annotations

from datetime import datetime
from typing import Annotated, Literal

from pydantic import Field

from gateway.admin.input_words import MATRIX_VERSION
from gateway.api.frame import Answer, Body
from routing.matrix.checks.check import Problem
from routing.matrix.model import Matrix
from routing.texts.catalogue import DEFAULT_LANGUAGE, Language

Revision = Annotated[int, Field(ge=0, le=2**53, description="of the draft that was read")]


Why = Annotated[str, Field(description="shown in the list of versions")]


VersionInPath = Annotated[str, Field(pattern=MATRIX_VERSION)]


class LanguageQuery(Body):
    lang: Annotated[Language, Field(description="of the words")] = DEFAULT_LANGUAGE


class DraftChange(Body):
    revision: Revision
    matrix: Matrix


class DraftSeen(Body):
    revision: Revision


class Publication(Body):
    revision: Revision
    why: Why


class Restoration(Body):
    why: Why


class MatrixToCheck(Body):
    matrix: Matrix


class DifferenceQuery(Body):
    old: VersionInPath = "current"
    new: VersionInPath = "draft"


class DraftView(Answer):
    """revision: name it when saving. based_on: the version that was current when it was begun; with another
    current_version it has to be taken over (`rebase`) before it can be published. is_changed: somebody has saved."""

    revision: int
    based_on: int
    current_version: int
    is_changed: bool
    saved_at: datetime | None
    saved_by: str | None
    matrix: Matrix
    problems: list[Problem]
    can_be_published: bool


class PublishedLine(Answer):
    """restored: the version whose body this is, after a roll-back. trial: of one that was on trial, how that stands; null: it
    was published at once."""

    version: int
    published_at: datetime
    published_by: str
    why: str
    restored: int | None
    trial: Literal["running", "published", "taken_back"] | None


class PublishedView(PublishedLine):
    matrix: Matrix


class PresetView(Answer):
    id: str
    matrix: Matrix


class ChangeView(Answer):
    kind: Literal["added", "removed", "changed"]
    where: str
    text: str


class VariableView(Answer):
    name: str
    message: str
    sample: str


class NamedView(Answer):
    name: str
    message: str


class Vocabulary(Answer):
    """What a matrix is written with. Besides `variables`: utm_<name> and params.<name> for whatever the PBX sends."""

    cells: list[NamedView]
    actions: list[NamedView]
    variables: list[VariableView]
    filters: list[NamedView]


class ChecksView(Answer):
    can_be_published: bool
    problems: list[Problem]


class LastChecks(ChecksView):
    """Of the published matrix, checked daily and when the CRM changes. checked_at null: not yet."""

    version: int | None
    checked_at: datetime | None
