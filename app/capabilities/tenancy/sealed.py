"""What sealed columns of a new shop are bound to, beside its tenant or activation (see `app.core.vault`)."""

from __future__ import annotations

ADMIN = "provision.admin"
# Sealed between the exchange of a code and the acceptance, for the activation: there is no tenant yet.
WANTED = "activation.wanted"
INITIAL_PASSWORD = "provision.initial_password"  # noqa: S105 - the column's name
