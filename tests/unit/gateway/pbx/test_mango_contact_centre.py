"""What MANGO's contact centre says of campaigns and their numbers, and what an answer to an addition means."""

from __future__ import annotations

import json
from datetime import UTC, datetime, timedelta
from typing import Any

import pytest

from campaigns.engine import (
    NewTask,
    TaskAdded,
    TaskRefused,
    TaskThere,
    TaskThrottled,
    TaskUnknown,
    after_engine,
    end_of,
    when_absent,
)
from campaigns.states import CampaignStep
from gateway.pbx.call_log import NoContactCentre, PbxRefused, PbxThrottled, PbxUnreachable
from gateway.pbx.mango.adapter import MangoKind
from gateway.pbx.mango.contact_centre import add_request, read_added, read_campaigns, read_tasks
from gateway.pbx.port import WireInvalid
from routing.calls.fold import fold
from routing.calls.model import Call
from routing.client_work.call import no_client_reason
from routing.outbound_ending import ITEM_REASONS
from routing.settings import NumberPolicy
from runtime.vendors.mango_signing import signed_form
from tests.unit.gateway.pbx.builders import FORM, a_connection, a_request

PBX = a_connection("mango", keys={"api_key": "key", "api_salt": "salt"})


def said(**fields: Any) -> bytes:
    return json.dumps(fields).encode()


def listed(status: int, reason: Any, **more: Any) -> bytes:
    task = {"task_id": "7", "number": "+7 916", "task_status": status, "task_status_reason": reason}
    return said(result=1000, tasks=[task | more])


# The vendor's table of reasons: whose side it was.
SIDES = {
    "talked": (1,),
    "client": (2, 3, 4, 8, 21, 22, 23, 24),
    "operator": (5, 6, 7, 10, 20),
    "unknown": (11, 25, 26, 27, 99, None),
}


@pytest.mark.parametrize(("side", "reason"), [(s, r) for s, reasons in SIDES.items() for r in reasons])
def test_55_each_reason_of_a_number_is_on_the_right_side(side: str, reason: Any) -> None:
    [task] = read_tasks(listed(4, reason)).tasks
    end = end_of(task)
    assert end is not None
    assert end.side == side
    assert end.reason in (*ITEM_REASONS, "taken_out")
    assert task.words == f"MANGO 4/{reason}"
    states = {"talked": {"succeeded"}, "client": {"failed"}, "operator": {"failed"}}
    assert end.state in states.get(side, {"cleared", "expired", "dropped", "unknown"})


def test_a_number_that_is_not_done_has_no_end_whatever_reason_stands_there() -> None:
    assert [end_of(read_tasks(listed(n, 3)).tasks[0]) for n in (0, 1, 2, 3, 5, 77)] == [None] * 6
    deleted = end_of(read_tasks(listed(6, 3)).tasks[0])
    assert deleted is not None
    assert (deleted.state, deleted.reason) == ("cleared", "taken_out")


def test_numbers_are_read_as_the_example_has_them() -> None:
    page = read_tasks(
        listed(4, 1, task_comment="m-1", attempts_count="2", last_attempt="2025.09.26 08:32:52", cursor="x")
    )
    [task] = page.tasks
    assert (task.ref, task.number, task.comment, task.tries) == ("7", "7916", "m-1", 2)
    assert task.last_at == datetime(2025, 9, 26, 8, 32, 52, tzinfo=UTC)
    assert (page.cursor, page.unread) == (None, 0)
    odd = read_tasks(said(result=1000, cursor="n", tasks=[{"name": "no id"}, {"task_id": 8}]))
    assert (len(odd.tasks), odd.cursor, odd.unread) == (1, "n", 1)
    assert read_tasks(said(result=1000, cursor="again", tasks=[])).cursor is None
    assert read_tasks(said(result=1000, tasks={"8": {"task_id": 8}})).tasks[0].ref == "8"


@pytest.mark.parametrize(
    ("body", "expected"),
    [
        (said(result=1000, task_id=3223), TaskAdded("3223")),
        (said(result="1000"), TaskAdded(None)),
        (said(result=5109), TaskThere("MANGO 5109")),
        (said(result=5106), "campaign_finished"),
        (said(result=5101), "edition"),
        (said(result=5107), "too_many_tasks"),
        (said(result=5199, message="нельзя"), "engine_refused"),
        (said(result=3136), "engine_refused"),
        (said(result=2240), "engine_refused"),
        (said(result=5008), TaskThrottled()),
        (said(result=5003), TaskUnknown("MANGO 5003")),
        (said(result=9999), TaskUnknown("MANGO 9999")),
        (said(), TaskUnknown("the answer has no result")),
        (b"<html>", TaskUnknown),
    ],
)
def test_an_answer_to_an_addition_is_sure_only_where_its_code_is_known(body: bytes, expected: Any) -> None:
    found = read_added(body)
    if isinstance(expected, str):
        assert isinstance(found, TaskRefused)
        assert found.reason == expected
        assert "MANGO" in found.words
    elif isinstance(expected, type):
        assert isinstance(found, expected)
    else:
        assert found == expected


def test_the_vendors_own_words_are_kept() -> None:
    refused = read_added(said(result=5199, message="нельзя"))
    assert refused == TaskRefused("engine_refused", "MANGO 5199: нельзя", "number")
    assert read_added(said(result=5113)) == TaskRefused(
        "too_many_tasks", "MANGO 5113: the limit of numbers that wait is reached", "later"
    )


def test_one_number_goes_alone_only_into_an_endless_campaign() -> None:
    task = NewTask(campaign="56919", marker="m", number="+79160000001", name="Olga")
    pushed = add_request(task)
    assert pushed.path == "tasks/push"
    assert pushed.payload == {
        "campaign_id": 56919,
        "tasks": [{"number": "79160000001", "name": "Olga", "comment": "m"}],
    }
    later = datetime(2027, 1, 1, 9, tzinfo=UTC)
    endless = NewTask(campaign="56919", marker="m", number="+79160000001", is_endless=True, not_before=later)
    added = add_request(endless)
    assert added.path == "task/add"
    assert (added.payload["blocked_until"], added.payload["name"]) == ("2027-01-01 09:00:00", "+79160000001")
    with pytest.raises(WireInvalid):
        add_request(NewTask(campaign="x", marker="m", number="+79160000001"))


def test_states_of_campaigns_are_ours_and_a_new_one_changes_nothing() -> None:
    of = [{"campaign_id": n, "name": "", "status": n, "status_reason": 7} for n in (*range(7), 42)]
    found = read_campaigns(said(result=1000, campaigns=of))
    assert [c.state for c in found] == ["paused", "planned", "running", "paused", "finished", "busy", "finished", "busy"]  # fmt: skip
    assert found[0].words == "stopped (no money)"
    for body, error in ((5101, NoContactCentre), (5008, PbxThrottled), (5001, PbxUnreachable), (3102, PbxRefused)):  # fmt: skip
        with pytest.raises(error):
            read_campaigns(said(result=body))


def test_a_campaign_follows_its_engine_and_never_comes_back_from_its_end() -> None:
    draft, running = CampaignStep("draft", ""), CampaignStep("running", "by_engine")
    assert after_engine(draft, "running", is_open=False) == running
    assert after_engine(running, "busy", is_open=True) == running
    assert after_engine(running, "paused", is_open=True) == CampaignStep("paused", "by_engine")
    ending = after_engine(running, "finished", is_open=True)
    assert ending == CampaignStep("stopping", "by_engine")
    assert after_engine(ending, "running", is_open=True) == ending
    over = after_engine(ending, "finished", is_open=False)
    assert over == CampaignStep("finished", "by_engine")
    assert after_engine(over, "running", is_open=False) == over
    by_hand = CampaignStep("stopping", "finished_by_hand")
    assert after_engine(by_hand, "running", is_open=False) == CampaignStep("finished", "finished_by_hand")


def test_54_only_what_whole_lists_do_not_show_is_sent_again_and_what_was_taken_never() -> None:
    minutes = timedelta(minutes=1)
    assert when_absent(is_answered=False, looks=2, age=60 * minutes) == "wait"
    assert when_absent(is_answered=False, looks=3, age=4 * minutes) == "wait"
    assert when_absent(is_answered=False, looks=3, age=5 * minutes) == "send_again"
    assert when_absent(is_answered=True, looks=9, age=59 * minutes) == "wait"
    assert when_absent(is_answered=True, looks=9, age=60 * minutes) == "gone"


def a_call_there(initiator: str, number: str = "79160000001") -> Call:
    leg = {
        "entry_id": "e1",
        "call_id": "A",
        "seq": 1,
        "timestamp": 1795262400,
        "call_state": "Appeared",
        "location": "abonent",
        "task_id": 1406133592,
        "callback_initiator": initiator,
        "from": {"extension": "101"},
        "to": {"number": number},
    }
    form = signed_form("key", "salt", leg)
    return fold(MangoKind().parse(a_request("call", body=form, headers={"Content-Type": FORM}), PBX).events)


def test_only_calls_of_campaigns_carry_a_number_of_theirs() -> None:
    call = a_call_there("ObDial")
    assert (call.campaign_task, call.direction, call.client) == ("1406133592", "outbound", "79160000001")
    for initiator in ("\u0421C", "API", "WEB", "CallbackWidget", "MissGroupCallCallback"):
        assert a_call_there(initiator).campaign_task is None


def test_52_the_technical_number_leaves_nothing_in_the_crm_when_it_is_called_after_all() -> None:
    policy = NumberPolicy(own_numbers=frozenset({"+74951230000"}))
    assert no_client_reason(a_call_there("ObDial", "74951230000"), policy) == "own_number"
