"""A second back-off, hash of a token, set of database errors or table of vendors is seen, however it is written.

Each check reads a source text: the product's own, which must come out clean, and planted ones, which must not.
"""

from __future__ import annotations

import ast
import re
from collections.abc import Callable, Iterator

import pytest

from gateway.pbx.kinds import KINDS
from tests.unit.product import Parsed, is_of, modules

Check = Callable[[Parsed], Iterator[ast.AST]]


def found_in_product(check: Check, *, but_not: str = "crm/sandbox/") -> set[str]:
    """`file:function` of each finding."""
    places: set[str] = set()
    for name, module in modules().items():
        if not name.startswith(but_not):
            places |= {f"{name}:{module.place(node)}" for node in check(module)}
    return places


def is_seen(check: Check, planted: str) -> bool:
    return any(check(Parsed(planted)))


# A pause that grows by itself.


def growing_values(module: Parsed) -> Iterator[ast.AST]:
    """Whatever multiplies itself, has its exponent counted, is capped while it grows, or is worked out for a sleep."""
    for node in module.nodes:
        if isinstance(node, ast.AugAssign) and isinstance(node.op, (ast.Mult, ast.Pow, ast.LShift)):
            yield node
        if isinstance(node, ast.BinOp) and isinstance(node.op, (ast.Pow, ast.LShift)) and _is_counted(node):
            yield node
        if isinstance(node, (ast.Assign, ast.AnnAssign)) and node.value is not None:
            targets = node.targets if isinstance(node, ast.Assign) else [node.target]
            names = {ast.unparse(target) for target in targets}
            if any({ast.unparse(p.left), ast.unparse(p.right)} & names for p in _products(node.value)):
                yield node
        if isinstance(node, ast.Call) and ast.unparse(node.func).split(".")[-1] in ("min", "sleep"):
            yield from (product for argument in node.args for product in _products(argument))


def _is_counted(power: ast.BinOp) -> bool:
    """Whether the exponent is no constant: `10**6` is a number, `2**failures` a rule."""
    return not isinstance(power.right, ast.Constant) and not ast.unparse(power.right).isupper()


def _products(value: ast.AST) -> Iterator[ast.BinOp]:
    multiplied = (ast.Mult, ast.Pow, ast.LShift)
    return (n for n in ast.walk(value) if isinstance(n, ast.BinOp) and isinstance(n.op, multiplied))


@pytest.mark.parametrize(
    "planted",
    [
        "pause *= 2",
        "self._pause = min(self._pause * 2, 60)",
        "seconds = min(first * 2**failures, longest)",
        "wait = 1 << attempt",
        "await asyncio.sleep(0.5 * tries)",
        "delay = delay * 1.5",
        "return pow_(base) ** attempts",
        "return min(60.0, FIRST * failures)",
    ],
)
def test_a_second_back_off_would_be_seen(planted: str) -> None:
    assert is_seen(growing_values, _as_function(planted))


@pytest.mark.parametrize(
    "harmless", ["limit = 10**6", "limit = 10**LONGEST", "self.total = one * 2", "x = min(a, b)"]
)
def test_a_number_is_no_back_off(harmless: str) -> None:
    assert not is_seen(growing_values, _as_function(harmless))


def _as_function(statement: str) -> str:
    return f"async def planted():\n    {statement}\n"


GROWS = {
    "runtime/backoff.py:grown_pause": "the back-off",
    "crm/portions.py:too_large": "counts good requests before a larger portion is tried",
    "crm/sync/event_pages.py:_bulk": "how much time one question to the feed covers",
    "routing/alerts.py:calm_after": "how long a finding must be good before it counts as over",
    "runtime/doors/brake.py:wrong": "how many wrong secrets a minute gives back",
    "runtime/doors/descriptors.py:most_connections": "a share of what the system grants",
}


def test_pauses_after_failures_grow_in_one_place() -> None:
    assert found_in_product(growing_values) == set(GROWS)


# A token's hash.


def hashes(module: Parsed) -> Iterator[ast.AST]:
    names = module.taken_from("hashlib") | module.taken_from("hmac")
    compared = ("compare_digest",)
    return (c for c in module.calls() if is_of(c.func, names) and not ast.unparse(c.func).endswith(compared))


@pytest.mark.parametrize(
    "planted",
    [
        "import hashlib\ndef stored(token): return hashlib.sha256(token.encode()).hexdigest()",
        "from hashlib import sha256\ndef key_of(value): return sha256(value)",
        "from hashlib import blake2b as digest\nx = digest(b'')",
        "import hashlib as h\nx = h.new('sha256', token)",
        "import hmac\nx = hmac.new(key, token, 'sha256')",
    ],
)
def test_a_second_hash_would_be_seen(planted: str) -> None:
    assert is_seen(hashes, planted)


HASHES = {
    "runtime/tokens.py:hash_of": "a token",
    "runtime/database/sealing.py:_id_of": "which key sealed a secret",
    "gateway/pbx/mango/client.py:product_of": "which connections share a key",
    "runtime/vendors/mango_signing.py:signature": "MANGO's signature",
    "sms/providers/smsru/wire.py:is_hashed": "whether a report of SMS.RU is its own",
    "sms/channels/stored.py:key_of": "which update of a messenger is the same",
    "sms/channels/stored.py:_hashed": "which parts of a message are the same",
    "sms/channels/sandbox/wire.py:signature": "the sandbox's signature",
    "sms/channels/max/adapter.py:secret_of": "the secret that MAX bears in its requests",
    "sms/channels/max/content.py:_is_signed": "MAX's signature of a card",
    "gateway/store/channels/files.py:told_hash_of": "which file of a message is the same",
    "gateway/channels/written.py:_second": "the key of the second message that is sent under one key",
    "gateway/crm_chats/hearing.py:_key": "the key of a message that was written in the CRM's card",
    "crm/amocrm/chats/signing.py:signed_headers": "the sum that amoCRM's chats want of a body",
    "crm/amocrm/chats/signing.py:_hmac": "the signature of amoCRM's chats",
    "gateway/intake/inbox.py:_digest": "which message is the same",
    "gateway/intake/inbox.py:_anew": "a message that is the same and yet another",
    "gateway/alerts/watch.py:_message_id": "which message is told of",
    "gateway/db/migrate.py:_apply_missing": "the text of a migration",
    "routing/matrix/versions/trial.py:_is_in_share": "which side of a trial a client is on",
    "routing/decision.py:stable_id": "what is decided",
    "routing/dialogues/copies.py:mark_of": "which text of a copied dialogue is the same",
    "routing/client_work/call.py:_note_recordings": "which recording an order is about",
    "crm/unread.py:nameless": "a row without an id",
    "gateway/admin/sign_in/sessions.py:csrf_of": "what forms of a session bring back",
    "gateway/admin/sign_in/totp.py:code_of": "the code of a half minute",
    "gateway/admin/campaigns/lists.py:upload_of": "which list is the same",
    "gateway/web/assets/digest.py:digest": "which front-end file is the same",
}


def test_a_token_is_hashed_in_one_place() -> None:
    """Whatever else is hashed is listed with what it is: nothing of it is a token."""
    assert found_in_product(hashes) == set(HASHES)


# What the database raises.

ONE_STATEMENT = re.compile(
    r"(Unique|ForeignKey|Check|NotNull|Exclusion)ViolationError|Duplicate\w+Error|InvalidPasswordError"
)
"""Errors of one statement, which whoever wrote it turns into words. All others say how the database fares."""


def driver_errors(module: Parsed) -> Iterator[ast.AST]:
    """Every mention of an error by which the driver tells how the database fares, and every set of two of its errors."""
    names = module.taken_from("asyncpg")
    for node in module.nodes:
        if isinstance(node, (ast.Attribute, ast.Name)) and is_of(node, names):
            error = names.get(ast.unparse(node), ast.unparse(node)).split(".")[-1]
            if error.endswith("Error") and not ONE_STATEMENT.fullmatch(error):
                yield node
        if isinstance(node, (ast.Tuple, ast.List, ast.Set)) and sum(is_of(e, names) for e in node.elts) > 1:
            yield node


@pytest.mark.parametrize(
    "planted",
    [
        "import asyncpg\ntry: ...\nexcept (asyncpg.PostgresError, OSError): ...",
        "import asyncpg\ntry: ...\nexcept asyncpg.InterfaceError: ...",
        "import asyncpg as pg\nAWAY = (pg.PostgresConnectionError, OSError)",
        "from asyncpg import PostgresError\nx = isinstance(err, PostgresError)",
        "from asyncpg.exceptions import DeadlockDetectedError as D\ntry: ...\nexcept D: ...",
        "import asyncpg\ntry: ...\nexcept (asyncpg.UniqueViolationError, asyncpg.ForeignKeyViolationError): ...",
        "import asyncpg.exceptions\nx = asyncpg.exceptions.TooManyConnectionsError",
    ],
)
def test_a_second_set_of_database_errors_would_be_seen(planted: str) -> None:
    assert is_seen(driver_errors, planted)


def test_one_refusal_of_one_statement_is_no_set() -> None:
    assert not is_seen(driver_errors, "import asyncpg\ntry: ...\nexcept asyncpg.UniqueViolationError: ...")


def test_what_the_database_raises_is_sorted_in_one_place() -> None:
    homes = {place.partition(":")[0] for place in found_in_product(driver_errors)}
    assert homes == {"runtime/database/errors.py"}


# A vendor's name.


def names_of_kinds(module: Parsed) -> Iterator[ast.AST]:
    """Names of kinds in quotes: keys of a table, what is compared, cases of a match."""
    return (text for text in module.texts() if text.value in KINDS)


@pytest.mark.parametrize("kind", KINDS)
@pytest.mark.parametrize(
    "planted",
    [
        'PORTS = {"KIND": 5038}',
        'if kind == "KIND": pass',
        'IN = ("KIND", "x")',
        'match kind:\n    case "KIND": ...',
    ],
)
def test_a_table_by_vendor_would_be_seen(planted: str, kind: str) -> None:
    assert is_seen(names_of_kinds, planted.replace("KIND", kind))


KINDS_NAMED = {
    "gateway/pbx/dialects.py": "forms of answer, which are called after whoever asks in them",
    "gateway/demo/data.py": "the connections of the demo",
    "gateway/cli/first_use/pbx.py": "the kind that is proposed to whoever names none",
}


def test_what_differs_by_vendor_stands_in_the_vendors_folder() -> None:
    folders = tuple(f"{room}/{kind}/" for room in ("gateway/pbx", "sms/providers") for kind in KINDS)
    places = {place.partition(":")[0] for place in found_in_product(names_of_kinds)}
    assert {name for name in places if not name.startswith(folders)} == set(KINDS_NAMED)


def test_a_vendors_folder_names_no_other_vendor() -> None:
    for name, module in modules().items():
        ours = re.match(r"gateway/pbx/(\w+)/", name)
        if ours and ours[1] in KINDS:
            others = {n.value for n in names_of_kinds(module) if isinstance(n, ast.Constant)} - {ours[1]}
            assert others == set(), name
