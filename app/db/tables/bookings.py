"""Booking rules, exports and what they posted."""

from __future__ import annotations

from sqlalchemy import (
    BigInteger,
    Column,
    Date,
    ForeignKey,
    Index,
    Integer,
    LargeBinary,
    PrimaryKeyConstraint,
    Table,
    UniqueConstraint,
    Uuid,
    text,
)
from sqlalchemy.dialects.postgresql import JSONB

from app.db.tables.columns import id_column, json_column, metadata, moment, money, of_tenant, text_column

booking_rule = Table(
    "booking_rule",
    metadata,
    id_column(),
    of_tenant(),
    Column("version", Integer, nullable=False),
    Column("position", Integer, nullable=False),
    text_column("origin", nullable=True),
    Column("reason", JSONB),
    moment("created_at"),
    moment("updated_at"),
    moment("deleted_at", nullable=True),
)
Index(
    "booking_rule_listing_idx",
    booking_rule.c.tenant_id,
    booking_rule.c.position,
    booking_rule.c.id,
    postgresql_where=booking_rule.c.deleted_at.is_(None),
)
Index("booking_rule_origin_idx", booking_rule.c.tenant_id, booking_rule.c.origin, unique=True)

booking_rule_version = Table(
    "booking_rule_version",
    metadata,
    of_tenant(),
    Column("rule_id", Uuid, ForeignKey("booking_rule.id"), nullable=False),
    Column("version", Integer, nullable=False),
    json_column("content"),
    moment("created_at"),
    text_column("created_by"),
    PrimaryKeyConstraint("rule_id", "version"),
    Index("booking_rule_version_tenant_idx", "tenant_id", "rule_id"),
)

booking_article_groups = Table(
    "booking_article_groups",
    metadata,
    of_tenant(),
    text_column("article_id"),
    Column("since", Date, nullable=False),
    text_column("main_group", nullable=True),
    text_column("trade_group", nullable=True),
    text_column("article_group", nullable=True),
    PrimaryKeyConstraint("tenant_id", "article_id", "since"),
)

booking_export = Table(
    "booking_export",
    metadata,
    id_column(),
    of_tenant(),
    Column("run_id", Uuid, ForeignKey("run.id")),
    text_column("kind"),
    Column("first_day", Date, nullable=False),
    Column("last_day", Date, nullable=False),
    text_column("state"),
    text_column("plan_hash", nullable=True),
    Column("reverses", Uuid, ForeignKey("booking_export.id")),
    text_column("asked_by"),
    Column("detail", JSONB, nullable=False, server_default=text("'{}'")),
    moment("created_at"),
    moment("updated_at"),
    moment("finished_at", nullable=True),
    Index("booking_export_run_idx", "run_id"),
)
Index(
    "booking_export_listing_idx",
    booking_export.c.tenant_id,
    booking_export.c.created_at.desc(),
    booking_export.c.id.desc(),
)

booking_export_day = Table(
    "booking_export_day",
    metadata,
    of_tenant(),
    Column("export_id", Uuid, ForeignKey("booking_export.id"), nullable=False),
    Column("sale_day", Date, nullable=False),
    text_column("state"),
    Column("booked_on", Date, nullable=False),
    json_column("proof"),
    json_column("findings"),
    Column("entries", Integer, nullable=False),
    Column("digest", LargeBinary, nullable=False),
    moment("updated_at"),
    PrimaryKeyConstraint("export_id", "sale_day"),
    Index("booking_export_day_idx", "tenant_id", "sale_day"),
)

booking_group = Table(
    "booking_group",
    metadata,
    id_column(),
    of_tenant(),
    Column("export_id", Uuid, ForeignKey("booking_export.id"), nullable=False),
    Column("sale_day", Date, nullable=False),
    Column("sequence", Integer, nullable=False),
    text_column("reference"),
    Column("booked_on", Date, nullable=False),
    Column("request", LargeBinary, nullable=False),
    text_column("state"),
    moment("sent_at", nullable=True),
    Column("known_id", BigInteger),
    Column("bexio_id", BigInteger),
    moment("posted_at", nullable=True),
    moment("created_at"),
    moment("updated_at"),
    Index("booking_group_export_idx", "export_id", "sale_day", "sequence"),
    UniqueConstraint("tenant_id", "sale_day", "sequence"),
    Index("booking_group_reference_idx", "tenant_id", "reference", unique=True),
)
Index("booking_group_bexio_idx", booking_group.c.tenant_id, booking_group.c.bexio_id, unique=True)

booking_line = Table(
    "booking_line",
    metadata,
    id_column(),
    of_tenant(),
    Column("group_id", Uuid, ForeignKey("booking_group.id", ondelete="CASCADE"), nullable=False),
    Column("place", Integer, nullable=False),
    Column("sale_day", Date, nullable=False),
    Column("rule_id", Uuid, nullable=False),
    Column("rule_version", Integer, nullable=False),
    text_column("title"),
    text_column("group_key"),
    Column("debit_account", BigInteger, nullable=False),
    Column("credit_account", BigInteger, nullable=False),
    Column("tax_id", BigInteger),
    Column("tax_account", BigInteger),
    text_column("tax_code", nullable=True),
    money("amount"),
    money("desired"),
    money("posted"),
    money("till_tax"),
    Column("receipts", Integer, nullable=False),
    text_column("text"),
    UniqueConstraint("group_id", "place"),
    Index("booking_line_day_idx", "tenant_id", "sale_day"),
)

booking_line_receipt = Table(
    "booking_line_receipt",
    metadata,
    of_tenant(),
    Column("line_id", Uuid, ForeignKey("booking_line.id", ondelete="CASCADE"), nullable=False),
    text_column("receipt_id"),
    text_column("number"),
    money("amount"),
    PrimaryKeyConstraint("line_id", "receipt_id"),
    Index("booking_line_receipt_idx", "tenant_id", "receipt_id"),
)
