"""A private Postgres in a data folder, for development, tests and small installations."""

from app.db.embedded.failure import EmbeddedPostgresError
from app.db.embedded.server import EmbeddedPostgres, start

__all__ = ["EmbeddedPostgres", "EmbeddedPostgresError", "start"]
