"""Contacts and articles: what a sync remembers."""
