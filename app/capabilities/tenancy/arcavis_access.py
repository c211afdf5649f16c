"""How a tenant's Arcavis is reached, as operators and the backoffice write it."""

from __future__ import annotations

from typing import Annotated

from pydantic import BaseModel, ConfigDict, Field, SecretStr, StringConstraints


class ArcavisAccess(BaseModel):
    """Where Arcavis is, and its user of the role Web-API."""

    model_config = ConfigDict(
        extra="forbid",
        frozen=True,
        json_schema_extra={
            "examples": [
                {"base_url": "https://muster.arcavis.ch", "username": "webapi", "password": "a long random one"}
            ]
        },
    )

    base_url: Annotated[str, StringConstraints(min_length=8, max_length=255)]
    username: Annotated[str, StringConstraints(pattern=r"^[^:\x00-\x1f]{1,120}$")]
    password: SecretStr = Field(min_length=1, max_length=500)
