"""Takes over a configuration document: checked first, told in words, in one transaction, and a second time without effect."""

from __future__ import annotations

from collections.abc import Iterator, Mapping
from contextlib import contextmanager
from dataclasses import dataclass

from gateway.admin import accounts, connections
from gateway.admin.accounts import ComingNames
from gateway.admin.campaigns.from_file import take_campaigns
from gateway.admin.channels.from_file import channels_in_file, take_channels
from gateway.admin.config_checks import run_tests
from gateway.admin.config_diff import differences
from gateway.admin.config_document import (
    ConfigDocument,
    ConfigRefused,
    ConnectionPart,
    DocumentProblem,
    document_of,
    refuse_twice,
)
from gateway.admin.connections import ConnectionOrder
from gateway.admin.distribution.from_file import DistributionPart
from gateway.admin.employees import EmployeeRefused, replace_employees
from gateway.admin.matrices import MatrixRefused, publish_matrix, save_draft
from gateway.admin.operations.shift_change import save_policy
from gateway.admin.protection.allowed import NOTHING_MORE, Allowed
from gateway.admin.protection.shown_settings import told_settings
from gateway.admin.refused import InputRefused
from gateway.admin.schedules.saved import ScheduleRefused, save_schedule
from gateway.admin.sms.from_file import take_sms
from gateway.admin.triggers.from_file import take_triggers
from gateway.at_work import AtWork
from gateway.calls.turns import NOBODY, turns_asked
from gateway.configuration import policy_of
from gateway.pbx.connection import Connection
from gateway.pbx.kind import PbxKind
from gateway.store.admin import accounts as rows
from gateway.store.admin.matrices import current_version, draft, matrix_at
from gateway.store.admin.matrix_catalogue import catalogue_of
from gateway.store.admin.schedules import schedules_of
from gateway.store.admin.staff import staff_of, stored_employees
from gateway.store.campaigns.campaigns import campaigns_of
from gateway.store.distribution.templates import attachments_of, templates_of
from gateway.store.shift_change.policies import policy_of as policy_of_shift
from gateway.store.sms.connections import sms_connections
from gateway.store.triggers.triggers import triggers_of
from gateway.texts.sentences import TEXTS
from routing.matrix.checks.check import Problem, can_be_published, check
from routing.matrix.model import Matrix
from routing.texts.catalogue import DEFAULT_LANGUAGE, Language, Texts, Value
from runtime.database.pool import Conn, database_now
from runtime.tokens import new_secret


@dataclass(frozen=True, slots=True, kw_only=True)
class NewSecret:
    """A connection that was created: its secret is told once."""

    connection: str
    kind: str
    secret: str


@dataclass(frozen=True, slots=True, kw_only=True)
class Imported:
    """changes: in words, empty when nothing differs. warnings: what a person should look at. version: of the matrix that
    was published, None = it was not changed. is_drafted: it became the draft instead. tests: how many calls of the file came out as expected."""

    changes: tuple[str, ...]
    warnings: tuple[str, ...]
    new_secrets: tuple[NewSecret, ...]
    version: int | None
    tests: int
    is_dry_run: bool
    is_drafted: bool = False


class _Undo(Exception):
    """Ends the transaction of a dry run."""


async def export_config(conn: Conn, account_id: str) -> ConfigDocument:
    """Read it from the database. Raises NoSuchAccount."""
    async with conn.transaction(readonly=False):
        account = await rows.account(conn, account_id)
        return document_of(
            account,
            await stored_employees(conn, account_id),
            await rows.connections(conn, account_id),
            await matrix_at(conn, account_id, await current_version(conn, account_id)),
            await policy_of_shift(conn, account_id),
            {s.name: s.schedule for s in await schedules_of(conn, [account_id])},
            [saved.template for saved in await templates_of(conn, account_id)],
            await attachments_of(conn, account_id),
            await sms_connections(conn, account_id),
            [saved.trigger for saved in await triggers_of(conn, account_id)],
            [
                (row.name, row.settings)
                for row in await campaigns_of(conn, account_id)
                if row.state != "finished"
            ],
            await channels_in_file(conn, account_id),
        )


async def import_config(
    conn: Conn,
    account_id: str,
    document: ConfigDocument,
    *,
    by: str,
    kinds: Mapping[str, PbxKind],
    allowed: Allowed = NOTHING_MORE,
    is_dry_run: bool = False,
    is_draft: bool = False,
    why: str | None = None,
    language: Language | None = None,
) -> Imported:
    """All or nothing. A dry run does everything, and undoes it. is_draft: the matrix becomes the draft, and is not published.
    why: it is published. language: of the words, else the account's. Raises ConfigRefused, NoSuchAccount."""
    done: list[Imported] = []
    try:
        async with conn.transaction():
            taking = _Import(conn, account_id, document, by, kinds, allowed, language, is_draft, why)
            done.append(await taking.run(is_dry_run))
            if is_dry_run:
                raise _Undo
    except _Undo:
        pass
    return done[0]


class _Import:
    def __init__(
        self,
        conn: Conn,
        account_id: str,
        document: ConfigDocument,
        by: str,
        kinds: Mapping[str, PbxKind],
        allowed: Allowed,
        language: Language | None,
        is_draft: bool,
        why: str | None,
    ) -> None:
        self._allowed = allowed
        self._is_draft, self._why = is_draft, why or "import of a configuration file"
        self._language: Language = language or DEFAULT_LANGUAGE
        self._is_language_chosen = language is not None
        self._conn, self._id, self._document, self._by, self._kinds = conn, account_id, document, by, kinds
        self._warnings: list[str] = []
        self._new_secrets: list[NewSecret] = []

    async def run(self, is_dry_run: bool) -> Imported:
        await rows.lock_account(self._conn, self._id)
        if not self._is_language_chosen:
            self._language = (await rows.account(self._conn, self._id)).settings.language
        before = await export_config(self._conn, self._id)
        await self._account()
        await self._connections()
        await take_sms(self._conn, self._id, self._document, self._allowed, self._warn)
        await self._people()
        await self._schedules()
        distribution = DistributionPart(self._conn, self._id, self._by, self._language, self._warn)
        await distribution.take(self._document)
        await take_channels(self._conn, self._id, self._document, self._allowed, self._warn)
        await take_campaigns(self._conn, self._id, self._document, self._by, self._warn)
        await take_triggers(self._conn, self._id, self._document, self._by, self._language, self._warn)
        await self._shift_change()
        version = await self._matrix()
        await self._tests()
        after = await export_config(self._conn, self._id)
        catalogue = await catalogue_of(self._conn, self._id)
        is_drafted = self._is_draft and self._document.matrix is not None
        if is_drafted:
            after = after.model_copy(update={"matrix": self._document.matrix})
        return Imported(
            changes=tuple(differences(before, after, self._texts, catalogue)),
            warnings=tuple(dict.fromkeys(self._warnings)),
            new_secrets=() if is_dry_run else tuple(self._new_secrets),
            version=version,
            tests=len(self._document.tests or ()),
            is_dry_run=is_dry_run,
            is_drafted=is_drafted,
        )

    @property
    def _texts(self) -> Texts:
        return TEXTS[self._language]

    def _warn(self, of: str, /, **values: Value) -> None:
        self._warnings.append(self._texts.say(f"config.{of}", **values))

    async def _account(self) -> None:
        document, account = self._document, await rows.account(self._conn, self._id)
        given = {n: getattr(document, n) for n in ("name", "time_zone", "region")}
        wanted = {n: getattr(account, n) if value is None else value for n, value in given.items()}
        with _refusals(""):
            if any(value != getattr(account, name) for name, value in wanted.items()):
                await accounts.change_account(self._conn, self._id, **wanted)
        with _refusals("settings."):
            if document.settings is not None and document.settings != account.settings:
                parts = document.employees
                people = None if parts is None else {part.id for part in parts}
                await accounts.save_settings(
                    self._conn, self._id, document.settings, people, self._allowed, _coming(document)
                )

    async def _connections(self) -> None:
        if self._document.connections is None:
            return
        known = {c.name: c for c in await rows.connections(self._conn)}
        wanted = self._document.connections
        refuse_twice("connections", [c.name for c in wanted])
        for position, part in enumerate(wanted):
            with _refusals(f"connections.{position} «{part.name}»."):
                await self._connection(part, known.get(part.name))
        for name, connection in known.items():
            if connection.account_id == self._id and name not in {c.name for c in wanted}:
                self._warn("connection-stays", name=name)

    async def _connection(self, part: ConnectionPart, existing: Connection | None) -> None:
        order = ConnectionOrder(
            name=part.name,
            kind=part.kind,
            dialect=part.dialect,
            region=part.region,
            lines=part.lines,
            settings=part.settings,
        )
        if (
            existing is None or existing.account_id != self._id
        ):  # a name that another account has is told of there
            await self._add(part, order)
            return
        wanted = part.model_dump(include={"kind", "dialect", "region", "lines", "settings", "is_on"})
        changes = {n: v for n, v in wanted.items() if not (n == "dialect" and v is None)}
        if connections.sends_keys_elsewhere(existing, told_settings(part.settings, existing.settings)):
            changes["keys"] = {}  # a file holds none: they are given anew for the new address
        changed = await connections.change_connection(
            self._conn,
            self._id,
            part.name,
            changes,
            self._kinds,
            self._allowed,
            people_follow=self._people_follow(),
        )
        if lost := sorted(existing.keys.keys() - changed.keys.keys()):
            self._warn("connection-lost-keys", name=part.name, keys=", ".join(lost))
        if changed.kind != existing.kind and self._kinds[part.kind].keys:
            self._warn("connection-lacks-keys-of-kind", name=part.name)

    def _people_follow(self) -> bool:
        return self._document.employees is not None

    async def _add(self, part: ConnectionPart, order: ConnectionOrder) -> None:
        secret = new_secret()
        await connections.add_connection(
            self._conn,
            self._id,
            order,
            secret,
            self._kinds,
            self._allowed,
            people_follow=self._people_follow(),
        )
        if not part.is_on:
            await rows.change_connection(self._conn, part.name, is_on=False)
        self._new_secrets.append(NewSecret(connection=part.name, kind=part.kind, secret=secret))
        if self._kinds[part.kind].keys:
            self._warn("connection-lacks-keys", name=part.name)

    async def _people(self) -> None:
        parts = self._document.employees
        if parts is None:
            return
        refuse_twice("employees", [p.id for p in parts])
        try:
            await replace_employees(self._conn, self._id, [part.as_employee() for part in parts])
        except EmployeeRefused as err:
            position = [part.id for part in parts].index(err.employee)
            raise _refused(err, f"employees.{position} «{err.employee}».") from err

    async def _shift_change(self) -> None:
        if self._document.shift_change is not None:
            with _refusals("shift_change."):
                await save_policy(self._conn, self._id, self._document.shift_change, self._by)

    async def _schedules(self) -> None:
        wanted = self._document.schedules
        if wanted is None:
            return
        for name, schedule in wanted.items():
            path = f"schedules.{name}."
            try:
                done = await save_schedule(self._conn, self._id, name, schedule, by=self._by)
            except ScheduleRefused as err:
                raise ConfigRefused(
                    [
                        DocumentProblem(f"{path}{p.where}", *p.in_words(self._language), err.code)
                        for p in err.errors
                    ]
                ) from err
            except InputRefused as err:
                raise _refused(err, path) from err
            for p in done.warnings:
                message, remedy = p.in_words(self._language)
                self._warn("schedule-warning", where=f"{path}{p.where}", message=message, remedy=remedy)
        for stored in await schedules_of(self._conn, [self._id]):
            if stored.name not in wanted:
                self._warn("schedule-stays", name=stored.name)

    async def _matrix(self) -> int | None:
        matrix = self._document.matrix
        if matrix is None:
            await self._warn_of_the_matrix_that_stays()
            return None
        if self._is_draft:
            await self._draft(matrix)
            return None
        try:
            done = await publish_matrix(self._conn, self._id, matrix, by=self._by, why=self._why)
        except MatrixRefused as err:
            raise ConfigRefused(
                [
                    DocumentProblem(f"matrix.{p.cell}", *p.in_words(self._language), err.code)
                    for p in err.errors
                ]
            ) from err
        for p in check(matrix, await catalogue_of(self._conn, self._id)):
            if p.severity == "warning":
                self._warn_of("matrix-warning", p)
        return done.version if done else None

    async def _draft(self, matrix: Matrix) -> None:
        """Make it the draft, faults and all: they are told, and have to be mended before it is published."""
        seen = await draft(self._conn, self._id)
        if seen.is_changed:
            self._warn("draft-replaced", who=seen.saved_by or "")
        await save_draft(self._conn, self._id, matrix, revision=seen.revision, by=self._by)
        for p in check(matrix, await catalogue_of(self._conn, self._id)):
            self._warn_of("matrix-warning", p)

    async def _warn_of_the_matrix_that_stays(self) -> None:
        """People and lines that the file takes away may stand in the published matrix."""
        matrix = await matrix_at(self._conn, self._id, await current_version(self._conn, self._id))
        problems = check(matrix, await catalogue_of(self._conn, self._id))
        if not can_be_published(problems):
            for p in problems:
                if p.severity == "error":
                    self._warn_of("published-matrix-error", p)

    def _warn_of(self, what: str, problem: Problem) -> None:
        message, remedy = problem.in_words(self._language)
        self._warn(what, cell=problem.cell, message=message, remedy=remedy)

    async def _tests(self) -> None:
        if not self._document.tests:
            return
        account = await rows.account(self._conn, self._id)
        matrix = await self._tested_matrix()
        staff = await staff_of(self._conn, self._id)
        policy = await policy_of(self._conn, self._id)
        turns = await turns_asked(
            self._conn, account, staff, AtWork(), matrix, NOBODY, await database_now(self._conn)
        )
        run_tests(self._document.tests, matrix, account, staff, policy, self._texts, turns)

    async def _tested_matrix(self) -> Matrix:
        if self._is_draft and self._document.matrix is not None:
            return self._document.matrix
        return await matrix_at(self._conn, self._id, await current_version(self._conn, self._id))


@contextmanager
def _refusals(path: str) -> Iterator[None]:
    try:
        yield
    except InputRefused as err:
        raise _refused(err, path) from err


def _refused(err: InputRefused, path: str) -> ConfigRefused:
    """path: of the part that was refused, with its dot."""
    return ConfigRefused([DocumentProblem(f"{path}{err.field}", err.message, err.remedy, err.code)])


def _coming(document: ConfigDocument) -> ComingNames:
    """Return what settings may name since it comes with the same file, if that is taken at all."""
    return ComingNames(
        schedules=frozenset(document.schedules or ()),
        templates=frozenset(template.name for template in document.templates or ()),
    )
