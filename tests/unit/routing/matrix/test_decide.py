from __future__ import annotations

import itertools
import re
from datetime import datetime, timedelta
from zoneinfo import ZoneInfo

import pytest
from hypothesis import given, settings
from hypothesis import strategies as st
from pydantic import ValidationError

from routing.client import ClientEntity, ClientKind
from routing.conditions import Condition
from routing.effects import CreateDeal, CreateTask
from routing.matrix.actions import (
    Action,
    Attach,
    Card,
    ChangeStage,
    Deadline,
    MakeContact,
    MakeDeal,
    MakeLead,
    MakeTask,
)
from routing.matrix.decide import (
    CELLS,
    ROWS,
    Matrix,
    MatrixTable,
    Moment,
    SelectionRule,
    Situation,
    decide,
    due_moments,
)
from routing.matrix.places import GonePlaces, named_places
from routing.matrix.presets import PRESETS, recommended, unsorted, update_only
from routing.settings import AccountSettings, CasePolicy
from routing.staff import Staff
from tests.unit.routing.matrix.situations import (
    CLIENT,
    GONE,
    MARIA,
    NOW,
    OLEG,
    PETR,
    STAFF,
    UNMAPPED,
    a_call,
    a_situation,
    an_entity,
    orders_of,
)

CONTACT = an_entity("contact", "501", owner_id="11")
DEAL = an_entity("deal", "601", owner_id="11")


def a_matrix(**cells: tuple[Action, ...]) -> Matrix:
    """cells by `inbound_missed_new__end`; all others are empty."""
    by_name = {cell.replace(".", "_").replace("/", "__"): cell for cell in CELLS}
    named = {by_name[name]: actions for name, actions in cells.items()}
    return Matrix(tables={"default": MatrixTable(name="t", cells={c: named.get(c, ()) for c in CELLS})})


# Which moments are due


def test_a_ringing_call_calls_for_the_ring_moment_once() -> None:
    call = a_call(is_over=False)
    assert due_moments(call, (), False) == (Moment.RING,)
    assert due_moments(call, ("ring",), False) == ()


def test_an_answered_call_calls_for_answer_and_at_its_end_for_end_without_settling() -> None:
    assert due_moments(a_call(answered_by="101", is_over=False), ("ring",), False) == (Moment.ANSWER,)
    assert due_moments(a_call(answered_by="101"), (), False) == (Moment.ANSWER, Moment.END)
    assert due_moments(a_call(answered_by="101"), {"answer"}, False) == (Moment.END,)


def test_the_end_of_a_missed_call_waits_until_it_is_settled() -> None:
    assert due_moments(a_call(), ("ring",), False) == ()
    assert due_moments(a_call(), ("ring",), True) == (Moment.END,)


def test_an_internal_call_calls_for_nothing() -> None:
    assert due_moments(a_call(direction="internal", answered_by="101"), (), True) == ()


# Every call meets exactly one cell


@pytest.mark.parametrize("preset", PRESETS)
def test_a_preset_has_every_cell(preset: str) -> None:
    assert set(PRESETS[preset]().tables["default"].cells) == set(CELLS)


def test_there_are_as_many_cells_as_kinds_of_call_have_moments() -> None:
    assert len(ROWS) == 2 * 4 * 3
    assert len(CELLS) == len(set(CELLS)) == 2 * 3 * (1 + 2 + 2 + 1)


@pytest.mark.parametrize(
    ("direction", "answered_by", "kind", "moment"),
    [
        (d, a, k, m)
        for d, a, k, m in itertools.product(("inbound", "outbound"), ("101", "999", None), ClientKind, Moment)
        if not (m is Moment.ANSWER and a is None)
    ],
)
def test_every_kind_of_call_meets_a_cell_at_every_moment(
    direction: str, answered_by: str | None, kind: ClientKind, moment: Moment
) -> None:
    call = a_call(direction=direction, answered_by=answered_by)
    decision = decide(recommended(), a_situation(call, moment=moment, client_kind=kind))
    assert decision.cell in CELLS
    assert decision.reason not in ("no_cell", "no_matrix")


def test_an_unknown_cell_is_refused() -> None:
    with pytest.raises(ValidationError, match="no such cell"):
        MatrixTable(name="t", cells={"inbound.missed.new/answer": ()})


def test_a_text_that_no_database_takes_is_refused() -> None:
    with pytest.raises(ValidationError, match="NUL"):
        a_matrix(inbound_missed_new__end=(MakeTask(text="a\x00b"),))


def test_a_gap_is_a_reason_not_an_exception() -> None:
    matrix = Matrix(tables={"default": MatrixTable(name="t", cells={})})
    decision = decide(matrix, a_situation())
    assert (decision.reason, decision.effects) == ("no_cell", ())


def test_a_matrix_that_is_not_there_is_a_reason() -> None:
    assert decide(Matrix(tables={}), a_situation()).reason == "no_matrix"


# The same situation, the same decision


_ENTITIES = st.lists(
    st.builds(
        an_entity,
        st.sampled_from(["contact", "deal", "lead", "company"]),
        st.text("0123456789", min_size=1, max_size=4),
        owner_id=st.sampled_from([None, "10", "11", "12", "13", "99"]),
        is_open=st.booleans(),
        updated_at=st.sampled_from([None, NOW, NOW + timedelta(days=1)]),
    ),
    max_size=5,
    unique_by=lambda e: (e.ref.kind, e.ref.id),
)
SITUATIONS = st.builds(
    lambda call, entities, moment, kind, ordered: a_situation(
        call, moment=moment, entities=tuple(entities), client_kind=kind, ordered=tuple(ordered)
    ),
    st.builds(
        a_call,
        answered_by=st.sampled_from([None, "101", "103", "104", "999", "sip:petr@pbx"]),
        direction=st.sampled_from(["inbound", "outbound"]),
        is_over=st.booleans(),
        params=st.dictionaries(st.sampled_from(["utm_source", "pool"]), st.text(max_size=5)),
    ),
    _ENTITIES,
    st.sampled_from(["ring", "answer", "end"]),
    st.sampled_from([k.value for k in ClientKind]),
    st.sets(st.sampled_from(["c-1:contact", "c-1:deal", "c-1:call", "c-1:task:call_back", "c-1:lead"])),
)
MATRICES = st.sampled_from([recommended(), update_only(), unsorted()])


@given(MATRICES, SITUATIONS, st.randoms())
@settings(max_examples=300, deadline=None)
def test_the_order_in_which_entities_are_known_does_not_matter(
    matrix: Matrix, situation: Situation, random: object
) -> None:
    entities: list[ClientEntity] = list(situation.client.entities)
    random.shuffle(entities)  # type: ignore[attr-defined]
    client = situation.client.model_copy(update={"entities": tuple(entities)})
    shuffled = situation.model_copy(update={"client": client})
    assert decide(matrix, shuffled) == decide(matrix, situation)


@given(MATRICES, SITUATIONS)
@settings(max_examples=300, deadline=None)
def test_keys_are_unique_and_of_this_call_and_nothing_is_ordered_twice(
    matrix: Matrix, situation: Situation
) -> None:
    decision = decide(matrix, situation)
    keys = [e.key for e in decision.effects]
    assert len(keys) == len(set(keys))
    assert not set(keys) & set(situation.ordered)
    assert all(k.startswith("c-1:") for k in keys)


@given(MATRICES, SITUATIONS)
@settings(max_examples=300, deadline=None)
def test_an_effect_comes_after_whatever_it_refers_to(matrix: Matrix, situation: Situation) -> None:
    known = {e.ref.effect for e in situation.client.entities} | set(situation.ordered)
    for effect in decide(matrix, situation).effects:
        refs = (getattr(effect.order, name, None) for name in ("target", "contact"))
        needed = {r.effect for r in refs if r is not None and r.effect}
        assert set(effect.after) == needed
        assert needed <= known
        known.add(effect.key)


@given(MATRICES, SITUATIONS)
@settings(max_examples=300, deadline=None)
def test_exactly_one_step_decides_and_it_is_the_last(matrix: Matrix, situation: Situation) -> None:
    decision = decide(matrix, situation)
    verdicts = [s.verdict for s in decision.steps]
    assert verdicts.count("decided") == 1
    assert verdicts[-1] == "decided"
    assert decision.steps[-1].because == decision.reason


@given(MATRICES, SITUATIONS)
@settings(max_examples=100, deadline=None)
def test_a_decision_computed_again_from_its_stored_inputs_is_the_same(
    matrix: Matrix, situation: Situation
) -> None:
    stored = situation.model_dump_json(), matrix.model_dump_json()
    again = decide(Matrix.model_validate_json(stored[1]), Situation.model_validate_json(stored[0]))
    assert again == decide(matrix, situation)


# Which table applies


def _selecting(*rules: SelectionRule) -> Matrix:
    tables = {"default": recommended().tables["default"], "other": unsorted().tables["default"]}
    return Matrix(version=4, tables=tables, selection=rules)


def test_the_first_selection_rule_that_holds_chooses_the_table() -> None:
    by_line = SelectionRule(when=(Condition(parameter="DID", values=("+74950000001",)),), matrix="other")
    by_connection = SelectionRule(
        when=(Condition(parameter="connection", values=("office",)),), matrix="default"
    )
    assert decide(_selecting(by_line, by_connection), a_situation()).matrix == "other"
    assert decide(_selecting(by_connection, by_line), a_situation()).matrix == "default"


def test_calls_that_no_rule_wants_go_by_the_default() -> None:
    by_pool = SelectionRule(when=(Condition(parameter="pool", values=("VIP",)),), matrix="other")
    decision = decide(_selecting(by_pool), a_situation())
    assert decision.matrix == "default"
    assert [s.because for s in decision.steps[:2]] == ["selection_does_not_hold", "default_matrix"]
    call = a_call(params={"Pool": " vip "})
    assert decide(_selecting(by_pool), a_situation(call)).matrix == "other"


def test_the_trace_names_version_matrix_and_cell() -> None:
    last = decide(_selecting(), a_situation()).steps[-1]
    assert last.rule == "inbound.missed.new/end"
    assert last.facts == {"matrix": "default", "version": 4, "effects": 4}


# Who is responsible


@pytest.mark.parametrize(
    ("choice", "answered_by", "owner", "because"),
    [
        ("who_answered", "101", "11", "who_answered"),
        ("who_answered", "sip:petr@pbx.example", "11", "who_answered"),
        ("who_answered", "103", "10", "employee_inactive"),
        ("employee:maria", "101", "12", "fixed_employee"),
        ("employee:gone", "101", "10", "employee_inactive"),
        ("employee:new", "101", "10", "employee_unmapped"),
        ("employee:nobody", "101", "10", "employee_gone"),
        ("senior", "101", "10", "senior"),
        ("template:sales", "101", "10", "template_unknown"),
        ("owner", "101", "10", "no_owner"),
    ],
)
def test_whoever_cannot_be_responsible_gives_way_to_the_senior_manager(
    choice: str, answered_by: str, owner: str, because: str
) -> None:
    matrix = a_matrix(inbound_answered_new__end=(MakeContact(responsible=choice),))
    decision = decide(matrix, a_situation(a_call(answered_by=answered_by)))
    assert orders_of(decision)["contact"].owner_id == owner
    assert decision.steps[-2].facts["owner_because"] == because


def test_a_client_of_a_user_who_has_left_the_crm_goes_to_their_deputy_else_to_whoever_is_left() -> None:
    """Whether they are an employee of ours or not."""
    gone = GONE.model_copy(update={"deputy_id": "maria"})
    boss_gone = OLEG.model_copy(update={"is_active": False})
    for people, owner, expected, because in (
        ((gone, MARIA, OLEG), "13", "12", "deputy_instead"),
        ((gone, OLEG), "13", "10", "owner_inactive"),
        ((MARIA, OLEG), "77", "10", "owner_inactive"),
        ((MARIA, boss_gone), "77", "1", "admin_instead"),
        ((MARIA, OLEG), "78", "78", "owner"),
    ):
        matrix = a_matrix(
            inbound_missed_known_with_deal__end=(
                MakeTask(text="x", purpose="call_back", responsible="owner"),
            )
        )
        staff = Staff.of(people, gone_users=("13", "77"), admin_user="1")
        deal = an_entity("deal", "7", owner_id=owner, is_open=True)
        decision = decide(matrix, a_situation(entities=(deal,), staff=staff))
        assert orders_of(decision)["task:call_back"].owner_id == expected
        told = [s.facts["owner_because"] for s in decision.steps if "owner_because" in s.facts]
        assert told == [because]


@pytest.mark.parametrize(("purpose", "hour"), [("call_back", 9), ("other", 1)])
def test_a_task_to_call_back_is_never_due_in_quiet_hours(purpose: str, hour: int) -> None:
    matrix = a_matrix(
        inbound_missed_new__end=(
            MakeTask(text="x", purpose=purpose, due=Deadline(minutes=60, is_working=False)),
        )
    )
    zone = ZoneInfo("Europe/Moscow")
    at_night = AccountSettings(cases=CasePolicy(quiet_hours=(("21:00", "09:00"),)))
    s = a_situation(settings=at_night, now=datetime(2026, 3, 3, 0, 0, tzinfo=zone))
    [order] = [e.order for e in decide(matrix, s).effects if isinstance(e.order, CreateTask)]
    assert order.due_at == datetime(2026, 3, 3, hour, 0, tzinfo=zone)


def test_without_a_senior_manager_nobody_is_named() -> None:
    staff = Staff.of([PETR, UNMAPPED])
    decision = decide(recommended(), a_situation(staff=staff))
    assert {o.owner_id for o in orders_of(decision).values()} == {None}
    assert decision.steps[2].facts["owner_because"] == "no_senior"


@pytest.mark.parametrize(
    ("choice", "owner"), [("owner", "12"), ("owner_of_deal", "12"), ("owner_of_contact", "11")]
)
def test_the_owner_is_the_deals_unless_the_contacts_is_asked_for(choice: str, owner: str) -> None:
    matrix = a_matrix(
        inbound_missed_known_with_deal__end=(MakeTask(text="x", purpose="call_back", responsible=choice),)
    )
    entities = (CONTACT, an_entity("deal", "601", owner_id="12"))
    decision = decide(matrix, a_situation(entities=entities))
    assert orders_of(decision)["task:call_back"].owner_id == owner


def test_an_owner_who_left_gives_way_to_the_senior_manager() -> None:
    decision = decide(recommended(), a_situation(entities=(an_entity("contact", "1", owner_id="13"),)))
    assert orders_of(decision)["task:call_back"].owner_id == OLEG.crm_user_id


def test_an_owner_who_is_no_employee_of_ours_keeps_his_task() -> None:
    decision = decide(recommended(), a_situation(entities=(an_entity("contact", "1", owner_id="77"),)))
    assert orders_of(decision)["task:call_back"].owner_id == "77"


def test_an_employee_without_a_crm_user_counts_as_unknown() -> None:
    decision = decide(recommended(), a_situation(a_call(answered_by="104"), moment="answer"))
    assert decision.row == "inbound.answered_by_unknown.new"


def test_where_the_pbx_does_not_say_who_answered_the_only_phone_that_rang_counts() -> None:
    call = a_call(is_answered=True, rung=("102",), talks=())
    decision = decide(recommended(), a_situation(call, moment="answer"))
    assert orders_of(decision)["contact"].owner_id == MARIA.crm_user_id


def test_while_it_may_still_be_told_who_answered_no_settings_are_doubted() -> None:
    call = a_call(is_answered=True, rung=("101", "102"), is_over=False, talks=())
    at_answer = decide(recommended(), a_situation(call, moment="answer"))
    assert set(orders_of(at_answer)) == {"contact", "deal"}
    over = a_call(is_answered=True, rung=("101", "102"), talks=())
    at_end = decide(recommended(), a_situation(over, ordered=("c-1:contact", "c-1:deal")))
    assert "номер не передан" in orders_of(at_end)["task:check_settings"].text


def test_each_action_names_its_own_responsible_also_where_the_client_is_made_here() -> None:
    matrix = a_matrix(
        inbound_missed_new__end=(
            MakeTask(text="x", purpose="call_back", responsible="owner"),
            MakeContact(responsible="employee:maria"),
            MakeTask(text="y", responsible="owner"),
        )
    )
    orders = orders_of(decide(matrix, a_situation()))
    assert orders["task:call_back"].owner_id == OLEG.crm_user_id
    assert orders["task:other:end:3"].owner_id == MARIA.crm_user_id


# What a call is attached to, and what its note says


def test_the_latest_open_deal_takes_the_call() -> None:
    old = an_entity("deal", "700", updated_at=NOW)
    new = an_entity("deal", "600", updated_at=NOW + timedelta(days=1))
    decision = decide(recommended(), a_situation(a_call(answered_by="101"), entities=(new, old, CONTACT)))
    assert orders_of(decision)["call"].target == new.ref


def test_a_deal_that_exists_takes_the_call_before_one_that_is_only_promised() -> None:
    promised = an_entity("deal", effect="c-0:deal", updated_at=NOW + timedelta(days=1))
    decision = decide(recommended(), a_situation(a_call(answered_by="101"), entities=(promised, DEAL)))
    assert orders_of(decision)["call"].target == DEAL.ref


def test_what_this_call_ordered_is_found_even_where_nobody_tells_of_it() -> None:
    situation = a_situation(a_call(answered_by="101"), client_kind="new", ordered=("c-1:contact", "c-1:deal"))
    decision = decide(recommended(), situation)
    assert orders_of(decision)["call"].target.effect == "c-1:deal"
    assert decision.effects[0].after == ("c-1:deal",)


def test_a_call_with_nothing_to_attach_it_to_says_so() -> None:
    matrix = a_matrix(inbound_missed_new__end=(Attach(),))
    decision = decide(matrix, a_situation())
    assert (decision.reason, decision.steps[-2].because) == ("nothing_to_do", "nothing_to_attach_to")


def test_after_a_transfer_the_note_names_everybody_who_talked() -> None:
    talks = tuple(t for address in ("101", "102", "101") for t in a_call(answered_by=address).talks)
    call = a_call(is_answered=True, talks=talks)
    decision = decide(recommended(), a_situation(call, entities=(CONTACT,)))
    note = orders_of(decision)["call"]
    assert note.result == "Разговаривали: Пётр Смирнов, Мария Орлова (ответственный: Пётр Смирнов)"
    assert note.owner_id == PETR.crm_user_id


@pytest.mark.parametrize(
    ("disposition", "status"), [("busy", "busy"), ("cancelled", "no_answer"), ("failed", "no_answer")]
)
def test_an_unanswered_call_is_busy_or_not_answered(disposition: str, status: str) -> None:
    decision = decide(unsorted(), a_situation(a_call(disposition=disposition), entities=(CONTACT,)))
    assert orders_of(decision)["call"].status == status


def test_the_length_of_a_talk_is_the_pbxs_else_from_answer_to_end() -> None:
    told = decide(recommended(), a_situation(a_call(answered_by="101", talk_seconds=5), entities=(CONTACT,)))
    not_told = decide(recommended(), a_situation(a_call(answered_by="101"), entities=(CONTACT,)))
    assert orders_of(told)["call"].talk_seconds == 5
    assert orders_of(not_told)["call"].talk_seconds == 80


def test_who_left_the_company_is_named_but_not_credited_in_the_crm() -> None:
    call = a_call(answered_by="103")
    note = orders_of(decide(recommended(), a_situation(call, entities=(CONTACT,))))["call"]
    assert (note.owner_id, note.answered_by) == (None, GONE.name)


# Creating


def test_always_makes_a_second_deal_and_the_call_goes_there() -> None:
    matrix = a_matrix(inbound_answered_known_with_deal__end=(MakeDeal(when_open="always"), Attach()))
    orders = orders_of(decide(matrix, a_situation(a_call(answered_by="101"), entities=(CONTACT, DEAL))))
    assert orders["deal"].contact == CONTACT.ref
    assert orders["call"].target.effect == "c-1:deal"


def test_a_client_whose_deals_are_all_closed_gets_a_new_one_unless_the_closed_one_is_wanted() -> None:
    closed = an_entity("deal", "601", is_open=False, closed_at=NOW)
    for after_closed, expected in (("create_new", {"deal"}), ("add_to_closed", set())):
        matrix = a_matrix(inbound_missed_known_without_deal__end=(MakeDeal(after_closed=after_closed),))
        assert set(orders_of(decide(matrix, a_situation(entities=(CONTACT, closed))))) == expected


def test_a_waiting_lead_is_not_doubled_by_contact_deal_or_another_lead() -> None:
    matrix = a_matrix(inbound_missed_new__end=(MakeContact(), MakeDeal(), MakeLead()))
    lead = an_entity("lead", "uid")
    decision = decide(matrix, a_situation(entities=(lead,), client_kind="new"))
    assert decision.effects == ()
    assert [s.because for s in decision.steps[2:-1]] == ["lead_exists"] * 3


def test_a_deal_of_a_company_without_contacts_belongs_to_the_company() -> None:
    company = an_entity("company", "301")
    matrix = a_matrix(inbound_missed_known_without_deal__end=(MakeDeal(),))
    order = orders_of(decide(matrix, a_situation(entities=(company,))))["deal"]
    assert isinstance(order, CreateDeal)
    assert order.contact == company.ref


def test_an_action_may_ignore_the_pipeline_rules() -> None:
    body = a_matrix(
        inbound_missed_new__end=(MakeDeal(ignores_rules=True, pipeline_id="3", stage_id="30"),)
    ).model_dump()
    matrix = Matrix.model_validate({**body, "pipeline_rules": [{"when": [], "pipeline_id": "9"}]})
    order = orders_of(decide(matrix, a_situation()))["deal"]
    assert (order.pipeline_id, order.stage_id) == ("3", "30")


# Places that were deleted in the CRM


@pytest.mark.parametrize(
    ("gone", "place", "told"),
    [
        (GonePlaces(), ("3", "30"), {}),
        (GonePlaces(stages=("30",)), ("3", None), {"stage_gone": "30"}),
        (GonePlaces(pipelines=("3",), stages=("30",)), (None, None), {"pipeline_gone": "3"}),
        (GonePlaces(pipelines=("4",), stages=("40",)), ("3", "30"), {}),
    ],
)
def test_a_deal_goes_to_the_nearest_place_that_is_left(
    gone: GonePlaces, place: tuple[str | None, str | None], told: dict[str, str]
) -> None:
    action = MakeDeal(pipeline_id="3", stage_id="30")
    decision = decide(a_matrix(inbound_missed_new__end=(action,)), a_situation(gone_places=gone))
    order = orders_of(decision)["deal"]
    assert (order.pipeline_id, order.stage_id) == place
    facts = decision.steps[-2].facts
    assert (facts["pipeline"], facts["stage"]) == place
    assert {name: value for name, value in facts.items() if name.endswith("_gone")} == told


def test_a_lead_and_a_stage_to_be_changed_know_what_is_gone_as_well() -> None:
    gone = GonePlaces(pipelines=("3",), stages=("71",))
    lead = decide(
        a_matrix(inbound_missed_new__end=(MakeLead(pipeline_id="3"),)), a_situation(gone_places=gone)
    )
    assert orders_of(lead)["lead"].pipeline_id is None
    assert lead.steps[-2].facts["pipeline_gone"] == "3"
    matrix = a_matrix(inbound_missed_known_with_deal__end=(ChangeStage(stage_id="71"),))
    change = decide(matrix, a_situation(entities=(CONTACT, DEAL), gone_places=gone))
    assert (change.effects, change.steps[-2].because) == ((), "stage_gone")


def test_every_place_that_a_matrix_names_is_looked_for() -> None:
    deal = MakeDeal(pipeline_id="1", stage_id="10", when_open="separate_stage", separate_stage_id="11")
    matrix = a_matrix(inbound_missed_new__end=(deal, MakeLead(pipeline_id="2"), ChangeStage(stage_id="12")))
    rules = {"pipeline_rules": [{"when": [], "pipeline_id": "3", "stage_id": "13"}]}
    defaults = {"default_pipeline_id": "4", "default_stage_id": "14"}
    matrix = Matrix.model_validate(matrix.model_dump() | rules | defaults)
    assert named_places(matrix, "5") == (set("12345"), {"10", "11", "12", "13", "14"})
    assert named_places(a_matrix()) == (set(), set())


# Stages and cards


def test_a_stage_is_changed_only_from_the_stages_that_are_named() -> None:
    matrix = a_matrix(inbound_answered_known_with_deal__end=(ChangeStage(stage_id="71", only_from=("70",)),))

    def at(stage: str) -> str:
        deal = an_entity("deal", "601", stage_id=stage)
        decision = decide(matrix, a_situation(a_call(answered_by="101"), entities=(deal,)))
        return decision.steps[-2].because

    assert (at("70"), at("72"), at("71")) == ("ordered", "deal_in_other_stage", "deal_in_other_stage")


def test_the_card_is_shown_to_the_people_whose_phones_ring() -> None:
    matrix = a_matrix(inbound_ringing_new__ring=(Card(),))
    call = a_call(is_over=False, rung=("101", "102", "101", "103", "999"))
    card = orders_of(decide(matrix, a_situation(call, moment="ring")))["card:ring"]
    assert (card.number, card.user_ids) == (CLIENT, ("11", "12"))


def test_a_card_for_nobody_is_not_ordered() -> None:
    matrix = a_matrix(inbound_ringing_new__ring=(Card(),))
    decision = decide(matrix, a_situation(a_call(is_over=False, rung=("999",)), moment="ring"))
    assert decision.steps[-2].because == "nobody_to_show_to"


def test_several_tasks_of_one_cell_each_have_a_key() -> None:
    matrix = a_matrix(inbound_missed_new__end=(MakeTask(text="a"), MakeTask(text="b")))
    orders = orders_of(decide(matrix, a_situation()))
    assert {k: o.text for k, o in orders.items()} == {"task:other:end:1": "a", "task:other:end:2": "b"}


def test_a_situation_read_back_finds_its_people() -> None:
    again = Situation.model_validate_json(a_situation().model_dump_json())
    assert again.staff.employee_at("101") == STAFF.employee_at("101") == PETR


def test_an_english_account_gets_english_texts_and_its_old_decisions_their_own() -> None:
    english = AccountSettings(language="en")
    decision = decide(recommended("en"), a_situation(settings=english))
    texts = [getattr(e.order, "text", None) or getattr(e.order, "result", None) for e in decision.effects]
    names = [getattr(e.order, "name", "") for e in decision.effects]
    assert "Missed call" in texts
    assert any(text and text.startswith("Call back: missed call from +") for text in texts)
    assert any(name.startswith("Call +") for name in names)
    assert not re.search("[а-яё]", str([e.order.model_dump(mode="json") for e in decision.effects]).lower())
    stored = Situation.model_validate_json(a_situation(settings=english).model_dump_json())
    assert decide(recommended("en"), stored) == decision


# What the client was known by is gone at the end


def test_a_client_whose_things_are_gone_gets_what_earlier_moments_would_have_made_for_a_new_one() -> None:
    situation = a_situation(a_call(answered_by="101"), client_kind="known_with_deal")
    decision = decide(recommended(), situation)
    assert decision.row == "inbound.answered.new"
    assert list(orders_of(decision)) == ["contact", "deal", "call"]


def test_a_cell_that_makes_nothing_for_a_client_who_is_gone_does_not_say_that_it_was_needless() -> None:
    situation = a_situation(a_call(answered_by="101"), client_kind="known_without_deal")
    assert decide(a_matrix(inbound_answered_new__end=(Attach(),)), situation).reason == "client_gone"


def test_what_came_to_nothing_is_ordered_under_a_new_key_each_time() -> None:
    gone = ("c-1:contact", "c-1:contact~2", "c-1:deal")
    situation = a_situation(a_call(answered_by="101"), client_kind="new", ordered=gone, gone=gone)
    assert list(orders_of(decide(recommended(), situation))) == ["contact~3", "deal~2", "call"]


def test_a_deal_that_was_closed_during_the_call_keeps_the_clients_kind_and_one_that_is_gone_does_not() -> (
    None
):
    closed = DEAL.model_copy(update={"is_open": False, "closed_at": NOW + timedelta(seconds=10)})
    for deals, row in (
        ((closed,), "inbound.answered.known_with_deal"),
        ((), "inbound.answered.known_without_deal"),
    ):
        situation = a_situation(
            a_call(answered_by="101"), client_kind="known_with_deal", entities=(CONTACT, *deals)
        )
        assert decide(recommended(), situation).row == row
