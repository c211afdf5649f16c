"""A tenant's settings, with the defaults that hold until bexio or a person says better."""

from __future__ import annotations

import re
from datetime import time
from decimal import Decimal
from typing import Annotated, Any, Literal

from pydantic import BaseModel, BeforeValidator, ConfigDict, Field, StringConstraints, WithJsonSchema

from app.core.errors import InvalidValue

_TIME = r"^([01][0-9]|2[0-3]):[0-5][0-9](:[0-5][0-9])?$"


def _wall_time(value: object) -> object:
    written = isinstance(value, str) and re.fullmatch(_TIME, value) is not None
    if not written and not isinstance(value, time):
        raise InvalidValue("This must be a time of day, written HH:MM or HH:MM:SS.")
    return value


Language = Literal["de", "fr", "it", "en"]
Reference = Annotated[str, StringConstraints(pattern=r"^[A-Za-z0-9_.-]{1,40}$")]
AccountNumber = Annotated[str, StringConstraints(pattern=r"^[0-9]{1,10}$")]
Email = Annotated[str, StringConstraints(pattern=r"^[^@\s]{1,64}@[^@\s]{1,190}$", max_length=255)]
SyncMinutes = Annotated[int, Field(ge=5, le=1440)]
RemoteId = Annotated[int, Field(ge=1, lt=2**53)]
DueDays = Annotated[int, Field(ge=0, le=365)]
GroupName = Annotated[str, StringConstraints(min_length=1, max_length=80)]
WallTime = Annotated[
    time,
    BeforeValidator(_wall_time),
    # JSON Schema's own `time` has an offset, which a time of day in Switzerland has not.
    WithJsonSchema({"type": "string", "pattern": _TIME, "examples": ["04:00:00"]}),
]
RoundingLimit = Annotated[Decimal, Field(ge=0, le=10, max_digits=6, decimal_places=2)]
Emails = Annotated[list[Email], Field(max_length=10)]
ConflictPolicy = Literal["arcavis", "bexio", "ask"]
ClosedPeriodPolicy = Literal["hold", "next_open_day"]
MOST_PAYMENT_TYPES = 50


EXAMPLE: dict[str, Any] = {
    "invoice_payment_type_id": "7",
    "invoice_bexio_payment_type_id": 4,
    "invoice_account_no": "3200",
    "bexio_user_id": 1,
    "invoice_due_days": 30,
    "invoice_send_mail": False,
    "invoice_bank_account_id": 1,
    "payment_bank_accounts": {"1": 4, "2": 2},
    "contact_sync_enabled": False,
    "contact_conflict_policy": "ask",
    "contact_sync_minutes": 15,
    "customer_group": "Kunde",
    "supplier_group": "Lieferant",
    "article_prices_include_vat": None,
    "article_import_daily": False,
    "daily_booking_export_enabled": False,
    "daily_booking_export_time": "04:00:00",
    "closed_period_policy": "hold",
    "rounding_account_no": None,
    "rounding_limit": "1.00",
    "language": "de",
    "notification_emails": ["buchhaltung@muster.ch"],
}


class TenantSettings(BaseModel):
    """What a tenant may choose. Ids are the remote system's; null means: not chosen yet."""

    model_config = ConfigDict(title="Settings", frozen=True, extra="forbid", json_schema_extra={"examples": [EXAMPLE]})

    invoice_payment_type_id: Reference | None = Field(
        None, description="Arcavis payment type of a sale on bexio invoice."
    )
    invoice_bexio_payment_type_id: RemoteId | None = Field(None, description="bexio payment type of the invoices.")
    invoice_account_no: AccountNumber | None = Field(None, description="Revenue account of invoice lines.")
    bexio_user_id: RemoteId | None = Field(
        None, description="bexio user in whose name documents and contacts are made."
    )
    invoice_due_days: DueDays = Field(30, description="Days from the sale to the due date.")
    invoice_send_mail: bool = Field(
        default=False, description="bexio mails the invoice to the customer once it is issued."
    )
    invoice_bank_account_id: RemoteId | None = Field(None, description="bexio bank account that invoices are paid to.")
    payment_bank_accounts: dict[Reference, RemoteId] = Field(
        default_factory=dict,
        max_length=MOST_PAYMENT_TYPES,
        description="Arcavis payment type id -> bexio bank account id, for the parts of a sale paid at the till.",
    )
    contact_sync_enabled: bool = Field(default=False, description="Contacts are kept in sync both ways.")
    contact_conflict_policy: ConflictPolicy = Field("ask", description="Who wins a conflict.")
    contact_sync_minutes: SyncMinutes = Field(15, description="How often contacts are brought in sync.")
    customer_group: GroupName | None = Field(None, description="bexio contact group of customers.")
    supplier_group: GroupName | None = Field(None, description="bexio contact group of suppliers.")
    article_prices_include_vat: bool | None = Field(None, description="Whether bexio's article prices include VAT.")
    article_import_daily: bool = Field(default=False, description="Articles are imported every night.")
    daily_booking_export_enabled: bool = Field(default=False, description="Bookings are exported every day.")
    daily_booking_export_time: WallTime = Field(time(4, 0), description="When, in Swiss time.")
    closed_period_policy: ClosedPeriodPolicy = Field("hold", description="What happens to a closed day.")
    rounding_account_no: AccountNumber | None = Field(None, description="Account of rounding differences.")
    rounding_limit: RoundingLimit = Field(Decimal("1.00"), description="Largest rounding difference a day.")
    language: Language = Field("de", description="Language of documents and mails.")
    notification_emails: Emails = Field(default_factory=list, description="Who is told of trouble.")


def group_names(settings: TenantSettings) -> dict[Literal["customer", "supplier"], str]:
    """The bexio contact groups that mark customers and suppliers, by their names."""
    return {"customer": settings.customer_group or "Kunde", "supplier": settings.supplier_group or "Lieferant"}
