"""OAuth connections, sign-ins, provisioning, mails."""

from __future__ import annotations

from sqlalchemy import Column, Index, LargeBinary, Table, UniqueConstraint

from app.db.tables.columns import id_column, json_column, metadata, moment, of_tenant, text_column

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
