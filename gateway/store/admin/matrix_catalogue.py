"""What an account has, read together for the checks of its matrix."""

from __future__ import annotations

from datetime import datetime

import orjson

from gateway.store.admin.staff import staff_of
from routing.distribution.roster import roster_of
from routing.distribution.template import DistributionTemplate
from routing.matrix.checks.check import (
    Catalogue,
    CatalogueField,
    CataloguePipeline,
    CatalogueStage,
    CatalogueUser,
)
from routing.staff import Staff
from runtime.database.pool import Conn


async def catalogue_of(conn: Conn, account_id: str) -> Catalogue:
    """From our copy of the CRM's catalogues; what was never read from there is empty and goes unchecked."""
    crm = await conn.fetchrow(
        "SELECT is_unsorted_on, task_types FROM crm_account WHERE account_id = $1", account_id
    )
    connections = await conn.fetch("SELECT name, lines FROM connection WHERE account_id = $1", account_id)
    types = crm["task_types"] if crm else {}
    staff = await staff_of(conn, account_id)
    return Catalogue(
        pipelines=await _pipelines(conn, account_id),
        users=await _users(conn, account_id),
        fields=await _fields(conn, account_id),
        staff=staff,
        is_unsorted_on=crm["is_unsorted_on"] if crm else True,
        lines=tuple(dict.fromkeys(line for row in connections for line in row["lines"])),
        connections=tuple(row["name"] for row in connections),
        task_types=frozenset([*types, *types.values()]),
        templates=await _templates(conn, account_id, staff),
    )


async def _pipelines(conn: Conn, account_id: str) -> tuple[CataloguePipeline, ...]:
    rows = await conn.fetch(
        "SELECT * FROM crm_pipeline WHERE account_id = $1 ORDER BY pipeline_id", account_id
    )
    return tuple(
        CataloguePipeline(
            id=r["pipeline_id"],
            name=r["name"],
            is_main=r["is_main"],
            is_archived=r["is_archived"],
            is_unsorted_on=r["is_unsorted_on"],
            stages=tuple(
                CatalogueStage(
                    id=s["id"],
                    name=s["name"],
                    is_closed=s["is_closed"],
                    is_unsorted=s.get("is_unsorted", False),
                    colour=r["stage_colours"].get(s["id"], ""),
                )
                for s in r["stages"]
            ),
        )
        for r in rows
    )


async def _users(conn: Conn, account_id: str) -> tuple[CatalogueUser, ...]:
    rows = await conn.fetch("SELECT user_id, name, is_active FROM crm_user WHERE account_id = $1", account_id)
    return tuple(CatalogueUser(id=r["user_id"], name=r["name"], is_active=r["is_active"]) for r in rows)


async def _fields(conn: Conn, account_id: str) -> tuple[CatalogueField, ...]:
    rows = await conn.fetch(
        "SELECT kind, field_id, code, name FROM crm_field WHERE account_id = $1"
        " AND kind IN ('contact', 'deal', 'company')",
        account_id,
    )
    return tuple(
        CatalogueField(entity=r["kind"], id=r["field_id"], code=r["code"], name=r["name"]) for r in rows
    )


async def _templates(conn: Conn, account_id: str, staff: Staff) -> dict[str, int]:
    return {name: len(people) for name, people in (await template_people(conn, account_id, staff)).items()}


async def template_people(conn: Conn, account_id: str, staff: Staff) -> dict[str, tuple[str, ...]]:
    """Return by template of distribution who of the staff can be given anything by it."""
    rows = await conn.fetch(
        "SELECT t.name, v.body FROM distribution_template t JOIN distribution_version v USING (account_id, name, version)"
        " WHERE t.account_id = $1 AND t.removed_at IS NULL ORDER BY t.name",
        account_id,
    )
    templates = {r["name"]: DistributionTemplate.model_validate_json(orjson.dumps(r["body"])) for r in rows}
    return {name: roster_of(template, staff).people for name, template in templates.items()}


async def catalogue_read_at(conn: Conn, account_id: str) -> datetime | None:
    """Return when the CRM's catalogues were read last; None where they never were."""
    at: datetime | None = await conn.fetchval(
        "SELECT read_at FROM crm_account WHERE account_id = $1", account_id
    )
    return at
