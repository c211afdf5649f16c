"""Booking rules, exports and what they posted."""
