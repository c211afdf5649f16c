"""A customer of the till as a contact in bexio: linked, matched on evidence, or created once."""
