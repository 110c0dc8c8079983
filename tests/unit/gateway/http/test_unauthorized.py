from __future__ import annotations

import pytest
from aiohttp.test_utils import make_mocked_request

from gateway.http.unauthorized import address_of


@pytest.mark.parametrize(
    ("hops", "header", "expected"),
    [
        (0, "203.0.113.9", ""),
        (1, "203.0.113.9", "203.0.113.9"),
        (1, "198.51.100.1, 203.0.113.9", "203.0.113.9"),
        (2, "198.51.100.1, 203.0.113.9", "198.51.100.1"),
        (3, "198.51.100.1, 203.0.113.9", ""),
    ],
)
def test_only_what_our_own_proxies_added_is_believed(hops: int, header: str, expected: str) -> None:
    request = make_mocked_request("GET", "/", headers={"X-Forwarded-For": header})
    assert address_of(request, hops) == (expected or (request.remote or ""))
