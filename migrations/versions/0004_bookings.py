"""Booking rules, exports and posted entries."""

from __future__ import annotations

revision = "0004"
down_revision = "0003"


def upgrade() -> None:
    """Expands what is there: the version before keeps running on it."""


def downgrade() -> None:
    raise RuntimeError("Migrations only go forward: restore a backup instead.")
