"""What people, pipelines and stages were called when something was decided, and what a decision means that names none."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from typing import NamedTuple

from crm.port import Pipeline, Stage
from crm.store.metadata import pipelines_of, pipelines_then, users_of
from gateway.store.admin.staff import NoSuchStaffVersion, staff_at, staff_of
from gateway.store.decisions.decisions import DecisionRow
from routing.staff import Staff
from runtime.database.pool import Conn


class PlaceThen(NamedTuple):
    """Where a deal is put. colour: as the CRM says it, "" = none. is_known: else the names are ids, and nobody knows more."""

    pipeline: str
    stage: str
    colour: str = ""
    is_known: bool = True


class NamesThen(NamedTuple):
    """users: names of the CRM's users who are no employees, by id. pipelines: the main one first."""

    staff: Staff
    users: Mapping[str, str] = {}
    pipelines: Sequence[Pipeline] = ()

    def employee(self, employee_id: str) -> str:
        """Return the name, the id of who is not known."""
        person = self.staff.by_id.get(employee_id)
        return person.name if person else employee_id

    def user(self, user_id: str) -> str:
        """Return the name of a user of the CRM: as employee, else as the CRM has it, else the id."""
        person = self.staff.by_crm_user.get(user_id)
        return person.name if person else self.users.get(user_id, user_id)

    def place(
        self, pipeline_id: str | None, stage_id: str | None, *, is_lead: bool = False
    ) -> PlaceThen | None:
        """Resolve what an order names: no pipeline is the main one, no stage its first, of a lead "Unsorted". None: the
        CRM's pipelines were never read."""
        if not self.pipelines:
            return None
        pipeline = self._pipeline(pipeline_id, stage_id)
        if pipeline is None:
            return PlaceThen(pipeline_id or "", stage_id or "", is_known=False)
        stage = _stage(pipeline, stage_id, is_lead)
        if stage is None:
            return PlaceThen(pipeline.name, stage_id or "", is_known=stage_id is None)
        return PlaceThen(pipeline.name, stage.name, stage.colour)

    def _pipeline(self, pipeline_id: str | None, stage_id: str | None) -> Pipeline | None:
        if pipeline_id is not None:
            return next((p for p in self.pipelines if p.id == pipeline_id), None)
        holding = (p for p in self.pipelines if stage_id and any(s.id == stage_id for s in p.stages))
        return next(holding, self.pipelines[0])


def _stage(pipeline: Pipeline, stage_id: str | None, is_lead: bool) -> Stage | None:
    if stage_id is not None:
        return next((s for s in pipeline.stages if s.id == stage_id), None)
    return next((s for s in pipeline.stages if s.is_unsorted is is_lead and not s.is_closed), None)


async def names_now(conn: Conn, account_id: str) -> NamesThen:
    return NamesThen(
        await staff_of(conn, account_id),
        {user.id: user.name for user in await users_of(conn, account_id)},
        await pipelines_of(conn, account_id),
    )


async def names_then(conn: Conn, rows: Sequence[DecisionRow]) -> list[NamesThen]:
    """Return the names of each of these decisions, which are of one account. Where nobody wrote down what somebody was
    called then, the present name stands."""
    if not rows:
        return []
    account_id = rows[0].account_id
    users = {user.id: user.name for user in await users_of(conn, account_id)}
    staffs: dict[int | None, Staff] = {}
    found = []
    for row in rows:
        version = row.inputs.get("staff_version")
        if version not in staffs:
            staffs[version] = await _staff(conn, account_id, version)
        places = await pipelines_then(conn, account_id, row.at) if row.kind != "lookup" else []
        found.append(NamesThen(staffs[version], users, places))
    return found


async def _staff(conn: Conn, account_id: str, version: int | None) -> Staff:
    try:
        return (
            await staff_of(conn, account_id) if version is None else await staff_at(conn, account_id, version)
        )
    except NoSuchStaffVersion:
        return await staff_of(conn, account_id)
