"""A tenant's settings, with the defaults that hold until bexio or a person says better."""

from __future__ import annotations

from datetime import time
from decimal import Decimal
from typing import Annotated, Literal

from pydantic import BaseModel, ConfigDict, Field, StringConstraints

Language = Literal["de", "fr", "it", "en"]
Reference = Annotated[str, StringConstraints(pattern=r"^[A-Za-z0-9_.-]{1,40}$")]
AccountNumber = Annotated[str, StringConstraints(pattern=r"^[0-9]{1,10}$")]
Email = Annotated[str, StringConstraints(pattern=r"^[^@\s]{1,64}@[^@\s]{1,190}$", max_length=255)]


class TenantSettings(BaseModel):
    """What a tenant may choose. Ids are the remote system's; null means: not chosen yet."""

    model_config = ConfigDict(frozen=True, extra="forbid")

    invoice_payment_type_id: Reference | None = Field(
        None, description="Arcavis payment type of a sale on bexio invoice."
    )
    invoice_bexio_payment_type_id: int | None = Field(None, description="bexio payment type of the invoices.")
    invoice_account_no: AccountNumber | None = Field(None, description="Revenue account of invoice lines.")
    bexio_user_id: int | None = Field(None, description="bexio user in whose name documents and contacts are made.")
    invoice_due_days: int = Field(30, ge=0, le=365, description="Days from the sale to the due date.")
    invoice_send_mail: bool = Field(
        default=False, description="bexio mails the invoice to the customer once it is issued."
    )
    invoice_bank_account_id: int | None = Field(None, description="bexio bank account that invoices are paid to.")
    payment_bank_accounts: dict[Reference, int] = Field(
        default_factory=dict,
        max_length=50,
        description="Arcavis payment type id -> bexio bank account id, for the parts of a sale paid at the till.",
    )
    contact_sync_enabled: bool = Field(default=False, description="Contacts are kept in sync both ways.")
    contact_conflict_policy: Literal["arcavis", "bexio", "ask"] = Field("ask", description="Who wins a conflict.")
    customer_group: str | None = Field(None, max_length=80, description="bexio contact group of customers.")
    supplier_group: str | None = Field(None, max_length=80, description="bexio contact group of suppliers.")
    article_prices_include_vat: bool | None = Field(None, description="Whether bexio's article prices include VAT.")
    article_import_daily: bool = Field(default=False, description="Articles are imported every night.")
    daily_booking_export_enabled: bool = Field(default=False, description="Bookings are exported every day.")
    daily_booking_export_time: time = Field(time(4, 0), description="When, in Swiss time.")
    closed_period_policy: Literal["hold", "next_open_day"] = Field("hold", description="What happens to a closed day.")
    rounding_account_no: AccountNumber | None = Field(None, description="Account of rounding differences.")
    rounding_limit: Decimal = Field(Decimal("1.00"), ge=0, le=10, description="Largest rounding difference a day.")
    language: Language = Field("de", description="Language of documents and mails.")
    notification_emails: list[Email] = Field(default_factory=list, max_length=10, description="Who is told of trouble.")
