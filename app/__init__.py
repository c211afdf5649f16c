"""The Arcavis-bexio connector."""
