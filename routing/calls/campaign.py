"""The campaign by which a call came about, or whose client calls while it runs."""

from __future__ import annotations

from collections.abc import Mapping

from pydantic import BaseModel, ConfigDict


class CampaignOfCall(BaseModel):
    """client_id, client_name: as its list has them. contact_fields: ids of the contact's fields, with what is written there.
    leaves_traces: false only for calls that it made itself, whose switch is off."""

    model_config = ConfigDict(frozen=True)

    id: str
    name: str
    client_id: str = ""
    client_name: str = ""
    contact_fields: Mapping[str, str] = {}
    leaves_traces: bool = True
