"""OAuth connections, sign-ins, provisioning, mails."""

from __future__ import annotations

from sqlalchemy import ARRAY, Column, ForeignKey, Index, Integer, LargeBinary, Table, Text, UniqueConstraint, Uuid

from app.db.tables.columns import id_column, json_column, metadata, moment, of_tenant, tenant_key, text_column

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

provision = Table(
    "provision",
    metadata,
    tenant_key(),
    text_column("activation_id", unique=True),
    text_column("company_id"),
    Column("admin", LargeBinary, nullable=False),
    text_column("language"),
    json_column("done"),
    json_column("runs"),
    Column("progress", Integer, nullable=False),
    text_column("login_url", nullable=True),
    text_column("admin_username", nullable=True),
    Column("initial_password", LargeBinary),
    moment("created_at"),
    moment("updated_at"),
    Index("provision_company_idx", "company_id"),
)

activation = Table(
    "activation",
    metadata,
    id_column(),
    Column("tenant_id", Uuid, ForeignKey("tenant.id")),
    text_column("activation_id", unique=True),
    Column("webhook_id", Text, unique=True),
    Column("codes", ARRAY(LargeBinary), nullable=False),
    text_column("state"),
    text_column("reason", nullable=True),
    json_column("params"),
    text_column("company_name"),
    Column("wanted", LargeBinary),
    moment("held_until", nullable=True),
    moment("created_at"),
    moment("updated_at"),
)
Index("activation_tenant_idx", activation.c.tenant_id)
Index("activation_open_idx", activation.c.held_until, postgresql_where=activation.c.state == "authorized")
