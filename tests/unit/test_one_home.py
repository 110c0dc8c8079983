"""Things that stood in several places once stand in one. Each test fails where a second one comes back."""

from __future__ import annotations

import ast
import re
from collections.abc import Iterator

import pytest

from gateway.pbx.parties import ANONYMOUS, clean_number
from gateway.store.admin.roles import ROLES, may_act_as
from routing.numbers.spelling import spelled
from runtime.addresses import is_local
from tests.paths import ROOT
from tests.unit.product import sources


def homes(pattern: str) -> set[str]:
    """The files in which this stands."""
    return {name for name, text in sources() if re.search(pattern, text)}


def test_a_connection_of_the_database_has_one_type() -> None:
    assert homes(r"Connection \| (asyncpg\.pool\.)?PoolConnectionProxy") == {"runtime/database/pool.py"}


def test_numbers_and_secrets_are_hidden_in_one_place() -> None:
    """Hidden by a text of stars; whoever needs it calls `runtime.masking`."""
    assert homes(r"\*\*\*[\"'}]") <= {"runtime/masking.py"}
    assert homes(r"def _?mask\w*\(") == {"runtime/masking.py", "runtime/logs.py"}


def test_our_modules_speak_through_structlog() -> None:
    assert homes(r"logging\.getLogger\((__name__)?\)\.?|^import logging$") <= {"runtime/logs.py"}


def test_roles_are_listed_once() -> None:
    assert homes(r"[\"']senior_manager[\"'], [\"']") == {"gateway/store/admin/roles.py"}


def test_whether_an_address_is_this_machine_is_asked_in_one_place() -> None:
    assert homes(r"is_loopback|in \([^)]*[\"']localhost[\"']") == {"runtime/addresses.py"}


def test_the_clients_queue_is_named_once() -> None:
    assert homes(r"[\"']process_client[\"']") == {"gateway/store/intake/jobs.py"}


def test_words_for_a_withheld_number_are_listed_once() -> None:
    assert homes(r"[\"']withheld[\"']") == {"routing/numbers/spelling.py"}


@pytest.mark.parametrize(
    "word", ["anonymous", "Unknown", "<unknown>", "private", "anon", "скрытый номер", "hidden"]
)
def test_a_number_that_is_withheld_is_so_for_events_and_for_lookups(word: str) -> None:
    assert clean_number(word) == ANONYMOUS
    assert spelled(word) == "anonymous"


@pytest.mark.parametrize(
    ("host", "is_here"),
    [
        ("127.0.0.1", True),
        ("127.8.8.8", True),
        ("::1", True),
        ("[::1]", True),
        ("::ffff:127.0.0.1", True),
        ("localhost", True),
        ("LOCALHOST", True),
        ("0.0.0.0", False),
        ("10.0.0.1", False),
        ("localhost.example.com", False),
        ("example.com", False),
        ("", False),
        (None, False),
    ],
)
def test_this_machine_is_known_by_name_and_by_address(host: str | None, is_here: bool) -> None:
    assert is_local(host) == is_here


def test_each_role_may_do_what_the_weaker_ones_may() -> None:
    assert [may_act_as(role, "manager") for role in ROLES] == [False, True, True, True]
    for schema in ("0001_core.sql", "0080_admin_users.sql"):
        text = (ROOT / "gateway/db/migrations" / schema).read_text()
        assert set(re.findall(r"'(\w+)'", re.search(r"role IN \(([^)]*)\)", text)[1])) == set(ROLES)  # type: ignore[index]


def test_a_name_of_a_class_or_type_stands_for_one_thing() -> None:
    """A reader who searches for a name finds the thing, and not four of its kind."""
    found: dict[str, set[str]] = {}
    for file, text in sources():
        for name in _declared(ast.parse(text)):
            found.setdefault(name, set()).add(file)
    assert {name: files for name, files in found.items() if len(files) > 1} == {}


def _declared(module: ast.Module) -> Iterator[str]:
    """Public names in the spelling of types, at the top of a module."""
    for node in module.body:
        names = [node.name] if isinstance(node, ast.ClassDef) else []
        names += [target.id for target in getattr(node, "targets", []) if isinstance(target, ast.Name)]
        if isinstance(node, ast.AnnAssign) and isinstance(node.target, ast.Name):
            names.append(node.target.id)
        yield from (name for name in names if re.fullmatch(r"[A-Z]+[a-z]\w*", name))


def test_events_of_the_log_are_named_alike() -> None:
    """Noun and verb with hyphens: what is searched for in a log can be guessed."""
    call = re.compile(r"\blog(?:ger)?\.(?:debug|info|warning|error|exception|critical)\(\s*\"([^\"]*)\"")
    names = {name for _, text in sources() for name in call.findall(text)}
    assert len(names) > 30
    assert {name for name in names if not re.fullmatch(r"[a-z0-9]+(-[a-z0-9]+)+", name)} == set()


def test_the_gateway_says_things_from_the_catalogue_that_holds_them_all() -> None:
    """The rules' own catalogue lacks what only the gateway says: whoever takes that one fails at the first such sentence."""
    wrong = homes(r"from routing\.texts\.sentences import .*\bTEXTS\b")
    assert {name for name in wrong if name.startswith("gateway/")} <= {"gateway/texts/sentences.py"}
