"""What lookups were decided with (people, rules for numbers, order of search), each written down once."""

from __future__ import annotations

import orjson

from gateway.store.admin.staff import write_snapshot
from routing.decision import stable_id
from routing.settings import LookupPolicy, NumberPolicy
from routing.staff import Staff
from runtime.database.pool import Conn

_REMEMBERED = 1000


class NoSuchRules(Exception):
    """The rules of this lookup were never written down: it was answered by an older program."""

    code = "no-such-rules"


_digests: dict[tuple[int, int], tuple[NumberPolicy, LookupPolicy, str]] = {}


def digest_of(numbers: NumberPolicy, rules: LookupPolicy) -> str:
    """Return the same for equal rules, in every process. The values are shared by thousands of lookups, so it is kept."""
    key = (id(numbers), id(rules))
    known = _digests.get(key)
    if known is None:
        if len(_digests) >= _REMEMBERED:
            _digests.clear()
        body = orjson.dumps([_numbers(numbers), rules.model_dump(mode="json")], option=orjson.OPT_SORT_KEYS)
        known = _digests[key] = (numbers, rules, stable_id(body.decode()))
    return known[2]


def _numbers(numbers: NumberPolicy) -> dict[str, object]:
    body = numbers.model_dump(mode="json")
    return {**body, "own_numbers": sorted(body["own_numbers"])}


class InputsWritten:
    """Remembers what is in the database already."""

    def __init__(self) -> None:
        self._staff: set[tuple[str, int]] = set()
        self._rules: set[tuple[str, str]] = set()

    async def write(
        self,
        conn: Conn,
        account_id: str,
        staff: Staff | None,
        numbers: NumberPolicy | None,
        rules: LookupPolicy | None,
    ) -> None:
        if staff is not None and (account_id, staff.version) not in self._staff:
            await write_snapshot(conn, account_id, staff)
            self._staff.add((account_id, staff.version))
        if numbers is None or rules is None:
            return
        digest = digest_of(numbers, rules)
        if (account_id, digest) not in self._rules:
            await conn.execute(
                "INSERT INTO lookup_rules (account_id, digest, numbers, lookup) VALUES ($1, $2, $3, $4)"
                " ON CONFLICT DO NOTHING",
                account_id,
                digest,
                _numbers(numbers),
                rules.model_dump(mode="json"),
            )
            self._rules.add((account_id, digest))


async def lookup_rules(conn: Conn, account_id: str, digest: str) -> tuple[NumberPolicy, LookupPolicy]:
    """Return the rules that a lookup was decided by. Raises NoSuchRules."""
    row = await conn.fetchrow(
        "SELECT numbers, lookup FROM lookup_rules WHERE account_id = $1 AND digest = $2", account_id, digest
    )
    if row is None:
        raise NoSuchRules(digest)
    return NumberPolicy.model_validate(row["numbers"]), LookupPolicy.model_validate(row["lookup"])
