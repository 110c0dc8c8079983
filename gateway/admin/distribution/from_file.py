"""Templates of distribution and the stages whose deals they give, as a configuration file brings them."""

from __future__ import annotations

from collections.abc import Sequence
from typing import Protocol

from gateway.admin.config_document import (
    AttachmentPart,
    ConfigDocument,
    ConfigRefused,
    DocumentProblem,
    refuse_twice,
)
from gateway.admin.distribution.templates import TemplateNotUsable, attach, detach, save_template
from gateway.admin.refused import InputRefused, NothingOfThatName
from gateway.store.distribution import templates as store
from gateway.store.distribution.templates import Attachment
from routing.distribution.template import DistributionTemplate
from routing.texts.catalogue import Language, Value
from runtime.database.pool import Conn


class Warn(Protocol):
    def __call__(self, of: str, /, **values: Value) -> None: ...


class DistributionPart:
    """Added or changed as the API would, with its checks; what the file does not name stays, and is told of. In the caller's
    transaction. Raises ConfigRefused."""

    def __init__(self, conn: Conn, account_id: str, by: str, language: Language, warn: Warn) -> None:
        self._conn, self._id, self._by, self._language, self._warn = conn, account_id, by, language, warn

    async def take(self, document: ConfigDocument) -> None:
        if document.templates is not None:
            await self._templates(document.templates)
        if document.attachments is not None:
            await self._attachments(document.attachments)

    async def _templates(self, wanted: Sequence[DistributionTemplate]) -> None:
        refuse_twice("templates", [template.name for template in wanted])
        for position, template in enumerate(wanted):
            await self._template(template, f"templates.{position} «{template.name}».")
        for stored in await store.templates_of(self._conn, self._id):
            if stored.name not in {template.name for template in wanted}:
                self._warn("template-stays", name=stored.name)

    async def _template(self, template: DistributionTemplate, path: str) -> None:
        try:
            done = await save_template(self._conn, self._id, template, by=self._by)
        except TemplateNotUsable as err:
            problems = [(f"{path}{p.field}", *p.in_words(self._language), err.code) for p in err.errors]
            raise ConfigRefused([DocumentProblem(*problem) for problem in problems]) from err
        except InputRefused as err:
            raise _refused(err, path) from err
        for problem in done.warnings:
            message, remedy = problem.in_words(self._language)
            self._warn("template-warning", where=f"{path}{problem.field}", message=message, remedy=remedy)

    async def _attachments(self, wanted: Sequence[AttachmentPart]) -> None:
        refuse_twice("attachments", [f"{part.pipeline}/{part.stage}" for part in wanted])
        stored = {(a.pipeline_id, a.stage_id): a for a in await store.attachments_of(self._conn, self._id)}
        for position, part in enumerate(wanted):
            path = f"attachments.{position} «{part.pipeline}/{part.stage}»."
            await self._attachment(part, stored.pop((part.pipeline, part.stage), None), path)
        for (pipeline, stage), there in stored.items():
            self._warn("attachment-stays", stage=f"{pipeline}/{stage}", name=there.template)

    async def _attachment(self, part: AttachmentPart, there: Attachment | None, path: str) -> None:
        wanted = Attachment(
            pipeline_id=part.pipeline,
            stage_id=part.stage,
            template=part.template,
            entered=part.entered,
            created=part.created,
        )
        if there is not None and _same(there, wanted):
            return
        try:
            if there is not None and there.template != wanted.template:
                await detach(self._conn, self._id, part.pipeline, part.stage)
            await attach(self._conn, self._id, wanted, by=self._by)
        except NothingOfThatName as err:
            message = f"there is no template '{part.template}'"
            problem = DocumentProblem(f"{path}template", message, "name one of the file, or of the account")
            raise ConfigRefused([problem]) from err
        except InputRefused as err:
            raise _refused(err, path) from err


def _same(there: Attachment, wanted: Attachment) -> bool:
    return (there.template, there.entered, there.created) == (
        wanted.template,
        wanted.entered,
        wanted.created,
    )


def _refused(err: InputRefused, path: str) -> ConfigRefused:
    return ConfigRefused([DocumentProblem(f"{path}{err.field}", err.message, err.remedy, err.code)])
