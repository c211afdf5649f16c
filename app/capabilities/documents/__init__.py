"""The pipeline below invoices and orders: a sale becomes exactly one bexio invoice."""
