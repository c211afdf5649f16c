"""HTTP machinery of our own API."""
