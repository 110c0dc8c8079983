"""What the handlers of the admin API and of the pages work with."""

from __future__ import annotations

from collections.abc import Callable, Mapping
from dataclasses import dataclass

import asyncpg

from gateway.admin.protection.allowed import Allowed, allowed_by
from gateway.at_work import AtWork
from gateway.calls.client_job import ClientJob
from gateway.configuration import Configuration
from gateway.http.peers import Peers
from gateway.http.strangers import Strangers
from gateway.lookup.endpoint import Directories, WhoIsThere
from gateway.pbx.kind import PbxKind
from gateway.presence.heartbeats import Heartbeats
from gateway.settings import Settings
from gateway.store.admin.accounts import ApiToken
from gateway.store.admin.matrices import MatrixStore
from runtime.database.changes import Changes
from runtime.database.silence import SilenceGuard
from runtime.metrics import Latency


class TokensUsed:
    """Which tokens were shown since it was last asked."""

    def __init__(self) -> None:
        self._hashes: set[str] = set()

    def note(self, token: ApiToken) -> None:
        self._hashes.add(token.token_hash)

    def fetch(self) -> set[str]:
        """Return their hashes, and begin anew."""
        hashes, self._hashes = self._hashes, set()
        return hashes


@dataclass(frozen=True, slots=True, kw_only=True)
class Services:
    """url_of: (account, kind, id) -> the entity's page in the CRM. changes: for what stays open and shows what goes on.
    heartbeats: of open pages.
    silence: of the database. lookup_latency: of this gateway process. peers: who asks, behind which proxies. strangers: told of who is refused."""

    settings: Settings
    pool: asyncpg.Pool
    configuration: Configuration
    directories: Directories
    url_of: Callable[[str, str, str], str]
    changes: Changes
    heartbeats: Heartbeats
    people: WhoIsThere
    at_work: AtWork
    kinds: Mapping[str, PbxKind]
    peers: Peers
    strangers: Strangers
    tokens_used: TokensUsed
    silence: SilenceGuard
    lookup_latency: Latency | None = None

    @property
    def client_job(self) -> ClientJob:
        """For what a person orders of a client's calls."""
        return ClientJob(self.pool, MatrixStore(), at_work=self.at_work)

    def allowed_to(self, who: ApiToken) -> Allowed:
        return allowed_by(self.settings, is_operator=who.account_id is None)
