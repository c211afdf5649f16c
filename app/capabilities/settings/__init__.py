"""What a tenant chose."""
