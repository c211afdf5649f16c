"""Settings and a change make new settings. Pure."""

from __future__ import annotations

from collections.abc import Mapping
from typing import Any

from app.capabilities.settings.schemas import SettingsChange
from app.capabilities.tenancy.settings import MOST_PAYMENT_TYPES, TenantSettings
from app.core.errors import FieldError, InvalidInput

NESTED = "payment_bank_accounts"
# An address is somebody's: the audit trail tells only how many there are.
PERSONAL = "notification_emails"


def merged(settings: TenantSettings, change: SettingsChange) -> TenantSettings:
    """The settings after the change. What is chosen is exactly what was given and not null.

    Raises:
        InvalidInput: too many payment types are mapped.
    """
    chosen = settings.model_dump(exclude_unset=True)
    for name in change.model_fields_set:
        given: object = getattr(change, name)
        if name == NESTED and change.payment_bank_accounts is not None:
            given = _merged_map(settings.payment_bank_accounts, change.payment_bank_accounts)
        if given is None:
            chosen.pop(name, None)
        else:
            chosen[name] = given
    return TenantSettings.model_validate(chosen)


def differences(before: TenantSettings, after: TenantSettings) -> dict[str, str]:
    """`old -> new` of each setting that differs, for the audit trail."""
    return {name: f"{_said(name, old)} -> {_said(name, new)}" for name, (old, new) in changed(before, after).items()}


def changed(before: TenantSettings, after: TenantSettings) -> dict[str, tuple[Any, Any]]:
    """The settings that differ, old and new."""
    names = TenantSettings.model_fields
    pairs = {name: (getattr(before, name), getattr(after, name)) for name in names}
    return {name: pair for name, pair in pairs.items() if pair[0] != pair[1]}


def _merged_map(before: Mapping[str, int], given: Mapping[str, int | None]) -> dict[str, int]:
    together = {**before, **given}
    mapped = {key: value for key, value in together.items() if value is not None}
    if len(mapped) > MOST_PAYMENT_TYPES:
        raise InvalidInput("invalid-input", [FieldError(f"/{NESTED}", "There are too many.")])
    return mapped


def _said(name: str, value: Any) -> str:  # noqa: ANN401 - whatever a setting holds
    if name == PERSONAL:
        return f"{len(value)} addresses"
    return "none" if value is None else str(value)
