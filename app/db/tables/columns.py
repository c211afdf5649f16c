"""The metadata and the kinds of columns that tables are made of."""

from __future__ import annotations

from sqlalchemy import Column, DateTime, ForeignKey, MetaData, Numeric, Text, Uuid
from sqlalchemy.dialects.postgresql import JSONB
from sqlalchemy.schema import SchemaItem

metadata = MetaData()


def moment(name: str, *, nullable: bool = False) -> Column[object]:
    """An instant, with its offset."""
    return Column(name, DateTime(timezone=True), nullable=nullable)


def text_column(name: str, *, nullable: bool = False, unique: bool = False) -> Column[object]:
    """A text without a limit; who writes it bounds it."""
    return Column(name, Text, nullable=nullable, unique=unique)


def json_column(name: str) -> Column[object]:
    """A JSON value."""
    return Column(name, JSONB, nullable=False)


def money(name: str, *, nullable: bool = False) -> Column[object]:
    """An amount in Rappen-exact francs."""
    return Column(name, Numeric(14, 2), nullable=nullable)


def of_tenant() -> SchemaItem:
    """Whose row it is; see row-level security."""
    return Column("tenant_id", Uuid, ForeignKey("tenant.id"), nullable=False)


def tenant_key() -> SchemaItem:
    """Whose row it is, where there is one for each tenant."""
    return Column("tenant_id", Uuid, ForeignKey("tenant.id"), primary_key=True)


def id_column() -> SchemaItem:
    """A UUID version 7, made where the row is made."""
    return Column("id", Uuid, primary_key=True)
