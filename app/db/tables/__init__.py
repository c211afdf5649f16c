"""The tables as SQLAlchemy Core sees them. The migrations make them; `alembic check` compares the two."""

from __future__ import annotations

from app.db.tables import bookings, contacts, foundation, provisioning
from app.db.tables.columns import metadata

__all__ = ["bookings", "contacts", "foundation", "metadata", "provisioning"]
