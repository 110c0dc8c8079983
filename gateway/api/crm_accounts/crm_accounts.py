"""Connecting a CRM account, the same as `callmatrix account add`."""

from __future__ import annotations

from typing import Annotated

from pydantic import Field

from crm.errors import CrmError
from gateway.admin.connect_crm import ConnectingFailed, NewAccount, connect_account
from gateway.admin.input_words import COUNTRY, SHORT_NAME, described
from gateway.api.frame import Answer, ApiCall, ApiError, Body, NoQuery, Route

Secret = Annotated[str, Field(min_length=1, max_length=8192)]


class ConnectCrm(Body):
    """Either token (long-lived), or client_id and client_secret of an OAuth integration. An account that exists is
    authorised anew."""

    id: Annotated[str, described(SHORT_NAME)]
    url: Annotated[str, described(r"^https?://[^/\s]+")]
    name: str | None = None
    time_zone: str = "Europe/Moscow"
    region: Annotated[str, described(COUNTRY)] = "RU"
    token: Secret | None = None
    client_id: Annotated[str, Field(min_length=1, max_length=200)] | None = None
    client_secret: Secret | None = None


class Connected(Answer):
    """open: for OAuth, the address that an administrator of the CRM opens. says: what was done and what is left to do."""

    account: str
    crm_account: str | None
    webhook: str | None
    open: str | None
    message: list[str]


async def connect(call: ApiCall[NoQuery, ConnectCrm]) -> Connected:
    body = call.body
    if call.who.account_id not in (None, body.id):
        raise ApiError(403, "forbidden", "This token is for another account.")
    said = body.model_fields_set
    new = NewAccount(
        id=body.id,
        base_url=body.url,
        name=body.name or None,
        time_zone=body.time_zone if "time_zone" in said else None,
        region=body.region if "region" in said else None,
        long_lived_token=body.token,
        client_id=body.client_id,
        client_secret=body.client_secret,
    )
    try:
        settings = call.services.settings
        done = await connect_account(call.services.pool, new, settings.public_url, settings.named_crm_hosts())
    except ConnectingFailed as err:
        if not isinstance(err.__cause__, CrmError):
            raise
        raise ApiError(502, err.code, err.message, detail=err.remedy, field=err.field) from err
    return Connected(
        account=done["account"],
        crm_account=done.get("crm_account"),
        webhook=done.get("webhook"),
        open=done.get("open"),
        message=done["say"],
    )


ROUTES = (
    Route(
        method="POST",
        path="/v1/accounts",
        handler=connect,
        summary="Connect a CRM account with a long-lived token, or begin OAuth",
        status=201,
        errors=(409, 422, 502),
    ),
)
