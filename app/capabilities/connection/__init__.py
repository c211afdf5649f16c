"""The two connections of a tenant: bexio and Arcavis, the doctor, and what bexio offers to choose from."""
