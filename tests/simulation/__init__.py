"""The real code against injected time, network and crashes: one seed is one schedule, reproducible by its number."""
