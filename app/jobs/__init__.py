"""Durable work: the adapter to the job engine and the operations that hold the truth. Knows no capability."""
