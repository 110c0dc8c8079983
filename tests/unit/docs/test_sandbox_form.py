"""The sandbox's form as the reference shows it is read whole."""

from __future__ import annotations

import re

from sms.channels.model import UnreadTold
from sms.channels.sandbox.wire import parse_news
from tests.paths import ROOT

_SHOWN = re.compile(r"<!-- sandbox-updates -->\n```json\n(.*?)```", re.DOTALL)


def test_each_update_that_the_reference_shows_is_read() -> None:
    (shown,) = _SHOWN.findall((ROOT / "docs/reference/channels.md").read_text(encoding="utf-8"))
    updates = parse_news(shown.encode()).updates
    assert [one for one in updates if isinstance(one, UnreadTold)] == []
    assert {type(one).__name__ for one in updates} == {
        "MessageTold",
        "DeletedTold",
        "StatusTold",
        "ChatChanged",
        "ChannelStateTold",
    }
