"""What an installation is told through `CONNECTOR_*` variables. Only entry points and bootstrap read it."""

from __future__ import annotations

from pathlib import Path

from pydantic import Field, SecretStr
from pydantic_settings import BaseSettings, SettingsConfigDict


class Settings(BaseSettings):
    """One installation. Secrets never show in a repr; `connector settings` lists everything with its meaning."""

    model_config = SettingsConfigDict(env_prefix="CONNECTOR_", frozen=True, extra="ignore", env_ignore_empty=True)

    database_url: SecretStr | None = Field(
        default=None,
        description="Postgres 15 or newer, as postgresql://user:password@host/database. Absent: embedded Postgres.",
    )
    data_dir: Path = Field(default=Path(".data"), description="Folder of the embedded Postgres and its key.")
    bexio_api_url: str = Field(default="https://api.bexio.com", description="Base URL of bexio's API.")
    bexio_issuer_url: str = Field(default="https://auth.bexio.com/realms/bexio", description="OpenID issuer of bexio.")
    bexio_client_id: str | None = Field(default=None, description="OAuth client of the bexio app.")
    bexio_client_secret: SecretStr | None = Field(default=None, description="Its secret.")
    public_url: str = Field(
        default="http://127.0.0.1:8800", description="Where browsers and callers reach this service."
    )
    encryption_keys: SecretStr | None = Field(
        default=None, description="Keys for tokens at rest, as id:base64,id:base64; the first encrypts, all decrypt."
    )
    operator_key: SecretStr | None = Field(default=None, description="The first operator key.")
    marketplace_secret: SecretStr | None = Field(
        default=None,
        description="Signs the marketplace's webhooks, as whsec_...; during a rotation both, with a blank between.",
    )
    arcavis_hosting_url: str | None = Field(default=None, description="Hosting API that makes Arcavis environments.")
    arcavis_hosting_key: SecretStr | None = Field(default=None, description="Its bearer key.")
    smtp_url: SecretStr | None = Field(
        default=None,
        description="Outgoing mail, as smtps://user:password@host:465, starttls://...:587 or, unencrypted, smtp://...:25."
        " Absent: no mails.",
    )
    mail_from: str | None = Field(
        default=None, description="Sender of mails, as Name <local@domain>. Absent: connector@ the public URL's host."
    )
    host: str = Field(default="127.0.0.1", description="Address to listen on.")
    port: int = Field(default=8800, ge=0, le=65535, description="Port to listen on; 0 takes a free one.")
    allow_private_hosts: bool = Field(
        default=False,
        description="Lets tenants name Arcavis hosts on private networks and over http: development only.",
    )
    settle_seconds: float = Field(
        default=90.0,
        ge=0,
        description="How long a lost write may still land at bexio before it is taken for not done.",
    )
    follow_seconds: float = Field(
        default=300.0, ge=1, description="How often paid and cancelled invoices are looked for."
    )
    requests_per_minute: int = Field(default=1200, ge=1, description="Requests that one API key may make in a minute.")
    worker_concurrency: int = Field(default=16, ge=1, le=64, description="Operations that one worker runs at a time.")
    log_level: str = Field(default="INFO", description="DEBUG, INFO, WARNING or ERROR.")
    log_json: bool = Field(default=True, description="JSON lines; otherwise lines for a terminal.")
    otel: bool = Field(default=False, description="Traces over OTLP; needs the extra `otel`.")
