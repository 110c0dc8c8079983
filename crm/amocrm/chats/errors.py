"""What can go wrong between us and amoCRM's chats. `code` is stable."""

from __future__ import annotations


class CrmChatError(Exception):
    """Root. retryable: the same request may succeed later; none of them is carried out twice, whatever became of it."""

    code, retryable = "crm-chat-error", True


class CrmChatSilent(CrmChatError):
    """No usable answer came: the request may have been carried out."""

    code = "crm-chat-silent"


class CrmChatThrottled(CrmChatError):
    """They answered 429. retry_after: seconds, None when not told."""

    code = "crm-chat-throttled"

    def __init__(self, message: str, retry_after: float | None = None) -> None:
        super().__init__(message)
        self.retry_after = retry_after


class CrmChatForbidden(CrmChatError):
    """403: the signature is not accepted. The channel's id or secret is another one, or the clock here is wrong by a quarter of an hour."""

    code = "crm-chat-forbidden"


class CrmChatNotThere(CrmChatError):
    """404: there is no such channel, connection or message. Connect the channel anew."""

    code = "crm-chat-not-there"


class CrmChatRefused(CrmChatError):
    """400: they understood the request and will not have it."""

    code, retryable = "crm-chat-refused", False


class CrmChatHookInvalid(CrmChatError):
    """A hook of the card says something else than is agreed. field: where."""

    code, retryable = "crm-chat-hook-invalid", False

    def __init__(self, field: str, why: str) -> None:
        super().__init__(f"{field}: {why}")
        self.field = field
