"""A kind of PBX: what it must be able to do, and what it may."""

from __future__ import annotations

from collections.abc import Mapping
from typing import Any, ClassVar

from gateway.pbx import dialects
from gateway.pbx.capabilities import (
    CampaignEngine,
    Link,
    OpenCallLog,
    Originator,
    PresenceSource,
    QuestionPort,
    RefusedByPbx,
    Router,
    SettingType,
    TopicsSource,
)
from gateway.pbx.connection import Connection
from gateway.pbx.port import Inbound, LookupRequest, Parsed
from gateway.pbx.secret import has_valid_token


class PbxKind:
    """Stateless, one instance per kind, handed each connection's own settings. Derive from it in a vendor's folder.

    keys: names of the secrets that a connection of the kind may have besides its token.
    own_dialects: names of answers that only this kind writes, besides `dialects.DIALECTS`.
    settings: what the kind knows by name, besides what every connection has (gateway/pbx/connection_settings.py) and its dialect reads.
    vendor_hosts: where the vendor's API is, of a kind that has the setting `base_url`.
    orders_carry_ids: a call at our order can be told from others by our id of the attempt, and not by number and time only.
    has_plain_lookup: a GET with a Bearer header is read by `dialects.lookup_of` alone and `json` is answered in the
    contract's own form, so that the endpoint may take its short way.
    """

    kind: ClassVar[str]
    has_plain_lookup: ClassVar[bool] = False
    orders_carry_ids: ClassVar[bool] = True
    default_dialect: ClassVar[str] = "json"
    own_dialects: ClassVar[tuple[str, ...]] = ()
    keys: ClassVar[tuple[str, ...]] = ()
    settings: ClassVar[Mapping[str, SettingType]] = {}
    vendor_hosts: ClassVar[tuple[str, ...]] = ()

    def authenticate_head(self, request: Inbound, connection: Connection) -> bool | None:
        """Judge address and headers, before the body is read: Bearer header, Basic, `token`. None: the secret stands in the body."""
        return has_valid_token(request, connection)

    def authenticate(self, request: Inbound, connection: Connection) -> bool:
        """Say whether the whole request carries the connection's secret; asked where the head alone did not tell."""
        return bool(self.authenticate_head(request, connection))

    def parse(self, request: Inbound, connection: Connection) -> Parsed:
        """Read one event. Raises WireInvalid naming the field; never returns a half-filled event."""
        raise NotImplementedError

    def lookup_request(self, request: Inbound, connection: Connection) -> LookupRequest:
        """Read a question. Never raises: what cannot be read counts as not sent, since the phone is ringing."""
        return dialects.read_lookup(request)

    def lookup_answer(
        self, answer: Mapping[str, Any], connection: Connection, format: str | None = None
    ) -> tuple[str, bytes]:
        """Write the answer for this PBX: (content type, body).

        answer: the contract's JSON object (decision_id, caller, outcome, reason, entity, responsible, targets, …).
        format: json, text, xml or a dialect's name; overrides the connection's dialect; an unknown one is ignored.
        """
        return dialects.write(answer, connection, dialects.chosen(connection, format))

    def instructions(self, name: str, secret: str, url: str) -> str:
        """Return the text to paste into the PBX. url: of the connection, as the PBX reaches it. The secret stands in the text:
        show it once, never log it."""
        return f"""While the phone rings, ask (time-out at most 1 s; on any failure carry on with your own scheme):
  GET {url}/lookup?phone=<caller>&did=<dialled>&call_id=<id>&format=text
  Authorization: Bearer {secret}
The body is the extension to ring, or empty.

Push events (form or JSON) to:
  POST {url}/events        event=newCall|answer|hangup|recording, callId, from, to, direction=in|out
  Authorization: Bearer {secret}"""

    def call_log(self, connection: Connection) -> OpenCallLog | None:
        """How this connection's calls can be read back; None: it lacks what that needs, or its kind keeps no list."""
        return None

    def link(self, connection: Connection) -> Link | None:
        """Return the permanent link that this connection asks for."""
        return None

    def router(self) -> Router | None:
        """For a PBX that cannot ask while the phone rings."""
        return None

    def question_port(self) -> QuestionPort | None:
        """For a PBX that asks by another way than HTTP too."""
        return None

    def originator(self, connection: Connection) -> Originator | None:
        """How calls are placed at our order; None: the connection lacks what that needs, or its kind cannot."""
        return None

    def topics(self, connection: Connection) -> TopicsSource | None:
        """How topics and comments of calls are asked for; None: the connection lacks what that needs, or its kind has none."""
        return None

    def campaigns(self, connection: Connection) -> CampaignEngine | None:
        """How its contact centre's campaigns are reached; None: the connection lacks what that needs, or its kind has none."""
        return None

    def order_refused(self, code: int) -> RefusedByPbx | None:
        """Read the result of an order that the PBX tells later, as gateway/store/pbx_links/commands.py keeps it; None: it was
        taken, or nobody knows."""
        return None

    def presence(self, connection: Connection) -> PresenceSource | None:
        """How this connection's phones can be watched."""
        return None


def judged_again(
    kinds: Mapping[str, PbxKind],
    request: Inbound,
    judged: Connection,
    now: Connection | None,
    *,
    is_known: bool | None,
) -> Connection | None:
    """Return the connection that a request whose body is there belongs to; None: it shows no valid secret.

    judged: as it was when the head came, and is_known what the head alone told. now: as it is: it may have been changed,
    switched off or removed (None) while the body arrived.
    """
    if now is judged and is_known:
        return now
    return now if now is not None and _shows_secret(kinds, request, now) else None


def _shows_secret(kinds: Mapping[str, PbxKind], request: Inbound, connection: Connection) -> bool:
    if not connection.is_on or connection.kind not in kinds:
        return False
    kind = kinds[connection.kind]
    is_known = kind.authenticate_head(request, connection)
    return kind.authenticate(request, connection) if is_known is None else is_known
