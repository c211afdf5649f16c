"""Articles: which belong together, what Arcavis has, and what the latest import could not take."""

from __future__ import annotations

from sqlalchemy import BigInteger, Boolean, Column, Index, LargeBinary, Numeric, PrimaryKeyConstraint, Table, Uuid, text

from app.db.tables.columns import json_column, metadata, moment, of_tenant, text_column

article_link = Table(
    "article_link",
    metadata,
    of_tenant(),
    text_column("arcavis_id"),
    Column("bexio_id", BigInteger, nullable=False),
    Column("account_id", BigInteger),
    text_column("state"),
    moment("created_at"),
    moment("updated_at"),
    Column("id", Uuid, nullable=False, server_default=text("gen_random_uuid()")),
    text_column("number", nullable=True),
    text_column("number_key", nullable=True),
    Column("fingerprint", LargeBinary),
    text_column("reason", nullable=True),
    Column("run_id", Uuid),
    text_column("outcome", nullable=True),
    text_column("stock_state", nullable=True),
    Column("stock", Numeric),
    Column("stock_store_id", BigInteger),
    moment("stock_at", nullable=True),
    Column("stock_run_id", Uuid),
    PrimaryKeyConstraint("tenant_id", "arcavis_id"),
    Index("article_link_bexio_idx", "tenant_id", "bexio_id", unique=True),
    Index("article_link_number_idx", "tenant_id", "number_key"),
)
Index("article_link_listing_idx", article_link.c.tenant_id, article_link.c.updated_at.desc(), article_link.c.id.desc())
Index(
    "article_link_stock_idx",
    article_link.c.tenant_id,
    article_link.c.arcavis_id,
    postgresql_where=article_link.c.stock_state == "intended",
)

arcavis_article = Table(
    "arcavis_article",
    metadata,
    of_tenant(),
    text_column("arcavis_id"),
    text_column("number_key"),
    PrimaryKeyConstraint("tenant_id", "arcavis_id"),
    Index("arcavis_article_number_idx", "tenant_id", "number_key"),
)

article_problem = Table(
    "article_problem",
    metadata,
    of_tenant(),
    Column("bexio_id", BigInteger, nullable=False),
    Column("run_id", Uuid, nullable=False),
    text_column("code"),
    json_column("params"),
    text_column("number", nullable=True),
    text_column("name", nullable=True),
    PrimaryKeyConstraint("tenant_id", "bexio_id"),
)

article_run = Table(
    "article_run",
    metadata,
    Column("run_id", Uuid, primary_key=True),
    of_tenant(),
    json_column("place"),
    Column("finished", Boolean, nullable=False),
    moment("created_at"),
)
Index("article_run_active_idx", article_run.c.tenant_id, unique=True, postgresql_where=~article_run.c.finished)
