"""A new shop from bexio Apps: one tenant, one Arcavis environment, everything taken over once."""
