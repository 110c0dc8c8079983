"""Every kind of CRM that can be connected, and all that the rest of the program takes of one beside `crm/port.py`.

Where an account lives, how it lets us in, how its key fares, how it is asked, what it tells by itself. No other module
outside `crm/amocrm` names it. A second CRM is a folder that offers the same, and a line for it in each
table here; what has no table yet gets one then, by the account's `crm_kind`.
"""

from __future__ import annotations

from collections.abc import Callable, Mapping
from typing import TypeAlias

from crm.amocrm.adapter import AmoCrm, entity_url
from crm.amocrm.chats.client import ChatChannel, CrmChats
from crm.amocrm.chats.errors import (
    CrmChatError,
    CrmChatForbidden,
    CrmChatHookInvalid,
    CrmChatNotThere,
    CrmChatRefused,
    CrmChatSilent,
    CrmChatThrottled,
)
from crm.amocrm.chats.hooks import read_hook
from crm.amocrm.chats.links import ChatLinks
from crm.amocrm.chats.model import ChatPerson, ChatStatus, CrmChatMessage, HookMessage
from crm.amocrm.chats.signing import is_genuine
from crm.amocrm.chats.wire import chats_address
from crm.amocrm.client import Bearer
from crm.amocrm.rows.form import WebhookInvalid
from crm.amocrm.rows.stage_hooks import HookedDeal, HookTold, parse_stage_hook
from crm.amocrm.store import (
    TOKEN_SECRETS,
    PgTokenStore,
    read_tokens,
    store_long_lived_token,
    store_token,
)
from crm.amocrm.tables import LOST, WON
from crm.amocrm.tokens import StoredToken, Tokens, TokenStatus, exchange_code, long_lived, status_of
from crm.amocrm.transport import WRITE_SECONDS, Transport
from crm.amocrm.webhooks import parse_webhook
from crm.amocrm.wire_oauth import (
    ADDRESSES_IN_WORDS,
    UntrustedAddress,
    consent_address,
    is_same_place,
    moved_address,
    trusted_address,
)

ConnectedCrm: TypeAlias = AmoCrm
"""An account's CRM as it is asked: `crm.port.Crm`, and how it fares."""

CRM_KINDS: Mapping[str, Callable[..., ConnectedCrm]] = {"amocrm": AmoCrm}
NEW_ACCOUNTS_KIND = "amocrm"
WON_STAGES, LOST_STAGES = (WON,), (LOST,)
"""Ids of the stages in which deals end."""

__all__ = [
    "ADDRESSES_IN_WORDS",
    "CRM_KINDS",
    "LOST_STAGES",
    "NEW_ACCOUNTS_KIND",
    "TOKEN_SECRETS",
    "WON_STAGES",
    "WRITE_SECONDS",
    "Bearer",
    "ChatChannel",
    "ChatLinks",
    "ChatPerson",
    "ChatStatus",
    "ConnectedCrm",
    "CrmChatError",
    "CrmChatForbidden",
    "CrmChatHookInvalid",
    "CrmChatMessage",
    "CrmChatNotThere",
    "CrmChatRefused",
    "CrmChatSilent",
    "CrmChatThrottled",
    "CrmChats",
    "HookMessage",
    "HookTold",
    "HookedDeal",
    "PgTokenStore",
    "StoredToken",
    "TokenStatus",
    "Tokens",
    "Transport",
    "UntrustedAddress",
    "WebhookInvalid",
    "chats_address",
    "consent_address",
    "entity_url",
    "exchange_code",
    "is_genuine",
    "is_same_place",
    "long_lived",
    "moved_address",
    "parse_stage_hook",
    "parse_webhook",
    "read_hook",
    "read_tokens",
    "status_of",
    "store_long_lived_token",
    "store_token",
    "trusted_address",
]
