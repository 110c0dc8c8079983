"""Batches to amoCRM. One invalid item refuses its whole request, so the good rest goes out again without it."""

from __future__ import annotations

from collections import defaultdict
from collections.abc import Awaitable, Callable, Mapping, Sequence
from dataclasses import dataclass, field, replace
from typing import Literal

from crm.amocrm import wire_write
from crm.amocrm.client import AmoClient
from crm.amocrm.fields import Node
from crm.amocrm.optional import (
    FIELD_MISSING,
    Part,
    blamed,
    is_entity,
    is_owner,
    name_of,
    optional_parts,
    required_by,
    trials,
    without,
)
from crm.amocrm.wire import Reply, Request, read_answer
from crm.amocrm.wire_write import Item, Unwritable
from crm.errors import CrmError, CrmOutcomeUnknown, CrmRefused, CrmUnreadable
from crm.lane import Lane
from crm.port import LEFT_OUT, ItemOutcome, Refused, Written
from crm.portions import halves

Echo = Callable[["SentBatch", Node | None], Mapping[int, Written]]


@dataclass(frozen=True, slots=True)
class Line:
    """One item of a batch: the effect's key and what is sent for it. left_out: what the CRM would not have, `name: code`."""

    key: str
    item: Item
    left_out: tuple[str, ...] = ()

    def lighter(self, parts: Sequence[Part], code: str) -> Line:
        told = [f"{name_of(self.item, part)}: {code}" for part in parts]
        return Line(self.key, without(self.item, parts), (*self.left_out, *told))


@dataclass(frozen=True, slots=True)
class SentBatch:
    """Items for one path. read: their echo, place in the request -> what was written."""

    method: Literal["POST", "PATCH"]
    path: str
    lines: Sequence[Line]
    read: Echo

    def only(self, lines: Sequence[Line]) -> SentBatch:
        return SentBatch(self.method, self.path, lines, self.read)

    def request(self) -> Request:
        return wire_write.batch(self.method, self.path, [line.item for line in self.lines])


@dataclass(slots=True)
class Outcomes:
    """Of the items of one call of the port, in the order in which they were asked for."""

    keys: Sequence[str]
    known: dict[str, ItemOutcome] = field(default_factory=dict)

    def add(self, outcome: ItemOutcome) -> None:
        self.known[outcome.key] = outcome

    def refuse(self, key: str, err: Unwritable) -> None:
        self.add(_refused(key, err.code, err.field, str(err)))

    def all(self) -> list[ItemOutcome]:
        return [self.known[key] for key in self.keys]


class Writes:
    def __init__(self, client: AmoClient) -> None:
        self._client = client

    async def send(self, batch: SentBatch, outcomes: Outcomes, lane: Lane) -> None:
        """Write every line and note its outcome. A CrmError carries in `settled` what was certain by then."""
        try:
            await self._settle(batch, outcomes, lane)
        except CrmError as err:
            err.settled = tuple(outcomes.known.values())
            raise

    async def _settle(self, batch: SentBatch, outcomes: Outcomes, lane: Lane) -> None:
        """One request, and again without the items that it was refused for, until none is left."""
        while batch.lines:
            try:
                reply = await self._client.reply_to(batch.request(), lane)
                self._written(batch, reply, outcomes)
                return
            except CrmRefused as err:
                bad = _bad_lines(batch, err)
                if not bad:
                    await self._halved(batch, err, outcomes, lane)
                    return
                lighter = {key: line for key, line in _lighter(batch, err).items() if key in bad}
                for key, refused in bad.items():
                    if key not in lighter:
                        outcomes.add(refused)
                kept = [lighter.get(line.key, line) for line in batch.lines]
                batch = batch.only([line for line in kept if line.key not in bad or line.key in lighter])

    def _written(self, batch: SentBatch, reply: Reply, outcomes: Outcomes) -> None:
        request = batch.request()
        try:
            answer = read_answer(request, reply)
            written = batch.read(batch, answer)
        except CrmUnreadable as err:
            raise CrmOutcomeUnknown(
                f"{request.method} {request.path}: the echo cannot be read: {err}"
            ) from err
        missing = []
        for place, line in enumerate(batch.lines):
            if place in written:
                outcomes.add(_with_left_out(written[place], line))
            elif answer is not None and (refused := _unnamed(batch, line)):
                outcomes.add(refused)
            else:
                missing.append(line.key)
        if missing:
            raise CrmOutcomeUnknown(f"{request.method} {request.path}: the echo does not name {missing}")

    async def _halved(self, batch: SentBatch, err: CrmRefused, outcomes: Outcomes, lane: Lane) -> None:
        """Look by halves for the item that a refusal means but does not name."""
        if len(batch.lines) == 1:
            await self._tried_lighter(batch, err, outcomes, lane)
            return
        for half in halves(batch.lines):
            await self._settle(batch.only(half), outcomes, lane)

    async def _tried_lighter(self, batch: SentBatch, err: CrmRefused, outcomes: Outcomes, lane: Lane) -> None:
        """Leave something out, where the refusal of one item does not say what it means: something that it can do without, perhaps."""
        [line] = batch.lines
        _, field, code, _ = err.problems[0] if err.problems else ("", "", "refused", "")
        for some in trials(_meant(batch, line, [(field, code)])):
            slim = batch.only([line.lighter(some, code)])
            try:
                self._written(slim, await self._client.reply_to(slim.request(), lane), outcomes)
                return
            except CrmRefused:
                continue
        outcomes.add(_refused(line.key, code, field, str(err)))


def _lighter(batch: SentBatch, err: CrmRefused) -> dict[str, Line]:
    """Key -> the item without what the refusal means, of those that can do without it."""
    found: dict[str, Line] = {}
    for place, line in enumerate(batch.lines):
        told = [(path, code) for request_id, path, code, _ in err.problems if request_id == str(place)]
        if told and (some := _meant(batch, line, told)):
            found[line.key] = line.lighter(some, told[0][1])
    return found


def _meant(batch: SentBatch, line: Line, told: Sequence[tuple[str, str]]) -> list[Part]:
    """Return what the item can do without of what a refusal means, [] = nothing. told: (path, code) of each problem."""
    paths = [path for path, _ in told]
    if any(code == FIELD_MISSING for _, code in told):  # leaving something out fills no field
        return required_by(batch.path, line.item, paths)
    parts = optional_parts(batch.path, line.item)
    some = blamed(parts, paths)
    return parts if some == [] else some or []


def _with_left_out(written: Written, line: Line) -> Written:
    if not line.left_out:
        return written
    return replace(written, extra={**written.extra, LEFT_OUT: "; ".join(dict.fromkeys(line.left_out))})


def _bad_lines(batch: SentBatch, err: CrmRefused) -> dict[str, Refused]:
    """Key -> the problem of each item that the refusal names by its place: of its owner, else the first."""
    bad: dict[str, Refused] = {}
    for request_id, path, code, detail in err.problems:
        if request_id.isdigit() and int(request_id) < len(batch.lines):
            key = batch.lines[int(request_id)].key
            one = _refused(key, code, path, detail)
            if key not in bad or (one.is_owner and not bad[key].is_owner):
                bad[key] = one
    return bad


def _refused(key: str, code: str, path: str, detail: str) -> Refused:
    return Refused(
        key=key, code=code, field=path, detail=detail, is_owner=is_owner(path), is_entity=is_entity(path)
    )


def _unnamed(batch: SentBatch, line: Line) -> Refused | None:
    """Say what it means that a good echo does not name an item: nobody has the number, or nothing has the id."""
    if batch.path == "/calls":
        return Refused(
            key=line.key, code="not-found", field="phone", detail="the CRM knows nobody with this number"
        )
    if batch.method == "PATCH":
        return Refused(
            key=line.key,
            code="not-found",
            field="id",
            detail="the CRM knows nothing with this id",
            is_entity=True,
        )
    return None


def created(plural: str) -> Echo:
    """Echo of a POST: request_id -> id."""

    def read(batch: SentBatch, answer: Node | None) -> Mapping[int, Written]:
        ids = wire_write.created_ids(answer, plural)
        return {p: Written(key=batch.lines[p].key, id=i) for p, i in ids.items() if p < len(batch.lines)}

    return read


def created_with_contact(batch: SentBatch, answer: Node | None) -> Mapping[int, Written]:
    return {
        place: Written(
            key=batch.lines[place].key, id=deal, extra={} if contact is None else {"contact": contact}
        )
        for place, (deal, contact) in wire_write.created_pairs(answer).items()
        if place < len(batch.lines)
    }


def created_leads(batch: SentBatch, answer: Node | None) -> Mapping[int, Written]:
    """Put the deal inside the lead into `extra`: accepting takes the lead away and leaves that deal."""
    return {
        place: Written(key=batch.lines[place].key, id=uid, extra={} if deal is None else {"deal": deal})
        for place, (uid, deal) in wire_write.created_leads(answer).items()
        if place < len(batch.lines)
    }


def matched(batch: SentBatch, answer: Node | None) -> Mapping[int, Written]:
    """Echo of POST /calls: which entity it chose stands in `extra`."""
    return {
        place: Written(
            key=batch.lines[place].key,
            id=note,
            extra={"target_id": target} | ({"target_kind": kind} if kind else {}),
        )
        for place, (note, kind, target) in wire_write.matched_calls(answer).items()
        if place < len(batch.lines)
    }


def updated(plural: str) -> Echo:
    """Echo of a PATCH: by id, since most kinds send no request_id back."""

    def read(batch: SentBatch, answer: Node | None) -> Mapping[int, Written]:
        ids = wire_write.updated_ids(answer, plural)
        return {
            place: Written(key=line.key, id=str(line.item["id"]))
            for place, line in enumerate(batch.lines)
            if str(line.item["id"]) in ids
        }

    return read


def rounds(lines: Sequence[Line]) -> list[list[Line]]:
    """Lines of PATCHes so that no request names an entity twice, in the order in which they were asked for."""
    found: list[list[Line]] = []
    turn: dict[int, int] = defaultdict(int)
    for line in lines:
        place = turn[line.item["id"]]
        turn[line.item["id"]] += 1
        if place == len(found):
            found.append([])
        found[place].append(line)
    return found


async def lines_of(
    outcomes: Outcomes, orders: Sequence[tuple[str, Callable[[], Awaitable[Item]]]]
) -> list[Line]:
    """Items that can be said in amoCRM's words; the others are refused without a request."""
    lines: list[Line] = []
    for key, write in orders:
        try:
            lines.append(Line(key, await write()))
        except Unwritable as err:
            if err.rest is None:
                outcomes.refuse(key, err)
            else:
                lines.append(Line(key, err.rest, (f"{err.field}: {err.code}",)))
    return lines
