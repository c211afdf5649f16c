"""The tables as SQLAlchemy Core sees them. The migrations make them; `alembic check` compares the two."""

from __future__ import annotations

from app.db.tables import articles, bookings, contacts, foundation, provisioning
from app.db.tables.columns import metadata

__all__ = ["articles", "bookings", "contacts", "foundation", "metadata", "provisioning"]
