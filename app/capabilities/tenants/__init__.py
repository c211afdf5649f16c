"""Operators make tenants and keys."""
