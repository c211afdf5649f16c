"""Simulated bexio and Arcavis."""
