"""Contacts and articles."""

from __future__ import annotations

from collections.abc import Mapping

from app.core.texts.entry import Entry

ENTRIES: Mapping[str, Entry] = {}
