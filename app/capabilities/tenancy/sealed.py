"""What sealed columns of a new shop are bound to, beside its tenant (see `app.core.vault`)."""

from __future__ import annotations

ADMIN = "provision.admin"
INITIAL_PASSWORD = "provision.initial_password"  # noqa: S105 - the column's name
