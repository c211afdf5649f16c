"""Articles: imported from bexio into Arcavis, their stock exactly once."""
