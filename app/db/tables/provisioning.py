"""OAuth connections, sign-ins, provisioning, mails."""

from __future__ import annotations

from sqlalchemy import ARRAY, Column, ForeignKey, Index, LargeBinary, Table, Text, UniqueConstraint, Uuid

from app.db.tables.columns import id_column, json_column, metadata, moment, of_tenant, text_column

sign_in = Table(
    "sign_in",
    metadata,
    id_column(),
    Column("tenant_id", Uuid, ForeignKey("tenant.id")),
    text_column("purpose"),
    text_column("actor"),
    Column("scopes", ARRAY(Text), nullable=False),
    json_column("detail"),
    Column("ticket_hash", LargeBinary, nullable=False),
    Column("state_hash", LargeBinary),
    Column("browser_hash", LargeBinary),
    moment("created_at"),
    moment("expires_at"),
    moment("used_at", nullable=True),
    Index("sign_in_state_idx", "state_hash", unique=True),
    Index("sign_in_ticket_idx", "ticket_hash"),
    Index("sign_in_age_idx", "expires_at"),
    Index("sign_in_tenant_idx", "tenant_id"),
)

mail = Table(
    "mail",
    metadata,
    id_column(),
    of_tenant(),
    text_column("event"),
    text_column("template"),
    text_column("recipient"),
    text_column("language"),
    json_column("params"),
    Column("secret", LargeBinary),
    text_column("state"),
    moment("created_at"),
    moment("expires_at"),
    moment("sent_at", nullable=True),
    UniqueConstraint("tenant_id", "event", "recipient"),
)
Index("mail_age_idx", mail.c.tenant_id, mail.c.created_at)
