"""What bexio fills in on new documents, per kind of document (`/2.0/kb_item_setting`)."""

from __future__ import annotations

from app.connectors.bexio.resource import resource_of
from app.connectors.bexio.wire import OptionalId, Wire

INVOICE_CLASS = "KbInvoice"
ORDER_CLASS = "KbOrder"


class ItemSetting(Wire):
    """Numbering and defaults of one `kb_item_class`. While numbering is automatic, no number may be sent."""

    id: int
    kb_item_class: str
    use_automatic_enumeration: bool
    default_time_period_in_days: int
    default_language_id: OptionalId = None
    default_client_bank_account_new_id: OptionalId = None
    default_currency_id: OptionalId = None
    default_mwst_type: int
    default_mwst_is_net: bool
    default_payment_type_id: OptionalId = None
    default_title: str | None = None


ITEM_SETTINGS = resource_of("/2.0/kb_item_setting", ItemSetting, order_by="id", paged=False)
