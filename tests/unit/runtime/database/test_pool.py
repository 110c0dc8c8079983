"""Whether TLS is prepared for connections to the database."""

from __future__ import annotations

import pytest

from runtime.database.pool import tls_of


@pytest.mark.parametrize(
    ("dsn", "tls"),
    [
        ("postgresql://me@127.0.0.1:5432/db", False),
        ("postgresql://me@localhost/db", False),
        ("postgresql:///db?host=/run/postgresql", False),
        ("postgresql://me@localhost/db?sslmode=require", None),
        ("postgresql://me:secret@db.example.com/db", None),
        ("postgresql:///db?host=db.example.com", None),
        ("postgresql://me@127.0.0.1:5432,db.example.com:5432/db", None),
        ("postgresql://me@[::1]:5432/db", False),
    ],
)
def test_tls_is_prepared_only_where_it_may_be_used(dsn: str, tls: bool | None) -> None:
    assert tls_of(dsn) is tls


def test_a_host_of_the_environment_counts_where_the_dsn_names_none() -> None:
    with pytest.MonkeyPatch.context() as environment:
        environment.setenv("PGHOST", "db.example.com")
        assert tls_of("postgresql:///db") is None
        environment.setenv("PGHOST", "/run/postgresql")
        assert tls_of("postgresql:///db") is False
