"""An authorisation that nobody renews."""

from __future__ import annotations

from crm.errors import ReconnectNeeded


class FixedToken:
    """`crm.amocrm.client.Bearer` for one access token that nobody renews."""

    def __init__(self, base_url: str, access_token: str, account_id: str = "ACCOUNT") -> None:
        self.base_url = base_url.rstrip("/")
        self._access_token, self._account_id = access_token, account_id

    async def access_token(self) -> str:
        return self._access_token

    def latest(self, token: str) -> str:
        return token

    async def renewed(self, refused: str) -> str:
        raise ReconnectNeeded("token-refused", self._account_id)

    def accepted(self, token: str) -> None:
        pass
