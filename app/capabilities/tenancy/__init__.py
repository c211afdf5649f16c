"""The tenant as every capability sees it: who it is, its settings, its connections."""
