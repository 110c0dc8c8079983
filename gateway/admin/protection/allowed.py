"""What the operator of an installation lets accounts name: hosts of PBXs, files of this machine, requests to the CRM.

A PBX in a private network is ordinary. The gateway's own machine and what lies beside it is not: whoever may change a
connection would reach there with our feet.
"""

from __future__ import annotations

import ipaddress
import os.path
import re
from collections.abc import Collection, Mapping
from dataclasses import dataclass
from pathlib import Path
from typing import Any
from urllib.parse import urlsplit

from gateway.admin.refused import InputRefused, SettingRefused
from gateway.settings import Settings
from runtime.addresses import is_beside_us, is_local

_MOST_REQUESTS = 7
# In letters of which nothing makes others: a resolver reads full-width digits and ideographic dots as 127.0.0.1 too.
_NAME = re.compile(r"[A-Za-z0-9._-]+")
_NAMED_BY_OPERATOR = "the operator allows others in CALLMATRIX_PBX_HOSTS"


@dataclass(frozen=True, slots=True, kw_only=True)
class Allowed:
    """pbx_hosts: names and addresses, in small letters. cdr_dir: where call records may be read, None = nowhere.
    is_operator: who orders is bound to no account."""

    pbx_hosts: frozenset[str] = frozenset()
    cdr_dir: Path | None = None
    is_operator: bool = True


NOTHING_MORE = Allowed()


def allowed_by(settings: Settings, *, is_operator: bool = True) -> Allowed:
    return Allowed(pbx_hosts=settings.named_pbx_hosts(), cdr_dir=settings.cdr_dir, is_operator=is_operator)


def refuse_bad_places(settings: Mapping[str, Any], vendor_hosts: Collection[str], allowed: Allowed) -> None:
    """Raise InputRefused for an address or a file that keys or readers must not be sent to. settings: what is new of them."""
    for name, whose in (("ami_host", "PBX"), ("esl_host", "PBX"), ("host", "message centre")):
        if host := _text(settings, name):
            _refuse_bad_host(name, host, whose, allowed)
    for name, hosts in (("base_url", vendor_hosts), ("originate_url", ())):
        if url := _text(settings, name):
            _refuse_bad_url(name, url, hosts, allowed)
    if path := _text(settings, "cdr_csv"):
        _refuse_bad_file(path, allowed)


def refuse_bad_rate(wanted: int, now: int, allowed: Allowed) -> None:
    """Raise InputRefused where an account asks more of the CRM than the vendor grants everybody."""
    if wanted > _MOST_REQUESTS and wanted > now and not allowed.is_operator:
        raise InputRefused(
            "requests_per_second",
            f"{wanted} requests a second are too many",
            f"write {_MOST_REQUESTS} or fewer; the operator of the installation may grant more",
        )


def _text(settings: Mapping[str, Any], name: str) -> str:
    return str(settings.get(name) or "").strip()


def _refuse_bad_host(name: str, host: str, whose: str, allowed: Allowed) -> None:
    if host.lower() in allowed.pbx_hosts:
        return
    if not _is_name_or_address(host) or is_local(host) or is_beside_us(host):
        remedy = f"write the {whose}'s own name or address; {_NAMED_BY_OPERATOR}"
        message = f"'{host}' is no place of a {whose}"
        raise SettingRefused("settings", name, "host", message, remedy, value=host)


def _is_name_or_address(host: str) -> bool:
    try:
        ipaddress.ip_address(host.removeprefix("[").removesuffix("]"))
    except ValueError:
        return _NAME.fullmatch(host) is not None
    return True


def _refuse_bad_url(name: str, url: str, vendor_hosts: Collection[str], allowed: Allowed) -> None:
    try:
        parts = urlsplit(url)
        host, port = (parts.hostname or "").lower(), parts.port
    except ValueError:
        host, port, parts = "", None, urlsplit("")
    is_plain = not (parts.query or parts.fragment or "@" in parts.netloc or any(c in url for c in "\\?# "))
    is_vendors = parts.scheme == "https" and host in vendor_hosts and port in (None, 443)
    is_named = parts.scheme in ("http", "https") and host in allowed.pbx_hosts
    if not (is_plain and (is_vendors or is_named)):
        hosts = [f"https://{vendor}" for vendor in sorted(vendor_hosts)]
        known = ", ".join(hosts)
        remedy = f"leave it out, or write {known or 'one that the operator names'}; {_NAMED_BY_OPERATOR}"
        whose = "of this vendor" if known else "that the operator allows"
        message, wanted = f"'{url}' is no address {whose}", "vendor url" if known else "url"
        raise SettingRefused("settings", name, wanted, message, remedy, value=url, known=hosts)


def _refuse_bad_file(path: str, allowed: Allowed) -> None:
    folder = allowed.cdr_dir
    if folder is None or not Path(os.path.normpath(path)).is_relative_to(os.path.normpath(folder)):
        where = f"write a file below {folder}" if folder else "the operator names a folder"
        message, remedy = f"'{path}' may not be read", f"{where} (CALLMATRIX_CDR_DIR)"
        raise SettingRefused("settings", "cdr_csv", "file", message, remedy, value=path)
