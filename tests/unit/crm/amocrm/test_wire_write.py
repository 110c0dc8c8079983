"""Notes as they are written: those of SMS start no robot of the account."""

from __future__ import annotations

from datetime import UTC, datetime

from crm.amocrm.wire_write import note_change, plain_note
from routing.client import Ref
from routing.effects import AddNote, ChangeNote

TARGET = Ref(kind="contact", id="7")
AT = datetime(2026, 3, 2, 7, 0, tzinfo=UTC)


def test_a_note_of_an_sms_has_text_and_phone_only_and_starts_no_robot() -> None:
    order = AddNote(target=TARGET, text="Готово", form="sms_out", number="+79161234567", at=AT)
    assert plain_note(order, "7", source="Callmatrix", takes_dates=False) == {
        "entity_id": 7,
        "note_type": "sms_out",
        "params": {"text": "Готово", "phone": "+79161234567"},
        "is_need_to_trigger_digital_pipeline": False,
    }
    dated = plain_note(order, "7", source="Callmatrix", takes_dates=True)
    assert dated["created_at"] == int(AT.timestamp())


def test_a_note_of_the_program_names_it_and_a_common_one_is_as_ever() -> None:
    told = plain_note(AddNote(target=TARGET, text="x", form="service"), "7", source="C", takes_dates=True)
    assert (told["note_type"], told["params"]) == ("extended_service_message", {"text": "x", "service": "C"})
    common = plain_note(AddNote(target=TARGET, text="x"), "7", source="C", takes_dates=True)
    assert common == {"entity_id": 7, "note_type": "common", "params": {"text": "x"}}


def test_a_note_is_changed_in_the_form_in_which_it_was_written() -> None:
    common = ChangeNote(note="n", target=TARGET, text="x")
    told = note_change("5", common.model_copy(update={"form": "service"}), "7", source="C")
    assert (told["note_type"], told["params"]) == ("extended_service_message", {"text": "x", "service": "C"})
    told = note_change("5", common, "7", source="C")
    assert (told["note_type"], told["params"]) == ("common", {"text": "x"})
