"""Settings of a process: environment variables CALLMATRIX_* or a `.env` file. Described in docs/reference/settings.md."""

from __future__ import annotations

from collections.abc import Callable
from ipaddress import IPv4Network, IPv6Network
from pathlib import Path
from typing import Annotated, Literal
from urllib.parse import urlsplit

from pydantic import Field, PostgresDsn, SecretStr, ValidationInfo, field_validator
from pydantic_settings import BaseSettings, NoDecode, PydanticBaseSettingsSource, SettingsConfigDict

from runtime.addresses import is_local
from runtime.alerts.delivery import is_email, is_telegram_chat
from runtime.database.sealing import KeyRing, key_ring
from runtime.failure import Failure
from runtime.typed.plain_numbers import is_plain_number, number_kind

_DAY, _CENTURY = 86_400, 36_500
"""Seconds, days: what is longer is a slip of the finger, and no calendar counts back so far."""


class Settings(BaseSettings):
    model_config = SettingsConfigDict(env_prefix="CALLMATRIX_", env_file=".env", extra="ignore")

    database_url: PostgresDsn | None = Field(
        None, description="PostgreSQL ≥ 15; only `demo` starts one of its own where it is empty"
    )
    redis_url: SecretStr | None = Field(None, description="only for several nodes; one node needs none")
    data_dir: Path | None = Field(None, description="where the embedded server keeps its files")
    host: str = Field("127.0.0.1", description="address to listen on")
    port: int = Field(8080, ge=0, le=65535, description="port to listen on; 0: any free one")
    pages: bool = Field(True, description="serve the pages for people beside what programs ask for")
    pages_kit: bool = Field(
        False, description="show /_kit, every part of the pages in every state: for who develops them"
    )
    public_url: str | None = Field(None, description="how PBXs and the CRM reach us, for webhooks and OAuth")
    trusted_hops: int = Field(
        0,
        ge=0,
        le=10,
        description="reverse proxies in front whose X-Forwarded-For is believed, where their addresses are not known",
    )
    trusted_proxies: Annotated[tuple[IPv4Network | IPv6Network, ...], NoDecode] = Field(
        (),
        description="addresses or networks of our reverse proxies, with commas: only theirs is believed; better than the number",
    )
    max_connections: int = Field(
        4000,
        ge=10,
        le=1_000_000,
        description="open HTTP connections in all; fewer where the system allows fewer open files",
    )
    max_connections_per_address: int = Field(
        500, ge=1, le=1_000_000, description="of them from one address that is no trusted proxy"
    )
    lookup_deadline_ms: int = Field(
        150, ge=1, le=5000, description="past it the answer is 'carry on with your scheme'"
    )
    decisions_per_second: int = Field(
        200,
        ge=1,
        le=100_000,
        description="lookup decisions recorded per second at most; more are counted as lost",
    )
    poll_seconds: float = Field(
        30.0, ge=1, le=_DAY, description="interval of the delta and events polls of the CRM"
    )
    directory_poll_seconds: float = Field(
        300.0, ge=5, le=_DAY, description="interval of re-reading users, pipelines and fields"
    )
    reconcile_minutes: float = Field(
        10.0,
        ge=1,
        le=_DAY / 60,
        description="interval at which PBXs that can be asked are compared with the journal",
    )
    worker_concurrency: int = Field(8, ge=1, le=100, description="client jobs at once in one worker")
    fastagi_port: int | None = Field(
        None, ge=0, le=65535, description="listen for Asterisk's FastAGI on this port"
    )
    lang: Literal["ru", "en"] | None = Field(
        None,
        description="of what the command line says about an account's matters; empty: the account's own language",
    )
    log_level: Literal["debug", "info", "warning", "error"] = Field(
        "info", description="least severe line to log"
    )
    log_format: Literal["console", "json"] = Field("console", description="json for log collectors")
    metrics_token: SecretStr | None = Field(
        None, description="lets /metrics be read from elsewhere than loopback"
    )
    second_factor: Literal["offered", "admins", "everyone"] = Field(
        "offered",
        description="who must give a code of their phone beside the password when they sign in to the pages; others may",
    )
    secrets_key: SecretStr | None = Field(
        None, description="keys that seal the secrets in the database, the newest first; better in a file"
    )
    secrets_key_file: Path | None = Field(
        None,
        description="file with these keys, one a line; empty: systemd's credential `callmatrix-secrets-key`, else none",
    )
    crm_hosts: str = Field(
        "",
        description="addresses of CRMs that accounts may be at besides the vendor's and loopback, with commas between; "
        "`http://` in front of one allows it without TLS",
    )
    alert_emails: Annotated[tuple[str, ...], NoDecode] = Field(
        (), description="who is told by e-mail when the installation needs a person, with commas between"
    )
    alert_telegram_chats: Annotated[tuple[str, ...], NoDecode] = Field(
        (), description="Telegram chats that are told, by id or @name, with commas between"
    )
    smtp_host: str | None = Field(None, description="mail server that takes our e-mail")
    smtp_port: int | None = Field(
        None, ge=1, le=65535, description="its port; empty: 587 for starttls, 465 for tls, 25 for none"
    )
    smtp_security: Literal["starttls", "tls", "none"] = Field(
        "starttls", description="none: only to a server on this machine may a password go"
    )
    smtp_user: str | None = Field(None, description="empty: no login")
    smtp_password: SecretStr | None = Field(None, description="of that user")
    smtp_from: str | None = Field(None, description="sender; empty: the user, where that is an address")
    smtp_ca_file: Path | None = Field(
        None, description="PEM file of who vouches for the mail server besides the system's authorities"
    )
    telegram_token: SecretStr | None = Field(
        None, description="of the Telegram bot that tells, and asks employees whether they are at work"
    )
    telegram_api: str = Field(
        "https://api.telegram.org",
        description="address of the Bot API, where it is a server of your own; https, http only to this machine",
    )
    max_messenger_ca_file: Path | None = Field(
        None,
        description="PEM file of who vouches for the messenger MAX besides the system's authorities: the Ministry's root certificate",
    )
    pbx_hosts: str = Field(
        "",
        description="hosts that connections may name besides their vendor's and ordinary addresses, and files of messengers lie at besides the web, with commas between; "
        "this machine (`127.0.0.1`) only where it stands here",
    )
    cdr_dir: Path | None = Field(
        None, description="folder below which connections may name Asterisk's `Master.csv`; empty: nowhere"
    )
    raw_event_days: int = Field(30, ge=3, le=_CENTURY, description="raw PBX events are kept so long")
    exchange_days: int = Field(
        7, ge=1, le=_CENTURY, description="exchanges with vendors are kept so long, secrets removed"
    )
    crm_event_days: int = Field(
        30,
        ge=3,
        le=_CENTURY,
        description="what was seen to change in the CRM is kept so long, and what consumers set aside of it",
    )
    presence_days: int = Field(
        365, ge=3, le=_CENTURY, description="when employees were at work is kept so long"
    )
    decision_days: int = Field(180, ge=3, le=_CENTURY, description="decisions are kept so long")
    outbound_days: int = Field(
        365,
        ge=3,
        le=_CENTURY,
        description="firings of triggers are kept so long, and calls and texts that went out, with their attempts",
    )
    call_days: int = Field(
        1095,
        ge=90,
        le=_CENTURY,
        description="calls are kept so long, with what they ordered, missed-call cases, backfills and messages of messengers",
    )
    audit_days: int = Field(
        1095, ge=30, le=_CENTURY, description="who changed the configuration, and how, is kept so long"
    )

    @property
    def mails_in_the_clear(self) -> bool:
        """Whether a password would go to another machine's mail server without TLS: no mail goes out then."""
        return bool(self.smtp_user) and self.smtp_security == "none" and not is_local(self.smtp_host)

    @property
    def telegram_in_the_clear(self) -> bool:
        """Whether the bot's token would go to another machine without TLS: no message goes out then."""
        api = urlsplit(self.telegram_api)
        return api.scheme != "https" and not is_local(api.hostname)

    def named_crm_hosts(self) -> frozenset[str]:
        return _named(self.crm_hosts)

    def named_pbx_hosts(self) -> frozenset[str]:
        return _named(self.pbx_hosts)

    def key_ring(self) -> KeyRing:
        """Return the keys that seal secrets in the database. Raises SecretsKeyUnusable."""
        keys = self.secrets_key.get_secret_value() if self.secrets_key else None
        return key_ring(keys, self.secrets_key_file)

    @classmethod
    def settings_customise_sources(
        cls,
        settings_cls: type[BaseSettings],
        init_settings: PydanticBaseSettingsSource,
        env_settings: PydanticBaseSettingsSource,
        dotenv_settings: PydanticBaseSettingsSource,
        file_secret_settings: PydanticBaseSettingsSource,
    ) -> tuple[PydanticBaseSettingsSource, ...]:
        """Return the sources as they are. Raise Failure for a folder in the file's place, which would be passed over."""
        file = getattr(dotenv_settings, "env_file", None)
        if isinstance(file, str) and Path(file).is_dir():
            raise Failure(
                "the settings cannot be read",
                f"{Path(file).resolve()} is a folder",
                "take it away, or put the file of settings in its place: lines as CALLMATRIX_DATABASE_URL=…",
            )
        return init_settings, env_settings, dotenv_settings, file_secret_settings

    @field_validator("*", mode="before")
    @classmethod
    def _plainly(cls, value: object, info: ValidationInfo) -> object:
        """Refuse what is no number to a person: the environment holds texts."""
        kind = number_kind(cls.model_fields[info.field_name or ""].annotation)
        if kind is not None and isinstance(value, str) and not is_plain_number(value, kind):
            raise ValueError(
                "must be a whole number, in digits" if kind is int else "must be a number, in digits"
            )
        return value

    @field_validator("trusted_proxies", "alert_emails", "alert_telegram_chats", mode="before")
    @classmethod
    def _parted(cls, value: object) -> object:
        """Words of an environment variable, with commas or spaces between them."""
        return tuple(value.replace(",", " ").split()) if isinstance(value, str) else value

    @field_validator("alert_emails")
    @classmethod
    def _mailboxes(cls, value: tuple[str, ...]) -> tuple[str, ...]:
        return _each(value, is_email, "is no e-mail address")

    @field_validator("alert_telegram_chats")
    @classmethod
    def _chats(cls, value: tuple[str, ...]) -> tuple[str, ...]:
        return _each(value, is_telegram_chat, "is neither the id of a Telegram chat nor @name of a channel")

    @property
    def base_url(self) -> str:
        """Where PBXs reach us: `public_url`, else where we listen."""
        return self.public_url or f"http://{self.host}:{self.port}"


def _each(values: tuple[str, ...], is_right: Callable[[str], bool], problem: str) -> tuple[str, ...]:
    for value in values:
        if not is_right(value):
            raise ValueError(f"'{value}' {problem}")
    return values


def _named(hosts: str) -> frozenset[str]:
    return frozenset(host.strip().lower() for host in hosts.split(",") if host.strip())
