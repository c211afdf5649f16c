"""A tenant and its bexio company: whose credentials they are, and the link between the two."""
