"""Where an account's people may send the gateway: vendors and private networks, not this machine, unless its operator says so."""

from __future__ import annotations

import socket
from pathlib import Path

import pytest

from gateway.admin.protection.allowed import Allowed, refuse_bad_places, refuse_bad_rate
from gateway.admin.refused import InputRefused
from runtime.addresses import is_beside_us

VENDOR = ("api.ringostat.net",)


@pytest.mark.parametrize(
    "settings",
    [
        {},
        {"ami_host": ""},
        {"ami_host": "10.0.0.5"},
        {"ami_host": "192.168.1.20"},
        {"ami_host": "pbx.office.example"},
        {"ami_host": "fd00::5"},
        {"esl_host": "10.0.0.5"},
        {"base_url": "https://api.ringostat.net"},
        {"base_url": "https://API.ringostat.net:443/"},
    ],
)
def test_vendors_and_private_networks_are_ordinary(settings: dict[str, str]) -> None:
    refuse_bad_places(settings, VENDOR, Allowed())


@pytest.mark.parametrize(
    "host",
    ["127.0.0.1", "127.1", "0177.0.0.1", "0x7f.1", "::1", "[::1]", "::ffff:127.0.0.1", "0.0.0.0", "a.localhost",
     "１２７.0.0.1", "127。0。0。1", "ⓛocalhost", "１６９.254.169.254", "127.0.0.1,x", "127.0.0.1:22", "127.0.0.1.", "0.1.2.3",
     "::7f00:1", "64:ff9b::7f00:1", "64:ff9b::a9fe:a9fe", "::ffff:0:7f00:1", "2002:7f00:1::", "[::ffff:7f00:1]", "localhost.",
     "169.254.1.1", "fe80::1", "fe80::1%eth0", "224.0.0.1", "10.0.0.5/x", "u@10.0.0.5"],
)  # fmt: skip
def test_this_machine_and_its_link_are_no_place_of_a_pbx(host: str) -> None:
    with pytest.raises(InputRefused, match="no place of a PBX"):
        refuse_bad_places({"ami_host": host}, VENDOR, Allowed())
    with pytest.raises(InputRefused, match="no place of a PBX"):
        refuse_bad_places({"esl_host": host}, VENDOR, Allowed())


def test_an_address_that_this_machine_has_itself_is_no_place_of_a_pbx() -> None:
    with socket.socket(socket.AF_INET, socket.SOCK_DGRAM) as line:
        try:
            line.connect(("198.51.100.77", 9))
        except OSError:
            pytest.skip("this machine has no address but its loopback")
        ours = line.getsockname()[0]
    assert is_beside_us(ours)
    assert not is_beside_us("198.51.100.77")


def test_the_operator_allows_what_stands_here() -> None:
    allowed = Allowed(pbx_hosts=frozenset({"127.0.0.1", "api.test"}), cdr_dir=Path("/var/log/asterisk"))
    for settings in (
        {"ami_host": "127.0.0.1"},
        {"base_url": "http://127.0.0.1:8090/x"},
        {"base_url": "https://api.test"},
        {"originate_url": "http://api.test/calls"},
        {"cdr_csv": "/var/log/asterisk/cdr-csv/Master.csv"},
    ):
        refuse_bad_places(settings, VENDOR, allowed)
    with pytest.raises(InputRefused):
        refuse_bad_places({"base_url": "http://127.0.0.1:8090/?x="}, VENDOR, allowed)


@pytest.mark.parametrize(
    "url",
    [
        "http://10.0.0.5/calls",
        "https://pbx.example/calls",
        "https://api.ringostat.net",
        "http://api.test/calls?x=1",
        "http://u@api.test/calls",
        "ftp://api.test/calls",
        "api.test/calls",
    ],
)
def test_calls_are_ordered_only_where_the_operator_allows(url: str) -> None:
    with pytest.raises(InputRefused, match="no address that the operator allows"):
        refuse_bad_places({"originate_url": url}, (), Allowed(pbx_hosts=frozenset({"api.test"})))


@pytest.mark.parametrize(
    "path", ["/etc/passwd", "/var/log/asterisk/../../../etc/passwd", "/var/log/asterisk2/x", "Master.csv"]
)
def test_call_records_are_read_below_one_folder_only(path: str) -> None:
    for folder in (None, Path("/var/log/asterisk")):
        with pytest.raises(InputRefused, match="may not be read"):
            refuse_bad_places({"cdr_csv": path}, VENDOR, Allowed(cdr_dir=folder))


def test_an_account_asks_no_more_of_the_crm_than_everybody_and_the_operator_may() -> None:
    refuse_bad_rate(7, 7, Allowed(is_operator=False))
    refuse_bad_rate(20, 20, Allowed(is_operator=False))
    refuse_bad_rate(50, 7, Allowed())
    with pytest.raises(InputRefused, match="8 requests a second are too many"):
        refuse_bad_rate(8, 7, Allowed(is_operator=False))
