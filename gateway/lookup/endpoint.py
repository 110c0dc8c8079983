"""`/pbx/{connection}/lookup`: who is responsible for the caller, answered from memory while the phone rings.

No CRM request and no database round trip stands in this path. Whatever goes wrong inside, an authenticated PBX is told
"carry on with your scheme".
"""

from __future__ import annotations

import asyncio
import itertools
import secrets
import time
from collections.abc import Callable, Mapping
from dataclasses import replace
from typing import Any, Protocol

import orjson
import structlog
from aiohttp import web
from aiohttp.hdrs import AUTHORIZATION

from crm.directory.memory import Directory
from gateway.configuration import Configuration, Snapshot
from gateway.http.body import PBX_BODY, BodyRefused, read_body
from gateway.http.connection import vouch
from gateway.http.inbound import head_of
from gateway.http.plain_get import authorization_of, parted
from gateway.http.strangers import Strangers
from gateway.lookup.campaign_callers import CampaignOfCaller
from gateway.lookup.decided import DecidedLookup, decide_lookup
from gateway.lookup.fast_response import FastResponse, written
from gateway.lookup.recorder import LookupRecord, Recorder
from gateway.pbx.connection import Connection
from gateway.pbx.dialects import lookup_of
from gateway.pbx.kind import PbxKind, judged_again
from gateway.pbx.port import LookupRequest, WireInvalid
from gateway.pbx.query import read_pairs
from routing.lookup.available import ANYBODY, Reachability
from routing.lookup.decide import LookupReason, fall_back
from routing.numbers.normalise import PublicNumber
from runtime.metrics import Latency

log = structlog.get_logger(__name__)

_AUTH_CACHE = 4096


class Directories(Protocol):
    """The directory of each account that this process holds."""

    def get(self, account_id: str) -> Directory | None: ...


class WhoIsThere(Protocol):
    """Who can be rung, of each account of which anything is known."""

    def get(self, account_id: str, otherwise: Reachability, /) -> Reachability: ...


_ANYBODY: Mapping[str, Reachability] = {}


def no_campaigns(account_id: str, e164: str) -> CampaignOfCaller | None:
    """As `CampaignCallers.find`, of nobody."""
    return None


class DecisionIds:
    """Ids that are unique among processes: when the process began (milliseconds), 8 random digits, a counter, in hex."""

    def __init__(self, began: float | None = None) -> None:
        self._process = f"{int((began or time.time()) * 1000):012x}{secrets.token_hex(4)}"
        self._count = itertools.count()

    def __call__(self) -> str:
        return f"{self._process}{next(self._count):06x}"


class Lookup:
    """The endpoint. `is_ready` per account is the directory's own; before that the answer is `directory_loading`."""

    def __init__(
        self,
        configuration: Configuration,
        directories: Directories,
        recorder: Recorder,
        *,
        url_of: Callable[[str, str, str], str],
        kinds: Mapping[str, PbxKind],
        people: WhoIsThere = _ANYBODY,
        campaign_of: Callable[[str, str], CampaignOfCaller | None] = no_campaigns,
        deadline_seconds: float = 0.15,
        strangers: Strangers | None = None,
    ) -> None:
        self._kinds = kinds
        self._configuration = configuration
        self._directories = directories
        self._recorder = recorder
        self._url_of = url_of
        self._people = people
        self._campaign_of = campaign_of
        self._deadline = deadline_seconds
        self._strangers = strangers or Strangers()
        # By name and what stood in Authorization; by name and all headers, judged once.
        self._known: dict[tuple[str, str], Connection] = {}
        self._known_heads: dict[tuple[str, bytes], Connection] = {}
        self._new_id = DecisionIds()
        self.latency = Latency()
        self.asked_at = 0.0  # when the latest lookup came in, by time.perf_counter
        configuration.on_change(self._forget)

    def _forget(self, _snapshot: Snapshot) -> None:
        self._known.clear()
        self._known_heads.clear()

    def answer_at_once(self, data: bytes) -> bytes | None:
        """Answer one whole plain GET as it came over the wire, of a connection whose secret was judged before; None: it is not that."""
        began = time.perf_counter()
        request = parted(data)
        if request is None:
            return None
        path, _, query = request[0].partition("?")
        if path[:5] != "/pbx/" or path[-7:] != "/lookup":
            return None
        name, headers = path[5:-7], request[1]
        connection = self._known_heads.get((name, headers)) or self._recognised(name, headers)
        if connection is None:
            return None
        return written(*self._answer(connection, lookup_of(read_pairs(query)), began))

    def _recognised(self, name: str, headers: bytes) -> Connection | None:
        authorization = authorization_of(headers)
        connection = self._known.get((name, authorization)) if authorization else None
        if connection is not None:
            if len(self._known_heads) >= _AUTH_CACHE:
                self._known_heads.clear()
            self._known_heads[name, headers] = connection
        return connection

    async def handle(self, request: web.Request) -> web.StreamResponse:
        """Answer a lookup. The common case, a GET of a plain connection with its secret in the header, takes the short way."""
        began = time.perf_counter()
        path, _, query = request.raw_path.partition("?")
        name = path[5:-7]  # /pbx/{name}/lookup
        if request.method == "GET" and (header := request.headers.get(AUTHORIZATION)):
            connection = self._known.get((name, header))
            if connection is not None and not request.body_exists:
                vouch(request)
                return FastResponse(*self._answer(connection, lookup_of(read_pairs(query)), began))
        # A request whose address was written otherwise (in full, escaped) came through the general router, which knows.
        return await self._handle_any(request, request.match_info.get("connection", name), began)

    async def _handle_any(self, request: web.Request, name: str, began: float) -> web.StreamResponse:
        connection = self._configuration.now.connections.get(name)
        if connection is None or not connection.is_on or connection.kind not in self._kinds:
            return await self._strangers.of_pbx(request)
        kind = self._kinds[connection.kind]
        inbound = head_of(request, "lookup")
        known = kind.authenticate_head(inbound, connection)
        if known is False:
            return await self._strangers.of_pbx(request, name)
        body = await self._body(request, is_judged=known is not None)
        inbound = replace(inbound, body=body or b"")
        now = self._configuration.now.connections.get(name)
        judged = judged_again(self._kinds, inbound, connection, now, is_known=known)
        if judged is None:
            return await self._strangers.of_pbx(request, name)
        connection, kind = judged, self._kinds[judged.kind]
        vouch(request)
        if body is None:
            return FastResponse(*self._answer(connection, LookupRequest(), began, LookupReason.DEADLINE))
        header = request.headers.get(AUTHORIZATION)
        if kind.has_plain_lookup and header and connection.knows(header.removeprefix("Bearer ")):
            if len(self._known) >= _AUTH_CACHE:
                self._known.clear()
            self._known[name, header] = connection
        try:
            asked = kind.lookup_request(inbound, connection)
        except WireInvalid as err:
            log.info("lookup-unreadable", connection=name, field=err.field)
            asked = LookupRequest()
        return FastResponse(*self._answer(connection, asked, began))

    async def _body(self, request: web.Request, *, is_judged: bool) -> bytes | None:
        """None: it is not there in time, or nothing that could be read."""
        try:
            async with asyncio.timeout(self._deadline):
                return await read_body(request, PBX_BODY, is_judged=is_judged)
        except TimeoutError:
            return None
        except BodyRefused as err:
            return b"" if err.code == "compressed" else None

    def ask(self, connection: Connection, asked: LookupRequest) -> dict[str, Any]:
        """Return the contract's answer, for a PBX that asks by another way than HTTP and has shown its secret. Never raises."""
        began = time.perf_counter()
        try:
            decided = self._decided(connection, asked, began, None)
            answer = answer_of(decided, connection.account_id, self._url_of)
            self._note(connection, decided, began)
            return answer
        except Exception:
            log.exception("lookup-failed", connection=connection.name)
            return answer_of(self._failed(asked), connection.account_id, self._url_of)

    def _answer(
        self, connection: Connection, asked: LookupRequest, began: float, reason: LookupReason | None = None
    ) -> tuple[str, bytes]:
        """Return content type and body. Never raises."""
        try:
            decided = self._decided(connection, asked, began, reason)
            answer = self._written(connection, decided)
            self._note(connection, decided, began)
            return answer
        except Exception:
            log.exception("lookup-failed", connection=connection.name)
            return self._written(connection, self._failed(asked))

    def _failed(self, asked: LookupRequest) -> DecidedLookup:
        decision = fall_back(LookupReason.FAILURE)
        return DecidedLookup(self._new_id(), time.time(), asked, None, (), decision, None)

    def _decided(
        self, connection: Connection, asked: LookupRequest, began: float, reason: LookupReason | None
    ) -> DecidedLookup:
        snapshot = self._configuration.now
        decided = decide_lookup(
            self._new_id(),
            time.time(),
            asked,
            account_id=connection.account_id,
            policy=snapshot.policies[connection.name],
            snapshot=snapshot,
            directory=self._directories.get(connection.account_id),
            available=self._people.get(connection.account_id, ANYBODY),
            reason=reason,
        )
        if time.perf_counter() - began > self._deadline:
            return decided._replace(decision=fall_back(LookupReason.DEADLINE))
        number = decided.number
        if type(number) is PublicNumber and not number.is_own:
            campaign = self._campaign_of(connection.account_id, number.e164)
            return decided if campaign is None else decided._replace(campaign=campaign)
        return decided

    def _note(self, connection: Connection, decided: DecidedLookup, began: float) -> None:
        took = time.perf_counter() - began
        self.asked_at = began
        self.latency.observe(took)
        if self._recorder.has_room():
            # No await lies between: it is what was decided with.
            snapshot, account_id = self._configuration.now, connection.account_id
            self._recorder.record(
                LookupRecord(
                    account_id=account_id,
                    connection=connection.name,
                    decided=decided,
                    took_us=int(took * 1e6),
                    staff=snapshot.staff[account_id],
                    numbers=snapshot.policies[connection.name],
                    rules=snapshot.accounts[account_id].settings.lookup,
                )
            )

    def _written(self, connection: Connection, decided: DecidedLookup) -> tuple[str, bytes]:
        answer = answer_of(decided, connection.account_id, self._url_of)
        format, kind = decided.asked.format, self._kinds[connection.kind]
        if kind.has_plain_lookup and (format or connection.dialect) == "json":
            return "application/json", orjson.dumps(answer)
        return kind.lookup_answer(answer, connection, format)


def answer_of(
    decided: DecidedLookup, account_id: str, url_of: Callable[[str, str, str], str]
) -> dict[str, Any]:
    """Return the JSON answer of the contract; `campaign` stands in it for somebody of a running one only."""
    decision, number = decided.decision, decided.number
    entity = decision.entity
    person = decision.responsible
    of_campaign = {} if decided.campaign is None else {"campaign": decided.campaign.as_json()}
    return {
        "decision_id": decided.decision_id,
        "caller": number.e164 if type(number) is PublicNumber else None,
        "outcome": decision.outcome,
        "reason": decision.reason,
        "entity": None
        if entity is None
        else {
            "kind": "contact" if entity.kind == "company" else entity.kind,
            "id": entity.id,
            "name": entity.name,
            "url": url_of(account_id, entity.kind, entity.id),
        },
        "responsible": None
        if person is None
        else {
            "id": person.id,
            "name": person.name,
            "extension": person.extensions[0] if person.extensions else None,
        },
        "targets": [target.as_json() for target in decision.targets],
        "directory_age_ms": decided.directory_age_ms,
        **of_campaign,
    }
