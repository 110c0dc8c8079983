"""What must never be missing in the recipes: limits on how long a call waits for us, and a way on without us."""

from __future__ import annotations

import re
from pathlib import Path

from gateway.instructions import pbx_instructions

RECIPES = Path(__file__).parents[3] / "deploy" / "pbx"
DIALPLAN = (RECIPES / "asterisk" / "extensions.conf").read_text()
PROXY = (RECIPES / "kamailio" / "kamailio.cfg").read_text()


def section(name: str) -> str:
    found = re.search(rf"(?ms)^\[{name}\]\n(.*?)(?=^\[|\Z)", DIALPLAN)
    assert found, name
    return found.group(1)


def test_the_dialplan_waits_for_http_less_than_a_second() -> None:
    asking = section("callmatrix-curl")
    for option in ("conntimeout", "httptimeout"):
        seconds = re.search(rf"CURLOPT\({option}\)=([\d.]+)", asking)
        assert seconds, option
        assert float(seconds.group(1)) < 1
    assert re.search(r"CURLOPT\(failurecodes\)=\S*401\S*503", asking)


def test_the_dialplan_waits_for_fastagi_less_than_a_second_and_goes_on_at_t() -> None:
    asking = section("callmatrix-agi")
    seconds = re.search(r"Set\(TIMEOUT\(absolute\)=(0\.\d+)\)", asking)
    assert seconds, "FastAGI has no limit of its own"
    assert asking.index("AGIEXITONHANGUP=yes") < asking.index("AGI(agi://")
    assert "exten => T,1,Set(TIMEOUT(absolute)=0)" in asking


def test_without_an_answer_the_reserve_rings() -> None:
    assert 'GotoIf($["${CALLMATRIX_TARGET}"=""]?reserve)' in section("from-outside")
    assert "n(reserve),Dial(${RESERVE}" in section("from-outside")
    assert re.search(r'"http_client", "connection_timeout", 1\)', PROXY)
    assert re.search(r"(?s)route\[ASK\] \{.*route\(RESERVE\);\s*exit;\s*\}", PROXY)


def test_fr_timer_of_the_proxy_is_well_above_the_time_it_waits_for_us() -> None:
    fr_timer = re.search(r'"tm", "fr_timer", (\d+)\)', PROXY)
    assert fr_timer
    assert int(fr_timer.group(1)) >= 5000


def test_the_manager_user_may_do_what_the_listener_needs() -> None:
    manager = (RECIPES / "asterisk" / "manager.conf").read_text()
    told = pbx_instructions("asterisk", "office", "s3cret", "http://gateway")
    for text in (manager, told):
        read = re.search(r"(?m)^\s*read=(\S+)", text)
        write = re.search(r"(?m)^\s*write=(\S+)", text)
        assert read, text
        assert write, text
        assert {"call", "cdr", "user", "agent"} <= set(read.group(1).split(","))
        assert {"reporting", "originate", "call"} <= set(write.group(1).split(","))
    assert "timestampevents=yes" in manager
