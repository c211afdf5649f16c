"""Tenants, connections, documents, operations, runs and what watches over them."""

from __future__ import annotations

from sqlalchemy import (
    ARRAY,
    BigInteger,
    Boolean,
    CheckConstraint,
    Column,
    Date,
    ForeignKey,
    Identity,
    Index,
    Integer,
    LargeBinary,
    PrimaryKeyConstraint,
    SmallInteger,
    Table,
    Text,
    UniqueConstraint,
    Uuid,
    text,
)
from sqlalchemy.dialects.postgresql import JSONB

from app.db.tables.columns import (
    id_column,
    json_column,
    metadata,
    moment,
    money,
    of_tenant,
    tenant_key,
    text_column,
)

tenant = Table(
    "tenant",
    metadata,
    id_column(),
    text_column("slug", unique=True),
    text_column("name"),
    text_column("language"),
    Column("modules", ARRAY(Text), nullable=False),
    Column("config_version", BigInteger, nullable=False, server_default=text("1")),
    moment("created_at"),
    moment("updated_at"),
)

api_key = Table(
    "api_key",
    metadata,
    id_column(),
    Column("tenant_id", Uuid, ForeignKey("tenant.id")),
    text_column("role"),
    text_column("label"),
    text_column("prefix"),
    Column("hash", LargeBinary, nullable=False, unique=True),
    moment("created_at"),
    moment("revoked_at", nullable=True),
    CheckConstraint("(role = 'operator') = (tenant_id is null)"),
    Index("api_key_tenant_idx", "tenant_id"),
)

tenant_settings = Table(
    "tenant_settings",
    metadata,
    tenant_key(),
    json_column("values"),
    Column("version", Integer, nullable=False),
    moment("updated_at"),
)

bexio_connection = Table(
    "bexio_connection",
    metadata,
    tenant_key(),
    text_column("kind"),
    text_column("state"),
    text_column("reason", nullable=True),
    text_column("company_id", unique=True),
    text_column("company_name"),
    Column("user_id", BigInteger, nullable=False),
    text_column("user_name"),
    Column("secret", LargeBinary, nullable=False),
    moment("expires_at", nullable=True),
    moment("connected_at"),
    moment("updated_at"),
    text_column("subject", nullable=True),
    text_column("books_id", nullable=True),
    Column("scopes", ARRAY(Text), nullable=False),
    Column("refresh_secret", LargeBinary),
    Column("previous_secret", LargeBinary),
    Column("generation", BigInteger, nullable=False),
    moment("renew_from", nullable=True),
    moment("access_until", nullable=True),
    moment("keep_by", nullable=True),
    moment("renewed_at", nullable=True),
    Column("renewal_fence", BigInteger, nullable=False),
    moment("renewal_lease", nullable=True),
    moment("renewal_after", nullable=True),
    Column("renewal_failures", Integer, nullable=False),
    text_column("renewal_reason", nullable=True),
    Index("bexio_connection_books_idx", "books_id", unique=True),
    Index("bexio_connection_subject_idx", "subject"),
)

arcavis_connection = Table(
    "arcavis_connection",
    metadata,
    tenant_key(),
    text_column("base_url"),
    text_column("username"),
    Column("secret", LargeBinary, nullable=False),
    text_column("state"),
    text_column("reason", nullable=True),
    moment("connected_at"),
    moment("updated_at"),
)

document = Table(
    "document",
    metadata,
    id_column(),
    of_tenant(),
    text_column("source"),
    text_column("transaction_id"),
    text_column("number"),
    Column("sale_date", Date, nullable=False),
    json_column("content"),
    Column("content_hash", LargeBinary, nullable=False),
    money("total"),
    text_column("status"),
    text_column("goal"),
    Column("contact_bexio_id", BigInteger),
    Column("bexio_id", BigInteger),
    text_column("bexio_number", nullable=True),
    money("bexio_total", nullable=True),
    text_column("bexio_status", nullable=True),
    money("bexio_open", nullable=True),
    moment("created_at"),
    moment("updated_at"),
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
    id_column(),
    of_tenant(),
    text_column("kind"),
    Column("subject_id", Uuid, nullable=False),
    text_column("state"),
    text_column("step"),
    json_column("memo"),
    Column("priority", SmallInteger, nullable=False),
    Column("wanted", Integer, nullable=False, server_default=text("1")),
    Column("fence", BigInteger, nullable=False, server_default=text("0")),
    moment("lease_until", nullable=True),
    Column("starts", Integer, nullable=False, server_default=text("0")),
    Column("attempts", Integer, nullable=False, server_default=text("0")),
    moment("next_attempt_at"),
    text_column("reason", nullable=True),
    moment("created_at"),
    moment("updated_at"),
    UniqueConstraint("kind", "subject_id"),
)
Index(
    "operation_due_idx",
    operation.c.tenant_id,
    operation.c.priority,
    operation.c.next_attempt_at,
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
    id_column(),
    of_tenant(),
    Column("document_id", Uuid, ForeignKey("document.id")),
    text_column("natural_key"),
    text_column("transaction_id"),
    text_column("payment_type_id"),
    money("amount"),
    Column("paid_on", Date, nullable=False),
    Column("bexio_invoice_id", BigInteger),
    text_column("state"),
    moment("sent_at", nullable=True),
    Column("known_ids", ARRAY(BigInteger), nullable=False, server_default=text("'{}'")),
    Column("bexio_payment_id", BigInteger),
    Column("content_hash", LargeBinary, nullable=False),
    moment("created_at"),
    moment("updated_at"),
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

attention = Table(
    "attention",
    metadata,
    id_column(),
    of_tenant(),
    text_column("code"),
    json_column("params"),
    text_column("subject_kind"),
    Column("subject_id", Uuid, nullable=False),
    text_column("state"),
    moment("created_at"),
    moment("closed_at", nullable=True),
    text_column("closed_by", nullable=True),
    text_column("closed_reason", nullable=True),
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
    of_tenant(),
    moment("at"),
    text_column("actor"),
    text_column("action"),
    text_column("subject_kind"),
    text_column("subject_id"),
    json_column("detail"),
)
Index("audit_listing_idx", audit.c.tenant_id, audit.c.id.desc())

idempotency = Table(
    "idempotency",
    metadata,
    Column("tenant_id", Uuid),
    text_column("scope"),
    text_column("key"),
    Column("fingerprint", LargeBinary, nullable=False),
    text_column("state"),
    Column("status", Integer),
    Column("headers", JSONB),
    Column("body", LargeBinary),
    moment("created_at"),
    PrimaryKeyConstraint("scope", "key"),
    Index("idempotency_age_idx", "created_at"),
)

run = Table(
    "run",
    metadata,
    id_column(),
    of_tenant(),
    text_column("kind"),
    text_column("state"),
    json_column("counts"),
    Column("total", Integer),
    text_column("reason", nullable=True),
    Column("cancel_requested", Boolean, nullable=False, server_default=text("false")),
    json_column("detail"),
    moment("created_at"),
    moment("started_at", nullable=True),
    moment("finished_at", nullable=True),
    moment("updated_at"),
)
Index("run_listing_idx", run.c.tenant_id, run.c.created_at.desc(), run.c.id.desc())

cursor = Table(
    "cursor",
    metadata,
    of_tenant(),
    text_column("name"),
    text_column("value"),
    moment("updated_at"),
    PrimaryKeyConstraint("tenant_id", "name"),
)

reference_data = Table(
    "reference_data",
    metadata,
    of_tenant(),
    text_column("name"),
    json_column("rows"),
    moment("fetched_at"),
    PrimaryKeyConstraint("tenant_id", "name"),
)

rate_budget = Table(
    "rate_budget",
    metadata,
    text_column("company_id"),
    text_column("bucket"),
    moment("window_start"),
    moment("window_end"),
    Column("told", Boolean, nullable=False),
    Column("capacity", Integer),
    Column("used", Integer, nullable=False),
    moment("blocked_until", nullable=True),
    PrimaryKeyConstraint("company_id", "bucket"),
    prefixes=["UNLOGGED"],
)

circuit = Table(
    "circuit",
    metadata,
    Column("name", Text, primary_key=True),
    Column("failures", Integer, nullable=False),
    moment("open_until", nullable=True),
    moment("probe_until", nullable=True),
    moment("updated_at"),
    prefixes=["UNLOGGED"],
)
