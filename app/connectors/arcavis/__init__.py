"""Arcavis' REST API: the part that this service reads, in Arcavis' own words."""
