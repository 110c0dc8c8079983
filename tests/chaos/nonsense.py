"""Bad data beside the good: from telephone systems, from other programs in the CRM, from whoever knows a webhook's address.

Each piece is answered: taken, or refused by a 4xx that says why. None stops anything: the call that it is of comes to its end
by a good message afterwards, and its client gets what any missed call leaves.
"""

from __future__ import annotations

import asyncio
import json
import random
from collections import Counter
from collections.abc import Callable, Mapping
from dataclasses import dataclass, field
from itertools import count
from typing import Any, NamedTuple

import aiohttp

from tests.chaos.site import HarnessFailed, Site
from tests.chaos.tenants import Tenant
from tests.e2e.stack import AUTH

_LINE = "74950000001"
_TAKEN_SECONDS = 240.0
_EVERY_SECONDS = 1.2
_REFUSED = (400, 413, 415, 422)
_JSON, _FORM = "application/json", "application/x-www-form-urlencoded"

Spoil = Callable[[dict[str, Any]], bytes]


def _with(**fields: Any) -> Spoil:
    return lambda good: json.dumps({**good, **fields}).encode()


def _raw(text: bytes) -> Spoil:
    """In place of a text inside good JSON."""
    return lambda good: json.dumps({**good, "comment": "@@"}).encode().replace(b"@@", text)


def _whole(body: bytes) -> Spoil:
    return lambda good: body


_MESSAGES: Mapping[str, Spoil] = {
    "nul": _with(comment="a\0b", utm_source="\0"),
    "nul in the number that was called": _with(to=f"{_LINE}\0"),
    "lone surrogates": _raw(rb"\ud800\udfff\ud83d"),
    "broken utf-8": _raw(b"\xff\xfe\xc3\x28\xed\xa0\x80"),
    "control characters": _with(comment="".join(map(chr, range(1, 32)))),
    "wrong types": _with(direction=["in"], to={"number": 7}, cause=17, leg=[], utm_source={"a": [1, None]}),
    "number as a number": lambda good: json.dumps({**good, "from": int(good["from"])}).encode(),
    "year 1": _with(at="0001-01-01T00:00:00Z"),
    "year 9999": _with(at="9999-12-31T23:59:59Z"),
    "no time at all": _with(at="yesterday"),
    "a time beyond all numbers": _raw(b'", "at": 1e999, "x": "'),
    "milliseconds": _with(at=1795640375000),
    "a length of years": _with(billsec=99999999999999),
    "a negative length": _with(billsec=-5),
    "a long text": _with(comment="x" * 100_000),
    "many fields": lambda good: json.dumps({**good, **{f"f{n}": n for n in range(3000)}}).encode(),
    "too large": _with(comment="x" * 400_000),
    "deep": _raw(b'", "deep": ' + b"[" * 2000 + b"]" * 2000 + b', "x": "'),
    "no json": _whole(b"{'event': newCall"),
    "nothing": _whole(b""),
    "a list": _whole(b'[["event", "newCall"], null, 7]'),
    "an unknown event": _with(event="\u0000exploded"),
}
_WEBHOOKS: Mapping[str, bytes] = {
    "nul in a name": b"leads[add][0][id]=777777&leads[add][0][name]=a%00b&leads[add][0][status_id]=1&leads[add][0][pipeline_id]=1",
    "nul in a key": b"a]%00[b=1",
    "wrong types": b"leads[add]=5&contacts[update][0]=x&contacts[update][x][id]=y&leads[status][0][id][]=1",
    "milliseconds": b"contacts[update][0][id]=10000001&contacts[update][0][type]=contact&contacts[update][0][updated_at]=1795640375000",
    "year 9999": b"contacts[update][0][id]=10000002&contacts[update][0][type]=contact&contacts[update][0][last_modified]=253402300799",
    "an id beyond all numbers": b"leads[add][0][id]=99999999999999999999999&leads[delete][0][id]=-1",
    "broken utf-8": b"leads[add][0][id]=777778&leads[add][0][name]=%ff%fe%c3%28",
    "deep": b"a" + b"[b]" * 500 + b"=1",
    "no form": b'{"leads": {"add": [{"id": "\\u0000"}]}}',
    "nothing": b"",
    "large": b"leads[add][0][id]=777779&leads[add][0][name]=" + b"x" * 200_000,
    "too large": b"a=" + b"x" * 1_500_000,
}


class BadCall(NamedTuple):
    """number: E.164. what: of the nonsense in it."""

    account: str
    connection: str
    key: str
    number: str
    what: str


@dataclass
class Nonsense:
    """calls: each has been told to its end. entities: what others made in the CRM, by account. wrong: answers that must not be."""

    site: Site
    session: aiohttp.ClientSession
    seed: int
    calls: list[BadCall] = field(default_factory=list)
    entities: dict[str, set[int]] = field(default_factory=dict)
    answers: Counter[str] = field(default_factory=Counter)
    wrong: list[str] = field(default_factory=list)
    _made: int = 0

    def __post_init__(self) -> None:
        self._random = random.Random(f"nonsense {self.seed}")

    async def run(self, seconds: float) -> None:
        """Each piece at least once, then again until the time is over."""
        deadline = asyncio.get_running_loop().time() + seconds
        messages = [(self._message, what) for what in _MESSAGES]
        others = [*((self._webhook, what) for what in _WEBHOOKS), *((self._in_crm, what) for what in _IN_CRM)]
        every = [*messages, *others, (self._same_id, "an id used again"), (self._same_id, "an id used again")]
        for lap in count():
            self._random.shuffle(every)
            for tell, what in every:
                if lap and asyncio.get_running_loop().time() > deadline:
                    return
                await tell(self._random.choice(self.site.tenants), what)
                await asyncio.sleep(_EVERY_SECONDS * self._random.uniform(0.3, 1.3))

    async def _message(self, tenant: Tenant, what: str) -> None:
        call = self._new(tenant, what)
        good = {
            "event": "newCall",
            "callId": call.key,
            "direction": "in",
            "from": call.number[1:],
            "to": _LINE,
        }
        await self._tell(call, _MESSAGES[what](good), what)
        await self._end(call)

    async def _same_id(self, tenant: Tenant, what: str) -> None:
        """As a PBX whose counter begins anew: the same id, another client."""
        first = self._new(tenant, what)
        second = first._replace(number=self._number())
        for call in (first, second):
            good = {
                "event": "newCall",
                "callId": call.key,
                "direction": "in",
                "from": call.number[1:],
                "to": _LINE,
            }
            await self._tell(call, json.dumps(good).encode(), what)
            await self._end(call)
            await asyncio.sleep(2)

    async def _end(self, call: BadCall) -> None:
        good = {
            "event": "hangup", "callId": call.key, "direction": "in", "from": call.number[1:], "to": _LINE,
            "cause": "noAnswer",
        }  # fmt: skip
        status = await self._tell(call, json.dumps(good).encode(), "good")
        if status != 200:
            self.wrong.append(f"a good message after '{call.what}' was answered {status}")
        self.calls.append(call)

    def _new(self, tenant: Tenant, what: str) -> BadCall:
        connection = self._random.choice(list(tenant.skews))
        number = self._number()
        return BadCall(tenant.account, connection, f"bad-{self.seed}-{self._made}", number, what)

    def _number(self) -> str:
        self._made += 1
        return f"+7999{self.seed % 10}{self._made:06d}"

    async def _tell(self, call: BadCall, body: bytes, what: str) -> int:
        return await self._post(f"/pbx/{call.connection}/events", body, _JSON, f"message '{what}'", AUTH)

    async def _webhook(self, tenant: Tenant, what: str) -> None:
        rows = await self.site.fetch(
            "SELECT webhook_secret FROM account WHERE account_id = $1", tenant.account
        )
        path = f"/crm/{tenant.account}/webhooks/{rows[0]['webhook_secret']}"
        await self._post(path, _WEBHOOKS[what], _FORM, f"webhook '{what}'", {})

    async def _post(self, path: str, body: bytes, kind: str, what: str, headers: Mapping[str, str]) -> int:
        """The status of the first answer that is not "later"."""
        deadline = asyncio.get_running_loop().time() + _TAKEN_SECONDS
        for n in count():
            if asyncio.get_running_loop().time() > deadline:
                break
            url = self.site.urls[n % len(self.site.urls)]
            try:
                async with self.session.post(
                    f"{url}{path}", data=body, headers={"Content-Type": kind, **headers},
                    timeout=aiohttp.ClientTimeout(total=5),
                ) as answer:  # fmt: skip
                    said = await answer.text()
            except (aiohttp.ClientError, TimeoutError):
                await asyncio.sleep(0.3)
                continue
            if answer.status in (401, 404, 429, 503):  # it has just been started, or cannot store
                await asyncio.sleep(0.3)
                continue
            self._judge(what, answer.status, said)
            return answer.status
        raise HarnessFailed(f"nobody took a {what} within {_TAKEN_SECONDS:g} s")

    def _judge(self, what: str, status: int, said: str) -> None:
        self.answers["taken" if status == 200 else f"refused with {status}"] += 1
        if status == 200:
            return
        if status not in _REFUSED:
            self.wrong.append(f"{what} was answered {status}: {said[:200]}")
        elif not _is_clear(said):
            self.wrong.append(f"{what} was refused with {status} and no reason: {said[:200]}")

    async def _in_crm(self, tenant: Tenant, what: str) -> None:
        """Another program's contact, which our synchronisation reads."""

        async def work() -> list[int]:
            url = self.site.crm_url(tenant)
            async with self.session.get(f"{url}/_sandbox/token?integration=other") as answer:
                token = (await answer.json())["access_token"]
            async with self.session.post(
                f"{url}/api/v4/contacts", json=[_IN_CRM[what]], headers={"Authorization": f"Bearer {token}"},
                timeout=aiohttp.ClientTimeout(total=10),
            ) as answer:  # fmt: skip
                if answer.status == 400:  # the CRM itself does not want it
                    return []
                made = json.loads(await answer.text())
            return [int(one["id"]) for one in made["_embedded"]["contacts"]]

        ids = await self.site.insist(f"making a contact with {what} at {tenant.sandbox}", work)
        self.entities.setdefault(tenant.account, set()).update(ids)


def _is_clear(said: str) -> bool:
    try:
        problem = json.loads(said)
    except ValueError:
        return False
    return bool(problem.get("code") and problem.get("title"))


_IN_CRM: Mapping[str, Mapping[str, Any]] = {
    "nul in a name": {"name": "A\0B"},
    "milliseconds for seconds": {"name": "JS", "created_at": 1795640375000, "updated_at": 1795640375000},
    "year 9999": {"name": "Later", "created_at": 253402300799, "updated_at": 253402300799},
    "a very long name": {"name": "x" * 20_000},
    "lone surrogates": {"name": "\ud83d broken"},
}
