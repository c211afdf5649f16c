"""bexio's REST API as a tree of resources over one transport, in bexio's own words."""
