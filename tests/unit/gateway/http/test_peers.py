from __future__ import annotations

import ipaddress

import pytest
from aiohttp.test_utils import make_mocked_request

from gateway.http.pages import OwnHosts
from gateway.http.peers import Peers, is_from_this_machine


class _Transport:
    """peer: whom the connection is from."""

    def __init__(self, peer: str) -> None:
        self._peer = peer

    def get_extra_info(self, name: str, default: object = None) -> object:
        return (self._peer, 5) if name == "peername" else default

    def is_closing(self) -> bool:
        return False


def _request(peer: str, **headers: str):  # type: ignore[no-untyped-def]
    named = {name.replace("_", "-"): value for name, value in headers.items()}
    return make_mocked_request("GET", "/", headers=named, transport=_Transport(peer))


@pytest.mark.parametrize(
    ("hops", "header", "expected"),
    [
        (0, "203.0.113.9", "192.0.2.1"),
        (1, "203.0.113.9", "203.0.113.9"),
        (1, "198.51.100.1, 203.0.113.9", "203.0.113.9"),
        (2, "198.51.100.1, 203.0.113.9", "198.51.100.1"),
        (3, "198.51.100.1, 203.0.113.9", "192.0.2.1"),
        (1, "evil=1 line", "192.0.2.1"),
        (1, "203.0.113.9:4711", "203.0.113.9"),
    ],
)
def test_only_what_our_own_proxies_added_is_believed(hops: int, header: str, expected: str) -> None:
    assert Peers(hops=hops).address_of(_request("192.0.2.1", X_Forwarded_For=header)) == expected


@pytest.mark.parametrize(
    ("peer", "header", "expected"),
    [
        ("10.0.0.5", "203.0.113.9", "203.0.113.9"),
        ("::ffff:10.0.0.5", "203.0.113.9", "203.0.113.9"),
        ("10.0.0.5", "127.0.0.1, 203.0.113.9", "203.0.113.9"),
        ("10.0.0.5", "203.0.113.9, 10.0.0.6", "203.0.113.9"),
        ("10.0.0.5", "", "10.0.0.5"),
        ("10.0.0.5", "203.0.113.9, nobody", "10.0.0.5"),
        ("10.0.0.5", "203.0.113.9, unknown, 10.0.0.6", "10.0.0.6"),
        ("10.0.0.5", "203.0.113.9:4711, 10.0.0.6:80", "203.0.113.9"),
        ("10.0.0.5", "[2001:db8::1]:4711, 10.0.0.6", "2001:db8::1"),
        ("10.0.0.5", "2001:db8::1", "2001:db8::1"),
        ("198.51.100.7", "127.0.0.1", "198.51.100.7"),
        ("fe80::1%eth0", "127.0.0.1", "fe80::1%eth0"),
    ],
)
def test_a_list_of_proxies_believes_theirs_and_nobody_elses(peer: str, header: str, expected: str) -> None:
    peers = Peers([ipaddress.ip_network("10.0.0.0/8")], hops=1)
    assert peers.address_of(_request(peer, X_Forwarded_For=header)) == expected


@pytest.mark.parametrize(
    ("peer", "headers", "expected"),
    [
        ("127.0.0.1", {"Host": "localhost:8080"}, True),
        ("::1", {"Host": "[::1]:8080"}, True),
        ("127.0.0.1", {"Host": "gateway.example"}, False),
        ("127.0.0.1", {"Host": "127.0.0.1", "X_Forwarded_For": "127.0.0.1"}, False),
        ("127.0.0.1", {"Host": "127.0.0.1", "X_Real_IP": "203.0.113.9"}, False),
        ("127.0.0.1", {"Host": "127.0.0.1", "Via": "1.1 front"}, False),
        ("10.0.0.5", {"Host": "127.0.0.1", "X_Forwarded_For": "127.0.0.1"}, False),
        ("10.0.0.5", {"Host": "127.0.0.1"}, False),
    ],
)
def test_what_a_proxy_passes_on_is_not_from_this_machine(
    peer: str, headers: dict[str, str], expected: bool
) -> None:
    assert is_from_this_machine(_request(peer, **headers)) is expected


@pytest.mark.parametrize(
    ("host", "expected"),
    [
        ("gateway.example", True),
        ("GATEWAY.example:443", True),
        ("127.0.0.1:8080", True),
        ("[::1]:8080", True),
        ("localhost", True),
        ("evil.example", False),
        ("gateway.example.evil.example", False),
        ("127.0.0.1.evil.example", False),
        ("", False),
    ],
)
def test_pages_answer_under_our_own_names_only(host: str, expected: bool) -> None:
    assert OwnHosts("https://gateway.example/x").have(_request("10.0.0.5", Host=host)) is expected
