"""What can go wrong between us and an SMS provider besides the sending itself, whose outcomes are values."""

from __future__ import annotations


class SmsError(Exception):
    """Asking a provider failed. Nothing was sent; it is asked again later."""

    code, retryable = "sms-error", True


class SmsProviderUnreachable(SmsError):
    """The provider did not answer, or said that it cannot now."""

    code = "sms-provider-unreachable"


class SmsProviderRefused(SmsError):
    """The provider does not take our key, or does not let us ask this."""

    code, retryable = "sms-provider-refused", False


class SmsWireInvalid(SmsError):
    """What a provider sent is not what its protocol says. field: the name of the offending field."""

    code, retryable = "sms-wire-invalid", False

    def __init__(self, field: str, message: str) -> None:
        super().__init__(f"{field}: {message}")
        self.field = field
