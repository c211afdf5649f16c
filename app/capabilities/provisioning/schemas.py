"""What the marketplace sends, and what the progress page and its program see."""

from __future__ import annotations

from collections.abc import Mapping
from datetime import datetime
from typing import Annotated, Any, Literal, cast
from uuid import UUID

from pydantic import BaseModel, ConfigDict, Field, SecretStr, StringConstraints

from app.api.explanation import Explanation
from app.capabilities.tenancy.settings import Email, Language

Name = Annotated[str, StringConstraints(strip_whitespace=True, min_length=1, max_length=120)]
MaybeName = Annotated[str, StringConstraints(strip_whitespace=True, max_length=80)]
Id = Annotated[str, StringConstraints(pattern=r"^[\x21-\x7e]{1,120}$")]

_ID = "0198f3a0-5b7e-7c11-9f4e-2f6d1c1b7a10"
EXAMPLE: dict[str, Any] = {
    "activation_id": "act_123",
    "company": {"id": "q69vysq7fkzl", "name": "Muster AG"},
    "admin": {"email": "max@muster.ch", "first_name": "Max", "last_name": "Muster", "language": "de"},
    "authorization": {
        "code": "eyJhbGciOi…",
        "redirect_uri": "https://marketplace.example/callback",
        "code_verifier": "a random text of 43 to 128 letters and digits",
    },
}


class Company(BaseModel):
    """The bexio company that activates; its id is compared with the one that its authorization names."""

    model_config = ConfigDict(extra="forbid", frozen=True)

    id: Id
    name: Name


class Admin(BaseModel):
    """The person who gets the login."""

    model_config = ConfigDict(extra="forbid", frozen=True)

    email: Email = Field(repr=False)
    first_name: MaybeName = Field(default="", repr=False)
    last_name: MaybeName = Field(default="", repr=False)
    language: Language = "de"


class Authorization(BaseModel):
    """An authorization code of bexio that was given for us, with what it takes to exchange it."""

    model_config = ConfigDict(extra="forbid", frozen=True)

    code: SecretStr = Field(min_length=1, max_length=4096)
    redirect_uri: Annotated[str, StringConstraints(pattern=r"^https?://[\x21-\x7e]{1,2000}$")]
    code_verifier: SecretStr = Field(min_length=43, max_length=128)


class Activation(BaseModel):
    """A company activates Arcavis in bexio Apps."""

    model_config = ConfigDict(extra="forbid", frozen=True, json_schema_extra={"examples": [EXAMPLE]})

    activation_id: Id
    company: Company
    admin: Admin
    authorization: Authorization


class Accepted(BaseModel):
    """The activation is taken in: `GET /provision/{provision_id}` shows how far it came."""

    model_config = ConfigDict(json_schema_extra={"examples": [{"provision_id": _ID}]})

    provision_id: UUID


StepState = Literal["done", "running", "waiting", "pending", "skipped"]


class Choice(BaseModel):
    """A setting that was chosen, and why."""

    setting: str
    value: str
    reason: str


class StepView(BaseModel):
    """One step. `counts` and `total` are an import's; `choices` what was decided and why; `notes` what to know."""

    name: str
    title: str
    state: StepState
    counts: dict[str, int]
    total: int | None
    choices: list[Choice]
    notes: list[Explanation]
    finished_at: datetime | None


_STEP: dict[str, Any] = {
    "name": "contacts",
    "title": "Import contacts",
    "state": "running",
    "counts": {"done": 4200},
    "total": 10000,
    "choices": [],
    "notes": [],
    "finished_at": None,
}


class Provision(BaseModel):
    """How far a new shop came. `reason` says why it waits, failed or was refused, and what to do.

    `progress` is in percent and never falls. `login_url` is there once Arcavis is.
    """

    model_config = ConfigDict(
        json_schema_extra={
            "examples": [
                {
                    "id": _ID,
                    "status": "running",
                    "company_name": "Muster AG",
                    "progress": 37,
                    "steps": [_STEP],
                    "reason": None,
                    "login_url": "https://muster.arcavis.ch",
                    "created_at": "2026-11-20T10:15:30.120000+01:00",
                    "updated_at": "2026-11-20T10:17:02.120000+01:00",
                }
            ]
        }
    )

    id: UUID
    status: Literal["authorizing", "running", "waiting", "done", "refused", "failed"]
    company_name: str
    progress: int = Field(ge=0, le=100)
    steps: list[StepView]
    reason: Explanation | None
    login_url: str | None
    created_at: datetime
    updated_at: datetime

    @property
    def finished(self) -> bool:
        """True when nothing changes any more unless somebody acts."""
        return self.status in {"done", "refused", "failed"}


def activation_schema() -> dict[str, Any]:
    """The JSON schema of an activation in one piece: its bytes are verified before FastAPI may look at them."""
    schema = Activation.model_json_schema()
    return _inlined(schema, schema.pop("$defs"))


def _inlined(value: Any, parts: Mapping[str, Any]) -> Any:  # noqa: ANN401 - any JSON value
    if isinstance(value, list):
        return [_inlined(one, parts) for one in cast("list[Any]", value)]
    if not isinstance(value, dict):
        return value
    fields = cast("dict[str, Any]", value)
    if "$ref" in fields:
        return _inlined(parts[fields["$ref"].rsplit("/", 1)[-1]], parts)
    return {name: _inlined(one, parts) for name, one in fields.items()}
