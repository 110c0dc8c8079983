"""Every value of every sample of amoCRM's answers, made odd in turn: it costs itself or its row, and nothing else."""

from __future__ import annotations

import copy
import json
from collections.abc import Awaitable, Callable, Iterator, Mapping, Sequence
from dataclasses import dataclass
from datetime import UTC, datetime
from typing import Any, get_args
from urllib.parse import urlencode

import pytest

from crm.amocrm.adapter import AmoCrm
from crm.amocrm.transport import Transport
from crm.amocrm.webhooks import parse_webhook
from crm.amocrm.wire import Reply, Request
from crm.budget import Budget
from crm.lane import Lane
from crm.port import CrmEventKind
from tests.fakes.tokens import FixedToken
from tests.paths import CASES

Path = tuple[str | int, ...]

NESTED: Any = []
for _ in range(60):
    NESTED = [NESTED]
ODD: Sequence[Any] = (
    None,
    True,
    0,
    1,
    -1,
    1.5,
    10**17,
    10**30,
    "",
    "odd",
    "1",
    "a/b?c=d",
    "x" * 20_000,
    "nul \x00 and half \ud800 of a character",
    [],
    {},
    [None],
    [[[]]],
    {"0": {"id": 7}},
    {"a": {"b": [1]}},
    NESTED,
)


def paths_of(value: Any, path: Path = ()) -> Iterator[Path]:
    """Every place of a value, the value itself first."""
    yield path
    children = (
        value.items() if isinstance(value, dict) else enumerate(value) if isinstance(value, list) else ()
    )
    for key, child in children:
        yield from paths_of(child, (*path, key))


def changed(value: Any, path: Path, odd: Any) -> Any:
    if not path:
        return odd
    other = copy.deepcopy(value)
    place = other
    for key in path[:-1]:
        place = place[key]
    place[path[-1]] = odd
    return other


class Answers(Transport):
    """Answers by the end of the path; everything else is not there."""

    def __init__(self) -> None:
        self.bodies: dict[str, Any] = {}

    def clock_offset(self, base_url: str) -> float | None:
        return None

    async def exchange(self, base_url: str, request: Request, headers: Mapping[str, str]) -> Reply:
        path = request.path.removeprefix("/api/v4")
        is_first = dict(request.query).get("page", "1") == "1"
        if path not in self.bodies or not is_first:
            return Reply(status=204)
        body = json.dumps(self.bodies[path]).encode()
        return Reply(status=200, content_type="application/hal+json", body=body)


Ask = Callable[[AmoCrm], Awaitable[Any]]
SINCE = datetime(1990, 1, 1, tzinfo=UTC)


async def _events(crm: AmoCrm) -> Any:
    return (await crm.events(SINCE, Lane.SYNC, kinds=get_args(CrmEventKind))).items


async def _page(crm: AmoCrm, kind: Any) -> Any:
    return (await crm.page(kind, Lane.SYNC)).items


@dataclass(frozen=True)
class Sample:
    """name: of the file. path: where its rows are asked for. plural: of its list. kind: as what is unread is told."""

    name: str
    path: str
    plural: str
    kind: str
    ask: Ask
    id_key: str = "id"


LISTS = (
    Sample("contacts_list", "/contacts", "contacts", "contact", lambda crm: _page(crm, "contact")),
    Sample("contacts_query", "/contacts", "contacts", "contact", lambda crm: _page(crm, "contact")),
    Sample("companies_list", "/companies", "companies", "company", lambda crm: _page(crm, "company")),
    Sample("leads_list", "/leads", "leads", "deal", lambda crm: _page(crm, "deal")),
    Sample("leads_list_last_page", "/leads", "leads", "deal", lambda crm: _page(crm, "deal")),
    Sample("unsorted_list", "/leads/unsorted", "unsorted", "lead", lambda crm: _page(crm, "lead"), "uid"),
    Sample("users", "/users", "users", "user", lambda crm: crm.users(Lane.SYNC)),
    Sample("pipelines", "/leads/pipelines", "pipelines", "pipeline", lambda crm: crm.pipelines(Lane.SYNC)),
    Sample(
        "custom_fields_contacts",
        "/contacts/custom_fields",
        "custom_fields",
        "contact field",
        lambda crm: crm.fields("contact", Lane.SYNC),
    ),
    Sample("events", "/events", "events", "event", _events),
    Sample("tasks_list", "/tasks", "tasks", "task", lambda crm: crm.tasks(None, (), Lane.SYNC)),
    Sample("notes_list", "/leads/1/notes", "notes", "note", lambda crm: crm.notes("deal", ["1"], Lane.SYNC)),
    Sample(
        "webhooks_list",
        "/webhooks",
        "webhooks",
        "webhook",
        lambda crm: crm.webhooks(Lane.SYNC),
        "destination",
    ),
)


def body_of(name: str) -> Any:
    return json.loads((CASES / "amocrm" / f"{name}.json").read_text())["response"]["body"]


def a_crm() -> tuple[AmoCrm, Answers]:
    answers = Answers()
    tokens = FixedToken("http://crm", "key")
    return AmoCrm("http://crm", tokens, Budget(100_000), None, transport=answers), answers  # type: ignore[arg-type]


def id_of(item: Any) -> str:
    return str(getattr(item, "id", None) or item.destination)


@pytest.mark.parametrize("sample", LISTS, ids=lambda sample: sample.name)
async def test_an_odd_value_costs_itself_or_its_row_and_no_neighbour(sample: Sample) -> None:
    crm, answers = a_crm()
    for row in body_of(sample.name)["_embedded"][sample.plural]:
        if sample.kind == "note":
            row["entity_id"] = 1
        neighbour = {**row, "id": "99000001", sample.id_key: "99000001"}
        answers.bodies = {sample.path: {"_embedded": {sample.plural: [row, neighbour]}}}
        well = {id_of(item): item for item in await sample.ask(crm)}
        assert len(well) == 2, "the samples themselves are read"
        for path in paths_of(row):
            for odd in ODD:
                rows = [changed(row, path, odd), neighbour]
                answers.bodies = {sample.path: {"_embedded": {sample.plural: rows}}}
                found = {id_of(item): item for item in await sample.ask(crm)}
                beside = id_of_row(neighbour, sample)
                assert found.get(beside) == well[beside], (path, odd)
                told = crm.unread.take()
                if len(found) < 2 and sample.kind not in ("event", "note"):
                    lost = [fault for faults in told.values() for fault in faults if fault.is_lost]
                    is_double = id_of_row(rows[0], sample) == beside
                    assert lost or is_double, (path, odd)


def id_of_row(row: Any, sample: Sample) -> str:
    return str(row.get(sample.id_key)) if isinstance(row, dict) else ""


SINGLES: tuple[tuple[str, str, str, Ask], ...] = (
    ("contact_one", "/contacts/3", "contact", lambda crm: crm.by_ids("contact", ["3"], Lane.EVENTS)),
    ("lead_one", "/leads/19619", "deal", lambda crm: crm.by_ids("deal", ["19619"], Lane.EVENTS)),
    ("unsorted_one", "/leads/unsorted/ab", "lead", lambda crm: crm.by_ids("lead", ["ab"], Lane.EVENTS)),
    ("account", "/account", "account", lambda crm: crm.account(Lane.SYNC)),
    ("account_plain", "/account", "account", lambda crm: crm.account(Lane.SYNC)),
)


@pytest.mark.parametrize(("name", "path", "kind", "ask"), SINGLES, ids=[name for name, *_ in SINGLES])
async def test_an_entity_asked_for_by_its_id_is_read_or_told_of(
    name: str, path: str, kind: Any, ask: Ask
) -> None:
    crm, answers = a_crm()
    body = body_of(name)
    for place in paths_of(body):
        for odd in ODD:
            if not place or (place == ("is_deleted",) and odd in (True, 1)):
                continue
            answers.bodies = {path: changed(body, place, odd)}
            found = await ask(crm)
            assert found or any(crm.unread.is_lost(*ref) for ref in crm.unread.take()), (place, odd)


HOOKS = sorted(path.stem for path in (CASES / "amocrm").glob("hook_*.json"))


@pytest.mark.parametrize("name", HOOKS)
def test_an_odd_value_of_a_webhook_costs_no_other_item(name: str) -> None:
    pairs = json.loads((CASES / "amocrm" / f"{name}.json").read_text())["request"]["body"]
    beside = ["contacts[update][77][id]", "99000001"]
    for index, (key, _) in enumerate(pairs):
        for value in (
            "",
            "0",
            "-1",
            "odd",
            "9" * 40,
            "x" * 5000,
            "nul \x00",
            "+7 916 123-45-67",
            "1.5",
            "null",
        ):
            for name_of_key in (key, f"{key}[x]", f"{key}[x][y]", key.partition("[")[0], f"{key}["):
                other = [*pairs[:index], [name_of_key, value], *pairs[index + 1 :], beside]
                delivery = parse_webhook(urlencode([tuple(pair) for pair in other]).encode())
                is_hidden = name_of_key == "contacts"  # a value in the place of the whole section
                assert is_hidden or "99000001" in {change.id for change in delivery.told}, (
                    name_of_key,
                    value,
                )
                _ = delivery.changes, delivery.observed
