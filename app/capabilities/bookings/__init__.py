"""The booking export: from receipts and rules to manual entries in bexio, to the Rappen."""
