"""Every kind of SMS provider that can be connected: a new vendor is a new folder and one line here."""

from __future__ import annotations

from collections.abc import Mapping

from sms.port import SmsKind
from sms.providers.mango.adapter import MangoSmsKind
from sms.providers.sandbox.adapter import SandboxKind
from sms.providers.smpp.adapter import SmppKind
from sms.providers.smsaero.adapter import SmsAeroKind
from sms.providers.smsc.adapter import SmscKind
from sms.providers.smsru.adapter import SmsRuKind

SMS_KINDS: Mapping[str, SmsKind] = {
    kind.kind: kind
    for kind in (
        SandboxKind(),
        MangoSmsKind(),
        SmscKind(),
        SmsRuKind(),
        SmsAeroKind(),
        SmppKind(),
    )
}
