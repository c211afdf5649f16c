"""What callers can do. No capability imports another."""
