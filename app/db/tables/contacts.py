"""Contacts and articles: what a sync remembers."""

from __future__ import annotations

from sqlalchemy import BigInteger, Boolean, Column, Index, PrimaryKeyConstraint, Table, UniqueConstraint, Uuid, text
from sqlalchemy.dialects.postgresql import JSONB

from app.db.tables.columns import id_column, json_column, metadata, moment, of_tenant, text_column

contact_link = Table(
    "contact_link",
    metadata,
    of_tenant(),
    text_column("kind"),
    text_column("arcavis_id"),
    Column("bexio_id", BigInteger),
    text_column("state"),
    Column("holder", Uuid),
    moment("held_until", nullable=True),
    moment("sent_at", nullable=True),
    json_column("evidence"),
    moment("created_at"),
    moment("updated_at"),
    Column("id", Uuid, nullable=False, server_default=text("gen_random_uuid()")),
    Column("alias", Boolean, nullable=False, server_default=text("false")),
    Column("base_arcavis", JSONB, nullable=False, server_default=text("'{}'")),
    Column("base_bexio", JSONB, nullable=False, server_default=text("'{}'")),
    text_column("reason", nullable=True),
    moment("synced_at", nullable=True),
    PrimaryKeyConstraint("tenant_id", "kind", "arcavis_id"),
    Index("contact_link_bexio_idx", "tenant_id", "bexio_id"),
)
Index(
    "contact_link_pair_idx",
    contact_link.c.tenant_id,
    contact_link.c.kind,
    contact_link.c.bexio_id,
    unique=True,
    postgresql_where=text("state in ('active', 'conflict') and not alias"),
)
Index("contact_link_listing_idx", contact_link.c.tenant_id, contact_link.c.updated_at.desc(), contact_link.c.id.desc())
Index(
    "contact_link_open_idx",
    contact_link.c.tenant_id,
    contact_link.c.holder,
    postgresql_where=contact_link.c.state == "resolving",
)

contact_record = Table(
    "contact_record",
    metadata,
    of_tenant(),
    text_column("side"),
    text_column("kind"),
    Column("remote_id", BigInteger, nullable=False),
    json_column("fields"),
    json_column("extra"),
    Column("gone", Boolean, nullable=False),
    Column("pending", Boolean, nullable=False),
    Column("visited", Uuid),
    PrimaryKeyConstraint("tenant_id", "side", "kind", "remote_id"),
)
Index(
    "contact_record_pending_idx",
    contact_record.c.tenant_id,
    contact_record.c.side,
    contact_record.c.kind,
    contact_record.c.remote_id,
    postgresql_where=contact_record.c.pending,
)

contact_key = Table(
    "contact_key",
    metadata,
    of_tenant(),
    text_column("side"),
    text_column("kind"),
    text_column("key"),
    Column("remote_id", BigInteger, nullable=False),
    PrimaryKeyConstraint("tenant_id", "side", "kind", "key", "remote_id"),
    Index("contact_key_record_idx", "tenant_id", "side", "kind", "remote_id"),
)

contact_conflict = Table(
    "contact_conflict",
    metadata,
    id_column(),
    of_tenant(),
    text_column("kind"),
    text_column("contact_kind"),
    text_column("arcavis_id", nullable=True),
    Column("bexio_id", BigInteger),
    json_column("detail"),
    text_column("state"),
    text_column("resolution", nullable=True),
    text_column("resolved_by", nullable=True),
    moment("created_at"),
    moment("updated_at"),
    moment("closed_at", nullable=True),
)
Index(
    "contact_conflict_arcavis_idx",
    contact_conflict.c.tenant_id,
    contact_conflict.c.contact_kind,
    contact_conflict.c.arcavis_id,
    unique=True,
    postgresql_where=text("state <> 'closed' and arcavis_id is not null"),
)
Index(
    "contact_conflict_bexio_idx",
    contact_conflict.c.tenant_id,
    contact_conflict.c.contact_kind,
    contact_conflict.c.bexio_id,
    unique=True,
    postgresql_where=text("state <> 'closed' and arcavis_id is null"),
)
Index(
    "contact_conflict_listing_idx",
    contact_conflict.c.tenant_id,
    contact_conflict.c.created_at.desc(),
    contact_conflict.c.id.desc(),
)

contact_run = Table(
    "contact_run",
    metadata,
    Column("run_id", Uuid, primary_key=True),
    of_tenant(),
    json_column("place"),
    Column("finished", Boolean, nullable=False),
    moment("created_at"),
)
Index("contact_run_active_idx", contact_run.c.tenant_id, unique=True, postgresql_where=~contact_run.c.finished)

contact_push = Table(
    "contact_push",
    metadata,
    id_column(),
    of_tenant(),
    text_column("kind"),
    text_column("arcavis_id"),
    text_column("state"),
    Column("bexio_id", BigInteger),
    text_column("code", nullable=True),
    Column("params", JSONB, nullable=False, server_default=text("'{}'")),
    moment("updated_at"),
    UniqueConstraint("tenant_id", "kind", "arcavis_id"),
)

contact_group = Table(
    "contact_group",
    metadata,
    of_tenant(),
    text_column("name"),
    Column("holder", Uuid),
    moment("held_until", nullable=True),
    moment("sent_at", nullable=True),
    PrimaryKeyConstraint("tenant_id", "name"),
)
