"""Contacts in both systems: linked on evidence, merged field by field, kept in sync both ways."""
