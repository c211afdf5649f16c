"""Sessions, tables and queries on Postgres."""
