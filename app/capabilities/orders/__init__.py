"""Backoffice orders booked onto a bexio invoice."""
