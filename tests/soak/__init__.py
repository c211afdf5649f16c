"""The long proofs, with their figures."""
