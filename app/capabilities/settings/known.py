"""Whether what a setting points to exists: asked of bexio and Arcavis before it is saved."""

from __future__ import annotations

from collections.abc import Callable, Iterable, Mapping, Sequence
from dataclasses import dataclass
from typing import Any, cast
from uuid import UUID

from app.connectors.access import RemoteAccess
from app.connectors.bexio.accounts import Account, AccountType
from app.connectors.bexio.reference import CompanyReference, ReferenceData
from app.connectors.bexio.reference_kinds import ACCOUNTS, BANKING_ACCOUNTS, PAYMENT_TYPES, USERS, Kind, Row
from app.connectors.bexio.users import User
from app.core.errors import FieldError, InvalidInput
from app.core.priority import Priority

MOST_CHOICES = 100
INTRODUCTION = "There is no such record. These exist:"


@dataclass(frozen=True, slots=True)
class Option:
    """What may be chosen: the value of the setting, and what people call it."""

    value: str
    label: str


@dataclass(frozen=True, slots=True)
class Wrong:
    """A value that does not exist in `system`, and what does."""

    system: str
    setting: str
    pointer: str
    value: str
    options: Sequence[Option]

    def errors(self) -> list[FieldError]:
        """The introduction, then one message per choice."""
        said = [f"{option.value}: {option.label}" for option in self.options[:MOST_CHOICES]]
        return [FieldError(self.pointer, message) for message in (INTRODUCTION, *said)]


@dataclass(frozen=True, slots=True)
class Known:
    """Asks both systems, over the tenant's own connections."""

    remotes: RemoteAccess
    reference: ReferenceData

    async def check(self, tenant: UUID, new: Mapping[str, Any]) -> None:
        """`new` are the settings that changed, by name.

        Raises:
            InvalidInput: `setting-unknown-in-bexio` or `setting-unknown-in-arcavis`, with the choices.
            ConnectionRefused: there is nobody to ask.
            RemoteUnavailable: nobody answers.
        """
        wrong = [*await self._in_arcavis(tenant, new), *await self._in_bexio(tenant, new)]
        if not wrong:
            return
        errors = [error for one in wrong for error in one.errors()]
        first = wrong[0]
        if first.system == "arcavis":
            raise InvalidInput("setting-unknown-in-arcavis", errors, setting=first.setting, value=first.value)
        raise InvalidInput("setting-unknown-in-bexio", errors, setting=first.setting, value=first.value)

    async def _in_arcavis(self, tenant: UUID, new: Mapping[str, Any]) -> list[Wrong]:
        wanted = {"/invoice_payment_type_id": new.get("invoice_payment_type_id")}
        mapped: Mapping[str, int] = new.get("payment_bank_accounts") or {}
        wanted |= {f"/payment_bank_accounts/{key}": key for key in mapped}
        wanted = {pointer: value for pointer, value in wanted.items() if value is not None}
        if not wanted:
            return []
        arcavis = await self.remotes.arcavis(tenant)
        rows = await arcavis.payment_types.list()
        options = [Option(str(row.id), row.title) for row in rows if row.is_active]
        return list(_missing("arcavis", wanted, options))

    async def _in_bexio(self, tenant: UUID, new: Mapping[str, Any]) -> list[Wrong]:
        asked = [one for one in _QUESTIONS if one.values(new)]
        if not asked:
            return []
        reference = self.reference.of(tenant, await self.remotes.bexio(tenant, Priority.BACKOFFICE))
        return [wrong for one in asked for wrong in await one.answer(reference, new)]


@dataclass(frozen=True, slots=True)
class _Question:
    setting: str
    kind: Kind[Any]
    option: Callable[[Any], Option | None]

    def values(self, new: Mapping[str, Any]) -> dict[str, str]:
        """The values to look for, by pointer."""
        value: object = new.get(self.setting)
        if isinstance(value, dict):
            pairs = cast("dict[str, int]", value).items()
            return {f"/{self.setting}/{key}": str(one) for key, one in pairs}
        return {} if value is None else {f"/{self.setting}": str(value)}

    async def answer(self, reference: CompanyReference, new: Mapping[str, Any]) -> list[Wrong]:
        """What is wrong; before anything is, bexio is asked anew: it may just have been created."""
        wanted = self.values(new)
        found = list(_missing("bexio", wanted, self._options(await reference.rows(self.kind))))
        return found and list(_missing("bexio", wanted, self._options(await reference.refresh(self.kind))))

    def _options(self, rows: Sequence[Row]) -> list[Option]:
        return [option for option in map(self.option, rows) if option is not None]


def _missing(system: str, wanted: Mapping[str, str], options: Sequence[Option]) -> Iterable[Wrong]:
    known = {option.value for option in options}
    for pointer, value in wanted.items():
        if value not in known:
            yield Wrong(system, pointer.split("/")[1], pointer, value, options)


def _revenue(row: Account) -> Option | None:
    return _account(row) if row.account_type == AccountType.INCOME else None


def _account(row: Account) -> Option | None:
    return Option(row.account_no, row.name) if row.is_active else None


def _user(row: User) -> Option:
    return Option(str(row.id), " ".join(part for part in (row.firstname, row.lastname) if part))


def _named(row: Any) -> Option:  # noqa: ANN401 - payment types and bank accounts alike
    return Option(str(row.id), row.name)


_QUESTIONS = (
    _Question("invoice_bexio_payment_type_id", PAYMENT_TYPES, _named),
    _Question("invoice_account_no", ACCOUNTS, _revenue),
    _Question("rounding_account_no", ACCOUNTS, _account),
    _Question("bexio_user_id", USERS, _user),
    _Question("invoice_bank_account_id", BANKING_ACCOUNTS, _named),
    _Question("payment_bank_accounts", BANKING_ACCOUNTS, _named),
)
