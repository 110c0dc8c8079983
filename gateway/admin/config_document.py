"""The configuration of an account as one document: YAML in files, the same as JSON in the API. Secrets are never in it."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from datetime import datetime
from typing import Annotated, Any, Literal, NamedTuple, TypeVar

from pydantic import AwareDatetime, BaseModel, ConfigDict, Field, JsonValue, ValidationError

from campaigns.model import CampaignSettings
from gateway.admin.files.yaml_text import yaml_of, yaml_value
from gateway.admin.input_words import (
    COUNTRY,
    EMPLOYEE_ID,
    LONGEST_EMAIL,
    LONGEST_GROUP,
    LONGEST_NAME,
    SHORT_NAME,
    USER_ID,
    described,
    problems_of,
    refuse_untakable,
    validated,
)
from gateway.admin.protection.shown_settings import shown_settings
from gateway.admin.refused import InputRefused
from gateway.pbx.connection import Connection
from gateway.store.admin.accounts import Account
from gateway.store.channels.channels import ChannelInFile
from gateway.store.distribution.templates import Attachment
from gateway.store.sms.connections import SavedSmsConnection
from routing.client import ClientKind
from routing.dialogues.access import ChannelRight
from routing.dialogues.rules import ChannelRules
from routing.distribution.template import DistributionTemplate
from routing.matrix.model import Matrix
from routing.schedules.edits import as_written
from routing.schedules.model import Schedule
from routing.settings import AccountSettings
from routing.shift_change.policy import ShiftPolicy
from routing.staff import Employee
from routing.triggers.model import Trigger

M = TypeVar("M", bound=BaseModel)

ShortText = Annotated[str, Field(min_length=1, max_length=200)]
Short = Annotated[str, Field(min_length=1, max_length=100)]
Many = Annotated[list[Short], Field(max_length=20)]


class DocumentProblem(NamedTuple):
    """path: in the document. remedy: what to write instead, where it can be said. code: as the same is refused elsewhere."""

    path: str
    message: str
    remedy: str = ""
    code: str = InputRefused.code

    def in_words(self) -> str:
        return f"{self.path}: {self.message}" + (f"; {self.remedy}" if self.remedy else "")


class ConfigRefused(Exception):
    """The configuration was not taken, and nothing has changed."""

    code = "config-refused"

    def __init__(self, problems: Sequence[DocumentProblem]) -> None:
        super().__init__("; ".join(p.in_words() for p in problems[:5]))
        self.problems = list(problems)


def refuse_twice(section: str, names: Sequence[str]) -> None:
    """Raise ConfigRefused where a name stands twice in its section."""
    if twice := sorted({name for name in names if names.count(name) > 1}):
        raise ConfigRefused([DocumentProblem(section, f"'{name}' stands here twice") for name in twice])


class _Part(BaseModel):
    model_config = ConfigDict(frozen=True, extra="forbid")


class EmployeePart(_Part):
    """crm_user_id: empty = the CRM user with the same e-mail address. The first extension is the one that rings."""

    id: Annotated[str, described(EMPLOYEE_ID)]
    name: Annotated[str, Field(min_length=1, max_length=LONGEST_NAME)]
    email: Annotated[str, Field(max_length=LONGEST_EMAIL)] = ""
    crm_user_id: Annotated[str, described(USER_ID)] | None = None
    extensions: Many = []
    sip: Many = []
    numbers: Many = []
    is_senior: bool = False
    deputy_id: Annotated[str, Field(max_length=64)] | None = None
    group: Annotated[str, Field(max_length=LONGEST_GROUP)] | None = None
    gets_missed_calls: bool = True

    def as_employee(self) -> Employee:
        lists = {name: tuple(getattr(self, name)) for name in ("extensions", "sip", "numbers")}
        return Employee(**{**self.model_dump(), **lists})


class ConnectionPart(_Part):
    """Without its secret and keys: those that it has are kept. dialect: absent = as it is, of a new one the kind's own."""

    name: Annotated[str, described(SHORT_NAME)]
    kind: str
    dialect: str | None = None
    region: Annotated[str, described(COUNTRY)] | None = None
    lines: list[str] = []
    settings: dict[str, JsonValue] = {}
    is_on: bool = True


class SmsPart(_Part):
    """An SMS provider without its keys: those that it has are kept. sender: absent = the provider's own."""

    name: Annotated[str, described(SHORT_NAME)]
    kind: str
    sender: Annotated[str, Field(min_length=1, max_length=40)] | None = None
    settings: dict[str, JsonValue] = {}
    is_on: bool = True


class ChannelPart(_Part):
    """A messenger channel without its keys: those that it has are kept. rights: by employee, exactly these from now on; absent =
    as they are."""

    name: Annotated[str, Field(min_length=1, max_length=60)]
    kind: str
    settings: dict[str, JsonValue] = {}
    rules: ChannelRules = ChannelRules()
    is_on: bool = True
    rights: Annotated[dict[str, ChannelRight], Field(max_length=10_000)] | None = None


class CampaignFilePart(_Part):
    """What a campaign is told; where it stands, and who is in it, is in no file."""

    name: ShortText
    settings: CampaignSettings

    def as_written(self) -> dict[str, Any]:
        """Return it without its defaults; of the target the kind is said."""
        settings = self.settings.model_dump(mode="json", exclude_defaults=True)
        return {
            "name": self.name,
            "settings": {**settings, "target": self.settings.target.model_dump(mode="json")},
        }


class AttachmentPart(_Part):
    """A stage whose deals a template gives. entered: those that are moved into it. created: those that are made in it."""

    pipeline: Annotated[str, Field(min_length=1, max_length=40)]
    stage: Annotated[str, Field(min_length=1, max_length=40)]
    template: ShortText
    entered: bool = True
    created: bool = True


class Expected(_Part):
    """What is given must hold. orders: the kinds of what is ordered from the CRM (create_contact, create_deal, …), in any
    order and each as often as it comes. owner: employee who gets what is created. table: the matrix that applied."""

    orders: Annotated[list[Short], Field(max_length=100)] | None = None
    owner: Short | None = None
    table: Short | None = None


class TestCall(_Part):
    """A made-up call and what must come of it. answered_by: extension, SIP login or number; null = nobody answered."""

    __test__ = False

    name: ShortText
    number: Short = "+79000000000"
    line: Short | None = None
    connection: Annotated[str, Field(max_length=63)] = ""
    direction: Literal["inbound", "outbound"] = "inbound"
    client: ClientKind = ClientKind.NEW
    client_owner: Annotated[Short, Field(description="employee who owns what the client has")] | None = None
    answered_by: Short | None = None
    talk_seconds: Annotated[int, Field(ge=0, le=86_400)] = 60
    at: AwareDatetime = datetime.fromisoformat("2026-03-02T10:00:00+00:00")
    params: dict[Short, str] = {}
    expect: Expected


class ConfigDocument(_Part):
    """Sections that are absent stay as they are. employees: exactly these from now on. connections, sms, channels: these are added or
    changed; others stay. schedules: by name, the same; so are templates, attachments, campaigns and triggers. matrix: the published one; published as a new version where it decides
    otherwise."""

    callmatrix: Literal[1] = 1
    account: Annotated[str, Field(max_length=63)] | None = None
    name: str | None = None
    time_zone: str | None = None
    region: Annotated[str, described(COUNTRY)] | None = None
    settings: AccountSettings | None = None
    employees: Annotated[list[EmployeePart], Field(max_length=10_000)] | None = None
    connections: Annotated[list[ConnectionPart], Field(max_length=1000)] | None = None
    sms: Annotated[list[SmsPart], Field(max_length=100)] | None = None
    channels: Annotated[list[ChannelPart], Field(max_length=200)] | None = None
    schedules: dict[str, Schedule] | None = Field(default=None, max_length=500)
    templates: Annotated[list[DistributionTemplate], Field(max_length=500)] | None = None
    attachments: Annotated[list[AttachmentPart], Field(max_length=5000)] | None = None
    campaigns: Annotated[list[CampaignFilePart], Field(max_length=500)] | None = None
    triggers: Annotated[list[Trigger], Field(max_length=500)] | None = None
    matrix: Matrix | None = None
    shift_change: ShiftPolicy | None = None
    tests: Annotated[list[TestCall], Field(max_length=1000)] | None = None


def document_of(
    account: Account,
    people: Sequence[Employee],
    connections: Sequence[Connection],
    matrix: Matrix,
    shift: ShiftPolicy,
    schedules: Mapping[str, Schedule],
    templates: Sequence[DistributionTemplate] = (),
    attachments: Sequence[Attachment] = (),
    sms: Sequence[SavedSmsConnection] = (),
    triggers: Sequence[Trigger] = (),
    campaigns: Sequence[tuple[str, CampaignSettings]] = (),
    channels: Sequence[ChannelInFile] = (),
) -> ConfigDocument:
    """people: as an admin entered them, without what the CRM adds. shift: of shift change; absent where nothing was set."""
    return ConfigDocument(
        account=account.id,
        name=account.name,
        time_zone=account.time_zone,
        region=account.region,
        settings=account.settings,
        employees=[EmployeePart.model_validate(p.model_dump(exclude={"is_active"})) for p in people],
        connections=[
            ConnectionPart(
                name=c.name,
                kind=c.kind,
                dialect=c.dialect,
                region=c.region,
                lines=list(c.lines),
                settings=shown_settings(c.settings),
                is_on=c.is_on,
            )
            for c in connections
        ],
        sms=[
            SmsPart(
                name=s.name,
                kind=s.connection.kind,
                sender=s.sender,
                settings=shown_settings(s.connection.settings),
                is_on=s.is_on,
            )
            for s in sms
        ]
        or None,
        channels=[_channel_part(one) for one in channels] or None,
        schedules=dict(schedules) or None,
        templates=list(templates) or None,
        attachments=[
            AttachmentPart(
                pipeline=a.pipeline_id,
                stage=a.stage_id,
                template=a.template,
                entered=a.entered,
                created=a.created,
            )
            for a in attachments
        ]
        or None,
        campaigns=[CampaignFilePart(name=name, settings=told) for name, told in campaigns] or None,
        triggers=list(triggers) or None,
        matrix=matrix.model_copy(update={"version": 0}),
        shift_change=None if shift == ShiftPolicy() else shift,
    )


def _channel_part(one: ChannelInFile) -> ChannelPart:
    return ChannelPart(
        name=one.saved.name,
        kind=one.saved.channel.kind,
        settings=shown_settings(one.saved.channel.settings),
        rules=one.saved.rules,
        is_on=one.saved.is_on,
        rights=dict(one.rights) or None,
    )


def as_yaml(document: ConfigDocument) -> str:
    """Write YAML; what equals its default is left out, except for the settings of the account."""
    body: dict[str, Any] = {
        "callmatrix": document.callmatrix,
        **document.model_dump(mode="json", exclude_none=True, exclude={"callmatrix", "schedules", "matrix"}),
    }
    lists: Mapping[str, Sequence[BaseModel] | None] = {
        name: getattr(document, name)
        for name in ("employees", "connections", "sms", "channels", "templates", "attachments")
    }
    for part, models in lists.items():
        if models is not None:
            body[part] = [m.model_dump(mode="json", exclude_defaults=True) for m in models]
    if document.campaigns is not None:
        body["campaigns"] = [campaign.as_written() for campaign in document.campaigns]
    if document.triggers is not None:
        body["triggers"] = [trigger.as_written() for trigger in document.triggers]
    if document.settings is not None:
        body["settings"] = _sorted_sets(document.settings.model_dump(mode="json"))
    if document.schedules is not None:
        body["schedules"] = {name: as_written(schedule) for name, schedule in document.schedules.items()}
    if document.matrix is not None:
        body["matrix"] = _short(document.matrix)
    return yaml_of(body)


def _short(matrix: Matrix) -> dict[str, Any]:
    """Without empty values where leaving them out means the same."""
    short = matrix.model_dump(mode="json", exclude={"version"}, exclude_none=True)
    whole = matrix.model_dump(mode="json", exclude={"version"})
    return short if Matrix.model_validate(short) == Matrix.model_validate(whole) else whole


def _sorted_sets(settings: dict[str, Any]) -> dict[str, Any]:
    """Own numbers are a set: written in one order, so that two exports of the same are the same."""
    numbers = settings["numbers"]
    return {**settings, "numbers": {**numbers, "own_numbers": sorted(numbers["own_numbers"])}}


def matrix_yaml(matrix: Matrix) -> str:
    """Write a matrix alone, as `matrix` of a document holds it."""
    return yaml_of(_short(matrix))


def read_yaml(text: str) -> ConfigDocument:
    """Read YAML. Raises ConfigRefused naming line or path."""
    return _read(text, ConfigDocument, "a mapping with sections is expected")


def read_schedule(text: str) -> Schedule:
    """Read YAML of a schedule alone. Raises ConfigRefused naming line or path."""
    return _read(text, Schedule, "a mapping with people, groups or everybody is expected")


def schedule_yaml(schedule: Schedule) -> str:
    """Write a schedule alone, as `schedules` of a document holds it."""
    return yaml_of(as_written(schedule))


def read_matrix(text: str) -> Matrix:
    """Read YAML of a matrix alone. Raises ConfigRefused naming line or path."""
    return _read(text, Matrix, "a mapping with tables is expected")


def _read(text: str, model: type[M], expected: str) -> M:
    try:
        body = yaml_value(text)
        if not isinstance(body, dict):
            raise InputRefused("the file", f"holds nothing that can be taken over: {expected}", "")
        refuse_untakable(body, "the file")
        return validated(model, body)
    except InputRefused as err:
        raise ConfigRefused([DocumentProblem(err.field, err.message, err.remedy)]) from err
    except ValidationError as err:
        found = problems_of(err, "the file", body)
        raise ConfigRefused([DocumentProblem(path, message) for path, message in found]) from err
