"""Why a campaign is not saved or does not do what it is told."""

from __future__ import annotations

from gateway.admin.refused import InputRefused
from gateway.store.campaigns.campaigns import CampaignRow


class CampaignNotUsable(InputRefused):
    """What the campaign names is not there, so that it was not saved."""

    code = "campaign-not-usable"


class CampaignMoved(InputRefused):
    """Somebody else changed the campaign meanwhile; nothing was overwritten. row: as it is now."""

    code = "campaign-conflict"

    def __init__(self, row: CampaignRow) -> None:
        self.row = row
        super().__init__(
            "version",
            f"campaign '{row.name}' was changed meanwhile: it is version {row.version}",
            "read it again and repeat your change; nothing was overwritten",
        )


class CampaignStateForbids(InputRefused):
    """The campaign's state does not allow it: what has finished takes nothing and never runs again."""

    code = "campaign-state"

    def __init__(self, row: CampaignRow, what: str) -> None:
        remedy = (
            "make a new campaign" if row.state in ("stopping", "finished") else "start it first, or plan it"
        )
        super().__init__("state", f"campaign '{row.name}' is {row.state}: {what}", remedy)


class CampaignDialledThere(InputRefused):
    """A contact centre dials the campaign: it is started, paused and stopped there."""

    code = "campaign-engine"

    def __init__(self, row: CampaignRow) -> None:
        super().__init__(
            "state",
            f"campaign '{row.name}' is dialled by the contact centre of connection '{row.settings.connection}'",
            "start, pause and stop it there; 'finish' takes the gateway's numbers out of it for good",
        )
