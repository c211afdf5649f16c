"""The public contract of tenants and their API keys."""

from __future__ import annotations

from datetime import datetime
from typing import Annotated, Any, Literal
from uuid import UUID

from pydantic import BaseModel, ConfigDict, Field, StringConstraints

from app.capabilities.tenancy.arcavis_access import ArcavisAccess
from app.capabilities.tenancy.settings import Language

Module = Literal["orders", "accounting_export"]
Slug = Annotated[str, StringConstraints(pattern=r"^[a-z0-9][a-z0-9-]{1,38}$")]
Name = Annotated[str, StringConstraints(strip_whitespace=True, min_length=1, max_length=120)]
Label = Annotated[str, StringConstraints(strip_whitespace=True, min_length=1, max_length=80)]
Modules = Annotated[list[Module], Field(max_length=10)]
TenantRole = Literal["pos", "backoffice"]

_EXAMPLE: dict[str, Any] = {
    "id": "0198f3a0-5b7e-7c11-9f4e-2f6d1c1b7a10",
    "slug": "muster",
    "name": "Muster AG",
    "language": "de",
    "modules": ["orders"],
    "bexio": "connected",
    "attention_open": 0,
    "created_at": "2026-11-20T10:15:30.120000+01:00",
    "updated_at": "2026-11-20T10:15:30.120000+01:00",
}
_KEY: dict[str, Any] = {
    "id": "0198f3a0-5b7e-7c11-9f4e-2f6d1c1b7a13",
    "role": "pos",
    "label": "Kassen Zürich",
    "prefix": "abx_pos_Ab3dE6",
    "created_at": "2026-11-20T10:15:30.120000+01:00",
}


class NewTenant(BaseModel):
    """A tenant to make. The slug is its name in URLs and in bexio's `api_reference`; it never changes."""

    model_config = ConfigDict(
        extra="forbid",
        frozen=True,
        json_schema_extra={
            "examples": [
                {
                    "slug": "muster",
                    "name": "Muster AG",
                    "language": "de",
                    "arcavis": {
                        "base_url": "https://muster.arcavis.ch",
                        "username": "webapi",
                        "password": "a long random one",
                    },
                    "modules": ["orders"],
                }
            ]
        },
    )

    slug: Slug
    name: Name
    language: Language = "de"
    arcavis: ArcavisAccess
    modules: Modules = []


class TenantChanges(BaseModel):
    """What an operator may change; fields that are not given stay."""

    model_config = ConfigDict(
        extra="forbid", frozen=True, json_schema_extra={"examples": [{"modules": ["orders", "accounting_export"]}]}
    )

    name: Name | None = None
    language: Language | None = None
    modules: Modules | None = None


class Tenant(BaseModel):
    """A tenant and how it is. `bexio` is the state of that connection, `attention_open` what waits for a person."""

    model_config = ConfigDict(json_schema_extra={"examples": [_EXAMPLE]})

    id: UUID
    slug: str
    name: str
    language: str
    modules: list[str]
    bexio: Literal["connected", "reconnect_required", "disconnected", "not_connected"]
    attention_open: int
    created_at: datetime
    updated_at: datetime


class KeyInfo(BaseModel):
    """A key that works. Its text is not kept; the prefix tells which one it is."""

    model_config = ConfigDict(json_schema_extra={"examples": [_KEY]})

    id: UUID
    role: Literal["pos", "backoffice", "operator"]
    label: str
    prefix: str
    created_at: datetime


class TenantDetail(Tenant):
    """A tenant with its keys."""

    model_config = ConfigDict(json_schema_extra={"examples": [{**_EXAMPLE, "api_keys": [_KEY]}]})

    api_keys: list[KeyInfo]


class NewKey(BaseModel):
    """A key to make: `pos` may sell on invoice, `backoffice` everything of its tenant."""

    model_config = ConfigDict(
        extra="forbid", frozen=True, json_schema_extra={"examples": [{"role": "pos", "label": "Kassen Zürich"}]}
    )

    role: TenantRole
    label: Label


class MadeKey(KeyInfo):
    """A new key. `key` is shown this once."""

    model_config = ConfigDict(
        json_schema_extra={"examples": [{**_KEY, "key": "abx_pos_Ab3dE6fGhI7jKlMnO8pQrStU9vWxYz0AbCdEfGhIjKlMnOp"}]}
    )

    key: str = Field(repr=False)
