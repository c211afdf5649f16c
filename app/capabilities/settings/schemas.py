"""The public contract of changing a tenant's settings; `TenantSettings` is that of reading them."""

from __future__ import annotations

from pydantic import BaseModel, ConfigDict, Field

from app.capabilities.tenancy.settings import (
    MOST_PAYMENT_TYPES,
    AccountNumber,
    ClosedPeriodPolicy,
    ConflictPolicy,
    DueDays,
    Emails,
    GroupName,
    Language,
    Reference,
    RemoteId,
    RoundingLimit,
    SyncMinutes,
    WallTime,
)


class SettingsChange(BaseModel):
    """A JSON merge patch (RFC 7396): what is not given stays, null goes back to the default.

    `payment_bank_accounts` is merged key by key in the same way.
    """

    model_config = ConfigDict(
        extra="forbid",
        frozen=True,
        json_schema_extra={"examples": [{"invoice_due_days": 14, "payment_bank_accounts": {"1": 4, "3": None}}]},
    )

    invoice_payment_type_id: Reference | None = None
    invoice_bexio_payment_type_id: RemoteId | None = None
    invoice_account_no: AccountNumber | None = None
    bexio_user_id: RemoteId | None = None
    invoice_due_days: DueDays | None = None
    invoice_send_mail: bool | None = None
    invoice_bank_account_id: RemoteId | None = None
    payment_bank_accounts: dict[Reference, RemoteId | None] | None = Field(None, max_length=MOST_PAYMENT_TYPES)
    contact_sync_enabled: bool | None = None
    contact_conflict_policy: ConflictPolicy | None = None
    contact_sync_minutes: SyncMinutes | None = None
    customer_group: GroupName | None = None
    supplier_group: GroupName | None = None
    article_prices_include_vat: bool | None = None
    article_import_daily: bool | None = None
    daily_booking_export_enabled: bool | None = None
    daily_booking_export_time: WallTime | None = None
    closed_period_policy: ClosedPeriodPolicy | None = None
    rounding_account_no: AccountNumber | None = None
    rounding_limit: RoundingLimit | None = None
    language: Language | None = None
    notification_emails: Emails | None = None
