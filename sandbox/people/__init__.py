"""Realistic Swiss people and companies in any number, the same for the same seed; and pairs of them with labels."""
