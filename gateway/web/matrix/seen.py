"""What the pages of the matrix look at: the draft, what is published, what the checks find, who else edits."""

from __future__ import annotations

import asyncio
from collections.abc import Sequence
from dataclasses import dataclass
from datetime import datetime

from gateway.store.admin import matrices
from gateway.store.admin.matrices import Draft
from gateway.store.admin.matrix.editing import Editor, editors
from gateway.store.admin.matrix_catalogue import catalogue_of, catalogue_read_at
from routing.matrix.catalogue import Catalogue
from routing.matrix.checks.check import Problem, check
from routing.matrix.model import Matrix
from routing.matrix.versions.parts import PartChange, changed_parts
from routing.matrix.versions.trial import Trial
from runtime.database.pool import Conn


@dataclass(frozen=True, slots=True, kw_only=True)
class SeenDraft:
    """published: the version that decides. read_at: when the CRM's catalogues were read, None = never. trial: that runs."""

    draft: Draft
    published: Matrix
    catalogue: Catalogue
    problems: Sequence[Problem]
    read_at: datetime | None
    trial: Trial | None
    editors: Sequence[Editor]

    @property
    def version(self) -> int:
        return self.published.version

    @property
    def matrix(self) -> Matrix:
        return self.draft.matrix

    @property
    def errors(self) -> list[Problem]:
        return [p for p in self.problems if p.severity == "error"]

    @property
    def warnings(self) -> list[Problem]:
        return [p for p in self.problems if p.severity == "warning"]

    @property
    def changes(self) -> tuple[PartChange, ...]:
        return changed_parts(self.published, self.matrix)

    @property
    def is_begun_earlier(self) -> bool:
        """Whether another version was published after the draft was begun."""
        return self.draft.is_changed and self.draft.based_on != self.version


async def see_draft(conn: Conn, account_id: str) -> SeenDraft:
    draft = await matrices.draft(conn, account_id)
    version = await matrices.current_version(conn, account_id)
    catalogue = await catalogue_of(conn, account_id)
    return SeenDraft(
        draft=draft,
        published=await matrices.matrix_at(conn, account_id, version),
        catalogue=catalogue,
        problems=await asyncio.to_thread(check, draft.matrix, catalogue),
        read_at=await catalogue_read_at(conn, account_id),
        trial=await matrices.running_trial(conn, account_id),
        editors=await editors(conn, account_id),
    )
