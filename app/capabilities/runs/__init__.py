"""Long work that a person may watch."""
