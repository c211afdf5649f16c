"""Signing in at bexio through a browser, up to the proven grant; what it is for decides who goes on."""
