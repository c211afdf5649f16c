"""HTTP to the remote systems: transport, budget, circuit, bexio and Arcavis."""
