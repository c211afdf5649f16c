"""Payment types of documents (`/2.0/payment_type`); there is no way to create one."""

from __future__ import annotations

from app.connectors.bexio.resource import resource_of
from app.connectors.bexio.wire import Wire


class PaymentType(Wire):
    """How a document says it will be paid, such as "Rechnung"."""

    id: int
    name: str


PAYMENT_TYPES = resource_of("/2.0/payment_type", PaymentType, order_by="id")
