"""What the desk says of what could not be worked on is in our words."""

from __future__ import annotations

import pytest
from pydantic import BaseModel, ValidationError

from gateway.calls.reasons import reason_of


class _Told(BaseModel):
    lines: tuple[int, ...]


def test_of_what_cannot_be_read_the_desk_names_the_place_and_not_the_librarys_words() -> None:
    with pytest.raises(ValidationError) as refused:
        _Told.model_validate({"lines": "+79161234567"})
    assert reason_of(refused.value) == "event-unprocessable: cannot be read at lines"
