"""Which cookie a browser gets at which address, and whose forms are taken."""

from __future__ import annotations

import pytest
from aiohttp.test_utils import make_mocked_request

from gateway.http.session_cookie import SessionCookie, is_from_our_page, session_cookie

PUBLIC = "https://calls.example.com"


def _asked(host: str, base_url: str = PUBLIC) -> SessionCookie | None:
    return session_cookie(make_mocked_request("GET", "/", headers={"Host": host}), base_url)


@pytest.mark.parametrize(
    ("host", "base_url"),
    [
        ("calls.example.com", PUBLIC),
        ("CALLS.example.com:443", PUBLIC),
        ("calls.example.com:8443", PUBLIC + ":8443/"),
    ],
)
def test_at_the_public_address_it_goes_over_tls_only_and_to_this_host_only(host: str, base_url: str) -> None:
    cookie = _asked(host, base_url)
    assert cookie is not None
    assert (cookie.name, cookie.is_secure) == ("__Host-callmatrix", True)
    assert cookie.kept("secret") == "__Host-callmatrix=secret; Path=/; HttpOnly; SameSite=Lax; Secure"
    assert cookie.cleared().endswith("Secure; Max-Age=0")


@pytest.mark.parametrize("host", ["127.0.0.1:8080", "localhost", "[::1]:8080", "demo.localhost:1"])
def test_at_this_machine_it_needs_no_tls(host: str) -> None:
    for base_url in (PUBLIC, "http://127.0.0.1:8080"):
        cookie = _asked(host, base_url)
        assert cookie is not None
        assert cookie.kept("secret") == "callmatrix=secret; Path=/; HttpOnly; SameSite=Lax"


@pytest.mark.parametrize(
    ("host", "base_url"),
    [
        ("192.0.2.1:8080", PUBLIC),
        ("calls.example.com:8080", PUBLIC),  # past the proxy, in plain text
        ("calls.example.com", "http://calls.example.com"),
        ("localhost.example.com", PUBLIC),
        ("", PUBLIC),
    ],
)
def test_anywhere_else_nobody_signs_in(host: str, base_url: str) -> None:
    assert _asked(host, base_url) is None


@pytest.mark.parametrize(
    ("headers", "is_ours"),
    [
        ({"Sec-Fetch-Site": "same-origin"}, True),
        ({"Sec-Fetch-Site": "same-origin", "Origin": "null"}, True),
        ({"Sec-Fetch-Site": "same-site", "Origin": PUBLIC}, False),
        ({"Sec-Fetch-Site": "cross-site"}, False),
        ({"Sec-Fetch-Site": "none"}, False),
        ({"Origin": PUBLIC}, True),
        ({"Origin": PUBLIC + ":443"}, True),
        ({"Origin": "http://calls.example.com"}, False),
        ({"Origin": "https://calls.example.com.evil.example"}, False),
        ({"Origin": "null"}, False),
        ({"Origin": ""}, False),
        ({}, False),
    ],
)
def test_a_form_comes_from_a_page_of_ours_by_the_browsers_own_word(
    headers: dict[str, str], is_ours: bool
) -> None:
    cookie = _asked("calls.example.com")
    assert cookie is not None
    request = make_mocked_request("POST", "/", headers={"Host": "calls.example.com", **headers})
    assert is_from_our_page(request, cookie) is is_ours
