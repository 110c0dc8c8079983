"""Made-up calls of a configuration file, played through its matrix: what must come of them, and what came."""

from __future__ import annotations

from collections import Counter
from collections.abc import Sequence
from datetime import timedelta

from gateway.admin.config_document import ConfigRefused, DocumentProblem, TestCall
from gateway.calls.turns import turns_of_client
from gateway.decisions.dry_run import SampleCall, setup_at
from gateway.store.admin.accounts import Account
from routing.client import Client, ClientEntity, ClientKind, Ref
from routing.client_work.play import Played, play
from routing.matrix.by_template.turns import NO_TURNS, CallTurns
from routing.matrix.model import Matrix
from routing.numbers.normalise import PublicNumber, normalise
from routing.settings import NumberPolicy
from routing.staff import Staff
from routing.texts.catalogue import Texts, Value, phrase


def run_tests(
    tests: Sequence[TestCall],
    matrix: Matrix,
    account: Account,
    staff: Staff,
    policy: NumberPolicy,
    texts: Texts,
    turns: CallTurns = NO_TURNS,
) -> None:
    """Run the tests of a configuration. Raises ConfigRefused with every test that comes out otherwise.

    turns: as templates stand; they are not moved."""
    problems = []
    for position, test in enumerate(tests):
        path = f"tests.{position} «{test.name}»"
        problems += [
            (path, message)
            for message in _differences(
                test, _play(test, matrix, account, staff, policy, texts, turns), staff, texts
            )
        ]
    if problems:
        raise ConfigRefused([DocumentProblem(*p) for p in problems])


def _play(
    test: TestCall,
    matrix: Matrix,
    account: Account,
    staff: Staff,
    policy: NumberPolicy,
    texts: Texts,
    turns: CallTurns,
) -> Played:
    made_up = SampleCall(
        number=test.number,
        line=test.line,
        connection=test.connection,
        at=test.at,
        direction=test.direction,
        is_answered=test.answered_by is not None,
        answered_by=test.answered_by,
        talk_seconds=test.talk_seconds,
        params=test.params,
    )
    number = normalise(test.number, policy)
    client = _client(test, number.e164 if isinstance(number, PublicNumber) else test.number, staff, texts)
    row, setup = made_up.as_row(account, policy, client), setup_at(account, staff, test.at)
    return play(matrix, row, client, setup, turns=turns_of_client(turns, client, account, staff))


def _client(test: TestCall, number: str, staff: Staff, texts: Texts) -> Client:
    """Make a contact, and an open deal where the test says so, of the employee it names."""
    if test.client is ClientKind.NEW:
        return Client(number=number)
    person = staff.by_id.get(test.client_owner or "")
    owner = person.crm_user_id if person else None
    since = test.at - timedelta(days=30)
    entities = [
        ClientEntity(
            ref=Ref(kind="contact", id="1"),
            name=texts.say("crm.sample.client"),
            owner_id=owner,
            created_at=since,
            updated_at=since,
        )
    ]
    if test.client is ClientKind.KNOWN_WITH_DEAL:
        entities.append(
            ClientEntity(
                ref=Ref(kind="deal", id="2"),
                name=texts.say("crm.sample.deal"),
                owner_id=owner,
                created_at=since,
                updated_at=since,
            )
        )
    return Client(number=number, entities=tuple(entities))


def _differences(test: TestCall, played: Played, staff: Staff, texts: Texts) -> list[str]:
    found = []

    def differs(what: str, /, **values: Value) -> None:
        found.append(texts.say(f"config.test-{what}", **values))

    expected = test.expect
    if expected.orders is not None:
        want, got = Counter(expected.orders), Counter(str(e.order.do) for e in played.effects)
        if want != got:
            differs("orders", got=_listed(got, texts), expected=_listed(want, texts))
    if expected.owner is not None:
        person = staff.by_id.get(expected.owner)
        if person is None or person.crm_user_id is None:
            differs("owner-unmapped", expected=expected.owner)
        else:
            owners = {
                owner
                for e in played.effects
                if e.order.do.startswith("create_") and (owner := getattr(e.order, "owner_id", None))
            }
            if owners != {person.crm_user_id}:
                names = [p.id if (p := staff.by_crm_user.get(o)) else o for o in sorted(owners)]
                differs("owner", got=tuple(names) or phrase("config.nobody"), expected=expected.owner)
    if expected.table is not None:
        tables = {d.matrix for d in played.decisions}
        if tables != {expected.table}:
            differs(
                "matrix",
                got=tuple(sorted(filter(None, tables))) or phrase("config.nothing"),
                expected=expected.table,
            )
    return found


def _listed(counts: Counter[str], texts: Texts) -> str:
    return ", ".join(sorted(counts.elements())) or texts.say("config.nothing")
