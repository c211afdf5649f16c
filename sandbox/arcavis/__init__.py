"""A simulated Arcavis: its REST API with state, rounding, ticks, licences and faults."""
