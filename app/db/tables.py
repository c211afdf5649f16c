"""The tables as SQLAlchemy Core sees them. The migrations make them; `alembic check` compares the two."""

from __future__ import annotations

from sqlalchemy import (
    ARRAY,
    BigInteger,
    Boolean,
    CheckConstraint,
    Column,
    Date,
    DateTime,
    ForeignKey,
    Identity,
    Index,
    Integer,
    LargeBinary,
    MetaData,
    Numeric,
    PrimaryKeyConstraint,
    SmallInteger,
    Table,
    Text,
    UniqueConstraint,
    Uuid,
    text,
)
from sqlalchemy.dialects.postgresql import JSONB
from sqlalchemy.schema import SchemaItem

metadata = MetaData()


def _moment(name: str, *, nullable: bool = False) -> Column[object]:
    return Column(name, DateTime(timezone=True), nullable=nullable)


def _text(name: str, *, nullable: bool = False, unique: bool = False) -> Column[object]:
    return Column(name, Text, nullable=nullable, unique=unique)


def _json(name: str) -> Column[object]:
    return Column(name, JSONB, nullable=False)


def _money(name: str, *, nullable: bool = False) -> Column[object]:
    return Column(name, Numeric(14, 2), nullable=nullable)


def _tenant() -> SchemaItem:
    return Column("tenant_id", Uuid, ForeignKey("tenant.id"), nullable=False)


def _tenant_key() -> SchemaItem:
    return Column("tenant_id", Uuid, ForeignKey("tenant.id"), primary_key=True)


def _id() -> SchemaItem:
    return Column("id", Uuid, primary_key=True)


tenant = Table(
    "tenant",
    metadata,
    _id(),
    _text("slug", unique=True),
    _text("name"),
    _text("language"),
    Column("modules", ARRAY(Text), nullable=False),
    Column("config_version", BigInteger, nullable=False, server_default=text("1")),
    _moment("created_at"),
    _moment("updated_at"),
)

api_key = Table(
    "api_key",
    metadata,
    _id(),
    Column("tenant_id", Uuid, ForeignKey("tenant.id")),
    _text("role"),
    _text("label"),
    _text("prefix"),
    Column("hash", LargeBinary, nullable=False, unique=True),
    _moment("created_at"),
    _moment("revoked_at", nullable=True),
    CheckConstraint("(role = 'operator') = (tenant_id is null)"),
    Index("api_key_tenant_idx", "tenant_id"),
)

tenant_settings = Table(
    "tenant_settings",
    metadata,
    _tenant_key(),
    _json("values"),
    Column("version", Integer, nullable=False),
    _moment("updated_at"),
)

bexio_connection = Table(
    "bexio_connection",
    metadata,
    _tenant_key(),
    _text("kind"),
    _text("state"),
    _text("reason", nullable=True),
    _text("company_id", unique=True),
    _text("company_name"),
    Column("user_id", BigInteger, nullable=False),
    _text("user_name"),
    Column("secret", LargeBinary, nullable=False),
    _moment("expires_at", nullable=True),
    _moment("connected_at"),
    _moment("updated_at"),
)

arcavis_connection = Table(
    "arcavis_connection",
    metadata,
    _tenant_key(),
    _text("base_url"),
    _text("username"),
    Column("secret", LargeBinary, nullable=False),
    _text("state"),
    _text("reason", nullable=True),
    _moment("connected_at"),
    _moment("updated_at"),
)

document = Table(
    "document",
    metadata,
    _id(),
    _tenant(),
    _text("source"),
    _text("transaction_id"),
    _text("number"),
    Column("sale_date", Date, nullable=False),
    _json("content"),
    Column("content_hash", LargeBinary, nullable=False),
    _money("total"),
    _text("status"),
    _text("goal"),
    Column("contact_bexio_id", BigInteger),
    Column("bexio_id", BigInteger),
    _text("bexio_number", nullable=True),
    _money("bexio_total", nullable=True),
    _text("bexio_status", nullable=True),
    _money("bexio_open", nullable=True),
    _moment("created_at"),
    _moment("updated_at"),
    UniqueConstraint("tenant_id", "source", "transaction_id"),
)
Index(
    "document_listing_idx",
    document.c.tenant_id,
    document.c.source,
    document.c.created_at.desc(),
    document.c.id.desc(),
)
Index(
    "document_unfinished_idx",
    document.c.tenant_id,
    document.c.source,
    document.c.created_at.desc(),
    document.c.id.desc(),
    postgresql_where=document.c.status.in_(("accepted", "attention")),
)
Index("document_bexio_idx", document.c.tenant_id, document.c.bexio_id, unique=True)

operation = Table(
    "operation",
    metadata,
    _id(),
    _tenant(),
    _text("kind"),
    Column("subject_id", Uuid, nullable=False),
    _text("state"),
    _text("step"),
    _json("memo"),
    Column("priority", SmallInteger, nullable=False),
    Column("wanted", Integer, nullable=False, server_default=text("1")),
    Column("fence", BigInteger, nullable=False, server_default=text("0")),
    _moment("lease_until", nullable=True),
    Column("starts", Integer, nullable=False, server_default=text("0")),
    Column("attempts", Integer, nullable=False, server_default=text("0")),
    _moment("next_attempt_at"),
    _text("reason", nullable=True),
    _moment("created_at"),
    _moment("updated_at"),
    UniqueConstraint("kind", "subject_id"),
)
Index(
    "operation_waiting_idx",
    operation.c.tenant_id,
    operation.c.priority.desc(),
    operation.c.created_at,
    postgresql_where=operation.c.state == "waiting",
)
Index(
    "operation_running_idx",
    operation.c.tenant_id,
    operation.c.lease_until,
    postgresql_where=operation.c.state == "running",
)

payment = Table(
    "payment",
    metadata,
    _id(),
    _tenant(),
    Column("document_id", Uuid, ForeignKey("document.id")),
    _text("natural_key"),
    _text("transaction_id"),
    _text("payment_type_id"),
    _money("amount"),
    Column("paid_on", Date, nullable=False),
    Column("bexio_invoice_id", BigInteger),
    _text("state"),
    _moment("sent_at", nullable=True),
    Column("known_ids", ARRAY(BigInteger), nullable=False, server_default=text("'{}'")),
    Column("bexio_payment_id", BigInteger),
    Column("content_hash", LargeBinary, nullable=False),
    _moment("created_at"),
    _moment("updated_at"),
    UniqueConstraint("tenant_id", "natural_key"),
    Index("payment_document_idx", "document_id"),
)
Index(
    "payment_in_flight_idx",
    payment.c.tenant_id,
    payment.c.bexio_invoice_id,
    unique=True,
    postgresql_where=payment.c.state == "sending",
)
Index(
    "payment_bexio_idx",
    payment.c.tenant_id,
    payment.c.bexio_invoice_id,
    payment.c.bexio_payment_id,
    unique=True,
)

contact_link = Table(
    "contact_link",
    metadata,
    _tenant(),
    _text("kind"),
    _text("arcavis_id"),
    Column("bexio_id", BigInteger),
    _text("state"),
    Column("holder", Uuid),
    _moment("held_until", nullable=True),
    _moment("sent_at", nullable=True),
    _json("evidence"),
    _moment("created_at"),
    _moment("updated_at"),
    PrimaryKeyConstraint("tenant_id", "kind", "arcavis_id"),
    Index("contact_link_bexio_idx", "tenant_id", "bexio_id"),
)

article_link = Table(
    "article_link",
    metadata,
    _tenant(),
    _text("arcavis_id"),
    Column("bexio_id", BigInteger, nullable=False),
    Column("account_id", BigInteger),
    _text("state"),
    _moment("created_at"),
    _moment("updated_at"),
    PrimaryKeyConstraint("tenant_id", "arcavis_id"),
)

attention = Table(
    "attention",
    metadata,
    _id(),
    _tenant(),
    _text("code"),
    _json("params"),
    _text("subject_kind"),
    Column("subject_id", Uuid, nullable=False),
    _text("state"),
    _moment("created_at"),
    _moment("closed_at", nullable=True),
    _text("closed_by", nullable=True),
    _text("closed_reason", nullable=True),
)
Index(
    "attention_open_idx",
    attention.c.tenant_id,
    attention.c.subject_kind,
    attention.c.subject_id,
    attention.c.code,
    unique=True,
    postgresql_where=attention.c.state == "open",
)
Index("attention_listing_idx", attention.c.tenant_id, attention.c.created_at.desc(), attention.c.id.desc())

audit = Table(
    "audit",
    metadata,
    Column("id", BigInteger, Identity(always=True), primary_key=True),
    _tenant(),
    _moment("at"),
    _text("actor"),
    _text("action"),
    _text("subject_kind"),
    _text("subject_id"),
    _json("detail"),
)
Index("audit_listing_idx", audit.c.tenant_id, audit.c.id.desc())

idempotency = Table(
    "idempotency",
    metadata,
    Column("tenant_id", Uuid),
    _text("scope"),
    _text("key"),
    Column("fingerprint", LargeBinary, nullable=False),
    _text("state"),
    Column("status", Integer),
    Column("headers", JSONB),
    Column("body", LargeBinary),
    _moment("created_at"),
    PrimaryKeyConstraint("scope", "key"),
    Index("idempotency_age_idx", "created_at"),
)

run = Table(
    "run",
    metadata,
    _id(),
    _tenant(),
    _text("kind"),
    _text("state"),
    _json("counts"),
    Column("total", Integer),
    _text("reason", nullable=True),
    Column("cancel_requested", Boolean, nullable=False, server_default=text("false")),
    _json("detail"),
    _moment("created_at"),
    _moment("started_at", nullable=True),
    _moment("finished_at", nullable=True),
    _moment("updated_at"),
)
Index("run_listing_idx", run.c.tenant_id, run.c.created_at.desc(), run.c.id.desc())

cursor = Table(
    "cursor",
    metadata,
    _tenant(),
    _text("name"),
    _text("value"),
    _moment("updated_at"),
    PrimaryKeyConstraint("tenant_id", "name"),
)

reference_data = Table(
    "reference_data",
    metadata,
    _tenant(),
    _text("name"),
    _json("rows"),
    _moment("fetched_at"),
    PrimaryKeyConstraint("tenant_id", "name"),
)

rate_budget = Table(
    "rate_budget",
    metadata,
    _text("company_id"),
    _text("bucket"),
    _moment("window_start"),
    _moment("window_end"),
    Column("told", Boolean, nullable=False),
    Column("capacity", Integer),
    Column("used", Integer, nullable=False),
    _moment("blocked_until", nullable=True),
    PrimaryKeyConstraint("company_id", "bucket"),
    prefixes=["UNLOGGED"],
)

circuit = Table(
    "circuit",
    metadata,
    Column("name", Text, primary_key=True),
    Column("failures", Integer, nullable=False),
    _moment("open_until", nullable=True),
    _moment("probe_until", nullable=True),
    _moment("updated_at"),
    prefixes=["UNLOGGED"],
)
