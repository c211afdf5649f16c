"""Contact links with their merge base, conflicts, article links."""

from __future__ import annotations

revision = "0003"
down_revision = "0002"


def upgrade() -> None:
    """Expands what is there: the version before keeps running on it."""


def downgrade() -> None:
    raise RuntimeError("Migrations only go forward: restore a backup instead.")
