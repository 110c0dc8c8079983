"""Templates of distribution as rows: the current version of each, its earlier ones, and where it is attached."""

from __future__ import annotations

from collections.abc import Collection, Mapping
from dataclasses import dataclass
from datetime import datetime
from typing import Any

from gateway.store.admin.audit import AuditChange, record
from gateway.store.distribution.items import cancel_waiting
from gateway.store.distribution.ledgers import template_of_json
from gateway.store.numbered import NamedVersion, NumberedVersions, VersionLine
from routing.distribution.template import DistributionTemplate
from runtime.database.pool import Conn

_VERSIONS = NumberedVersions(
    holders="distribution_template", versions="distribution_version", begins_anew=("ledgers", "base")
)

_ATTACHMENTS = """
SELECT pipeline_id, stage_id, template, entered, created, since, attached_by FROM distribution_attachment
WHERE account_id = $1 AND ($2::text IS NULL OR template = $2) ORDER BY pipeline_id, stage_id
"""


_USES = """
SELECT DISTINCT 'matrix' AS what FROM matrix_version m WHERE m.account_id = $1
    AND (m.version = callmatrix_published_matrix($1) OR EXISTS (SELECT FROM matrix_trial t
        WHERE t.account_id = $1 AND t.version = m.version AND t.outcome IS NULL))
    AND strpos(m.body::text, to_jsonb('template:' || $2::text)::text) > 0
UNION ALL SELECT 'lookup' FROM account a WHERE a.account_id = $1 AND a.settings->'lookup'->>'template' = $2
UNION ALL SELECT 'shift change' FROM shift_policy p WHERE p.account_id = $1 AND p.policy->>'template' = $2
UNION ALL SELECT 'trigger ' || t.name FROM pipeline_trigger t JOIN pipeline_trigger_version v USING (account_id, name, version)
    WHERE t.account_id = $1 AND t.removed_at IS NULL AND v.body->'action'->'target'->>'name' = $2
UNION ALL SELECT 'campaign ' || c.name FROM campaign c WHERE c.account_id = $1 AND c.state <> 'finished'
    AND c.settings->'target'->>'kind' = 'template' AND c.settings->'target'->>'name' = $2
UNION ALL SELECT 'channel ' || c.name FROM channel c WHERE c.account_id = $1 AND c.rules->>'owner' = 'template'
    AND c.rules->>'template' = $2
UNION ALL SELECT 'user ' || login FROM admin_user WHERE (account_id IS NULL OR account_id = $1) AND $2 = ANY(templates)
UNION ALL SELECT 'token ' || name FROM api_token WHERE (account_id IS NULL OR account_id = $1) AND $2 = ANY(templates)
"""


@dataclass(frozen=True, slots=True, kw_only=True)
class SavedTemplate:
    """version: the current number. saved_by: of it."""

    name: str
    version: int
    template: DistributionTemplate
    saved_at: datetime
    saved_by: str


@dataclass(frozen=True, slots=True, kw_only=True)
class Attachment:
    """A stage whose deals a template gives: those that are moved into it, those that are made in it, or both.

    since: what came earlier is left alone.
    """

    pipeline_id: str
    stage_id: str
    template: str
    entered: bool = True
    created: bool = True
    since: datetime | None = None
    attached_by: str = ""


@dataclass(frozen=True, slots=True, kw_only=True)
class TemplateUse:
    """What hangs on a template. stages: as pipeline/stage. waiting: items that it has still to give."""

    stages: tuple[str, ...]
    waiting: int
    given: int


async def templates_of(conn: Conn, account_id: str) -> list[SavedTemplate]:
    """Return the current version of each."""
    return [_saved(row) for row in await _VERSIONS.current(conn, [account_id])]


async def template_names(conn: Conn, account_ids: Collection[str]) -> list[str]:
    """In their order, without reading what they say."""
    return await _VERSIONS.names(conn, account_ids)


async def template_of(conn: Conn, account_id: str, name: str) -> SavedTemplate | None:
    found = await _VERSIONS.current(conn, [account_id], name)
    return _saved(found[0]) if found else None


async def template_at(conn: Conn, account_id: str, name: str, version: int) -> DistributionTemplate | None:
    """Return it as it was, removed templates too."""
    body = await _VERSIONS.body_at(conn, account_id, name, version)
    return None if body is None else template_of_json(body)


async def template_versions(conn: Conn, account_id: str, name: str) -> list[VersionLine]:
    """Newest first."""
    return await _VERSIONS.lines(conn, account_id, name)


async def save_template(
    conn: Conn, account_id: str, template: DistributionTemplate, by: str
) -> SavedTemplate:
    """Publish it as the next version, in the caller's transaction; one that is the same stays as it is. What was removed
    under this name and comes back begins with ledgers of its own."""
    before = await template_of(conn, account_id, template.name)
    if before is not None and before.template == template:
        return before
    await _VERSIONS.put(conn, account_id, template.name, template.model_dump(mode="json"), by)
    await _told(conn, account_id, template.name, "changed" if before else "added", before, template)
    saved = await template_of(conn, account_id, template.name)
    assert saved is not None
    return saved


async def remove_template(conn: Conn, account_id: str, name: str) -> bool:
    """Whether there was one. Its attachments go with it; what waits for it is given up, and what it gave stays told."""
    before = await template_of(conn, account_id, name)
    if before is None:
        return False
    await _VERSIONS.remove(conn, account_id, name)
    for attachment in await attachments_of(conn, account_id, name):
        await detach(conn, account_id, attachment.pipeline_id, attachment.stage_id)
    await cancel_waiting(conn, account_id, name, "template_removed")
    await _told(conn, account_id, name, "removed", before, None)
    return True


async def use_of(conn: Conn, account_id: str, name: str) -> TemplateUse:
    stages = [f"{a.pipeline_id}/{a.stage_id}" for a in await attachments_of(conn, account_id, name)]
    row = await conn.fetchrow(
        "SELECT count(*) FILTER (WHERE state = 'waiting') AS waiting, count(*) FILTER (WHERE state = 'given') AS given"
        " FROM distribution_item WHERE account_id = $1 AND template = $2",
        account_id,
        name,
    )
    assert row is not None
    return TemplateUse(stages=tuple(stages), waiting=row["waiting"], given=row["given"])


async def uses_of_template(conn: Conn, account_id: str, name: str) -> list[str]:
    """Return what names it, its stages aside: "matrix" (the published one), "lookup", "shift change", and who may touch this one
    and not all of them: "user olga"; channels: "channel WhatsApp"."""
    return [row["what"] for row in await conn.fetch(_USES, account_id, name)]


async def attachments_of(conn: Conn, account_id: str, template: str | None = None) -> list[Attachment]:
    return [Attachment(**row) for row in await conn.fetch(_ATTACHMENTS, account_id, template)]


async def attachment_at(conn: Conn, account_id: str, pipeline_id: str, stage_id: str) -> Attachment | None:
    found = await attachments_of(conn, account_id)
    return next((a for a in found if (a.pipeline_id, a.stage_id) == (pipeline_id, stage_id)), None)


async def attach(conn: Conn, account_id: str, wanted: Attachment, by: str) -> Attachment:
    """Put it there, instead of what may be attached to that stage. since: of a new one now."""
    before = await attachment_at(conn, account_id, wanted.pipeline_id, wanted.stage_id)
    await conn.execute(
        "INSERT INTO distribution_attachment AS a (account_id, pipeline_id, stage_id, template, entered, created,"
        " attached_by) VALUES ($1, $2, $3, $4, $5, $6, $7) ON CONFLICT (account_id, pipeline_id, stage_id) DO UPDATE"
        " SET template = excluded.template, entered = excluded.entered, created = excluded.created,"
        " attached_by = excluded.attached_by",
        account_id,
        wanted.pipeline_id,
        wanted.stage_id,
        wanted.template,
        wanted.entered,
        wanted.created,
        by,
    )
    now = await attachment_at(conn, account_id, wanted.pipeline_id, wanted.stage_id)
    assert now is not None
    await _attachment_told(conn, account_id, before, now)
    return now


async def detach(conn: Conn, account_id: str, pipeline_id: str, stage_id: str) -> bool:
    """Whether there was one."""
    before = await attachment_at(conn, account_id, pipeline_id, stage_id)
    if before is None:
        return False
    await conn.execute(
        "DELETE FROM distribution_attachment WHERE account_id = $1 AND pipeline_id = $2 AND stage_id = $3",
        account_id,
        pipeline_id,
        stage_id,
    )
    await _attachment_told(conn, account_id, before, None)
    return True


async def _told(
    conn: Conn,
    account_id: str,
    name: str,
    action: str,
    before: SavedTemplate | None,
    after: DistributionTemplate | None,
) -> None:
    await record(
        conn,
        AuditChange(
            what="template",
            object=name,
            action=action,
            account_id=account_id,
            before=before.template.model_dump(mode="json") if before else None,
            after=after.model_dump(mode="json") if after else None,
        ),
    )


async def _attachment_told(
    conn: Conn, account_id: str, before: Attachment | None, after: Attachment | None
) -> None:
    stage = after or before
    assert stage is not None
    action = "changed" if before and after else "added" if after else "removed"
    await record(
        conn,
        AuditChange(
            what="attachment",
            object=f"{stage.pipeline_id}/{stage.stage_id}",
            action=action,
            account_id=account_id,
            before=_said(before),
            after=_said(after),
        ),
    )


def _said(attachment: Attachment | None) -> Mapping[str, Any] | None:
    if attachment is None:
        return None
    return {
        "template": attachment.template,
        "entered": attachment.entered,
        "created": attachment.created,
    }


def _saved(row: NamedVersion) -> SavedTemplate:
    return SavedTemplate(
        name=row.name,
        version=row.version,
        template=template_of_json(row.body),
        saved_at=row.saved_at,
        saved_by=row.saved_by,
    )
