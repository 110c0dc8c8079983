"""What the web does not reach, however it is written."""

from __future__ import annotations

import pytest

from runtime.addresses import is_inside


@pytest.mark.parametrize(
    "host",
    [
        "127.0.0.1", "127.1", "0x7f000001", "2130706433", "0.0.0.0", "10.1.2.3", "172.16.0.1", "192.168.0.1", "100.64.1.1",
        "169.254.169.254", "198.18.0.1", "240.0.0.1", "255.255.255.255", "224.0.0.1", "[::1]", "::ffff:10.0.0.1", "64:ff9b::a00:1",
        "fe80::1%eth0", "fd00::1", "2002:7f00:1::", "::",
    ],
)  # fmt: skip
def test_addresses_that_only_we_can_reach_are_inside(host: str) -> None:
    assert is_inside(host)


@pytest.mark.parametrize(
    "host", ["93.184.216.34", "2606:2800:220:1:248:1893:25c8:1946", "files.example", "localhost.example"]
)
def test_addresses_of_the_web_and_names_are_not(host: str) -> None:
    assert not is_inside(host)
