"""The description of the API names every address that is served, once."""

from __future__ import annotations

import re

from gateway.api.openapi import describe
from gateway.api.resources import ROUTES


def test_every_route_stands_in_the_document_and_nothing_else() -> None:
    paths = describe(ROUTES)["paths"]
    described = {(method.upper(), path) for path, methods in paths.items() for method in methods}
    served = [
        (r.method, "/api" + re.sub(r"\{(\w+):(?:[^{}]|\{[^{}]*\})*\}", r"{\1}", r.path)) for r in ROUTES
    ]
    assert described == set(served)
    assert len(served) == len(described), "two routes share an address"
    assert ("POST", "/api/v1/accounts/{account}/sync") in described
