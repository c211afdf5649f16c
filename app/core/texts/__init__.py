"""The English texts of every code, a module for each area.

`app/locale/<language>/LC_MESSAGES/<area>.po` translates them: a changed text here is a new msgid there.
"""

from __future__ import annotations

from collections.abc import Mapping

from app.core.texts import articles, bookings, contacts, foundation, provisioning
from app.core.texts.entry import Entry
from app.core.texts.fields import MESSAGES

__all__ = ["ENTRIES", "MESSAGES", "PHRASES", "Entry"]

ENTRIES: Mapping[str, Entry] = {
    **foundation.ENTRIES,
    **contacts.ENTRIES,
    **articles.ENTRIES,
    **bookings.ENTRIES,
    **provisioning.ENTRIES,
}

PHRASES: frozenset[str] = provisioning.PHRASES | bookings.PHRASES
