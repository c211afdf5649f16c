"""A simulated bexio: state in memory, bexio's rules, a double-entry ledger, switchable faults."""
