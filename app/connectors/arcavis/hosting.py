"""Arcavis' hosting API, which makes environments. An assumed contract: this is the one file to correct.

`POST /environments` is idempotent by `external_id`: the same id is answered with the same environment. So an attempt
whose answer was lost is simply repeated.
"""

from __future__ import annotations

from dataclasses import dataclass, field
from typing import Annotated, Any

from pydantic import BaseModel, ConfigDict, Field, SecretStr, StringConstraints, TypeAdapter, ValidationError

from app.connectors.clients import HttpClients, Upstream
from app.connectors.transport import Transport
from app.core.clock import Clock
from app.core.errors import ConnectionRefused, OutcomeUnknown, RemoteRejected, RemoteUnavailable

SYSTEM = "hosting"
UNANSWERED_SECONDS = 5.0
NOT_CONFIGURED_SECONDS = 300.0

_Text = Annotated[str, StringConstraints(min_length=1, max_length=255)]
_Url = Annotated[str, StringConstraints(pattern=r"^https?://", max_length=255)]


@dataclass(frozen=True, slots=True)
class Admin:
    """The person who gets the first login of an environment."""

    email: str = field(repr=False)
    first_name: str = field(repr=False)
    last_name: str = field(repr=False)
    language: str


class Environment(BaseModel):
    """A new Arcavis. `initial_password` is there only where hosting hands one out; it is changed at the first login."""

    model_config = ConfigDict(frozen=True, extra="ignore", hide_input_in_errors=True)

    slug: _Text
    base_url: _Url
    api_username: _Text
    api_password: SecretStr = Field(min_length=1, max_length=500)
    admin_username: _Text
    initial_password: SecretStr | None = Field(default=None, max_length=500)
    login_url: _Url


_ENVIRONMENT = TypeAdapter(Environment)


@dataclass(frozen=True, slots=True)
class Hosting:
    """The hosting API of this installation; `url` None where it has none."""

    url: str | None
    key: str | None = field(repr=False)
    clients: HttpClients
    clock: Clock

    async def environment(
        self, *, external_id: str, name: str, language: str, modules: tuple[str, ...], admin: Admin
    ) -> Environment:
        """The environment of `external_id`, made if there is none yet.

        Raises:
            RemoteUnavailable: away, busy, or no answer: ask again, nothing is made twice.
            RemoteRejected: `hosting-refused`, a person must look; or `hosting-not-configured`.
        """
        if self.url is None or self.key is None:
            raise RemoteRejected("hosting-not-configured", SYSTEM, 0)
        body: dict[str, Any] = {
            "external_id": external_id,
            "name": name,
            "language": language,
            "modules": list(modules),
            "admin": {
                "email": admin.email,
                "first_name": admin.first_name,
                "last_name": admin.last_name,
                "language": admin.language,
            },
        }
        transport = Transport(Upstream(SYSTEM, SYSTEM, self.url), self.clients, self.clock, f"Bearer {self.key}")
        try:
            answer = await transport.write("POST", "/environments", body=body)
            return _ENVIRONMENT.validate_json(answer.content)
        except OutcomeUnknown as error:
            raise RemoteUnavailable("hosting-unreachable", SYSTEM, UNANSWERED_SECONDS) from error
        except ValidationError as error:
            raise RemoteUnavailable("hosting-unreachable", SYSTEM, NOT_CONFIGURED_SECONDS) from error
        except ConnectionRefused as error:
            # It is our key that is refused, not a tenant's connection.
            raise RemoteRejected("hosting-refused", SYSTEM, error.status, error.reasons) from error
        except RemoteRejected as error:
            raise RemoteRejected("hosting-refused", SYSTEM, error.status, error.reasons) from error
