"""Who signed in: the claims of an id_token, or of userinfo, once they are proven."""

from __future__ import annotations

from typing import Annotated, Any

from pydantic import BaseModel, BeforeValidator, ConfigDict, Field, StringConstraints, ValidationError


def _short(value: object) -> object:
    return value[:255] if isinstance(value, str) else value


Short = Annotated[str | None, BeforeValidator(_short)]
CompanyId = Annotated[str, StringConstraints(pattern=r"^[!-~]{1,100}$")]


class Claims(BaseModel):
    """`company_*` are there with the scope `company_profile`; `company_user_id` is the id of `/3.0/users`."""

    model_config = ConfigDict(frozen=True, extra="ignore", hide_input_in_errors=True)

    subject: Annotated[str, StringConstraints(min_length=1, max_length=255)] = Field(alias="sub")
    company_id: CompanyId | None = None
    company_name: Short = None
    company_user_id: int | None = None
    email: Short = Field(default=None, repr=False)
    given_name: Short = Field(default=None, repr=False)
    family_name: Short = Field(default=None, repr=False)
    locale: Short = None


def read(claims: dict[str, Any]) -> Claims | None:
    """Claims as they came; None when they are not what OpenID Connect and bexio agreed on."""
    try:
        return Claims.model_validate(claims)
    except ValidationError:
        return None
